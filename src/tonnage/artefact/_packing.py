"""
``tonnage pack``: ``model.joblib`` and ``service.py`` → an artefact.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, TypeAdapter

from tonnage.domain import ConfigurationError

from ._comparing import TOLERANCES, Predictions, to_json
from ._compile import Stored, first_line, store
from ._features import is_table, row_count
from ._golden import draw_rows, golden_places, read_rows
from ._handlers import code_files, files_of, import_service
from ._loading import ARCHIVE_NAME
from ._manifest import FileEntry, Golden, Manifest, ModelEntry
from ._opening import open_pickle
from ._versions import versions_of
from ._writing import write_artefact
from .classified import Classified
from .service import Service

__all__ = ["PackReport", "pack"]


@dataclass(frozen=True, kw_only=True, slots=True)
class PackReport:
    """
    What packing did.

    Attributes:
        directory: The artefact.
        archive: The same as ``model.tar.gz``, what SageMaker takes.
        sha256: Of the archive; packing the same again gives the same.
        manifest: The manifest.
        warnings: What the author should know, a line each.
    """

    directory: Path
    archive: Path
    sha256: str
    manifest: Manifest
    warnings: Sequence[str] = ()


def pack(
    model: Path,
    *,
    service: str,
    output: Path,
    code: Path = Path(),
    data: Path | None = None,
    allow_pickle: bool = False,
) -> PackReport:
    """
    Pack a fitted model and its service into an artefact.

    This opens the pickle: pack only what you made or trust.

    Args:
        model: The file that ``joblib.dump`` wrote.
        service: ``MODULE:CLASS`` of the service.
        output: The artefact's directory; an older artefact there is replaced in one step.
        code: Where the service's module lies.
        data: A CSV file of rows to compare predictions on; without one they are drawn from the
            schema. Some of them are kept as golden rows.
        allow_pickle: Keep a model that no safe form agrees with as a joblib file.

    Raises:
        ConfigurationError: If a file is missing or the service is none.
        ArtefactError: If the model does not load, or no form of it agrees with it.
    """
    opened = open_pickle(model, code)
    loaded_service = import_service(service, code)
    rows = read_rows(data, loaded_service.row) if data else draw_rows(loaded_service.row)
    stored = store(
        opened.estimator,
        _features(loaded_service, rows),
        wanted=loaded_service.outputs,
        pickle=opened.content if allow_pickle else None,
    )
    sources = {*code_files(service, code)}
    if stored.format == "joblib":
        sources |= {*files_of(opened.modules, code)}
    files = {
        f"model.{stored.format}": stored.content,
        **{f"code/{name}": (code / name).read_bytes() for name in sources},
    }
    manifest = Manifest(
        handler=service,
        model=_model_entry(stored, opened.estimator, opened.content),
        files={name: FileEntry.of(content) for name, content in sorted(files.items())},
        versions=versions_of(opened.estimator),
        row_schema=loaded_service.row.model_json_schema(),
        result_schema=loaded_service.result.model_json_schema(mode="serialization"),
        golden=_golden(loaded_service, rows, stored.predictions, data),
    )
    return PackReport(
        directory=output,
        archive=output / ARCHIVE_NAME,
        sha256=write_artefact(output, manifest, files),
        manifest=manifest,
        warnings=opened.warnings,
    )


def _features(service: Service[Any, Any], rows: list[BaseModel]) -> Any:  # noqa: ANN401 (a matrix or a table)
    try:
        features: Any = service.features(rows)
        if not is_table(features):
            features = np.asarray(features)
        elif not isinstance(features, Mapping):
            features = {name: features[name] for name in features}
    except Exception as error:
        raise _failing(service, "features", error) from error
    try:
        count = row_count(features)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f"{type(service).__name__}.features gave what is no matrix: {error}",
            hint="return one line of numbers a row, an array of shape (n, n_features); or a"
            " dictionary of columns",
        ) from error
    if count != len(rows):
        shown = f"{count} rows" if is_table(features) else f"an array of shape {features.shape}"
        raise ConfigurationError(
            f"{type(service).__name__}.features gave {shown} for {len(rows)} rows",
            hint="return one line of numbers a row, in the order of the rows",
        )
    return features


def _model_entry(stored: Stored, estimator: object, source: bytes) -> ModelEntry:
    return ModelEntry(
        format=stored.format,
        file=f"model.{stored.format}",
        precision=stored.precision,
        estimator=f"{type(estimator).__module__}.{type(estimator).__qualname__}",
        source_sha256=hashlib.sha256(source).hexdigest(),
        considered=list(stored.considered),
        max_relative_difference=stored.max_relative_difference,
        tolerance=TOLERANCES[stored.precision],
        floor=stored.floor,
        columns=stored.columns,
        outputs=stored.outputs,
        classes=stored.classes,
        labels=stored.labels,
    )


def _golden(
    service: Service[Any, Any],
    rows: list[BaseModel],
    predictions: Predictions,
    data: Path | None,
) -> Golden:
    places = golden_places(len(rows), drawn=data is None)
    kept = _at(predictions, places)
    return Golden(
        rows=[rows[place].model_dump(mode="json", by_alias=True) for place in places],
        predictions=to_json(kept),
        results=_results(service, kept),
        origin=data.name if data else "drawn from the schema",
    )


def _at(predictions: Predictions, places: Sequence[int]) -> Predictions:
    if not isinstance(predictions, Classified):
        return predictions[list(places)]
    return Classified(
        labels=predictions.labels[list(places)],
        probabilities=predictions.probabilities[list(places)],
        classes=predictions.classes,
    )


def _results(service: Service[Any, Any], predictions: Predictions) -> list[Any]:
    encode = TypeAdapter(service.result)
    try:
        results = service.results(predictions)
        dumped = [
            encode.dump_python(result, mode="json", by_alias=True, warnings="error")
            for result in results
        ]
    except Exception as error:
        raise _failing(service, "results", error) from error
    if len(dumped) != len(predictions):
        raise ConfigurationError(
            f"{type(service).__name__}.results gave {len(dumped)} results"
            f" for {len(predictions)} predictions",
            hint="return one result a prediction, in the same order",
        )
    return dumped


def _failing(service: Service[Any, Any], function: str, error: Exception) -> ConfigurationError:
    return ConfigurationError(f"{type(service).__name__}.{function} fails: {first_line(error)}")
