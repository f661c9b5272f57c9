"""
A template's values in the types that the services' models have.

CloudFormation takes ``"1"`` for 1 and ``"true"`` for true; the services do not.
"""

from tonnage.emulator.aws import JsonValue, Shape

__all__ = ["coerced"]


def coerced(shape: Shape | None, value: JsonValue) -> JsonValue:  # noqa: PLR0911 (one return a type)
    """Return a value with text where the shape has a number or a truth value turned into one."""
    if shape is None:
        return value
    match shape.type_name, value:
        case "structure", dict():
            return {name: coerced(shape.members.get(name), item) for name, item in value.items()}
        case "list", list():
            return [coerced(shape.member, item) for item in value]
        case "map", dict():
            return {name: coerced(shape.value, item) for name, item in value.items()}
        case "boolean", "true" | "True" | "false" | "False":
            return value in {"true", "True"}
        case "string", bool() | int() | float():
            return str(value).lower() if isinstance(value, bool) else str(value)
        case "integer" | "long", str():
            return int(value) if value.lstrip("-").isdecimal() else value
        case "float" | "double", str():
            return _number(value)
        case _:
            return value


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
