"""
Where the curve asks the model.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.artefact import TYPICAL_RANGE
from tonnage.emulator.page.fields import Field, fields_of
from tonnage.emulator.page.model import curve_grid


def field_over(low: float, high: float, kind: str = "number") -> Field:
    schema = {"properties": {"x": {"type": kind, TYPICAL_RANGE: [low, high]}}}
    return fields_of(schema, {"x": low})[0]


@given(
    low=st.floats(-1e9, 1e9, allow_nan=False),
    width=st.floats(1e-3, 1e9),
    kind=st.sampled_from(["number", "integer"]),
)
def test_a_grid_ascends_within_the_range_and_is_bounded(low: float, width: float, kind: str):
    high = low + width
    grid = curve_grid(field_over(low, high, kind))
    assert len(grid) <= 62
    assert grid == sorted(set(grid))
    assert all(low <= number <= high for number in grid)
    assert kind == "number" or all(number == int(number) for number in grid)


def test_a_wide_range_is_looked_at_closely_at_its_low_end():
    grid = curve_grid(field_over(1, 6500))
    assert (grid[0], grid[-1]) == (1, 6500)
    assert sum(number < 200 for number in grid) >= 15
    assert sum(number > 3000 for number in grid) >= 15


def test_whole_numbers_are_asked_once_each():
    assert curve_grid(field_over(1, 5, "integer")) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("kind", ["number", "integer"])
def test_a_field_without_a_range_has_no_curve(kind: str):
    assert curve_grid(fields_of({"properties": {"x": {"type": kind}}}, {"x": 1})[0]) == []
