"""
Loading an artefact: every hash first, then the code, then the model.
"""

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter, ValidationError

from tonnage.domain import ArtefactError, FieldFault, InvalidPayloadError, ModelLoadError

from ._comparing import difference, from_json
from ._handlers import import_service
from ._manifest import MANIFEST_NAME, FileEntry, Manifest
from ._predictors import Predictor, load_predictor
from ._versions import mismatches
from .service import Service

__all__ = [
    "ALLOW_PICKLE_VARIABLE",
    "ARCHIVE_NAME",
    "LoadedModel",
    "LoadedService",
    "predict_golden",
    "verify",
    "verify_archive",
]

logger = logging.getLogger(__name__)

ARCHIVE_NAME: Final = "model.tar.gz"
ALLOW_PICKLE_VARIABLE: Final = "TONNAGE_SERVING_ALLOW_PICKLE"
"""The container's word for ``allow_pickle``."""
MAX_FAULTS: Final = 20
"""So many faults of one payload are named; a caller who makes more has other worries."""
_MAX_FAULT_CHARACTERS: Final = 200


def verify(directory: Path) -> Manifest:
    """
    Check that an artefact is what its manifest says, and return the manifest.

    ``model.tar.gz`` beside it is neither opened nor trusted: nothing is served from it. Whoever
    hands it on calls ``verify_archive``.

    Raises:
        ArtefactError: If a file is missing, changed, added, or no plain file.
    """
    manifest = Manifest.read(directory)
    if (directory / MANIFEST_NAME).is_symlink():
        raise _mismatch(directory, f"{MANIFEST_NAME} is no plain file")
    if manifest.model.file not in manifest.files:
        raise _mismatch(directory, f"its model {manifest.model.file} is not in its manifest")
    present = {
        file.relative_to(directory).as_posix()
        for file in directory.rglob("*")
        if file.is_symlink() or not file.is_dir()
    }
    unlisted = present - set(manifest.files) - {MANIFEST_NAME, ARCHIVE_NAME}
    if unlisted:
        raise _mismatch(directory, f"{min(unlisted)} is not in its manifest")
    for name, entry in manifest.files.items():
        file = directory / name
        if file.is_symlink() or not file.is_file():
            raise _mismatch(directory, f"{name} is missing or no plain file")
        if FileEntry.of(file.read_bytes()) != entry:
            raise _mismatch(directory, f"{name} was changed after it was packed")
    return manifest


def verify_archive(archive: Path, manifest: Manifest) -> None:
    """
    Check that a ``model.tar.gz`` is the artefact with this manifest; do so before it is handed on.

    Raises:
        ArtefactError: If it is missing or damaged, or holds another artefact.
    """
    import tempfile

    from ._archive import extract

    with tempfile.TemporaryDirectory(prefix="tonnage-archive-") as place:
        extract(archive, Path(place))
        if verify(Path(place)) != manifest:
            raise ArtefactError(
                f"{archive} does not hold the artefact that it lies beside", hint="pack it again"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedService:
    """
    An artefact's service without its model: what a front needs to check and describe requests.

    Attributes:
        manifest: The verified manifest.
        service: The user's service.
    """

    manifest: Manifest
    service: Service[Any, Any]

    @classmethod
    def load(cls, directory: Path) -> "LoadedService":
        """
        Verify an artefact and import its service.

        Raises:
            ArtefactError: If it does not match its manifest or its code does not import.
        """
        manifest = verify(directory)
        return cls(manifest=manifest, service=import_service(manifest.handler, directory / "code"))

    def parse_row(self, body: bytes) -> BaseModel:
        """
        Return the valid row that ``body`` holds as JSON.

        Raises:
            InvalidPayloadError: If it holds none; the fields at fault are named.
        """
        try:
            return self.service.row.model_validate_json(body, strict=True)
        except ValidationError as error:
            raise _invalid_payload(error) from None


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedModel(LoadedService):
    """
    An artefact ready to predict.

    Attributes:
        predictor: The stored model.
        encode: One result → JSON.
    """

    predictor: Predictor
    encode: TypeAdapter[BaseModel]

    @classmethod
    def load(cls, directory: Path, *, allow_pickle: bool = False) -> "LoadedModel":
        """
        Verify an artefact, import its service and load its model; predict nothing.

        Args:
            directory: The artefact's directory.
            allow_pickle: Whether a model that was kept as a joblib file may be opened, which runs
                whatever code is in it.

        Raises:
            ArtefactError: If it does not match its manifest, does not load, or is a pickle that
                nobody here has allowed.
        """
        if not allow_pickle and Manifest.read(directory).model.format == "joblib":
            raise ArtefactError(
                f"{directory} holds its model as a pickle: opening it runs whatever code is in it",
                hint="pack it again without --allow-pickle; or say that you trust it: `tonnage"
                " serve --allow-pickle`, allow_pickle = true in tonnage.toml's [serving], or"
                f" {ALLOW_PICKLE_VARIABLE}=true for a container",
            )
        verified = LoadedService.load(directory)
        predictor = load_predictor(verified.manifest.model, directory)
        if others := _other_versions(verified.manifest):
            logger.warning("the model was packed with %s: pack it again with these", others)
        return cls(
            manifest=verified.manifest,
            service=verified.service,
            predictor=predictor,
            encode=TypeAdapter(verified.service.result),
        )

    def predict(self, rows: Sequence[BaseModel]) -> list[bytes]:
        """
        Predict for all ``rows`` in one call and return each result as JSON, in the same order.

        Whatever the user's functions or the model raise passes through.
        """
        predictions = self.predictor.predict(self.service.features(rows))
        results = self.service.results(predictions)
        if len(results) != len(rows):
            raise ModelLoadError(
                f"{self.manifest.handler} gave {len(results)} results for {len(rows)} rows"
            )
        to_json = self.encode.serializer.to_json  # what ``dump_json`` calls, in half the time
        return [to_json(result, by_alias=True) for result in results]


def predict_golden(model: LoadedModel) -> float:
    """
    Self-test: predict the golden rows and return the worst relative difference from the manifest.

    Raises:
        ModelLoadError: If the model fails, or predicts something else than it promised.
    """
    golden, entry = model.manifest.golden, model.manifest.model
    try:
        rows = [model.service.row.model_validate(row) for row in golden.rows]
        predicted = model.predictor.predict(model.service.features(rows))
        model.service.results(predicted)
        promised = from_json(golden.predictions, predicted)
    except Exception as error:
        raise ModelLoadError(
            f"the self-test fails: {type(error).__name__}: {error}", hint=_hint(model.manifest)
        ) from error
    worst = difference(predicted, promised, entry.floor)
    if worst > entry.tolerance:
        raise ModelLoadError(
            f"the self-test predicts something else than the manifest promises: worst relative"
            f" difference {worst:.3g}, tolerance {entry.tolerance:g}",
            hint=_hint(model.manifest),
        )
    return worst


def _other_versions(manifest: Manifest) -> str:
    return ", ".join(mismatches(manifest.versions, manifest.model.format))


def _hint(manifest: Manifest) -> str:
    others = _other_versions(manifest)
    packed = f"; it was packed with {others}" if others else ""
    return f"pack the model again with the library versions it is served with{packed}"


def _mismatch(directory: Path, fault: str) -> ArtefactError:
    return ArtefactError(f"{directory} does not match its manifest: {fault}", hint="pack it again")


def _invalid_payload(error: ValidationError) -> InvalidPayloadError:
    faults = [
        FieldFault(
            field=_shortened(".".join(map(str, detail["loc"]))), message=_shortened(detail["msg"])
        )
        for detail in _first_details(error)
    ]
    first, more = faults[0], error.error_count() - len(faults)
    where = f"{first.field}: " if first.field else ""
    others = f" ({more:,} faults more than are named)" if more else ""
    return InvalidPayloadError(f"{where}{first.message}{others}", faults=faults)


def _first_details(error: ValidationError) -> Iterator[dict[str, Any]]:
    # A body of 6 MB can hold half a million unknown fields. ``error.errors()`` makes a dictionary
    # of each, which would hold up everyone else for seconds; as JSON they cost a sixth of that.
    text = error.json(include_url=False, include_context=False, include_input=False)
    decoder, position = json.JSONDecoder(), 1
    for _ in range(min(MAX_FAULTS, error.error_count())):
        detail, end = decoder.raw_decode(text, position)
        yield detail
        position = end + 1


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_FAULT_CHARACTERS else f"{text[:_MAX_FAULT_CHARACTERS]}…"
