"""When an open-loop generator's word is good."""

from typing import Any

import numpy as np
import pytest

from tonnage.domain import Samples
from tonnage.loadtest import GeneratorHealth, judge_open_loop

HEALTHY = GeneratorHealth(
    cpu_fractions=(0.2, 0.3), waited_fractions=(0.01, 0.02), max_outstanding=10_000
)


def samples(
    *,
    late: float | np.ndarray = 0.0,
    service: float | np.ndarray = 0.01,
    count: int = 1000,
    status: int = 200,
) -> Samples:
    intended = np.arange(count) / 100
    sent = intended + late
    return Samples(
        intended_seconds=intended,
        sent_seconds=sent,
        done_seconds=sent + service,
        status=np.full(count, status, dtype=np.uint16),
    )


def a_share(share: float, value: float, count: int = 1000) -> np.ndarray:
    lateness = np.zeros(count)
    lateness[: round(share * count)] = value
    return lateness


def test_a_punctual_generator_is_believed():
    verdict = judge_open_loop(samples(late=0.0001), HEALTHY)
    assert (verdict.word, verdict.cause) == ("VALID", "")
    assert "0.1 ms late at p99" in verdict.reason


def test_a_slow_target_is_no_fault_of_the_generator():
    slow = samples(service=np.where(np.arange(1000) < 600, 6.0, 0.01))
    assert judge_open_loop(slow, HEALTHY).word == "VALID"


def test_lateness_that_changes_no_percentile_is_forgiven():
    verdict = judge_open_loop(samples(late=0.004, service=2.0), HEALTHY)
    assert verdict.word == "VALID"


@pytest.mark.parametrize(
    ("share", "late", "word"),
    [(0.02, 0.005, "DOUBTFUL"), (0.02, 0.3, "INVALID"), (0.6, 0.03, "INVALID")],
)
def test_latency_that_is_the_generators_own_is_not_the_services(
    share: float, late: float, word: str
):
    verdict = judge_open_loop(samples(late=a_share(share, late)), HEALTHY)
    assert (verdict.word, verdict.cause) == (word, "late")
    assert "the generator's own" in verdict.reason


def test_one_long_stop_is_doubtful_though_no_percentile_shows_it():
    verdict = judge_open_loop(samples(late=a_share(0.005, 0.2)), HEALTHY)
    assert verdict.word == "DOUBTFUL"
    assert "stood still for 200 ms" in verdict.reason


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"cpu_fractions": (0.95, 0.97)}, "cpu"),
        ({"waited_fractions": (0.01, 0.6)}, "waited"),
        ({"collector_pause_seconds": 0.2}, "collector"),
    ],
)
def test_what_the_generator_lacked_is_doubtful_and_named_as_the_cause_of_lateness(
    changes: dict[str, Any], cause: str
):
    health = GeneratorHealth(**{"max_outstanding": 10_000, **changes})
    punctual = judge_open_loop(samples(), health)
    late = judge_open_loop(samples(late=a_share(0.02, 0.3)), health)
    assert (punctual.word, punctual.cause) == ("DOUBTFUL", cause)
    assert (late.word, late.cause) == ("INVALID", cause)


@pytest.mark.parametrize(
    ("changes", "word", "cause"),
    [
        ({"not_sent": {"no_port": 5}}, "INVALID", "ports"),
        ({"not_sent": {"no_port": 1}}, "DOUBTFUL", "ports"),
        ({"not_sent": {"no_descriptor": 500}}, "INVALID", "descriptors"),
        (
            {"not_sent": {"not_sent": 500}, "is_short_of_descriptors": True},
            "INVALID",
            "descriptors",
        ),
        ({"not_sent": {"not_sent": 500}, "max_outstanding": 5}, "DOUBTFUL", "outstanding"),
        ({"not_sent": {"not_sent": 500}, "max_outstanding": 10_000}, "VALID", ""),
    ],
)
def test_requests_that_the_generator_could_not_send(changes: dict[str, Any], word: str, cause: str):
    verdict = judge_open_loop(samples(), GeneratorHealth(**changes))
    assert (verdict.word, verdict.cause) == (word, cause)


def test_nothing_sent_and_nothing_answered():
    assert judge_open_loop(Samples.empty(), HEALTHY).word == "INVALID"
    assert judge_open_loop(samples(status=0), HEALTHY).word == "VALID"
