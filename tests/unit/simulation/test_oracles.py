"""
The oracle of single requests, held against queueing theory before anything is held against it.
"""

import numpy as np
import pytest

from simulation_oracles import arrive, serve_requests

REQUESTS = 100_000
WARM = slice(REQUESTS // 10, None)


@pytest.mark.parametrize("utilisation", [0.6, 0.8])
def test_single_requests_wait_as_erlang_c_says(utilisation: float):
    """An M/M/3: exponential services of mean 1, Poisson arrivals, three servers."""
    servers, rate = 3, 3 * utilisation
    means = [
        serve_requests(
            arrive(rate, REQUESTS, poisson=True, seed=seed),
            instances=1,
            servers=servers,
            service_seconds=np.random.default_rng(seed + 100).exponential(1.0, REQUESTS),
        )
        .wait_seconds[WARM]
        .mean()
        for seed in range(4)
    ]
    blocked = rate**servers / 6 / (1 - utilisation)
    expected = blocked / (1 + rate + rate**2 / 2 + blocked) / (servers - rate)
    assert np.mean(means) == pytest.approx(expected, abs=4 * np.std(means, ddof=1) / 2)


@pytest.mark.parametrize("utilisation", [0.5, 0.8, 0.9])
def test_single_requests_wait_as_pollaczek_and_khinchine_say(utilisation: float):
    """An M/D/1: constant services of 1, Poisson arrivals."""
    means = [
        serve_requests(
            arrive(utilisation, REQUESTS, poisson=True, seed=seed),
            instances=1,
            service_seconds=1.0,
        )
        .wait_seconds[WARM]
        .mean()
        for seed in range(4)
    ]
    expected = utilisation / (2 * (1 - utilisation))
    assert np.mean(means) == pytest.approx(expected, abs=4 * np.std(means, ddof=1) / 2)
