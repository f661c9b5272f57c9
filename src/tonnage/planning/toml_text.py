"""
Plain values as TOML text: enough for settings and prices, with no library.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

__all__ = ["inline_table", "toml_document", "toml_key", "toml_value"]


def toml_document(tables: Mapping[str, Mapping[str, Any]], *, comment: str = "") -> str:
    """Return sections of plain values as TOML, under a comment."""
    head = "".join(f"# {line}\n".replace("# \n", "#\n") for line in comment.splitlines())
    sections = [part for name, table in tables.items() for part in _section(name, table)]
    return "\n\n".join([head.rstrip(), *sections] if head else sections) + "\n"


def _section(name: str, table: Mapping[str, Any]) -> Iterator[str]:
    """Yield a section and, below it, its lists of tables as ``[[section.key]]``."""
    rows = {key: value for key, value in table.items() if _is_rows(value)}
    plain = {key: value for key, value in table.items() if key not in rows}
    yield "\n".join([f"[{toml_key(name)}]", *_pairs(plain)])
    for key, value in rows.items():
        for row in value:
            yield "\n".join([f"[[{toml_key(name)}.{toml_key(key)}]]", *_pairs(row)])


def _pairs(table: Mapping[str, Any]) -> Iterator[str]:
    return (f"{toml_key(key)} = {toml_value(value)}" for key, value in table.items())


def _is_rows(value: object) -> bool:
    return (
        isinstance(value, list | tuple)
        and bool(value)
        and all(isinstance(row, Mapping) for row in value)
    )


def inline_table(table: Mapping[str, Any]) -> str:
    """Return ``{ a = 1, b = "two" }``."""
    pairs = ", ".join(f"{toml_key(key)} = {toml_value(value)}" for key, value in table.items())
    return f"{{ {pairs} }}" if pairs else "{}"


def toml_key(key: str) -> str:
    """Return a key, quoted if it must be."""
    bare = key.isascii() and key.replace("-", "_").replace("_", "a").isalnum()
    return key if bare else toml_value(key)


def toml_value(value: object) -> str:
    """
    Return a value as TOML writes it.

    Raises:
        TypeError: If TOML has no such value.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # JSON's escapes are TOML's, but TOML wants the delete character escaped as well.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int | float | date):
        return str(value)
    if isinstance(value, Mapping):
        return inline_table(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    raise TypeError(f"TOML has no {type(value).__name__}")
