"""One window, judged: what counts as met, as missed, and as no evidence at all."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.domain import Samples
from tonnage.loadtest.line import Trial, TrialOutcome, TrialRun, parse_terms, read_trial
from tonnage.loadtest.line.growth import backlog_growth
from tonnage.loadtest.line.trials import KEEPS_UP

Make = Callable[..., Samples]
TERMS = parse_terms(["p99 < 250ms", "errors < 0.1%"])
TRIAL = Trial(
    purpose="refine",
    rate_per_second=100.0,
    settle_seconds=0.0,
    warm_up_seconds=1.0,
    window_seconds=4.0,
)


def judged(samples: Samples, **told: str) -> TrialOutcome:
    run = TrialRun(began_seconds=10.0, ended_seconds=15.0, samples=samples, **told)
    return read_trial(TRIAL, run, TERMS, origin_seconds=8.0)


def test_the_warm_up_is_not_judged(samples: Make):
    outcome = judged(samples([9.0] * 100 + [0.01] * 400))
    assert outcome.met
    assert (outcome.requests, outcome.began_seconds) == (400, 2.0)


def test_a_steadily_growing_backlog_is_missed_before_any_term_is(samples: Make):
    """1 % of overload gains 10 ms a second: far from 250 ms, and no steady state."""
    outcome = judged(samples(np.linspace(0.01, 0.06, 500)))
    assert not outcome.met
    assert [result.term for result in outcome.missed_terms] == [KEEPS_UP]


def test_noise_is_no_growth(samples: Make):
    noise = np.random.default_rng(1).exponential(0.02, 500)
    assert not backlog_growth(samples(noise)).is_certain


@given(st.integers(0, 10_000))
def test_a_shrinking_backlog_is_never_growth(seed: int):
    falling = np.linspace(0.2, 0.01, 400) + np.random.default_rng(seed).uniform(0, 0.001, 400)
    moments = np.arange(400) / 100
    window = Samples(
        intended_seconds=moments,
        sent_seconds=moments,
        done_seconds=moments + falling,
        status=np.full(400, 200, dtype=np.uint16),
    )
    growth = backlog_growth(window)
    assert not growth.is_certain
    assert growth.per_second < 0


def test_a_window_without_requests_is_missed_and_no_evidence():
    outcome = judged(Samples.empty())
    assert not outcome.met
    assert not outcome.is_evidence


def test_requests_given_up_are_the_backlog_that_is_left(samples: Make):
    outcome = judged(samples([0.01] * 500, status=[200] * 400 + [0] * 100))
    assert outcome.backlog_seconds == pytest.approx(100 / 75, rel=0.02)


class TestAGeneratorAtFault:
    """It never blames the target, and is not disbelieved for what cannot matter."""

    def test_an_invalid_one_says_nothing(self, samples: Make):
        assert not judged(samples([0.01] * 500), generator="INVALID").is_evidence

    def test_3_ms_of_lateness_do_not_matter_to_250_ms(self, samples: Make):
        seen = samples([0.01] * 500, late=0.003)
        assert judged(seen, generator="DOUBTFUL", generator_cause="late").is_evidence

    def test_lateness_near_the_threshold_does(self, samples: Make):
        seen = samples([0.3] * 500, late=0.2)
        assert not judged(seen, generator="DOUBTFUL", generator_cause="late").is_evidence

    def test_what_the_target_missed_by_itself_is_evidence(self, samples: Make):
        seen = samples([0.4] * 500, late=0.003)
        outcome = judged(seen, generator="DOUBTFUL", generator_cause="cpu")
        assert outcome.is_evidence
        assert not outcome.met

    def test_what_it_missed_only_by_the_generators_lateness_is_not(self, samples: Make):
        seen = samples([0.255] * 500, late=0.02)
        assert not judged(seen, generator="DOUBTFUL", generator_cause="late").is_evidence

    def test_a_neighbour_that_took_the_cores_is_not_the_targets_fault(self, samples: Make):
        told = {"generator": "DOUBTFUL", "generator_cause": "waited"}
        assert not judged(samples([0.3] * 500), **told).is_evidence
        overloaded = samples([0.3] * 500, status=[503, 200] * 250)
        assert judged(overloaded, **told).is_evidence

    def test_requests_that_were_never_sent_say_nothing(self, samples: Make):
        seen = samples([0.01] * 500)
        assert not judged(seen, generator="DOUBTFUL", generator_cause="ports").is_evidence


def test_random_service_is_told_from_constant(samples: Make):
    constant = np.arange(500) / 100
    random = np.sort(np.random.default_rng(2).uniform(0, 5, 500))

    def dispersion(done: np.ndarray) -> float:
        seen = replace(samples([0.5] * 500), done_seconds=done + 0.5)
        return judged(seen).dispersion

    assert dispersion(constant) < 0.1
    assert dispersion(random) > 0.4
