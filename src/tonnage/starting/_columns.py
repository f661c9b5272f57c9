"""
What a sample says of each column: its type, its range or choices, and whether values are missing.
"""

import csv
import json
import keyword
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel

from tonnage.domain import ConfigurationError

__all__ = [
    "Column",
    "Kind",
    "Sample",
    "as_json",
    "column_of",
    "identifier",
    "placeholder",
    "read_sample",
]

Kind = Literal["integer", "number", "boolean", "text"]
Value = int | float | bool | str | None

MOST_CHOICES: Final = 20
"""A text column of more different values is free text."""
_EXAMPLES: Final = 10
_MISSING: Final = frozenset({"", "na", "n/a", "nan", "null", "none", "<na>"})
"""How CSV files say that there is no value, in any case; as pandas reads them."""
_BOOLEANS: Final = {"true": True, "false": False}
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

    def value_of(self, cell: str) -> Value:
        """Return what a cell holds, None if it is empty."""
        if _is_missing(cell):
            return None
        if self.kind == "text":
            return cell
        if self.kind == "boolean":
            return _BOOLEANS[cell.strip().lower()]
        return int(cell) if self.kind == "integer" else float(cell)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """
    A CSV file as text.

    Attributes:
        file: Where it came from.
        header: The names of its columns.
        rows: Its cells, each row as long as the header.
    """

    file: Path
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def cells(self, name: str) -> list[str]:
        """Return one column's cells."""
        place = self.header.index(name)
        return [row[place] for row in self.rows]


def read_sample(file: Path) -> Sample:
    """
    Read a CSV file with a header.

    A first column without a name is the index that pandas writes, and is left out.

    Raises:
        ConfigurationError: If it cannot be read, or is no table.
    """
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.reader(lines)
            table = [(reader.line_num, cells) for cells in reader if cells]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(
            f"{file} cannot be read: {error}", hint="give a CSV file in UTF-8, with a header"
        ) from error
    if len(table) < 2:  # noqa: PLR2004 (a header and a row)
        raise ConfigurationError(
            f"{file} holds no rows", hint="give a header and some rows, as the model was fitted on"
        )
    (_, header), *rows = table
    for number, cells in rows:
        if len(cells) != len(header):
            raise ConfigurationError(
                f"{file}, line {number} has {len(cells)} cells and the header {len(header)}",
                hint="separate cells by commas, and quote a cell that holds one",
            )
    first = 1 if header[0] == "" else 0
    _check_header(header[first:], file)
    return Sample(
        file=file,
        header=tuple(header[first:]),
        rows=tuple(tuple(cells[first:]) for _, cells in rows),
    )


def column_of(name: str, cells: Iterable[str], taken: Iterable[str]) -> Column:
    """
    Return what the cells say of a column.

    Args:
        name: The column's name.
        cells: Its cells.
        taken: The fields that there are already.

    Raises:
        ConfigurationError: If all cells are empty.
    """
    cells = list(cells)
    present = [cell for cell in cells if not _is_missing(cell)]
    if not present:
        raise ConfigurationError(
            f"the column {name!r} is empty", hint="give a sample with a value in every column"
        )
    kind = _kind(present)
    field = identifier(name, taken)
    is_optional = len(present) < len(cells)
    if kind == "text":
        different = list(dict.fromkeys(present))
        few = len(different) <= MOST_CHOICES and 2 * len(different) <= len(present)
        return Column(
            name=name,
            field=field,
            kind=kind,
            choices=tuple(sorted(different)) if few else (),
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


def placeholder(name: str, taken: Iterable[str]) -> Column:
    """Return a column of which only the name is known: a number, drawn from 0 to 1."""
    return Column(name=name, field=identifier(name, taken), kind="number", is_placeholder=True)


def identifier(name: str, taken: Iterable[str] = ()) -> str:
    """Return a name as a field of a pydantic model may have it, different from those taken."""
    word = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", name)).strip("_").lower() or "x"
    if word[0].isdigit():
        word = f"x{word}"
    if not word.isidentifier():
        word = "x"
    if keyword.iskeyword(word) or hasattr(BaseModel, word) or word.startswith("model_"):
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


def _check_header(header: Sequence[str], file: Path) -> None:
    twice = [name for name in header if header.count(name) > 1]
    if twice:
        raise ConfigurationError(f"{file} has the column {twice[0]!r} more than once")
    if "" in header:
        raise ConfigurationError(
            f"{file} has a column without a name", hint="name every column in its first line"
        )
    if len(header) == 1 and re.search(r"[;\t|]", header[0]):
        raise ConfigurationError(
            f"{file} has one column, {header[0][:80]!r}", hint="separate its cells by commas"
        )


def _is_missing(cell: str) -> bool:
    return cell.strip().lower() in _MISSING


def _kind(present: Sequence[str]) -> Kind:
    words = {cell.strip().lower() for cell in present}
    if words <= set(_BOOLEANS):
        return "boolean"
    if all(_WHOLE.fullmatch(word) for word in words):
        return "integer"
    return "number" if all(map(_is_number, words)) else "text"


def _is_number(word: str) -> bool:
    try:
        return math.isfinite(float(word)) and "_" not in word
    except ValueError:
        return False
