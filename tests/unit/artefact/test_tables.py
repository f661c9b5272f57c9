"""
CSV files as text; a file that is none says what it is, and what makes one of it.
"""

import gzip
import io
import re
from pathlib import Path
from zipfile import ZipFile

import pytest

from tonnage.artefact import Line, read_table
from tonnage.domain import ConfigurationError


def zipped() -> bytes:
    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "told", "hint"),
    [
        (b"PAR1" + bytes(20) + b"PAR1", "is a Parquet file", r"read_parquet\('rows"),
        (b"ARROW1\0\0", "is a Feather file", "read_feather"),
        (zipped(), "zip archive or an Excel workbook", "save the sheet as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook", "save the sheet"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0), "compressed by gzip", "gunzip"),
        (b"\x80\x05\x95", "is a pickle", "read_pickle"),
        (b"\x93NUMPY\x01\0", "is a NumPy array", r"numpy\.load"),
        ("a,b\n1,2\n".encode("utf-16"), "in UTF-16", "encoding='utf-16'"),
        ("größe\n1\n".encode("cp1252"), "cannot be read: 'utf-8'", "encoding='cp1252'"),
        (b"a;b\n1,5;2\n", "'a;b': it is separated by semicolons", r"sep=';', decimal=','"),
        (b"a\tb\n1\t2\n", "separated by tabs", r"sep='\\t'\)"),
        (b"a|b\n1|2\n", "separated by vertical bars", r"sep='\|'"),
        (b"", "holds no rows", "give a header"),
        (b"\n\na,b\n\n", "holds no rows", "give a header"),
    ],
)
def test_what_is_no_csv_file_is_told_what_it_is(
    tmp_path: Path, content: bytes, told: str, hint: str
):
    file = tmp_path / "rows.data"
    file.write_bytes(content)

    with pytest.raises(ConfigurationError) as refusal:
        read_table(file)

    assert str(file) in refusal.value.message
    assert re.search(told, refusal.value.message), refusal.value.message
    assert re.search(hint, refusal.value.hint or ""), refusal.value.hint


def test_rows_keep_the_numbers_of_their_lines(tmp_path: Path):
    file = tmp_path / "rows.csv"
    file.write_bytes(b'\xef\xbb\xbfa,b\r\n1,"x\r\ny"\r\n\r\n2,z\r\n')

    table = read_table(file)

    assert table.header == ["a", "b"]
    assert list(table.lines) == [Line(3, ["1", "x\r\ny"]), Line(5, ["2", "z"])]


@pytest.mark.parametrize(
    ("cells", "told"),
    [(["1"], "line 7 has 1 cells and the header 2: b is missing"), (["1", "2", "3"], "has 3")],
)
def test_a_row_of_another_width_is_refused(tmp_path: Path, cells: list[str], told: str):
    file = tmp_path / "rows.csv"
    file.write_text("a,b\n1,2\n")
    table = read_table(file)
    table.check_width(table.lines[0])

    with pytest.raises(ConfigurationError, match=told) as refusal:
        table.check_width(Line(7, cells))
    assert "commas" in (refusal.value.hint or "")
