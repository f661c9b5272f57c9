"""
The rows that a user brings: a CSV file, whose columns have names.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tonnage.artefact import read_table
from tonnage.domain import ConfigurationError

__all__ = ["Sample", "read_sample"]


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
    table = read_table(file)
    for line in table.lines:
        table.check_width(line)
    first = 1 if table.header[0] == "" else 0
    _check_header(table.header[first:], file)
    return Sample(
        file=file,
        header=tuple(table.header[first:]),
        rows=tuple(tuple(line.cells[first:]) for line in table.lines),
    )


def _check_header(header: Sequence[str], file: Path) -> None:
    twice = [name for name in header if header.count(name) > 1]
    if twice:
        raise ConfigurationError(
            f"{file} has the column {twice[0]!r} more than once",
            hint="name it once; the model's columns have names of their own",
        )
    if "" in header:
        raise ConfigurationError(
            f"{file} has a column without a name", hint="name every column in its first line"
        )
