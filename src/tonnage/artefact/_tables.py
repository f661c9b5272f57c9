"""
A CSV file with a header, as text; what is none is named, with the way to make one of it.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from tonnage.domain import ConfigurationError

__all__ = ["BOOLEAN_WORDS", "MISSING_WORDS", "Line", "Table", "read_table"]

MISSING_WORDS: Final = frozenset({"", "na", "n/a", "nan", "null", "none", "<na>"})
"""How CSV files say that there is no value, in any case; as pandas reads them."""
BOOLEAN_WORDS: Final = {"true": True, "false": False}

_SAVE: Final = "to_csv('rows.csv', index=False)"
_OTHERS: Final = {
    b"PAR1": ("a Parquet file", f"pandas.read_parquet(FILE).{_SAVE}"),
    b"ARROW1": ("a Feather file", f"pandas.read_feather(FILE).{_SAVE}"),
    b"PK\x03\x04": ("a zip archive or an Excel workbook", "unpack it, or save the sheet as CSV"),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", "save the sheet as CSV"),
    b"\x1f\x8b": ("compressed by gzip", "unpack it with gunzip"),
    b"\x80\x04": ("a pickle", f"pandas.read_pickle(FILE).{_SAVE}"),
    b"\x80\x05": ("a pickle", f"pandas.read_pickle(FILE).{_SAVE}"),
    b"\x93NUMPY": ("a NumPy array", f"pandas.DataFrame(numpy.load(FILE)).{_SAVE}"),
    b"\xff\xfe": ("in UTF-16", f"pandas.read_csv(FILE, encoding='utf-16').{_SAVE}"),
}
"""What else rows are kept in, by its first bytes, and what makes a CSV file of it."""
_SEPARATORS: Final = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


class Line(NamedTuple):
    """The cells of a row, and the number of its line in the file, from 1."""

    number: int
    cells: Sequence[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """
    A CSV file as text.

    Attributes:
        file: Where it came from.
        header: The names of its columns.
        lines: Its rows, at least one.
    """

    file: Path
    header: Sequence[str]
    lines: Sequence[Line]

    def check_width(self, line: Line) -> None:
        """
        Refuse a row that has more or fewer cells than there are columns.

        Raises:
            ConfigurationError: If it does.
        """
        count, wanted = len(line.cells), len(self.header)
        if count == wanted:
            return
        unset = f": {self.header[count]} is missing" if count < wanted else ""
        raise ConfigurationError(
            f"{self.file}, line {line.number} has {count} cells and the header {wanted}{unset}",
            hint="separate cells by commas, and quote a cell that holds one",
        )


def read_table(file: Path) -> Table:
    """
    Read a CSV file with a header; lines that are blank are left out.

    Raises:
        ConfigurationError: If it cannot be read, is something else, or holds no rows.
    """
    try:
        with file.open("rb") as content:
            start = content.read(8)
        _refuse_others(file, start)
        with file.open(newline="", encoding="utf-8-sig") as text:
            header, *lines = _lines(csv.reader(text)) or [Line(1, ())]
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{file} cannot be read: {error}",
            hint="save it in UTF-8, a file of Windows with"
            f" pandas.read_csv(FILE, encoding='cp1252').{_SAVE}",
        ) from error
    except (OSError, csv.Error) as error:
        raise ConfigurationError(
            f"{file} cannot be read: {error}", hint="give a CSV file in UTF-8, with a header"
        ) from error
    if not lines:
        raise ConfigurationError(
            f"{file} holds no rows", hint="give a header and some rows, as the model was fitted on"
        )
    _refuse_separators(file, header.cells)
    return Table(file=file, header=header.cells, lines=lines)


def _lines(reader: Any) -> list[Line]:  # noqa: ANN401 (the csv module's own)
    return [Line(reader.line_num, cells) for cells in reader if cells]


def _refuse_others(file: Path, start: bytes) -> None:
    for beginning, (kind, way) in _OTHERS.items():
        if start.startswith(beginning):
            raise ConfigurationError(
                f"{file} is no CSV file: it is {kind}",
                hint=f"in Python: {way.replace('FILE', repr(file.name))}" if "(" in way else way,
            )


def _refuse_separators(file: Path, header: Sequence[str]) -> None:
    if len(header) > 1:
        return
    for character, kind in _SEPARATORS.items():
        if character in header[0]:
            decimal = ", decimal=','" if character == ";" else ""
            raise ConfigurationError(
                f"{file} has one column, {header[0][:80]!r}: it is separated by {kind}",
                hint="separate its cells by commas, in Python with"
                f" pandas.read_csv('{file.name}', sep={character!r}{decimal}).{_SAVE}",
            )
