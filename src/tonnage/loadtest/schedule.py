"""
When each request of an open loop is meant to go, fixed before the first one does.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import ConfigurationError, RateProfile

from .open_plan import OpenArrivals

__all__ = ["arrival_moments"]

MOST_ARRIVALS: Final = 50_000_000
"""More would need gigabytes for their samples alone."""

_ROUNDING: Final = 1e-12
_SPARE_DEVIATIONS: Final = 8


def arrival_moments(
    profile: RateProfile, *, arrivals: OpenArrivals, seed: int
) -> NDArray[np.float64]:
    """
    Return the intended send times of a profile, in seconds since it begins, ascending.

    ``constant`` arrivals are the moments at which the profile's integral reaches 0, 1, 2, …: at a
    constant rate they are evenly spaced and the first goes at once. ``poisson`` arrivals are the
    moments at which it reaches the sums of independent unit exponentials, so that counts in
    disjoint windows are independent Poisson counts, and the same seed gives the same moments.

    Raises:
        ConfigurationError: If there are none, or more than this machine could keep.
    """
    expected = float(profile.arrivals_by(profile.duration_seconds))
    if expected > MOST_ARRIVALS:
        raise ConfigurationError(
            f"the profile asks for {expected:.3g} requests; {MOST_ARRIVALS:.3g} is the most",
            hint="test for a shorter time, or at a lower rate",
        )
    if arrivals == "constant":
        counts = np.arange(np.ceil(expected * (1 - _ROUNDING)), dtype=np.float64)
    else:
        counts = _exponential_sums(expected, np.random.default_rng(seed))
    moments = profile.time_of(counts)
    moments = moments[np.isfinite(moments)]
    if len(moments) == 0:
        raise ConfigurationError(
            "the profile asks for no request at all", hint="allow a higher rate or a longer time"
        )
    return moments


def _exponential_sums(expected: float, random: np.random.Generator) -> NDArray[np.float64]:
    enough = int(expected + _SPARE_DEVIATIONS * np.sqrt(expected) + 2 * _SPARE_DEVIATIONS)
    sums = np.cumsum(random.standard_exponential(enough))
    return sums[sums <= expected]
