"""
Senders that try again: the load that grows by what is refused.
"""

import numpy as np
import pytest

from tonnage.domain import ConfigurationError, PiecewiseRate
from tonnage.scaling import ScalableTarget, TargetTrackingPolicy
from tonnage.simulation import FleetModel, RetriedSimulation, simulate, simulate_retries

ONE = ScalableTarget.of(min_capacity=1, max_capacity=1)
FLEET = FleetModel(line_per_second=600.0)


def retried(profile: PiecewiseRate, retries: int, **changed: float) -> RetriedSimulation:
    arguments = {"delay_seconds": 1.0} | changed
    return simulate_retries(profile, None, ONE, FLEET, retries=retries, **arguments)


def test_where_nothing_is_refused_nothing_comes_back():
    calm = retried(PiecewiseRate.constant(400, 60), 3)
    assert calm.attempts_per_request == pytest.approx(1.0)
    assert calm.failed_fraction == pytest.approx(0.0)


@pytest.mark.parametrize("retries", [1, 2])
def test_a_steady_overload_settles_where_tries_and_refusals_balance(retries: int):
    """
    By hand: A attempts of which 600 are carried, p = 1 - 600/A, and A = 1000 (1 + p + … p^k).
    """
    over = retried(PiecewiseRate.constant(1000, 120), retries)
    p = 0.5
    for _ in range(200):
        p = 1 - 600 / (1000 * sum(p**tried for tried in range(retries + 1)))
    steady = slice(60, 110)
    assert over.attempts[steady].mean() == pytest.approx(600 / (1 - p), rel=0.01)
    gives_up = over.given_up[steady].sum() / over.requests[steady].sum()
    # Every instance is as busy as it can be, tries or no tries: 400 of 1,000 fail in the end.
    assert gives_up == pytest.approx(p ** (retries + 1), rel=0.02)
    assert gives_up == pytest.approx(0.4, rel=0.02)


def test_a_short_peak_is_saved_by_a_retry_after_it():
    peak = PiecewiseRate.steps([100, 1000, 100, 100], 10.0)
    once = simulate(peak, None, ONE, FLEET)
    later = retried(peak, 1, delay_seconds=10.0)
    assert once.failed_fraction[0] > 0.2
    assert later.failed_fraction < 0.01


def test_requests_are_answered_given_up_or_still_under_way():
    over = retried(PiecewiseRate.constant(1000, 60), 2, delay_seconds=5.0)
    served = float(over.simulation.served[0])
    waiting = float(over.requests.sum()) - served - float(over.given_up.sum())
    # What was refused in the last five seconds has its next try after the end.
    assert 0 < waiting <= 5 * 1000 * 3


def test_retries_count_in_the_metric_that_scales():
    policy = TargetTrackingPolicy.of(target_value=40_000)
    bounds = ScalableTarget.of(min_capacity=1, max_capacity=8)
    steady = PiecewiseRate.constant(1000, 900)
    plain = simulate(steady, policy, bounds, FLEET)
    storm = simulate_retries(steady, policy, bounds, FLEET, retries=3, delay_seconds=1.0)
    assert storm.simulation.largest_count[0] > plain.largest_count[0]
    assert np.all(storm.attempts >= storm.requests - 1e-9)


@pytest.mark.parametrize(("retries", "delay"), [(0, 1.0), (11, 1.0), (1, -1.0), (1, np.inf)])
def test_tries_out_of_range_are_refused(retries: int, delay: float):
    with pytest.raises(ConfigurationError):
        retried(PiecewiseRate.constant(100, 10), retries, delay_seconds=delay)
