"""
What the router counts, per metric period.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.domain import ManualClock, ScaledClock
from tonnage.emulator._metrics import PERIOD_SECONDS, VariantMetrics


def metrics_at(time_scale: float) -> tuple[ManualClock, VariantMetrics]:
    machine = ManualClock(1000.0)
    clock = ScaledClock(time_scale=time_scale, origin_seconds=1000.0, clock=machine)
    return machine, VariantMetrics(clock)


@pytest.mark.parametrize("time_scale", [1.0, 20.0, 300.0])
def test_one_invocation_a_second_reads_60_per_minute_whatever_a_minute_lasts(time_scale: float):
    machine, metrics = metrics_at(time_scale)
    seconds = 60
    for _ in range(seconds):
        metrics.arrived(1)
        machine.advance(1.0)
    periods = int(seconds * time_scale // PERIOD_SECONDS)
    read = [metrics.invocations_per_instance(period) for period in range(periods)]
    assert sum(read) / periods == pytest.approx(60.0)


def test_counts_in_a_compressed_period_are_multiplied_by_the_time_scale():
    """150 invocations of one instance in the three seconds of a period: 3,000 a minute."""
    _, metrics = metrics_at(20.0)
    for _ in range(150):
        metrics.arrived(1)
    assert metrics.invocations_per_instance(0) == pytest.approx(3000.0)


def test_without_traffic_a_period_is_zero_and_not_missing():
    _, metrics = metrics_at(20.0)
    assert metrics.invocations_per_instance(0) == 0.0
    assert metrics.invocations_per_instance(17) == 0.0


def test_an_invocation_counts_one_over_the_instances_in_service_when_it_comes():
    _, metrics = metrics_at(1.0)
    for in_service in (1, 2, 2, 4, 4, 4, 4):
        metrics.arrived(in_service)
    assert metrics.invocations_per_instance(0) == pytest.approx(3.0)


def test_with_no_instance_in_service_it_counts_as_for_one():
    _, metrics = metrics_at(1.0)
    metrics.arrived(0)
    assert metrics.invocations_per_instance(0) == 1.0


def test_a_period_ends_where_the_next_begins():
    machine, metrics = metrics_at(20.0)
    metrics.arrived(1)
    machine.advance(2.999)
    metrics.arrived(1)
    machine.advance(0.001)
    metrics.arrived(1)
    assert metrics.invocations_per_instance(0) == 40.0
    assert metrics.invocations_per_instance(1) == 20.0


def test_what_becomes_of_an_invocation_goes_to_the_period_it_came_in():
    machine, metrics = metrics_at(20.0)
    counts = metrics.arrived(1)
    machine.advance(3.5)
    later = metrics.arrived(1)
    counts.errors += 1
    assert (counts.invocations, counts.errors) == (1, 1)
    assert (later.invocations, later.errors) == (1, 0)


@given(st.lists(st.tuples(st.floats(0, 20), st.integers(1, 10)), max_size=200))
def test_no_invocation_is_lost_between_periods(arrivals: list[tuple[float, int]]):
    machine, metrics = metrics_at(20.0)
    for wait, in_service in arrivals:
        machine.advance(wait)
        metrics.arrived(in_service)
    last = int(metrics.clock.now_seconds() // PERIOD_SECONDS)
    total = sum(metrics.invocations_per_instance(period) for period in range(last + 1))
    assert total == pytest.approx(20.0 * sum(1 / in_service for _, in_service in arrivals))
