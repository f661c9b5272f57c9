"""
Numbers derived from raw samples, against cases worked out by hand.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.domain import (
    NO_ANSWER,
    PERCENTILES,
    ErrorObjective,
    LatencyObjective,
    Objective,
    Samples,
    meets,
    per_second_counts,
    percentile,
    summarise,
)

MakeSamples = Callable[..., Samples]


def by_counting(values: list[float], fraction: Fraction) -> float:
    """The definition: the smallest value that at least that share of them do not exceed."""
    return next(
        value
        for value in sorted(values)
        if Fraction(sum(other <= value for other in values), len(values)) >= fraction
    )


@given(
    values=st.lists(st.floats(0, 100), min_size=1, max_size=120),
    thousandths=st.integers(1, 999),
)
def test_a_percentile_is_what_counting_finds(values: list[float], thousandths: int):
    expected = by_counting(values, Fraction(thousandths, 1000))
    assert percentile(np.array(values), thousandths / 1000) == expected


@pytest.mark.parametrize("percent", ["50", "90", "95", "99", "99.9", "7", "28", "56"])
@pytest.mark.parametrize("count", [20, 25, 100, 1000, 2000])
def test_a_percentile_read_from_text_is_not_one_rank_too_high(percent: str, count: int):
    """99.9 / 100 is 0.9990000000000001, of which 999 in 1,000 fall short but for rounding."""
    read = LatencyObjective.parse(f"p{percent} < 1s").percentile
    values = np.arange(1.0, count + 1)
    assert percentile(values, read) == math.ceil(Fraction(percent) * count / 100)


def test_a_percentile_of_nothing_is_nan():
    assert math.isnan(percentile(np.empty(0), 0.5))


def test_a_percentile_bears_infinite_values():
    assert percentile(np.array([1.0, 2.0, math.inf, math.inf]), 0.5) == 2
    assert percentile(np.array([1.0, 2.0, math.inf, math.inf]), 0.51) == math.inf


def test_a_summary_by_hand(samples: MakeSamples):
    """Four requests in two seconds: two good, one slow, one refused; one unanswered besides."""
    run = samples(
        [0.0, 0.5, 1.0, 1.5, 1.9],
        status=[200, 204, 200, 503, NO_ANSWER],
        latency=[0.1, 0.2, 0.9, 0.3, 5.0],
    )
    found = summarise(run, start_seconds=0, end_seconds=2, latency_threshold_seconds=0.5)
    assert found.window_seconds == 2
    assert found.requests == 5
    assert found.failed == 2
    assert found.offered_per_second == 2.5
    assert found.throughput_per_second == 2.0
    assert found.goodput_per_second == 1.0
    assert found.error_fraction == pytest.approx(0.4)
    assert found.latency_seconds["p50"] == pytest.approx(0.2)
    assert found.latency_seconds["p90"] == pytest.approx(0.9)
    assert set(found.latency_seconds) == {"p50", "p90", "p95", "p99", "p99.9"}
    assert len(found.latency_seconds) == len(PERCENTILES)


def test_a_request_at_the_threshold_is_not_good(samples: MakeSamples):
    run = samples([0.0, 0.0], latency=[0.25, 0.5])
    found = summarise(run, start_seconds=0, end_seconds=1, latency_threshold_seconds=0.5)
    assert found.goodput_per_second == 1


@pytest.mark.parametrize(
    ("status", "failed"), [(199, 1), (200, 0), (299, 0), (300, 1), (404, 1), (NO_ANSWER, 1)]
)
def test_only_2xx_is_no_failure(samples: MakeSamples, status: int, failed: int):
    run = samples([0.5], status=status)
    assert summarise(run, start_seconds=0, end_seconds=1).failed == failed


def test_a_window_takes_its_start_and_leaves_its_end(samples: MakeSamples):
    run = samples([0.999, 1.0, 1.5, 2.0, 2.001])
    assert summarise(run, start_seconds=1, end_seconds=2).requests == 2


def test_a_request_belongs_to_the_window_it_was_meant_for(samples: MakeSamples):
    """Sent late and answered later still, and yet it counts where it was due."""
    run = samples([0.9], late=5.0, latency=7.0)
    assert summarise(run, start_seconds=0, end_seconds=1).requests == 1
    assert summarise(run, start_seconds=5, end_seconds=8).requests == 0


def test_latency_counts_from_the_intended_send(samples: MakeSamples):
    run = samples([1.0], late=2.0, latency=3.0)
    assert run.latency_seconds.tolist() == [3.0]
    assert run.service_seconds.tolist() == [1.0]


def test_an_empty_window_is_all_zeros_and_nan():
    found = summarise(Samples.empty(), start_seconds=0, end_seconds=10)
    assert (found.requests, found.offered_per_second, found.error_fraction) == (0, 0, 0)
    assert all(math.isnan(value) for value in found.latency_seconds.values())


@given(
    moments=st.lists(st.floats(0, 100), max_size=60),
    cuts=st.lists(st.floats(0, 100), min_size=1, max_size=5),
)
def test_half_open_windows_share_out_every_request_once(
    samples: MakeSamples, moments: list[float], cuts: list[float]
):
    run = samples(moments)
    edges = [-1.0, *sorted(cuts), 101.0]
    parts = [len(run.between(a, b)) for a, b in pairwise(edges)]
    assert sum(parts) == len(moments)


def test_per_second_counts_by_hand():
    moments = np.array([-0.1, 0.0, 0.99, 1.0, 3.2, 3.99, 4.0])
    assert per_second_counts(moments, 3.5).tolist() == [2, 1, 0, 2]
    assert per_second_counts(np.empty(0), 2).tolist() == [0, 0]


OBJECTIVE = Objective(
    latency=LatencyObjective(percentile=0.9, threshold_seconds=0.25),
    errors=ErrorObjective(max_fraction=0.1),
)


def test_both_terms_must_be_met(samples: MakeSamples):
    ten = np.arange(10.0)
    assert meets(samples(ten), OBJECTIVE)
    assert meets(samples(ten, latency=[0.01] * 9 + [9.0]), OBJECTIVE)
    assert not meets(samples(ten, latency=[0.01] * 8 + [9.0] * 2), OBJECTIVE)
    assert not meets(samples(ten, status=[200] * 9 + [503]), OBJECTIVE)
    assert not meets(samples(ten, latency=0.25), OBJECTIVE)


def test_a_request_without_an_answer_is_slow_too(samples: MakeSamples):
    lenient = Objective(latency=OBJECTIVE.latency, errors=ErrorObjective(max_fraction=1.0))
    answers = [200] * 8 + [NO_ANSWER] * 2
    assert not meets(samples(np.arange(10.0), status=answers), lenient)
    assert meets(samples(np.arange(10.0), status=[200] * 8 + [503] * 2), lenient)


def test_no_requests_meet_nothing():
    assert not meets(Samples.empty(), OBJECTIVE)


@given(
    latencies=st.lists(st.floats(0.001, 1), min_size=1, max_size=40),
    slower=st.floats(0, 1),
)
def test_a_slower_service_never_lowers_a_percentile(
    samples: MakeSamples, latencies: list[float], slower: float
):
    moments = np.arange(len(latencies), dtype=np.float64)
    span = {"start_seconds": 0.0, "end_seconds": float(len(latencies))}
    before = summarise(samples(moments, latency=latencies), **span)
    after = summarise(samples(moments, latency=np.add(latencies, slower)), **span)
    for name, value in before.latency_seconds.items():
        assert after.latency_seconds[name] >= value
