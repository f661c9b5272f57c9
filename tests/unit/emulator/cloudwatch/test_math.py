"""
Metric math.
"""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.emulator.aws import AwsError
from tonnage.emulator.cloudwatch.math import evaluated

SERIES = {"a": {0: 1.0, 1: 2.0, 2: 3.0}, "b": {1: 4.0, 2: 0.0, 3: -5.0}}


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("a", {0: 1.0, 1: 2.0, 2: 3.0}),
        ("a + b", {1: 6.0, 2: 3.0}),
        ("a / b", {1: 0.5}),
        ("-(a - 1) * 2 ^ 2", {0: 0.0, 1: -4.0, 2: -8.0}),
        ("100 - a", {0: 99.0, 1: 98.0, 2: 97.0}),
        ("SUM([a, b])", {0: 1.0, 1: 6.0, 2: 3.0, 3: -5.0}),
        ("AVG(METRICS())", {0: 1.0, 1: 3.0, 2: 1.5, 3: -5.0}),
        ("MAX([a, b])", {0: 1.0, 1: 4.0, 2: 3.0, 3: -5.0}),
        ("MIN([a, b])", {0: 1.0, 1: 2.0, 2: 0.0, 3: -5.0}),
        ("a - MIN(a)", {0: 0.0, 1: 1.0, 2: 2.0}),
        ("FILL(b, 0)", {0: 0.0, 1: 4.0, 2: 0.0, 3: -5.0}),
        ("ABS(b)", {1: 4.0, 2: 0.0, 3: 5.0}),
        ("CEIL(a / 2) + FLOOR(a / 2)", {0: 1.0, 1: 2.0, 2: 3.0}),
        ("b ^ 0.5", {1: 2.0, 2: 0.0}),
    ],
)
def test_it_computes_period_by_period(expression: str, values: dict[int, float]):
    assert evaluated(expression, SERIES, range(4)) == values


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "c",
        "a +",
        "1",
        "1 / 0",
        "[a, b]",
        "[a, b] + 1",
        "SUM(a, b)",
        "SUM([])",
        "RATE(a)",
        "a if b else a",
        "'a'",
        "True",
        "a.real",
        "a[0]",
        "().__class__",
        "SUM([1])",
        "a(b)",
        "9 ^ 9 ^ 9 ^ 9",
        "(" * 300,
    ],
)
def test_what_is_no_series_is_refused_with_the_expression(expression: str):
    with pytest.raises(AwsError, match="Error in expression"):
        evaluated(expression, SERIES, range(4))


@given(st.text("ab0.+-*/^()[], SUMFIL", max_size=24))
def test_whatever_comes_is_refused_as_documented_or_computed(expression: str):
    with contextlib.suppress(AwsError):
        evaluated(expression, SERIES, range(4))
