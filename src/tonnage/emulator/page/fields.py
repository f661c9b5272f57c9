"""
What a service takes, as fields of a form, and what was entered there, as a row.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tonnage.artefact import TYPICAL_RANGE

__all__ = ["Field", "FieldKind", "example_row", "fields_of", "row_of"]

FieldKind = str
_KINDS: Final = {
    "number": "number",
    "integer": "integer",
    "boolean": "boolean",
    "string": "text",
}
_BOUNDS: Final = (
    ("minimum", "at least"),
    ("exclusiveMinimum", "more than"),
    ("maximum", "at most"),
    ("exclusiveMaximum", "less than"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """
    One field of the form.

    Attributes:
        name: Its name in the row; empty when the row is not an object and this is all of it.
        kind: ``number``, ``integer``, ``boolean``, ``text``, ``choice``, or ``json`` for the rest.
        description: What it means.
        unit: What it is measured in; empty without one.
        schema: Its JSON schema, references resolved.
        choices: The values to choose from, of a ``choice``.
        example: What it holds at first; None for nothing.
    """

    name: str
    kind: FieldKind
    description: str
    unit: str
    schema: Mapping[str, Any]
    choices: Sequence[Any] = ()
    example: Any = None

    @property
    def is_numeric(self) -> bool:
        """Whether it holds a number."""
        return self.kind in {"number", "integer"}

    @property
    def bounds(self) -> str:
        """What the schema allows, in words; empty without bounds."""
        schema = self.schema
        return ", ".join(f"{words} {schema[key]:,g}" for key, words in _BOUNDS if key in schema)

    @property
    def typical_range(self) -> tuple[float, float] | None:
        """Where a number usually lies, None where the schema does not say."""
        given = self.schema.get(TYPICAL_RANGE)
        if given is None and {"minimum", "maximum"} <= self.schema.keys():
            given = self.schema["minimum"], self.schema["maximum"]
        if given is None:
            return None
        low, high = map(float, given)
        return (low, high) if low < high else None


def fields_of(schema: Mapping[str, Any], example: object) -> tuple[Field, ...]:
    """
    Return the fields of a form for rows of a schema.

    Args:
        schema: The row's JSON schema, as pydantic writes it.
        example: A valid row, for what the schema gives no example of.
    """
    definitions = schema.get("$defs", {})
    properties = schema.get("properties")
    if not properties:
        whole = json.dumps(example)
        return (_field("", {"title": "Row"}, definitions, whole),)
    known = example if isinstance(example, Mapping) else {}
    return tuple(
        _field(name, property_, definitions, known.get(name))
        for name, property_ in properties.items()
    )


def row_of(fields: Sequence[Field], entered: Mapping[str, str]) -> Any:  # noqa: ANN401 (any JSON)
    """
    Return the row that was entered, to be checked by the service's own model.

    What is left empty is left out; what is no number stays text: the check says so.
    """
    if fields and not fields[0].name:
        return _literal(entered.get("", ""))
    row: dict[str, Any] = {}
    for field in fields:
        text = entered.get(field.name, "")
        if field.kind == "boolean":
            row[field.name] = field.name in entered
        elif text:
            row[field.name] = text if field.kind == "text" else _literal(text)
    return row


def example_row(examples: Mapping[str, Any]) -> Any:  # noqa: ANN401 (any JSON)
    """Return the row that the fields' examples make, by their names."""
    if examples.keys() == {""}:
        return json.loads(examples[""])
    return {name: value for name, value in examples.items() if value is not None}


def _field(
    name: str, property_: Mapping[str, Any], definitions: Mapping[str, Any], known: object
) -> Field:
    schema = _resolved(property_, definitions)
    choices = schema.get("enum", [schema["const"]] if "const" in schema else ())
    kind = "choice" if choices else _KINDS.get(schema.get("type", ""), "json")
    examples = schema.get("examples") or [schema.get("default", known)]
    return Field(
        name=name,
        kind=kind,
        description=str(schema.get("description", "")),
        unit=str(schema.get("unit", "")),
        schema=schema,
        choices=choices,
        example=examples[0] if examples[0] is not None else known,
    )


def _resolved(property_: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a property's schema with its reference, or its one type beside null, put in."""
    others = [
        option
        for key in ("anyOf", "allOf")
        for option in property_.get(key, ())
        if option.get("type") != "null"
    ]
    found: Mapping[str, Any] = property_
    if len(others) == 1:
        found = {**others[0], **property_}
    reference = found.get("$ref", "")
    if reference:
        found = {**definitions.get(reference.rpartition("/")[2], {}), **found}
    return found


def _literal(text: str) -> Any:  # noqa: ANN401 (any JSON)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
