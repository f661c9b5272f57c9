"""
Where failures begin.
"""

from collections.abc import Callable
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.domain import NO_ANSWER, Samples, failure_onset

MakeSamples = Callable[..., Samples]


def steady(seconds: int, per_second: int) -> np.ndarray:
    return np.arange(seconds * per_second) / per_second


def test_no_failures_have_no_onset(samples: MakeSamples):
    assert failure_onset(samples(steady(10, 100))) is None
    assert failure_onset(Samples.empty()) is None


def test_a_blip_of_one_second_is_no_onset(samples: MakeSamples):
    sent = steady(10, 100)
    blip = np.where((sent >= 4) & (sent < 5), 503, 200)
    assert failure_onset(samples(sent, status=blip)) is None


def test_two_bad_seconds_are_no_onset(samples: MakeSamples):
    sent = steady(10, 100)
    bad = np.where((sent >= 4) & (sent < 6), 503, 200)
    assert failure_onset(samples(sent, status=bad)) is None


def test_three_bad_seconds_are_one(samples: MakeSamples):
    sent = steady(10, 100)
    bad = np.where((sent >= 4) & (sent < 7), 503, 200)
    onset = failure_onset(samples(sent, status=bad))
    assert onset is not None
    assert onset.at_seconds == 4
    assert onset.offered_per_second == 100
    assert onset.failed_fraction_before == 0


def test_a_blip_before_it_is_told_but_is_not_the_onset(samples: MakeSamples):
    sent = steady(20, 100)
    status = np.where((sent >= 10) | ((sent >= 2) & (sent < 2.5)), 503, 200)
    onset = failure_onset(samples(sent, status=status))
    assert onset is not None
    assert onset.at_seconds == 10
    assert onset.failed_fraction_before == pytest.approx(50 / 1000)


def test_less_than_one_per_cent_is_no_onset_and_one_per_cent_is(samples: MakeSamples):
    sent = steady(10, 200)
    phase = np.arange(len(sent)) % 200
    late = sent >= 3
    assert failure_onset(samples(sent, status=np.where(late & (phase == 0), 503, 200))) is None
    onset = failure_onset(samples(sent, status=np.where(late & (phase < 2), 503, 200)))
    assert onset is not None
    assert onset.at_seconds == 3


def test_the_seconds_are_counted_from_the_failure(samples: MakeSamples):
    """Failures from 4.5 s to 7.5 s fill three seconds, though only two of the clock's."""
    sent = steady(10, 100)
    bad = np.where((sent >= 4.5) & (sent < 7.5), 503, 200)
    onset = failure_onset(samples(sent, status=bad))
    assert onset is not None
    assert onset.at_seconds == 4.5


def test_failures_that_the_run_cuts_short_are_no_onset(samples: MakeSamples):
    sent = steady(10, 100)
    assert failure_onset(samples(sent, status=np.where(sent >= 8, 503, 200))) is None


def test_failures_without_requests_in_between_are_no_onset(samples: MakeSamples):
    """A second in which nothing was sent has no failures."""
    assert failure_onset(samples([0.0, 0.1, 2.5, 2.6], status=503)) is None


def test_requests_without_an_answer_fail_too(samples: MakeSamples):
    sent = steady(5, 50)
    onset = failure_onset(samples(sent, status=NO_ANSWER))
    assert onset is not None
    assert onset.at_seconds == 0
    assert onset.failed_fraction_before == 0


def virtual_queue(sent: np.ndarray, per_second: float, queue_seconds: float) -> np.ndarray:
    """Statuses of one first-come-first-served server with a bounded wait."""
    status = np.full(len(sent), 200)
    free_at = 0.0
    for index, now in enumerate(sent):
        start = max(now, free_at)
        if start - now > queue_seconds:
            status[index] = 503
        else:
            free_at = start + 1 / per_second
    return status


def test_a_ramp_against_a_bounded_queue_fails_near_its_rate(samples: MakeSamples):
    """Users of one request a second, evenly spread, ten more of them each second, against 60/s."""
    sent = np.sort(
        np.concatenate([np.arange(user / 10 + (user * 0.618) % 1, 14, 1.0) for user in range(140)])
    )
    onset = failure_onset(samples(sent, status=virtual_queue(sent, 60, 0.07)))
    assert onset is not None
    assert 54 <= onset.offered_per_second <= 70
    assert onset.failed_fraction_before < 0.01


@given(seed=st.integers(0, 1000), order=st.randoms(use_true_random=False))
def test_the_order_of_the_samples_does_not_matter(samples: MakeSamples, seed: int, order: Random):
    chance = np.random.default_rng(seed)
    sent = np.sort(chance.uniform(0, 8, 160))
    status = np.where(chance.random(160) < sent / 20, 503, 200)
    shuffled = list(range(160))
    order.shuffle(shuffled)
    one = failure_onset(samples(sent, status=status))
    other = failure_onset(samples(sent[shuffled], status=status[shuffled]))
    assert one == other


@given(seed=st.integers(0, 10_000))
def test_an_onset_is_what_its_definition_says(samples: MakeSamples, seed: int):
    """The same, found by walking through every failure."""
    chance = np.random.default_rng(seed)
    sent = np.sort(chance.uniform(0, 10, 120))
    failed = chance.random(120) < np.clip((sent - 2) / 30, 0, 1)
    expected = None
    for moment in sent[failed]:
        seconds = [(sent >= moment + k) & (sent < moment + k + 1) for k in range(3)]
        if all(failed[one].any() and failed[one].mean() >= 0.01 for one in seconds):
            expected = moment
            break
    onset = failure_onset(samples(sent, status=np.where(failed, 503, 200)))
    assert (onset.at_seconds if onset else None) == expected
    if onset:
        before = sent < onset.at_seconds
        assert onset.offered_per_second == (before & (sent >= onset.at_seconds - 1)).sum()
        share = failed[before].mean() if before.any() else 0.0
        assert onset.failed_fraction_before == pytest.approx(share)
