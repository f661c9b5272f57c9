"""
How widely sends are spread within a second.
"""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.domain import Samples, send_spread_seconds

MakeSamples = Callable[..., Samples]


def paced(phases: np.ndarray, seconds: int = 10) -> np.ndarray:
    return np.sort((phases[None, :] + np.arange(seconds)[:, None]).ravel())


def test_even_users_spread_over_nine_tenths(samples: MakeSamples):
    assert send_spread_seconds(samples(paced(np.arange(1000) / 1000))) == pytest.approx(
        0.9, abs=0.002
    )


def test_users_in_step_have_no_spread(samples: MakeSamples):
    assert send_spread_seconds(samples(paced(np.full(200, 0.4)))) == 0


def test_users_nearly_in_step_spread_little(samples: MakeSamples):
    phases = 0.3 + np.arange(200) / 200 * 0.1
    assert send_spread_seconds(samples(paced(phases))) == pytest.approx(0.09, abs=0.002)


def test_a_burst_around_the_full_second_is_one_burst(samples: MakeSamples):
    phases = np.concatenate([0.95 + np.arange(100) / 2000, np.arange(100) / 2000])
    assert send_spread_seconds(samples(paced(phases))) == pytest.approx(0.09, abs=0.002)


@given(shift=st.floats(0, 0.999))
def test_where_in_the_second_the_burst_lies_does_not_matter(samples: MakeSamples, shift: float):
    phases = (np.arange(100) / 1000 + shift) % 1
    assert send_spread_seconds(samples(paced(phases))) == pytest.approx(0.089, abs=0.002)


def test_the_first_and_the_last_second_are_not_full_and_do_not_count(samples: MakeSamples):
    inner = paced(np.arange(100) / 100, seconds=6) + 1
    ragged = np.concatenate([np.full(500, 0.5), inner, np.full(500, 7.5)])
    assert send_spread_seconds(samples(ragged)) == pytest.approx(0.89, abs=0.005)


def test_too_few_sends_say_nothing(samples: MakeSamples):
    assert math.isnan(send_spread_seconds(samples(paced(np.arange(19) / 19))))
    assert math.isnan(send_spread_seconds(Samples.empty()))
    assert not math.isnan(send_spread_seconds(samples(paced(np.arange(20) / 20))))


@pytest.mark.parametrize("share", [0.5, 0.9, 1.0])
def test_the_share_says_how_many_are_held(samples: MakeSamples, share: float):
    spread = send_spread_seconds(samples(paced(np.arange(1000) / 1000)), share=share)
    assert spread == pytest.approx(share, abs=0.002)


def test_it_is_the_sends_that_count_not_the_intentions(samples: MakeSamples):
    sent = paced(np.arange(100) / 100)
    in_step = samples(np.floor(sent), late=sent - np.floor(sent))
    assert send_spread_seconds(in_step) == pytest.approx(0.89, abs=0.005)
