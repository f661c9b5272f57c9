"""
The data set is whole, and says whose it is.
"""

import csv
from pathlib import Path

import pytest

COLUMNS = [
    "transaction_date",
    "house_age",
    "mrt_distance",
    "convenience_stores",
    "latitude",
    "longitude",
    "unit_price",
]


def test_data_holds_every_sale_with_every_column_a_number(example: Path) -> None:
    with (example / "data" / "real_estate.csv").open(newline="") as file:
        header, *rows = csv.reader(file)

    assert header == COLUMNS
    assert len(rows) == 414
    assert all(len([float(value) for value in row]) == len(COLUMNS) for row in rows)


@pytest.mark.parametrize(
    "owed",
    ["I-Cheng Yeh", "Real Estate Valuation", "10.24432/C5J30W", "CC BY 4.0", "What was changed"],
)
def test_attribution_that_the_licence_asks_for_stands_beside_the_data(
    example: Path, owed: str
) -> None:
    assert owed in (example / "data" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_is_described(example: Path, column: str) -> None:
    assert f"| `{column}` |" in (example / "data" / "README.md").read_text(encoding="utf-8")
