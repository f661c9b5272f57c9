"""
What a format does, and the two that are made of JSON.
"""

from collections.abc import Sequence
from enum import Enum, auto
from typing import Annotated, Any, Protocol, cast

from pydantic import BaseModel, FailFast, RootModel, TypeAdapter, ValidationError

from tonnage.artefact import LoadedModel, LoadedService
from tonnage.domain import FieldFault, InvalidPayloadError

__all__ = [
    "Format",
    "JsonFormat",
    "JsonLinesFormat",
    "Rows",
    "Shape",
    "UnwritableError",
    "at_row",
    "columns_of",
]


class Shape(Enum):
    """How a request laid its rows out; its answer does likewise."""

    ONE = auto()
    MANY = auto()
    WITH_HEADER = auto()


Rows = tuple[Sequence[BaseModel], Shape]


class UnwritableError(Exception):
    """A format has no way to write these results; its message says what it lacks."""


class Format(Protocol):
    """Reads rows and writes results."""

    def decode(self, body: bytes, charset: str) -> Rows:
        """
        Return the valid rows of a body, at least one.

        Raises:
            InvalidPayloadError: If there is none or one is not valid; row and field are named.
        """
        ...

    def encode(self, results: Sequence[bytes], shape: Shape) -> bytes:
        """
        Return the body for results that are given as JSON.

        Raises:
            UnwritableError: If the format cannot hold them.
        """
        ...


def at_row(error: InvalidPayloadError, row: int, where: str) -> InvalidPayloadError:
    """Return a row's fault as its body's: ``row`` counts from 0, ``where`` is for people."""
    faults = [
        FieldFault(field=f"{row}.{fault.field}".rstrip("."), message=fault.message)
        for fault in error.faults
    ]
    return InvalidPayloadError(f"{where}: {error.message}", faults=faults)


def columns_of(row: type[BaseModel]) -> tuple[str, ...]:
    """Return the names of a row's fields as clients write them, in order; none if it has none."""
    return tuple(row.model_json_schema(mode="validation").get("properties", ()))


class JsonFormat:
    """One object, or an array of objects."""

    def __init__(self, model: LoadedModel) -> None:
        self._model = model
        row = model.service.row
        self._validate = TypeAdapter(row).validator.validate_json
        self._rows: LoadedService | None = None
        if not issubclass(row, RootModel):  # such a row may be an array itself
            # A model of rows like any other, so that its faults are named, and bounded, alike.
            rows = RootModel[Annotated[list[row], FailFast()]]  # type: ignore[valid-type]
            service = cast("Any", type("Rows", (), {"row": rows}))
            self._rows = LoadedService(manifest=model.manifest, service=service)

    def decode(self, body: bytes, _charset: str) -> Rows:
        """Return the row, or the rows; JSON is UTF-8 whatever its charset claims."""
        if body[:1] == b"{":
            try:
                return (self._validate(body, strict=True),), Shape.ONE
            except ValidationError:
                pass  # and again, by who says what is wrong with it
        if self._rows is None or body.lstrip(b" \t\r\n")[:1] != b"[":
            return (self._model.parse_row(body),), Shape.ONE
        rows = cast("RootModel[list[BaseModel]]", self._rows.parse_row(body)).root
        if not rows:
            raise InvalidPayloadError("the array is empty: it must hold one object a row")
        return rows, Shape.MANY

    def encode(self, results: Sequence[bytes], shape: Shape) -> bytes:
        """Return one result as it is, several as an array."""
        return results[0] if shape is Shape.ONE else b"[%b]" % b",".join(results)


class JsonLinesFormat:
    """One object a line; blank lines are skipped."""

    def __init__(self, model: LoadedModel) -> None:
        self._model = model

    def decode(self, body: bytes, _charset: str) -> Rows:
        """Return a row for each line; the first bad one is named."""
        rows: list[BaseModel] = []
        for number, line in enumerate(body.split(b"\n"), start=1):
            if not line or line.isspace():
                continue
            try:
                rows.append(self._model.parse_row(line))
            except InvalidPayloadError as error:
                raise at_row(error, len(rows), f"line {number}") from None
        if not rows:
            raise InvalidPayloadError("the body holds no line: it must hold one object a line")
        return rows, Shape.MANY

    def encode(self, results: Sequence[bytes], _shape: Shape) -> bytes:
        """Return a line a result."""
        return b"\n".join((*results, b""))
