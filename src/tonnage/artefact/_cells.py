"""
A cell of a CSV file → the value that the row's schema wants there.
"""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ._tables import BOOLEAN_WORDS, MISSING_WORDS

__all__ = ["cell_value"]

_KINDS: Final[Mapping[type, str]] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
    type(None): "null",
}

Schema = Mapping[str, Any]


def cell_value(text: str, field: Schema, shared: Schema) -> object:
    """
    Return what a cell holds, by the types that its field allows.

    Text stays text where the field allows it and nothing else, ``10115`` in an optional text
    column, too. Truth values are read in any case, as pandas writes ``True``. Where null is allowed
    and free text is not, what pandas reads as missing is null. What fits no type comes back as it
    was read, for the row's model to refuse.

    Args:
        text: The cell.
        field: The field's JSON schema.
        shared: The row's ``$defs``.
    """
    options = list(_options(field, shared))
    kinds = {kind for option in options for kind in _kinds(option)}
    if kinds == {"string"} or text in _choices(options):
        return text
    word = text.strip().lower()
    if "null" in kinds and word in MISSING_WORDS and (not text or not _has_free_text(options)):
        return None
    if "boolean" in kinds and word in BOOLEAN_WORDS:
        return BOOLEAN_WORDS[word]
    value = _read(text, kinds)
    if "string" in kinds and not (_kinds_of(value) & (kinds - {"string"})):
        return text
    return value


def _options(field: Schema, shared: Schema) -> Iterator[Schema]:
    """Yield the types that a field may have, each as a schema of its own."""
    if "$ref" in field:
        yield from _options(shared.get(str(field["$ref"]).removeprefix("#/$defs/"), {}), shared)
    elif several := field.get("anyOf") or field.get("oneOf"):
        for option in several:
            yield from _options(option, shared)
    else:
        yield field


def _kinds(option: Schema) -> set[str]:
    if "type" in option:
        return {option["type"]}
    return {_KINDS[type(choice)] for choice in _choices([option])}


def _choices(options: list[Schema]) -> list[object]:
    return [
        choice
        for option in options
        for choice in [*option.get("enum", ()), *([option["const"]] if "const" in option else ())]
    ]


def _has_free_text(options: list[Schema]) -> bool:
    return any(option.get("type") == "string" and not _choices([option]) for option in options)


def _kinds_of(value: object) -> set[str]:
    kind = _KINDS[type(value)]
    return {kind, "number"} if kind == "integer" else {kind}


def _read(text: str, kinds: set[str]) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    # Numbers that CSV files hold and JSON does not: .5, 5., +3, 007.
    for kind, number in (("integer", int), ("number", float)):
        if kind in kinds and "_" not in text:
            try:
                value = number(text)
            except ValueError:
                continue
            if math.isfinite(value):
                return value
    return text or None
