"""
What a client sent, held against the operation's input shape, in AWS's words.

A value of the wrong type is a ``SerializationException``, the first one found; a value that breaks
a constraint is a ``ValidationException``, all of them together.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from ._models import JsonValue, Shape, compiled_pattern
from .operations import AwsError

__all__ = ["checked_input"]

_WORDS: Final[Mapping[type, str]] = {
    str: "STRING_VALUE",
    int: "NUMBER_VALUE",
    float: "NUMBER_VALUE",
}
_RANGES: Final = {"integer": (-(2**31), 2**31 - 1), "long": (-(2**63), 2**63 - 1)}


def checked_input(shape: Shape | None, value: object) -> dict[str, Any]:
    """
    Return an operation's input with what its shape knows, nulls left out.

    Args:
        shape: botocore's input shape; None for an operation without one.
        value: What the request's body held.

    Raises:
        AwsError: If it is not what the shape says.
    """
    if not isinstance(value, dict):
        raise _malformed("Expected a structure of the operation's parameters.")
    if shape is None:
        return {}
    checked = _structure(shape, value)
    violations = list(_violations(shape, checked, ""))
    if violations:
        count = f"{len(violations)} validation error{'s' if len(violations) > 1 else ''} detected"
        raise AwsError("ValidationException", f"{count}: {'; '.join(violations)}")
    return checked


def _malformed(message: str) -> AwsError:
    return AwsError("SerializationException", message)


def _typed(shape: Shape, value: JsonValue) -> JsonValue:
    return _TYPES[shape.type_name](shape, value)


def _structure(shape: Shape, value: JsonValue) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _malformed("Expected a structure where another value was found.")
    return {
        name: _typed(member, value[name])
        for name, member in shape.members.items()
        if value.get(name) is not None
    }


def _list(shape: Shape, value: JsonValue) -> list[Any]:
    if not isinstance(value, list):
        raise _malformed("Expected list or null")
    return [_typed(shape.member, item) for item in value]


def _map(shape: Shape, value: JsonValue) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _malformed("Expected map or null")
    return {name: _typed(shape.value, item) for name, item in value.items()}


def _string(_shape: Shape, value: JsonValue) -> str:
    if isinstance(value, str):
        return value
    raise _not_convertible(value, "String")


def _boolean(_shape: Shape, value: JsonValue) -> bool:
    if isinstance(value, bool):
        return value
    raise _not_convertible(value, "Boolean")


def _integer(shape: Shape, value: JsonValue) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _not_convertible(value, shape.type_name.capitalize())
    smallest, largest = _RANGES[shape.type_name]
    if not math.isfinite(value) or value != int(value) or not smallest <= value <= largest:
        raise _not_convertible(value, shape.type_name.capitalize())
    return int(value)


def _number(_shape: Shape, value: JsonValue) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _not_convertible(value, "Double")
    try:
        return float(value)
    except OverflowError:
        raise _not_convertible(value, "Double") from None


def _timestamp(_shape: Shape, value: JsonValue) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _not_convertible(value, "Timestamp")
    return float(value)


def _blob(_shape: Shape, value: JsonValue) -> JsonValue:
    if isinstance(value, str | bytes):
        return value
    raise _not_convertible(value, "Blob")


_TYPES: Final[Mapping[str, Callable[[Shape, JsonValue], JsonValue]]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "boolean": _boolean,
    "integer": _integer,
    "long": _integer,
    "float": _number,
    "double": _number,
    "timestamp": _timestamp,
    "blob": _blob,
}


def _not_convertible(value: object, kind: str) -> AwsError:
    if isinstance(value, dict | list):
        return _malformed("Start of structure or map found where not expected.")
    word = str(value).upper() + "_VALUE" if isinstance(value, bool) else _WORDS[type(value)]
    return _malformed(f"{word} can not be converted to {'an' if kind[0] in 'AEIO' else 'a'} {kind}")


def _violations(shape: Shape, value: JsonValue, path: str) -> Iterator[str]:
    """Yield each constraint that a value breaks, in AWS's words."""
    kind = shape.type_name
    if kind == "structure":
        yield from _in_structure(shape, value, path)
    elif kind == "list":
        yield from _in_bounds(shape, len(value), "length", value, path)
        for index, item in enumerate(value, 1):
            yield from _violations(shape.member, item, f"{path}.{index}.member")
    elif kind == "map":
        yield from _in_bounds(shape, len(value), "length", value, path)
        for name, item in value.items():
            yield from _violations(shape.key, name, f"{path}.{name}.key")
            yield from _violations(shape.value, item, f"{path}.{name}.member")
    elif kind == "string":
        yield from _in_string(shape, value, path)
    elif kind in {"integer", "long", "float", "double"}:
        yield from _in_bounds(shape, value, "value", value, path)


def _in_structure(shape: Shape, value: Mapping[str, Any], path: str) -> Iterator[str]:
    for name in shape.required_members:
        if name not in value:
            at = _joined(path, name)
            yield (f"Value null at '{at}' failed to satisfy constraint: Member must not be null")
    for name, item in value.items():
        yield from _violations(shape.members[name], item, _joined(path, name))


def _in_string(shape: Shape, value: str, path: str) -> Iterator[str]:
    yield from _in_bounds(shape, len(value), "length", value, path)
    if shape.enum and value not in shape.enum:
        allowed = ", ".join(shape.enum)
        yield _violation(value, path, f"Member must satisfy enum value set: [{allowed}]")
    text = shape.metadata.get("pattern")
    pattern = compiled_pattern(text) if text else None
    if pattern is not None and not pattern.fullmatch(value):
        yield _violation(value, path, f"Member must satisfy regular expression pattern: {text}")


def _in_bounds(shape: Shape, number: float, what: str, value: object, path: str) -> Iterator[str]:
    smallest, largest = shape.metadata.get("min"), shape.metadata.get("max")
    if smallest is not None and number < smallest:
        rule = f"Member must have {what} greater than or equal to {smallest}"
        yield _violation(value, path, rule)
    if largest is not None and number > largest:
        yield _violation(value, path, f"Member must have {what} less than or equal to {largest}")


def _violation(value: object, path: str, rule: str) -> str:
    shown = f"[{', '.join(map(str, value))}]" if isinstance(value, list) else value
    return f"Value '{shown}' at '{path}' failed to satisfy constraint: {rule}"


def _joined(path: str, name: str) -> str:
    member = name[:1].lower() + name[1:]
    return f"{path}.{member}" if path else member
