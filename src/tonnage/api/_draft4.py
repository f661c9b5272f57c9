"""
JSON Schema as API Gateway takes it: draft 4, and nothing that could refuse a good body.

Pydantic writes draft 2020-12. What both can say is converted; what draft 4 cannot say, or says
otherwise, is left out: the container checks every body again and answers with the fields at fault,
so a schema that is too lenient costs an invocation, one that is too strict costs a customer.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

__all__ = ["draft4_schema"]

_DRAFT4: Final = "http://json-schema.org/draft-04/schema#"
_AS_IS: Final = (
    "title",
    "description",
    "type",
    "enum",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
)


def draft4_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """
    Convert a schema that pydantic wrote.

    Left out are ``format`` (API Gateway's reading of ``date-time`` is narrower than pydantic's),
    ``multipleOf`` of anything but integers (pydantic tolerates rounding), defaults, examples, and
    keys that are no part of JSON Schema. ``oneOf`` becomes ``anyOf``, which is how pydantic reads
    a union.

    Args:
        schema: As ``model_json_schema()`` returns it, or an artefact's ``row_schema``.

    Returns:
        The same in draft 4, its definitions under ``definitions``.
    """
    converted = {"$schema": _DRAFT4, **_convert(schema)}
    if "$defs" in schema:
        converted["definitions"] = _each(schema["$defs"])
    return converted


def _convert(schema: Any) -> dict[str, Any]:  # noqa: ANN401 (a schema may be a truth value, too)
    if isinstance(schema, bool):
        return {} if schema else {"not": {}}
    converted = {key: schema[key] for key in _AS_IS if key in schema}
    if "const" in schema:
        converted["enum"] = [schema["const"]]
    if schema.get("required"):  # draft 4 knows no empty list
        converted["required"] = schema["required"]
    if schema.get("type") == "integer" and "multipleOf" in schema:
        converted["multipleOf"] = schema["multipleOf"]
    _bound(schema, converted, "minimum", "exclusiveMinimum", max)
    _bound(schema, converted, "maximum", "exclusiveMaximum", min)
    _convert_objects(schema, converted)
    _convert_arrays(schema, converted)
    _convert_unions(schema, converted)
    return _referring(schema, converted)


def _bound(
    schema: Mapping[str, Any],
    converted: dict[str, Any],
    inclusive: str,
    exclusive: str,
    tighter: Callable[[float, float], float],
) -> None:
    """Draft 4's exclusive bounds are a truth value beside the bound, not a bound of their own."""
    bounds = [schema[key] for key in (inclusive, exclusive) if key in schema]
    if not bounds:
        return
    bound = bounds[0] if len(bounds) == 1 else tighter(bounds[0], bounds[1])
    converted[inclusive] = bound
    if schema.get(exclusive) == bound:
        converted[exclusive] = True


def _convert_objects(schema: Mapping[str, Any], converted: dict[str, Any]) -> None:
    for key in ("properties", "patternProperties"):
        if key in schema:
            converted[key] = _each(schema[key])
    if "additionalProperties" in schema:
        others = schema["additionalProperties"]
        converted["additionalProperties"] = others if isinstance(others, bool) else _convert(others)


def _convert_arrays(schema: Mapping[str, Any], converted: dict[str, Any]) -> None:
    if "prefixItems" in schema:
        converted["items"] = [_convert(item) for item in schema["prefixItems"]]
        if "items" in schema:
            others = schema["items"]
            converted["additionalItems"] = others if isinstance(others, bool) else _convert(others)
    elif "items" in schema:
        converted["items"] = _convert(schema["items"])


def _convert_unions(schema: Mapping[str, Any], converted: dict[str, Any]) -> None:
    if "allOf" in schema:
        converted["allOf"] = [_convert(part) for part in schema["allOf"]]
    for key in ("anyOf", "oneOf"):
        if key in schema:
            converted["anyOf"] = [_convert(part) for part in schema[key]]
    if "not" in schema:
        converted["not"] = _convert(schema["not"])


def _referring(schema: Mapping[str, Any], converted: dict[str, Any]) -> dict[str, Any]:
    """Draft 4 reads nothing beside a reference, so what stands there goes into ``allOf``."""
    if "$ref" not in schema:
        return converted
    reference = {"$ref": schema["$ref"].replace("#/$defs/", "#/definitions/", 1)}
    words = {"title", "description"}
    rest = {key: value for key, value in converted.items() if key not in words}
    return {"allOf": [reference, rest]} if rest else reference


def _each(schemas: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _convert(schema) for name, schema in schemas.items()}
