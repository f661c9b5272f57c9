"""
Writes ``docs/reference/settings.md``: every section and key of ``tonnage.toml``.

Types and defaults come from the settings' dataclasses, descriptions from the text below each
field. ``make docs`` runs it, and a test compares it with the file.
"""

import ast
import dataclasses
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.fields import FieldInfo

from tonnage.config import ScheduledSettings, Settings, StepAdjustmentSettings, StepSettings
from tonnage.domain import (
    ErrorObjective,
    LatencyObjective,
    format_bytes,
    format_duration,
    format_fraction,
    format_rate,
)

__all__ = ["PAGE", "settings_reference"]

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "settings.md"
_INNER = {
    "[[scaling.step]]": StepSettings,
    "step_adjustments, each": StepAdjustmentSettings,
    "[[scaling.scheduled]]": ScheduledSettings,
}
_UNITS = {
    "_per_second": ("a rate, such as `600/s`", format_rate),
    "_seconds": ("a duration, such as `90s` or `5m`", format_duration),
    "_bytes": ("a size, such as `6MiB`", format_bytes),
    "_fraction": ("a share, such as `25%`", format_fraction),
}
"""How a field's name ends → what is written in the file, and how a default is."""

_HEAD = """\
# Settings

`tonnage.toml` holds the settings of a service; every section and every key may be left out.
A flag (`--set load.users=200`) beats the environment (`TONNAGE_LOAD_USERS=200`), which beats the file.
Paths are relative to the file.
An unknown key or section stops the command, and the nearest name is suggested.
Durations, rates and sizes are texts with a unit.
"""  # noqa: E501 (a sentence a line, as on every page)


def settings_reference() -> str:
    """Return the page."""
    parts = [_HEAD]
    for section in dataclasses.fields(Settings):
        if section.name == "directory":
            continue
        settings = section.type
        assert isinstance(settings, type)
        parts.append(_section(f"[{section.name}]", settings))
        if section.name == "scaling":
            parts += [_section(title, inner) for title, inner in _INNER.items()]
    return "\n".join(parts)


def _section(title: str, settings: type) -> str:
    about = inspect.cleandoc(settings.__doc__ or "").partition(": ")[2] or (settings.__doc__ or "")
    about = about.replace("``", "`")
    rows = "\n".join(_rows(settings))
    heading = f"`{title}`" if title.startswith("[") else f"`step_adjustments`{title[16:]}"
    return (
        f"## {heading}\n\n{about[:1].upper()}{about[1:]}\n\n"
        f"| key | is | default | meaning |\n| --- | --- | --- | --- |\n{rows}\n"
    )


def _rows(settings: type) -> Iterator[str]:
    descriptions = _descriptions(settings)
    schema = TypeAdapter(settings).json_schema(by_alias=True)
    required = schema.get("required", [])
    for field in dataclasses.fields(settings):
        given = field.default if isinstance(field.default, FieldInfo) else None
        key = (given.alias if given else None) or field.name
        kind = _kind(field.name, schema["properties"][key], schema)
        default = "required" if key in required else _default(field, given)
        yield f"| `{key}` | {kind} | {default} | {descriptions[field.name]} |"


def _descriptions(settings: type) -> Mapping[str, str]:
    """Return the text below each field, as Markdown."""
    (found,) = ast.parse(inspect.getsource(settings)).body
    assert isinstance(found, ast.ClassDef)
    texts = {}
    for item, following in zip(found.body, [*found.body[1:], None], strict=True):
        if not isinstance(item, ast.AnnAssign):
            continue
        assert isinstance(item.target, ast.Name)
        name = item.target.id
        match following:
            case ast.Expr(value=ast.Constant(value=str() as text)):
                texts[name] = inspect.cleandoc(text).replace("``", "`").replace("\n", " ")
            case _:
                raise AssertionError(f"{settings.__name__}.{name} has no text below it")
    return texts


def _kind(name: str, schema: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    for ending, (words, _) in _UNITS.items():
        if name.endswith(ending):
            return words
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    kinds = [_plain_kind(one) for one in schema.get("anyOf", [schema])]
    return " or ".join(kind for kind in kinds if kind)


def _plain_kind(schema: Mapping[str, Any]) -> str:
    if schema.get("title") in {"LatencyObjective", "ErrorObjective"}:
        return "text"
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    words = {
        "string": "text",
        "integer": "a whole number",
        "number": "a number",
        "boolean": "`true` or `false`",
        "array": "a list",
        "object": "a table",
        "null": "",
    }[schema["type"]]
    if "minimum" in schema:
        words += f", {schema['minimum']} or more"
    if "exclusiveMinimum" in schema:
        words += f" above {schema['exclusiveMinimum']}"
    return words


def _default(field: dataclasses.Field[Any], given: FieldInfo | None) -> str:
    value = given.get_default(call_default_factory=True) if given else field.default
    if value is None:
        return "absent"
    for ending, (_, shown) in _UNITS.items():
        if field.name.endswith(ending):
            return _as_spelt(shown(value))
    if isinstance(value, LatencyObjective | ErrorObjective):
        return _as_spelt(str(value).removeprefix("errors "))
    return f"`{json.dumps(value)}`"


def _as_spelt(shown: str) -> str:
    """Return a quantity as settings spell it: without the space before its unit."""
    spelt = re.sub(r"(?<=\d) (ms|s|min|%)", r"\1", shown).replace("min", "m")
    return f'`"{spelt}"`'


if __name__ == "__main__":
    PAGE.write_text(settings_reference(), encoding="utf-8")
