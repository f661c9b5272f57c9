"""
``tonnage pack``: ``model.joblib`` and ``service.py`` → an artefact.
"""

import gzip
import hashlib
import io
import platform
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, TypeAdapter

from tonnage.domain import ArtefactError, ConfigurationError

from ._compile import TOLERANCES, Stored, first_line, store
from ._golden import draw_rows, golden_places, read_rows
from ._handlers import code_files, import_service
from ._loading import ARCHIVE_NAME, LoadedModel, predict_golden
from ._manifest import MANIFEST_NAME, FileEntry, Golden, Manifest, ModelEntry
from .service import Service

__all__ = ["PackReport", "is_stale", "pack"]

_VERSIONS: Final = (
    "tonnage",
    "numpy",
    "scikit-learn",
    "skl2onnx",
    "onnxruntime",
    "skops",
    "pydantic",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class PackReport:
    """
    What packing did.

    Attributes:
        directory: The artefact.
        archive: The same as ``model.tar.gz``, what SageMaker takes.
        sha256: Of the archive; packing the same again gives the same.
        manifest: The manifest.
    """

    directory: Path
    archive: Path
    sha256: str
    manifest: Manifest


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
    estimator = _open_pickle(model)
    loaded_service = import_service(service, code)
    rows = read_rows(data, loaded_service.row) if data else draw_rows(loaded_service.row)
    features = _features(loaded_service, rows)
    stored = store(estimator, features, allow_pickle=allow_pickle)
    files = {
        f"model.{stored.format}": stored.content,
        **{f"code/{name}": (code / name).read_bytes() for name in code_files(service, code)},
    }
    manifest = Manifest(
        handler=service,
        model=_model_entry(stored, estimator, model),
        files={name: FileEntry.of(content) for name, content in sorted(files.items())},
        versions=_versions(),
        row_schema=loaded_service.row.model_json_schema(),
        result_schema=loaded_service.result.model_json_schema(mode="serialization"),
        golden=_golden(loaded_service, rows, stored.predictions, data),
    )
    return _write(output, manifest, files)


def is_stale(artefact: Path, model: Path, service: str, code: Path) -> bool:
    """
    Say whether an artefact must be packed again: it is missing, or its sources have changed.

    Raises:
        ArtefactError: If there is one that was changed by hand.
    """
    if not (artefact / MANIFEST_NAME).exists():
        return True
    manifest = Manifest.read(artefact)
    sources = {f"code/{name}": (code / name).read_bytes() for name in code_files(service, code)}
    packed = {name: entry.sha256 for name, entry in manifest.files.items() if name in sources}
    return (
        manifest.handler != service
        or packed != {name: hashlib.sha256(text).hexdigest() for name, text in sources.items()}
        or (model.exists() and _file_sha256(model) != manifest.model.source_sha256)
    )


def _open_pickle(model: Path) -> Any:  # noqa: ANN401 (any estimator)
    if not model.is_file():
        raise ConfigurationError(
            f"there is no model {model}", hint="save one with joblib.dump(model, 'model.joblib')"
        )
    try:
        import joblib
        import sklearn  # noqa: F401 (so that its absence is named before joblib stumbles over it)
    except ImportError as error:
        raise ConfigurationError(
            f"packing needs {error.name}", hint="pip install 'tonnage[pack]'"
        ) from error
    try:
        estimator = joblib.load(model)
    except Exception as error:
        raise ArtefactError(
            f"{model} does not load: {type(error).__name__}: {error}",
            hint="pack it where it was fitted, with the same library versions",
        ) from error
    if not hasattr(estimator, "predict"):
        raise ConfigurationError(f"{model} holds a {type(estimator).__name__}: it has no predict")
    return estimator


def _features(service: Service[Any, Any], rows: list[BaseModel]) -> NDArray[Any]:
    try:
        features = np.asarray(service.features(rows))
    except Exception as error:
        raise _failing(service, "features", error) from error
    if features.ndim != 2 or len(features) != len(rows):  # noqa: PLR2004 (a matrix)
        raise ConfigurationError(
            f"{type(service).__name__}.features gave an array of shape {features.shape}"
            f" for {len(rows)} rows",
            hint="return one line of numbers a row: an array of shape (n, n_features)",
        )
    return features


def _model_entry(stored: Stored, estimator: object, source: Path) -> ModelEntry:
    return ModelEntry(
        format=stored.format,
        file=f"model.{stored.format}",
        precision=stored.precision,
        estimator=f"{type(estimator).__module__}.{type(estimator).__qualname__}",
        source_sha256=_file_sha256(source),
        considered=list(stored.considered),
        max_relative_difference=stored.max_relative_difference,
        tolerance=TOLERANCES[stored.precision],
    )


def _golden(
    service: Service[Any, Any],
    rows: list[BaseModel],
    predictions: NDArray[Any],
    data: Path | None,
) -> Golden:
    places = golden_places(len(rows), drawn=data is None)
    kept = predictions[places]
    return Golden(
        rows=[rows[place].model_dump(mode="json", by_alias=True) for place in places],
        predictions=kept.tolist(),
        results=_results(service, kept),
        origin=data.name if data else "drawn from the schema",
    )


def _results(service: Service[Any, Any], predictions: NDArray[Any]) -> list[Any]:
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


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for name in _VERSIONS:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def _write(output: Path, manifest: Manifest, files: Mapping[str, bytes]) -> PackReport:
    if not _may_be_replaced(output):
        raise ConfigurationError(
            f"{output} exists and is no artefact", hint="choose another directory with -o"
        )
    output.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{output.name}-", dir=output.parent))
    try:
        fresh.chmod(0o755)
        content = {**files, MANIFEST_NAME: manifest.to_bytes()}
        for name, data in content.items():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            (fresh / name).write_bytes(data)
        archive = _archive(content)
        (fresh / ARCHIVE_NAME).write_bytes(archive)
        predict_golden(LoadedModel.load(fresh))
        if output.exists():
            shutil.rmtree(output)
        fresh.replace(output)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    return PackReport(
        directory=output,
        archive=output / ARCHIVE_NAME,
        sha256=hashlib.sha256(archive).hexdigest(),
        manifest=manifest,
    )


def _may_be_replaced(output: Path) -> bool:
    if not output.exists():
        return True
    if not output.is_dir() or not any(output.iterdir()):
        return output.is_dir()
    try:
        # Browser extensions and web pages have a manifest.json, too. One of ours may be damaged.
        return b'"tonnage.artefact/' in (output / MANIFEST_NAME).read_bytes()
    except OSError:
        return False


def _archive(content: Mapping[str, bytes]) -> bytes:
    """Return a ``tar.gz`` that is the same, byte for byte, for the same content."""
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name, data in sorted(content.items()):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o644
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def _file_sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
