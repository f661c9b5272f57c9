"""
Quantities as people write them.
"""

import math
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tonnage.domain import (
    ConfigurationError,
    format_bytes,
    format_duration,
    format_fraction,
    format_rate,
    parse_duration,
    parse_fraction,
    parse_rate,
    parse_size,
)

THREE_DIGITS = 0.005


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("70ms", 0.07),
        ("250us", 0.00025),
        ("5m", 300),
        ("5min", 300),
        ("1h30m", 5400),
        ("2d", 172_800),
        ("0s", 0),
        ("1.5h", 5400),
        ("1e3ms", 1),
        ("  9s ", 9),
        ("70 ms", 0.07),
    ],
)
def test_a_duration_is_read_in_seconds(text: str, seconds: float):
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "per_second"),
    [("600/s", 600), ("60/min", 1), ("60/m", 1), ("3600/h", 1), ("1 / second", 1), ("0.5/s", 0.5)],
)
def test_a_rate_is_read_per_second(text: str, per_second: float):
    assert parse_rate(text) == pytest.approx(per_second)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("6MiB", 6_291_456),
        ("500kB", 500_000),
        ("1024B", 1024),
        ("1.5KiB", 1536),
        ("2GB", 2_000_000_000),
        ("6 MiB", 6_291_456),
    ],
)
def test_a_size_is_read_in_bytes(text: str, size: int):
    assert parse_size(text) == size


@pytest.mark.parametrize(("text", "fraction"), [("0.1%", 0.001), ("100 %", 1), ("0%", 0)])
def test_a_percentage_is_read_as_a_fraction(text: str, fraction: float):
    assert parse_fraction(text) == pytest.approx(fraction)


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_duration, "60"),
        (parse_duration, ""),
        (parse_duration, "-5s"),
        (parse_duration, "5 parsecs"),
        (parse_duration, "s"),
        (parse_duration, "1h, 30m"),
        (parse_duration, "nans"),
        (parse_duration, "1e999s"),
        (parse_rate, "600"),
        (parse_rate, "600/day"),
        (parse_rate, "-1/s"),
        (parse_rate, "1e999/s"),
        (parse_size, "6"),
        (parse_size, "6mib"),
        (parse_size, "-6MiB"),
        (parse_size, "1e999GiB"),
        (parse_fraction, "0.001"),
        (parse_fraction, "100.1%"),
        (parse_fraction, "-1%"),
        (parse_fraction, "1e999%"),
    ],
)
def test_what_has_no_unit_or_no_sense_is_refused(parse: Callable[[str], float], text: str):
    with pytest.raises(ConfigurationError) as refusal:
        parse(text)
    assert repr(text) in refusal.value.message


NEARLY = st.text(st.sampled_from("0123456789.e+-/ %smhdukKMGiBn\u0663"), max_size=12)


@given(text=st.text() | NEARLY)
@pytest.mark.parametrize("parse", [parse_duration, parse_rate, parse_size, parse_fraction])
def test_junk_raises_only_configuration_error(parse: Callable[[str], float], text: str):
    try:
        value = parse(text)
    except ConfigurationError:
        return
    assert value >= 0
    assert math.isfinite(value)


@given(seconds=st.floats(0, 1e9))
@example(0.9996)
@example(60_000.0)
@example(86_400.0)
def test_a_written_duration_means_the_same(seconds: float):
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds, rel=THREE_DIGITS)


@given(seconds=st.floats(0.001, 1e9))
def test_a_written_duration_has_no_exponent(seconds: float):
    assert "e" not in format_duration(seconds)


@given(per_second=st.floats(0, 1e12))
def test_a_written_rate_means_the_same(per_second: float):
    assert parse_rate(format_rate(per_second)) == pytest.approx(per_second, rel=1e-5)


@given(count=st.integers(0, 2**50))
def test_a_written_size_means_the_same(count: int):
    assert parse_size(format_bytes(count)) == pytest.approx(count, rel=0.0005)


@given(count=st.integers(1, 1023), unit=st.sampled_from(["B", "KiB", "MiB", "GiB"]))
def test_a_whole_size_is_written_as_it_is_read(count: int, unit: str):
    assert format_bytes(parse_size(f"{count}{unit}")) == f"{count}{unit}"


@given(fraction=st.floats(0, 1))
def test_a_written_fraction_means_the_same(fraction: float):
    assert parse_fraction(format_fraction(fraction)) == pytest.approx(fraction, rel=THREE_DIGITS)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.07, "70 ms"), (9.5, "9.5 s"), (60, "60 s"), (300, "5 min"), (86_400, "1440 min")],
)
def test_durations_read_well(seconds: float, text: str):
    assert format_duration(seconds) == text
