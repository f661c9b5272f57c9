"""
Time as an argument.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.domain import ManualClock, MonotonicClock, ScaledClock


def test_a_manual_clock_moves_only_when_told():
    clock = ManualClock(seconds=5)
    assert (clock.now_seconds(), clock.now_seconds()) == (5, 5)
    clock.advance(2.5)
    assert clock.now_seconds() == 7.5


def test_a_monotonic_clock_never_goes_back():
    clock = MonotonicClock()
    readings = [clock.now_seconds() for _ in range(100)]
    assert readings == sorted(readings)


def test_scaled_time_starts_at_its_origin_and_runs_faster():
    real = ManualClock(seconds=1000)
    scaled = ScaledClock(time_scale=20, origin_seconds=1000, clock=real)
    assert scaled.now_seconds() == 0
    real.advance(3)
    assert scaled.now_seconds() == pytest.approx(60)


def test_a_past_moment_is_no_wait():
    real = ManualClock(seconds=10)
    scaled = ScaledClock(time_scale=2, origin_seconds=0, clock=real)
    assert scaled.real_seconds_until(20) == 0
    assert scaled.real_seconds_until(5) == 0


@given(
    scale=st.floats(0.01, 1000), origin=st.floats(-1e6, 1e6), ahead_seconds=st.floats(0.001, 1e5)
)
def test_after_the_wait_it_is_that_moment(scale: float, origin: float, ahead_seconds: float):
    real = ManualClock(seconds=origin)
    scaled = ScaledClock(time_scale=scale, origin_seconds=origin, clock=real)
    real.advance(scaled.real_seconds_until(ahead_seconds))
    assert scaled.now_seconds() == pytest.approx(ahead_seconds, rel=1e-6, abs=1e-6 * scale)
