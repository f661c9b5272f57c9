"""
Distributions in little room.
"""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.emulator._distribution import Distribution

VALUES = st.floats(-1e9, 1e9).filter(lambda value: value == 0 or abs(value) > 1e-9)


def of(*values: float) -> Distribution:
    distribution = Distribution()
    for value in values:
        distribution.add(value)
    return distribution


@given(st.lists(VALUES, min_size=1, max_size=60), st.floats(0, 1))
def test_a_percentile_is_within_one_percent_of_a_value_that_is_there(
    values: list[float], fraction: float
):
    found = of(*values).percentile(fraction)
    rank = max(0, math.ceil(fraction * len(values)) - 1)
    near = sorted(values)[max(0, rank - 1) : rank + 2]
    assert any(found == pytest.approx(value, rel=0.0101) for value in near)


def test_sums_and_bounds_are_exact():
    values = of(3.0, -1.0, 0.0, 3.0)
    assert (values.count, values.total, values.smallest, values.largest) == (4, 5.0, -1.0, 3.0)


def test_merging_is_adding_all():
    one, other = of(1.0, 2.0), of(2.0, 50.0)
    one.merge(other)
    assert one == of(1.0, 2.0, 2.0, 50.0)


def test_what_is_known_as_a_summary_alone_has_no_percentiles():
    values = of(1.0)
    values.add_summary(2, 8.0, 3.0, 5.0)
    assert (values.count, values.total, values.largest) == (3, 9.0, 5.0)
    assert values.percentile(0.5) is None
    values.add(4.0)
    one = of(1.0)
    one.merge(values)
    assert one.percentile(0.5) is None


def test_without_values_there_is_no_percentile():
    assert Distribution().percentile(0.5) is None


def test_counted_more_often_it_is_the_same_distribution():
    values = of(1.0, 2.0, 3.0)
    often = values.times(20.0)
    assert (often.count, often.total, often.largest) == (60, 120.0, 3.0)
    assert often.percentile(0.5) == values.percentile(0.5)
