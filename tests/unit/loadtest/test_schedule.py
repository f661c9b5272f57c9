"""The intended send times follow the profile, and the seed."""

import numpy as np
import pytest

from tonnage.domain import ConfigurationError, PiecewiseRate
from tonnage.loadtest import arrival_moments


def test_constant_arrivals_are_evenly_spaced_from_the_first_moment_on():
    moments = arrival_moments(PiecewiseRate.constant(200, 3), arrivals="constant", seed=1)
    assert np.allclose(moments, np.arange(600) / 200)


@pytest.mark.parametrize("rate", [0.7, 3, 333.3, 1000 / 3])
def test_constant_arrivals_are_as_many_as_the_profile_says(rate: float):
    moments = arrival_moments(PiecewiseRate.constant(rate, 30), arrivals="constant", seed=0)
    assert len(moments) == np.ceil(rate * 30 * (1 - 1e-12))
    assert moments[-1] < 30


def test_constant_arrivals_come_closer_as_a_ramp_rises():
    moments = arrival_moments(PiecewiseRate.ramp(0, 1000, 2), arrivals="constant", seed=0)
    # The integral of 500 t is 250 t²: the k-th arrival is where it reaches k.
    assert np.allclose(moments, np.sqrt(np.arange(1000) / 250))


def test_poisson_arrivals_have_the_mean_and_the_spread_of_their_name():
    moments = arrival_moments(PiecewiseRate.constant(1000, 100), arrivals="poisson", seed=3)
    counts = np.histogram(moments, bins=np.arange(101))[0]
    # Mean and variance of 100 Poisson counts, each within five of its standard errors.
    assert abs(counts.mean() - 1000) < 5 * np.sqrt(1000 / 100)
    assert abs(counts.var() / 1000 - 1) < 5 * np.sqrt(2 / 100)
    gaps = np.sort(np.diff(moments)) * 1000
    positions = np.arange(1, len(gaps) + 1) / len(gaps)
    assert np.abs(positions - (1 - np.exp(-gaps))).max() < 1.63 / np.sqrt(len(gaps)) * 1.5


def test_poisson_arrivals_follow_a_changing_rate():
    moments = arrival_moments(PiecewiseRate.steps([100, 900], 50), arrivals="poisson", seed=4)
    early = int((moments < 50).sum())
    assert abs(early - 5000) < 5 * np.sqrt(5000)
    assert abs(len(moments) - early - 45_000) < 5 * np.sqrt(45_000)


def test_the_seed_decides():
    profile = PiecewiseRate.constant(100, 5)
    first, again, other = (
        arrival_moments(profile, arrivals="poisson", seed=seed) for seed in (7, 7, 8)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first[: len(other)], other[: len(first)])


def test_a_profile_without_an_arrival_is_refused():
    with pytest.raises(ConfigurationError, match="no request at all"):
        arrival_moments(PiecewiseRate.constant(0, 5), arrivals="constant", seed=0)


def test_more_requests_than_memory_has_room_for_are_refused():
    with pytest.raises(ConfigurationError, match="the most"):
        arrival_moments(PiecewiseRate.constant(1e6, 3600), arrivals="poisson", seed=0)
