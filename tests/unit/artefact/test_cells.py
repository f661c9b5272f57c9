"""
Cells of a CSV file as the row's schema types them.
"""

from enum import Enum
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel

from tonnage.artefact import read_rows
from tonnage.domain import ConfigurationError


class Digit(Enum):
    ONE = "1"


class Row(BaseModel):
    flag: bool | None = None
    sure: bool = False
    postcode: str | None = None
    digit: Digit | None = None
    district: Literal["1", "NA"] | None = None
    area: float | None = None
    rooms: int | None = None
    either: int | str | None = None


def read(tmp_path: Path, field: str, cell: str) -> object:
    file = tmp_path / "rows.csv"
    file.write_text(f"{field},note\n{cell},\n", encoding="utf-8")
    (row,) = read_rows(file, Row)
    return getattr(row, field)


@pytest.mark.parametrize(
    ("field", "cell", "value"),
    [
        ("flag", "True", True),  # as pandas writes it
        ("flag", "FALSE", False),  # as spreadsheets do
        ("sure", "True", True),
        ("flag", "", None),
        ("flag", "NaN", None),
        ("postcode", "10115", "10115"),
        ("postcode", "007", "007"),
        ("postcode", "1e5", "1e5"),
        ("postcode", "true", "true"),
        ("postcode", "[1]", "[1]"),
        ("postcode", '"""quoted"""', '"quoted"'),
        ("postcode", "NA", "NA"),  # Namibia's code, as well
        ("postcode", "", None),
        ("digit", "1", Digit.ONE),
        ("district", "1", "1"),
        ("district", "NA", "NA"),
        ("district", "nan", None),
        ("area", "nan", None),
        ("area", "NA", None),
        ("area", ".5", 0.5),
        ("area", "5.", 5.0),
        ("area", "+3", 3.0),
        ("rooms", "007", 7),
        ("either", "7", 7),
        ("either", "seven", "seven"),
    ],
)
def test_a_cell_is_what_its_field_allows(tmp_path: Path, field: str, cell: str, value: object):
    read_value = read(tmp_path, field, cell)
    assert read_value == value
    assert type(read_value) is type(value)


@pytest.mark.parametrize(
    ("field", "cell"),
    [("flag", "yes"), ("flag", "1"), ("sure", "NA"), ("area", "1_000"), ("rooms", "2.5")],
)
def test_what_its_field_does_not_allow_is_refused_by_name(tmp_path: Path, field: str, cell: str):
    with pytest.raises(ConfigurationError, match=field):
        read(tmp_path, field, cell)
