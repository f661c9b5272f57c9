"""
What a gate may ask, and what it says of a value.
"""

import math

import pytest

from tonnage.domain import ConfigurationError, Requirement


@pytest.mark.parametrize(
    ("text", "value", "state"),
    [
        ("p99 < 250ms", 0.249, "met"),
        ("p99 < 250ms", 0.25, "missed"),
        ("p99 <= 250ms", 0.25, "met"),
        ("p99.9<1s", 2.0, "missed"),
        ("p99 < 250ms", math.inf, "missed"),
        ("errors < 0.1%", 0.0009, "met"),
        ("errors < 0.1%", 0.001, "missed"),
        ("throughput >= 900/s", 900.0, "met"),
        ("throughput > 900/s", 900.0, "missed"),
        ("goodput >= 99.5%", 0.995, "met"),
        ("goodput >= 500/s", 499.0, "missed"),
        ("line >= 60000/min", 1000.0, "met"),
    ],
)
def test_a_value_is_held_against_the_threshold(text: str, value: float, state: str):
    assert Requirement.parse(text).judge(value).state == state


@pytest.mark.parametrize("value", [None, math.nan])
def test_a_threshold_without_data_fails(value: float | None):
    check = Requirement.parse("p99 < 250ms").judge(value)
    assert (check.state, check.holds, check.seen) == ("no data", False, "no data")


def test_what_is_written_reads_again():
    for text in ("p99 < 250 ms", "errors < 0.1 %", "line >= 1000/s", "goodput >= 99.5 %"):
        assert str(Requirement.parse(text)) == text
        assert Requirement.parse(str(Requirement.parse(text))) == Requirement.parse(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fast", "no requirement"),
        ("p99 = 250ms", "no requirement"),
        ("p99 < soon", "not a duration"),
        ("p100 < 1s", "not a percentile"),
        ("errors < 3/s", "not a percentage"),
        ("speed > 3/s", "nothing is called speed"),
        ("throughput >= -3/s", "not a rate"),
    ],
)
def test_what_is_no_requirement_is_named(text: str, said: str):
    with pytest.raises(ConfigurationError, match=said):
        Requirement.parse(text)
