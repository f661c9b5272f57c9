"""
The manifest: what an artefact is made of, and what it promises to predict.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from tonnage.domain import ArtefactError

__all__ = [
    "FORMAT",
    "MANIFEST_NAME",
    "FileEntry",
    "Golden",
    "Manifest",
    "ModelEntry",
    "ModelFormat",
]

FORMAT: Final = "tonnage.artefact/1"
MANIFEST_NAME: Final = "manifest.json"

ModelFormat = Literal["onnx", "skops", "joblib"]


@dataclass(frozen=True, kw_only=True, slots=True)
class FileEntry:
    """One file of the artefact: its SHA-256 in hex, and its size."""

    sha256: str
    size_bytes: int

    @classmethod
    def of(cls, content: bytes) -> "FileEntry":
        """Describe a file's content."""
        return cls(sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content))


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelEntry:
    """
    What the model became, and why.

    Attributes:
        format: How it is stored.
        file: Where, inside the artefact.
        precision: The features' type in the compiled model: ``float64`` or ``float32``.
        estimator: The class that was fitted.
        source_sha256: Of the file it was packed from.
        considered: One line a format that was tried, with its outcome.
        max_relative_difference: The worst of its predictions against the original's, over all
            rows that were compared.
        tolerance: What that may be.
        floor: For each output the size below which a difference is divided by this instead of the
            prediction's own size; None where differences are purely relative, or absolute.
        columns: The columns it takes by name; None for a matrix.
        outputs: How many numbers it predicts a row, as a second dimension; None for one dimension.
        classes: A classifier's labels, if its service asks for their probabilities.
        labels: The type of a classifier's labels where a runtime knows whole numbers instead:
            ``bool`` or ``float64``.
    """

    format: ModelFormat
    file: str
    precision: str
    estimator: str
    source_sha256: str
    considered: Sequence[str]
    max_relative_difference: float
    tolerance: float
    floor: Sequence[float] | None = None
    columns: Sequence[str] | None = None
    outputs: int | None = None
    classes: Sequence[Any] | None = None
    labels: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Golden:
    """
    What the packed model answered on the author's machine.

    Attributes:
        rows: Valid rows, as JSON objects.
        predictions: What the model predicted for each: a number, a label, a list of them, or an
            object with ``label`` and ``probabilities``.
        results: What the service answered for each, as JSON objects.
        origin: Where the rows come from.
    """

    rows: Sequence[Mapping[str, Any]]
    predictions: Sequence[Any]
    results: Sequence[Mapping[str, Any]]
    origin: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """
    An artefact's manifest, ``manifest.json``.

    It is written in one canonical form and carries its own digest, so that a changed byte in it is
    seen like one in any other file.

    Attributes:
        handler: ``module:Class`` in ``code/``.
        model: What the model became.
        files: Every other file's hash, by its path in the artefact.
        versions: The versions it was packed with.
        row_schema: JSON schema of one request.
        result_schema: JSON schema of one answer.
        golden: Golden predictions, for the self-test.
    """

    handler: str
    model: ModelEntry
    files: Mapping[str, FileEntry]
    versions: Mapping[str, str]
    row_schema: Mapping[str, Any]
    result_schema: Mapping[str, Any]
    golden: Golden

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form without the digest, in hex: the artefact's identity."""
        return hashlib.sha256(_canonical(self._described())).hexdigest()

    def to_bytes(self) -> bytes:
        """Return the canonical form."""
        return _canonical({**self._described(), "digest": self.digest})

    def _described(self) -> dict[str, Any]:
        # What a model does not have is not written, so that a manifest from before it could have
        # been is in the canonical form, too.
        described = asdict(self)
        model = {key: value for key, value in described["model"].items() if value is not None}
        return {**described, "model": model, "format": FORMAT}

    @classmethod
    def read(cls, directory: Path) -> "Manifest":
        """
        Read and check a manifest.

        Raises:
            ArtefactError: If it is missing, of another format, or was changed.
        """
        file = directory / MANIFEST_NAME
        if file.exists() and not file.is_file():  # a pipe would be waited for
            raise ArtefactError(f"{file} is no plain file", hint="pack the model again")
        try:
            content = file.read_bytes()
        except FileNotFoundError as error:
            raise ArtefactError(
                f"there is no artefact in {directory}: {MANIFEST_NAME} is missing",
                hint="make one with `tonnage pack model.joblib --service service:NAME -o DIR`",
            ) from error
        except OSError as error:
            raise ArtefactError(f"{file} cannot be read: {error.strerror}") from error
        manifest = cls._parsed(content, file)
        if manifest.to_bytes() != content:
            raise ArtefactError(
                f"{file} was changed after it was packed", hint="pack the model again"
            )
        return manifest

    @classmethod
    def _parsed(cls, content: bytes, file: Path) -> "Manifest":
        try:
            described = json.loads(content)
            if described.pop("format") != FORMAT:
                raise ArtefactError(
                    f"{file} is not of the format {FORMAT}", hint="pack the model again"
                )
            described.pop("digest")
            described["model"] = ModelEntry(**described["model"])
            described["golden"] = Golden(**described["golden"])
            described["files"] = {
                name: FileEntry(**entry) for name, entry in described["files"].items()
            }
            return cls(**described)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ArtefactError(
                f"{file} is damaged: {error}", hint="pack the model again"
            ) from error


def _canonical(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=True) + "\n").encode()
