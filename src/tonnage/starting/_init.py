"""
``tonnage init``: what is known of a model → the files around it.
"""

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tonnage.artefact import FittedPredictor, import_service, open_pickle, read_rows
from tonnage.domain import ConfigurationError, TonnageError

from ._columns import as_json, identifier
from ._existing import is_existing, program_of
from ._other_texts import class_name, locustfile_text, service_name, settings_text
from ._sample import read_sample
from ._service_text import Names, service_text
from ._trying import Tried
from ._understanding import TRIED_ROWS, Understood, understand

__all__ = ["InitReport", "init"]


@dataclass(frozen=True, kw_only=True, slots=True)
class InitReport:
    """
    What was written.

    Attributes:
        directory: Where.
        files: Which files, in the order to read them.
        service: ``MODULE:CLASS``; None for a handler that runs as it is.
        columns: The names of the row's columns, in the model's order.
        notes: What was assumed, a line each.
        warnings: What the author should know of the model, a line each.
        next_commands: What to run next, in that directory.
    """

    directory: Path
    files: tuple[Path, ...]
    service: str | None
    columns: tuple[str, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    next_commands: tuple[str, ...]


def init(
    model: Path,
    *,
    data: Path | None = None,
    target: str | None = None,
    output: Path = Path(),
    force: bool = False,
) -> InitReport:
    """
    Write ``service.py``, ``tonnage.toml`` and ``locustfile.py`` for a model.

    This opens the pickle: do it with a model that you made or trust. For a model that SageMaker
    serves already, a ``model.tar.gz`` or a folder with ``code/inference.py``, only ``tonnage.toml``
    is written, and nothing of it is run.

    Args:
        model: The file that ``joblib.dump`` wrote; or what SageMaker serves already.
        data: A CSV file of rows as the model was fitted on, the target among them or not.
        target: The column that is predicted, so that it is no part of the row.
        output: Where to write.
        force: Whether files that are there are overwritten.

    Raises:
        ConfigurationError: If a file is missing, is there already, or does not fit the others.
        ArtefactError: If the model does not load.
    """
    if is_existing(model):
        return _existing(model, output, force=force)
    _refuse_existing(output, ("service.py", "tonnage.toml", "locustfile.py"), force=force)
    # Where `pack` will look for classes of one's own: beside the service.
    opened = open_pickle(model, output if output.is_dir() else model.parent)
    sample = None if data is None else read_sample(data)
    understood, tried = understand(opened.estimator, sample, target)
    name = service_name(output)
    names = Names(
        service=class_name(name),
        answer=_answer_field(tried, target),
        sample=data.name if data else None,
    )
    code = service_text(understood.columns, tried, names)
    use_data, note = _prove(code, names, understood, opened.estimator, data, tried)
    columns = understood.columns
    files = {
        "service.py": code,
        "tonnage.toml": settings_text(
            name,
            handler=names.service,
            model=_seen_from(output, model),
            data=_seen_from(output, data) if data and use_data else None,
            locustfile="locustfile.py",
        ),
        "locustfile.py": locustfile_text(columns, names.service),
    }
    return InitReport(
        directory=output,
        files=_write(output, files),
        service=f"service:{names.service}",
        columns=tuple(column.name for column in columns),
        notes=(*understood.notes, *note),
        warnings=tuple(opened.warnings),
        next_commands=_next_commands(output, names.service, model, data if use_data else None),
    )


def _answer_field(tried: Tried, target: str | None) -> str:
    if tried.classes:
        return "label"
    if target is not None:
        return identifier(target)
    return "prediction"


def _prove(
    code: str,
    names: Names,
    understood: Understood,
    model: Any,  # noqa: ANN401 (any estimator)
    data: Path | None,
    tried: Tried,
) -> tuple[bool, tuple[str, ...]]:
    """Import what is to be written and let it predict; say whether the data may be compared on."""
    with tempfile.TemporaryDirectory(prefix="tonnage-init-") as directory:
        (Path(directory) / "service.py").write_text(code, encoding="utf-8")
        service = import_service(f"service:{names.service}", Path(directory))
        rows = [
            service.row.model_validate_json(as_json(understood.columns, row), strict=True)
            for row in understood.rows[:TRIED_ROWS]
        ]
        predictor = FittedPredictor(
            model, classes=tried.classes if tried.has_probabilities else None
        )
        service.results(predictor.predict(service.features(rows)))
        if data is None:
            return False, ()
        try:
            read_rows(data, service.row)
        except TonnageError as error:
            return False, (f"predictions will be compared on drawn rows: {error}",)
    return True, ()


def _existing(model: Path, output: Path, *, force: bool) -> InitReport:
    program = program_of(model)
    _refuse_existing(output, ("tonnage.toml",), force=force)
    seen = _seen_from(output, model)
    text = settings_text(service_name(output), handler=None, model=seen, data=None, locustfile=None)
    return InitReport(
        directory=output,
        files=_write(output, {"tonnage.toml": text}),
        service=None,
        columns=(),
        notes=(
            f"{program} is served as it is; no schema is known, so load tests need a --body",
            "for batches, a REST API and no pickle, give the joblib file as --model, and --data",
        ),
        warnings=(),
        next_commands=(
            *_changing_to(output),
            f"tonnage serve {seen} --port 8080",
            "tonnage load http://127.0.0.1:8080/invocations --body '…' --duration 30s",
            "tonnage line http://127.0.0.1:8080/invocations --body '…' --budget 60s",
        ),
    )


def _next_commands(output: Path, service: str, model: Path, data: Path | None) -> tuple[str, ...]:
    rows = f" --data {_seen_from(output, data)}" if data else ""
    return (
        *_changing_to(output),
        f"tonnage pack {_seen_from(output, model)} --service service:{service}{rows}",
        "tonnage up",
        "tonnage load --duration 30s",
        "tonnage line --budget 60s",
        "tonnage plan --line RATE --profile 'ramp(0/s, 1000/s, 1000s)'",
    )


def _changing_to(output: Path) -> tuple[str, ...]:
    return () if output.resolve() == Path.cwd() else (f"cd {output}",)


def _seen_from(output: Path, file: Path) -> str:
    return Path(os.path.relpath(file.resolve(), output.resolve())).as_posix()


def _refuse_existing(output: Path, names: Sequence[str], *, force: bool) -> None:
    if output.exists() and not output.is_dir():
        raise ConfigurationError(f"{output} is no directory", hint="name another one with -o")
    there = [name for name in names if (output / name).exists()]
    if there and not force:
        raise ConfigurationError(
            f"{output / there[0]} is there already",
            hint="write elsewhere with -o DIR, or overwrite it with --force",
        )


def _write(output: Path, files: Mapping[str, str]) -> tuple[Path, ...]:
    try:
        output.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (output / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{output} cannot be written: {error}") from error
    return tuple(output / name for name in files)
