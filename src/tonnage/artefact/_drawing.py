"""
Drawing valid rows across a schema's bounds, always the same ones.
"""

import json
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from tonnage.domain import ConfigurationError

from .service import TYPICAL_RANGE

__all__ = ["COMPARED_ROWS", "draw_rows"]

COMPARED_ROWS: Final = 4096
"""So many are compared when a model is packed: labels that tie are rare, and must agree too."""
_SEED: Final = 20121113
_DEFAULT_WIDTH: Final = 1000.0
_TRIES_PER_ROW: Final = 50
_DEFAULT_SHARE: Final = 0.25
"""How often a field with a default has it."""
_NULL_SHARE: Final = 0.125
"""How often a field that may be null is."""

Schema = Mapping[str, Any]
Draw = Callable[[random.Random], object]


def draw_rows(row_model: type[BaseModel], count: int = COMPARED_ROWS) -> list[BaseModel]:
    """
    Return the schema's own examples and rows drawn across its bounds, always the same ones.

    A field with a default has it in a quarter of them, a field that may be null is null in an
    eighth, and any of a number of choices is as likely as the others.

    Raises:
        ConfigurationError: If the schema has a field that nothing can be drawn for.
    """
    chance = random.Random(_SEED)  # noqa: S311 (reproducible rows, no secret)
    schema = row_model.model_json_schema()
    draw = _object(schema, schema.get("$defs", {}))
    rows: list[BaseModel] = []
    for _ in range(count * _TRIES_PER_ROW):
        if len(rows) == count:
            break
        try:
            drawn = json.dumps(draw(chance))
            rows.append(row_model.model_validate_json(drawn, strict=True))
        except ValidationError:
            continue
    if not rows:
        raise ConfigurationError(
            f"no valid {row_model.__name__} could be drawn from its schema",
            hint="give rows of your own with --data ROWS.csv",
        )
    return rows


def _object(schema: Schema, shared: Schema) -> Draw:
    draws = {
        name: _field(name, field, shared) for name, field in schema.get("properties", {}).items()
    }
    return lambda chance: {name: draw(chance) for name, draw in draws.items()}


def _field(name: str, field: Schema, shared: Schema) -> Draw:
    if "default" not in field:
        return _value(name, field, shared)
    default = field["default"]
    try:
        draw = _value(name, field, shared)
    except ConfigurationError:
        return lambda _: default
    return lambda chance: default if chance.random() < _DEFAULT_SHARE else draw(chance)


def _value(name: str, field: Schema, shared: Schema) -> Draw:
    if "$ref" in field:  # an Enum, or a model within the model
        place = str(field["$ref"]).removeprefix("#/$defs/")
        field = {**shared[place], **{key: field[key] for key in field if key != "$ref"}}
    if "const" in field:
        return lambda _: field["const"]
    options = field.get("anyOf") or field.get("oneOf")
    if options:
        return _one_of(name, field, options, shared)
    choices = field.get("enum") or (field.get("type") == "string" and field.get("examples"))
    if choices:
        return lambda chance: chance.choice(choices)
    kind = field.get("type")
    if kind == "boolean":
        return lambda chance: chance.random() < 0.5  # noqa: PLR2004 (either)
    if kind in {"number", "integer"}:
        return _number(name, field)
    if kind == "object" and "properties" in field:
        return _object(field, shared)
    raise ConfigurationError(
        f"no value can be drawn for the field {name!r}",
        hint="give it examples=[…] in the model, or rows of your own with --data ROWS.csv",
    )


def _one_of(name: str, field: Schema, options: Sequence[Schema], shared: Schema) -> Draw:
    """Draw from one of several types; what is said of the field is said of each."""
    common = {key: field[key] for key in ("examples", TYPICAL_RANGE) if key in field}
    draws = [
        _value(name, {**common, **option}, shared)
        for option in options
        if option.get("type") != "null"
    ]
    may_be_null = len(draws) < len(options)

    def draw(chance: random.Random) -> object:
        if may_be_null and chance.random() < _NULL_SHARE:
            return None
        return chance.choice(draws)(chance) if draws else None

    return draw


def _number(name: str, field: Schema) -> Draw:
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


def _bounds(field: Schema) -> tuple[float, float]:
    low = field.get("minimum", field.get("exclusiveMinimum"))
    high = field.get("maximum", field.get("exclusiveMaximum"))
    if low is None:
        low = -_DEFAULT_WIDTH if high is None else high - _DEFAULT_WIDTH
    return float(low), float(low + _DEFAULT_WIDTH if high is None else high)
