"""
Golden rows: valid rows to compare predictions on, from a CSV file or drawn from the row's schema.
"""

import csv
import json
import math
import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from tonnage.domain import ConfigurationError

from .service import TYPICAL_RANGE

__all__ = ["draw_rows", "golden_places", "read_rows"]

GOLDEN_ROWS: Final = 64
COMPARED_ROWS: Final = 4096
"""So many are compared when a model is packed: labels that tie are rare, and must agree too."""
_SEED: Final = 20121113
_DEFAULT_WIDTH: Final = 1000.0
_TRIES_PER_ROW: Final = 50


def read_rows(
    file: Path, row_model: type[BaseModel], limit: int = COMPARED_ROWS
) -> list[BaseModel]:
    """
    Return up to ``limit`` rows of a CSV file, evenly spaced through it.

    Columns that are no field of the row are left out; numbers are read as JSON would.

    Raises:
        ConfigurationError: If the file cannot be read, lacks a field or holds an invalid row.
    """
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            table = list(csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}") from error
    if not table:
        raise ConfigurationError(f"{file} holds no rows")
    chosen = _spaced(min(limit, len(table)), len(table))
    return [_row(table[place], row_model, f"{file}") for place in chosen]


def golden_places(count: int, *, drawn: bool) -> list[int]:
    """
    Return which of ``count`` rows are kept: the first drawn ones, the examples among them, or
    those evenly spaced through a file.
    """
    kept = min(GOLDEN_ROWS, count)
    return list(range(kept)) if drawn else _spaced(kept, count)


def draw_rows(row_model: type[BaseModel], count: int = COMPARED_ROWS) -> list[BaseModel]:
    """
    Return the schema's own examples and rows drawn across its bounds, always the same ones.

    Raises:
        ConfigurationError: If the schema has a field that nothing can be drawn for.
    """
    chance = random.Random(_SEED)  # noqa: S311 (reproducible rows, no secret)
    schema = row_model.model_json_schema()
    draws = {
        name: _draw(name, _resolved(field, schema))
        for name, field in schema.get("properties", {}).items()
    }
    rows: list[BaseModel] = []
    for _ in range(count * _TRIES_PER_ROW):
        if len(rows) == count:
            break
        drawn = {name: draw(chance) for name, draw in draws.items()}
        try:
            rows.append(row_model.model_validate_json(json.dumps(drawn), strict=True))
        except ValidationError:
            continue
    if not rows:
        raise ConfigurationError(
            f"no valid {row_model.__name__} could be drawn from its schema",
            hint="give rows of your own with --data ROWS.csv",
        )
    return rows


def _spaced(kept: int, count: int) -> list[int]:
    return [index * count // kept for index in range(kept)]


def _row(cells: Mapping[str, str], row_model: type[BaseModel], source: str) -> BaseModel:
    properties = row_model.model_json_schema().get("properties", {})
    fields = {
        name: _cell(cells[name], field)
        for name, field in properties.items()
        if cells.get(name) is not None
    }
    try:
        return row_model.model_validate_json(json.dumps(fields), strict=True)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        raise ConfigurationError(
            f"{source}: {fields} is no valid {row_model.__name__}: "
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}",
            hint=f"it needs the columns {', '.join(properties)}",
        ) from error


def _cell(text: str, field: Mapping[str, Any]) -> object:
    if field.get("type") == "string":
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


Draw = Callable[[random.Random], object]


def _resolved(field: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a field with what its ``$ref`` points to, as an ``Enum`` has it."""
    name = str(field.get("$ref", "")).removeprefix("#/$defs/")
    return {**schema["$defs"][name], **field} if name else field


def _draw(name: str, field: Mapping[str, Any]) -> Draw:
    for offered in ("const", "default"):
        if offered in field:
            return lambda _: field[offered]
    choices = field.get("enum") or (field.get("type") == "string" and field.get("examples"))
    if choices:
        return lambda chance: chance.choice(choices)
    if field.get("type") == "boolean":
        return lambda chance: chance.random() < 0.5  # noqa: PLR2004 (either)
    if field.get("type") in {"number", "integer"}:
        return _number(name, field)
    raise ConfigurationError(
        f"no value can be drawn for the field {name!r}",
        hint="give it examples=[…] in the model, or rows of your own with --data ROWS.csv",
    )


def _number(name: str, field: Mapping[str, Any]) -> Draw:
    try:
        low, high = map(float, field.get(TYPICAL_RANGE) or _bounds(field))
    except (TypeError, ValueError, OverflowError):
        low, high = math.nan, math.nan
    if not low <= high or math.isinf(high - low):
        raise ConfigurationError(
            f"the field {name!r} has no range to draw from: {dict(field)}",
            hint=f"give it bounds that hold a number, or {TYPICAL_RANGE!r}: [low, high]",
        )
    examples: Iterator[object] = iter(field.get("examples", ()))
    if field["type"] == "integer":
        return lambda chance: next(examples, chance.randint(round(low), round(high)))
    return lambda chance: next(examples, chance.uniform(low, high))


def _bounds(field: Mapping[str, Any]) -> tuple[float, float]:
    low = field.get("minimum", field.get("exclusiveMinimum"))
    high = field.get("maximum", field.get("exclusiveMaximum"))
    if low is None:
        low = -_DEFAULT_WIDTH if high is None else high - _DEFAULT_WIDTH
    return float(low), float(low + _DEFAULT_WIDTH if high is None else high)
