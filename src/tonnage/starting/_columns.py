"""
What a sample says of each column: its type, its range or choices, and whether values are missing.
"""

import json
import keyword
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import BaseModel

from tonnage.artefact import BOOLEAN_WORDS, MISSING_WORDS
from tonnage.domain import ConfigurationError

__all__ = [
    "Column",
    "Kind",
    "as_json",
    "column_of",
    "identifier",
    "placeholder",
]

Kind = Literal["integer", "number", "boolean", "text"]
Value = int | float | bool | str | None

MOST_CHOICES: Final = 20
"""A text column of more different values is free text."""
_EXAMPLES: Final = 10
_TYPES: Final = frozenset({"bool", "float", "int", "str"})
"""The types of fields: a field of such a name would stand in for it in those that follow."""
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}($|[T ])")
_WHOLE: Final = re.compile(r"[+-]?\d{1,18}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """
    A column of the sample, and the field of the row that it becomes.

    Attributes:
        name: As the sample and the model call it, and as callers will.
        field: The same as a Python name.
        kind: What its values are.
        low: The least number of the sample.
        high: The greatest.
        choices: All values of a text column of few values.
        examples: Some values, the first of the sample first.
        is_optional: Whether values are missing.
        is_placeholder: Whether nothing was known of it.
    """

    name: str
    field: str
    kind: Kind
    low: float = 0.0
    high: float = 1.0
    choices: tuple[str, ...] = ()
    examples: tuple[Value, ...] = ()
    is_optional: bool = False
    is_placeholder: bool = False

    @property
    def is_date(self) -> bool:
        """Whether its examples are dates, as ISO 8601 writes them."""
        return self.kind == "text" and all(
            isinstance(one, str) and _DATE.match(one) for one in self.examples
        )

    def value_of(self, cell: str) -> Value:
        """Return what a cell holds, None if it is empty."""
        if _is_missing(cell) and cell not in self.choices:
            return None
        if self.kind == "text":
            return cell
        if self.kind == "boolean":
            return BOOLEAN_WORDS[cell.strip().lower()]
        return int(cell) if self.kind == "integer" else float(cell)


def column_of(
    name: str, cells: Iterable[str], taken: Iterable[str], texts: Sequence[Any] | None = None
) -> Column:
    """
    Return what the cells say of a column.

    Args:
        name: The column's name.
        cells: Its cells.
        taken: The fields that there are already.
        texts: The categories that the model knows of a column of text, none if it takes any;
            None if the model does not say that the column is text.

    Raises:
        ConfigurationError: If all cells are empty.
    """
    cells = list(cells)
    known = [one for one in texts or () if isinstance(one, str)]
    present = [cell for cell in cells if not _is_missing(cell) or cell in known]
    if not present:
        raise ConfigurationError(
            f"the column {name!r} is empty", hint="give a sample with a value in every column"
        )
    kind = _kind(present) if texts is None else "text"
    field = identifier(name, taken)
    is_optional = len(present) < len(cells)
    if kind == "text":
        different = list(dict.fromkeys(present))
        return Column(
            name=name,
            field=field,
            kind=kind,
            choices=tuple(sorted(_choices(different, len(present), texts))),
            examples=tuple(different[:_EXAMPLES]),
            is_optional=is_optional,
        )
    bare = Column(name=name, field=field, kind=kind)
    values = [float(value) for cell in present if (value := bare.value_of(cell)) is not None]
    return Column(
        name=name,
        field=field,
        kind=kind,
        low=min(values),
        high=max(values),
        examples=(bare.value_of(present[0]),),
        is_optional=is_optional,
    )


def placeholder(name: str, taken: Iterable[str], texts: Sequence[Any] = ()) -> Column:
    """
    Return a column without a sample: one of the model's categories, or a number from 0 to 1.

    Args:
        name: The column's name.
        taken: The fields that there are already.
        texts: The categories that the model knows of it.
    """
    field = identifier(name, taken)
    known = [one for one in texts if isinstance(one, str)]
    if not known:
        return Column(name=name, field=field, kind="number", is_placeholder=True)
    return Column(
        name=name,
        field=field,
        kind="text",
        choices=tuple(sorted(_choices((), 0, known))),
        examples=tuple(known[:_EXAMPLES]),
    )


def identifier(name: str, taken: Iterable[str] = ()) -> str:
    """Return a name as a field of a pydantic model may have it, different from those taken."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).lower())
    word = re.sub(r"\W+", "_", plain).strip("_") or "x"
    if word[0].isdigit():
        word = f"x{word}"
    if not word.isidentifier():
        word = "x"
    is_taken = word in _TYPES or hasattr(BaseModel, word) or word.startswith("model_")
    if is_taken or keyword.iskeyword(word):
        word = f"{word}_"
    known, number, chosen = set(taken), 1, word
    while chosen in known:
        number += 1
        chosen = f"{word}_{number}"
    return chosen


def as_json(columns: Sequence[Column], cells: Sequence[str]) -> str:
    """Return a row as a caller would send it: empty cells are left out."""
    values = {
        column.name: column.value_of(cell) for column, cell in zip(columns, cells, strict=True)
    }
    return json.dumps({name: value for name, value in values.items() if value is not None})


def _choices(different: Sequence[str], count: int, texts: Sequence[Any] | None) -> Sequence[str]:
    """Return all values of a text column: those that the model knows, else those of the sample."""
    known = [one for one in texts or () if isinstance(one, str)]
    if texts is not None and not known:
        return ()  # it takes any text
    if known and set(different) <= set(known):
        return known if len(known) <= MOST_CHOICES else ()
    is_few = len(different) <= MOST_CHOICES and 2 * len(different) <= count
    return different if is_few else ()


def _is_missing(cell: str) -> bool:
    return cell.strip().lower() in MISSING_WORDS


def _kind(present: Sequence[str]) -> Kind:
    words = {cell.strip().lower() for cell in present}
    if words <= set(BOOLEAN_WORDS):
        return "boolean"
    if all(_WHOLE.fullmatch(word) for word in words):
        return "integer"
    return "number" if all(map(_is_number, words)) else "text"


def _is_number(word: str) -> bool:
    try:
        return math.isfinite(float(word)) and "_" not in word
    except ValueError:
        return False
