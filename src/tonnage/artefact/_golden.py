"""
Golden rows: valid rows to compare predictions on, from a CSV file or drawn from the row's schema.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from tonnage.domain import ConfigurationError

from ._cells import cell_value
from ._drawing import COMPARED_ROWS, draw_rows
from ._tables import Line, Table, read_table

__all__ = ["draw_rows", "golden_places", "read_rows"]

GOLDEN_ROWS: Final = 64


def read_rows(
    file: Path, row_model: type[BaseModel], limit: int = COMPARED_ROWS
) -> list[BaseModel]:
    """
    Return up to ``limit`` rows of a CSV file, evenly spaced through it.

    Columns that are no field of the row are left out; cells are read by the types of their fields.

    Raises:
        ConfigurationError: If the file cannot be read, lacks a field or holds an invalid row.
    """
    table = read_table(file)
    schema = row_model.model_json_schema()
    _check_header(table, schema)
    count = len(table.lines)
    return [
        _row(table, table.lines[place], row_model, schema)
        for place in _spaced(min(limit, count), count)
    ]


def _check_header(table: Table, schema: Mapping[str, Any]) -> None:
    header, file = table.header, table.file
    properties = schema.get("properties", {})
    missing = [name for name in schema.get("required", ()) if name not in header]
    if missing:
        raise ConfigurationError(
            f"{file} has no column {', '.join(missing)}; it has {', '.join(header)[:200]}",
            hint=f"the service's rows have the fields {', '.join(properties)}",
        )
    twice = [name for name in properties if header.count(name) > 1]
    if twice:
        raise ConfigurationError(f"{file} has the column {twice[0]} more than once")


def golden_places(count: int, *, drawn: bool) -> list[int]:
    """
    Return which of ``count`` rows are kept: the first drawn ones, the examples among them, or
    those evenly spaced through a file.
    """
    kept = min(GOLDEN_ROWS, count)
    return list(range(kept)) if drawn else _spaced(kept, count)


def _spaced(kept: int, count: int) -> list[int]:
    return [index * count // kept for index in range(kept)]


def _row(
    table: Table, line: Line, row_model: type[BaseModel], schema: Mapping[str, Any]
) -> BaseModel:
    table.check_width(line)
    required = set(schema.get("required", ()))
    properties = schema.get("properties", {})
    fields = {
        name: cell_value(text, properties[name], schema.get("$defs", {}))
        for name, text in zip(table.header, line.cells, strict=True)
        # A cell that holds nothing is no value: of a field with a default, it is that.
        if name in properties and (text or name in required)
    }
    try:
        return row_model.model_validate_json(json.dumps(fields), strict=True)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        place = ".".join(map(str, fault["loc"]))
        raise ConfigurationError(
            f"{table.file}, line {line.number}: {_told(place, fields, fault['msg'])}",
            hint="golden rows are valid rows: correct it, leave it out, or loosen the row's model",
        ) from error


def _told(place: str, fields: Mapping[str, object], message: str) -> str:
    not_numbers = [name for name, value in fields.items() if value != value]  # noqa: PLR0124 (NaN)
    if not_numbers:
        return f"{not_numbers[0]} is NaN, which JSON does not have"
    if not place:
        return f"{str(dict(fields))[:200]}: {message}"
    return f"{place} is {str(fields.get(place.partition('.')[0]))[:80]!r}: {message}"
