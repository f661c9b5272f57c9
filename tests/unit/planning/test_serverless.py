"""
Serverless inference against queueing theory, and its billing by the millisecond.
"""

import math

import numpy as np
import pytest

from tonnage.domain import PiecewiseRate
from tonnage.planning import (
    LoadLine,
    ServerlessAssumptions,
    ServerlessSettings,
    read_prices,
    try_serverless,
)
from tonnage.planning.serverless import billed_seconds, loss_probability

LINE = LoadLine(kind=read_prices().types["ml.c5.large"], rate_per_second=600.0)
ASSUMED = ServerlessAssumptions()


@pytest.mark.parametrize(("load", "servers"), [(0.5, 1), (3.0, 5), (120.0, 100), (150.0, 200)])
def test_the_loss_is_erlangs(load: float, servers: int):
    """The closed form: a^c / c! over the sum of a^k / k!, in logarithms."""
    terms = [k * math.log(load) - math.lgamma(k + 1) for k in range(servers + 1)]
    top = max(terms)
    closed = math.exp(terms[-1] - top) / sum(math.exp(term - top) for term in terms)
    assert loss_probability(np.array([load]), servers)[0] == pytest.approx(closed, rel=1e-10)


def test_one_server_loses_a_over_one_plus_a():
    assert loss_probability(np.array([0.0, 1.0]), 1).tolist() == [0.0, 0.5]


def test_a_request_is_billed_in_whole_milliseconds_and_slower_with_less_memory():
    """2 vCPU at 600/s are 3.3 ms of a processor; 1024 MB have 0.58 of one."""
    assert billed_seconds(LINE, 2048, ASSUMED) == 0.004
    assert billed_seconds(LINE, 1024, ASSUMED) == 0.006
    assert billed_seconds(LINE, 6144, ASSUMED) == 0.004


def test_what_fits_is_served_and_the_rest_throttled():
    settings = ServerlessSettings(memory_mb=2048, max_concurrency=10)
    easy = try_serverless(PiecewiseRate.constant(1000, 600), LINE, settings, ASSUMED)
    assert easy.failed_fraction < 0.01
    assert easy.billed_seconds == pytest.approx((easy.offered - easy.failed) * 0.004)
    hard = try_serverless(PiecewiseRate.constant(5000, 600), LINE, settings, ASSUMED)
    assert hard.failed_fraction == pytest.approx(0.5379, abs=0.001)  # Erlang B of 20 erlangs on 10


def test_raised_traffic_is_more_of_it():
    settings = ServerlessSettings(memory_mb=2048, max_concurrency=10)
    traffic = PiecewiseRate.constant(100, 600)
    raised = try_serverless(traffic, LINE, settings, ASSUMED, raised_by=0.5)
    assert raised.offered == pytest.approx(90_000)


def test_rare_requests_meet_cold_starts_and_steady_ones_do_not():
    settings = ServerlessSettings(memory_mb=2048, max_concurrency=20)
    rare = try_serverless(PiecewiseRate.constant(1 / 3600, 86400), LINE, settings, ASSUMED)
    assert rare.cold_fraction > 0.9
    steady = try_serverless(PiecewiseRate.constant(50, 86400), LINE, settings, ASSUMED)
    assert steady.cold_fraction < 1e-4
