"""
Rows and results as CSV.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pydantic import BaseModel, ValidationError

from tonnage.artefact import LoadedModel
from tonnage.domain import FieldFault, InvalidPayloadError

from ._formats import Rows, Shape, at_row, columns_of

__all__ = ["CsvFormat", "invalid_row", "validated"]

_CHARSETS: Final[Mapping[str, str]] = {
    "": "utf-8-sig",
    "utf-8": "utf-8-sig",
    "utf8": "utf-8-sig",
    "us-ascii": "ascii",
    "ascii": "ascii",
    "iso-8859-1": "latin-1",
    "latin-1": "latin-1",
    "windows-1252": "cp1252",
}
_MAX_SHOWN: Final = 20


class CsvFormat:
    """
    One row a line; columns in the order of the row model's fields.

    A first line that holds just the field names is a header, and its order is the columns'; the
    answer has one then, too. Text has no types, so a cell is what its field makes of it; an empty
    one is a value that is missing.
    """

    def __init__(self, model: LoadedModel) -> None:
        self._row = model.service.row
        self._columns = columns_of(self._row)

    def decode(self, body: bytes, charset: str) -> Rows:
        """Return a row for each line; the first bad one is named."""
        lines = _lines(body, charset)
        first = next(lines, None)
        if first is None:
            raise InvalidPayloadError("the body holds no row: it must hold one a line")
        columns, shape = self._columns, Shape.MANY
        if sorted(cell.strip() for cell in first[1]) == sorted(columns):
            columns, shape = tuple(cell.strip() for cell in first[1]), Shape.WITH_HEADER
            first = None
        rows: list[BaseModel] = []
        if first is not None:
            rows.append(self._parse(first, columns, 0))
        rows.extend(
            self._parse(line, columns, number) for number, line in enumerate(lines, len(rows))
        )
        if not rows:
            raise InvalidPayloadError("the body holds a header and no row")
        return rows, shape

    def _parse(self, line: tuple[int, list[str]], columns: Sequence[str], row: int) -> BaseModel:
        number, cells = line
        if len(cells) != len(columns):
            raise InvalidPayloadError(
                f"line {number} has {len(cells)} columns; there must be {len(columns)}:"
                f" {', '.join(columns[:_MAX_SHOWN])}",
                faults=[FieldFault(field=str(row), message=f"has {len(cells)} columns")],
            )
        pairs = zip(columns, cells, strict=True)
        try:
            return validated(self._row, {name: cell for name, cell in pairs if cell})
        except InvalidPayloadError as error:
            raise at_row(error, row, f"line {number}") from None

    def encode(self, results: Sequence[bytes], shape: Shape) -> bytes:
        """Return a line a result, its fields in their order; what is no plain value is JSON."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        for index, result in enumerate(map(json.loads, results)):
            fields = result if isinstance(result, dict) else {"result": result}
            if index == 0 and shape is Shape.WITH_HEADER:
                writer.writerow(fields)
            writer.writerow(map(_cell, fields.values()))
        return text.getvalue().encode()


def validated(row: type[BaseModel], cells: Mapping[str, str]) -> BaseModel:
    """
    Return the row that texts make.

    Raises:
        InvalidPayloadError: If they make none.
    """
    try:
        return row.model_validate_strings(cells)
    except ValidationError as error:
        raise invalid_row(error) from None


def invalid_row(error: ValidationError) -> InvalidPayloadError:
    """Return the fault of one row of few fields."""
    details = error.errors(include_url=False, include_context=False, include_input=False)
    faults = [
        FieldFault(field=".".join(map(str, detail["loc"])), message=detail["msg"])
        for detail in details[:_MAX_SHOWN]
    ]
    return InvalidPayloadError(f"{faults[0].field}: {faults[0].message}", faults=faults)


def _lines(body: bytes, charset: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each line that is not blank, with its number from 1."""
    if charset not in _CHARSETS:
        raise InvalidPayloadError(f"charset {charset!r} is not known; utf-8 is")
    try:
        text = body.decode(_CHARSETS[charset])
    except UnicodeDecodeError as error:
        raise InvalidPayloadError(
            f"the body is no {charset or 'utf-8'}: see byte {error.start}"
        ) from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise InvalidPayloadError(f"line {reader.line_num}: {error}") from None
        if cells is None:
            return
        if cells:
            yield reader.line_num, cells


def _cell(value: object) -> object:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)
