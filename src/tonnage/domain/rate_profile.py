"""
Traffic as a rate over time, independent of who is to carry it.

A rate profile says how many arrivals per second are offered at each moment. A load test draws its
send times from one, a simulation integrates one; both are exact, because a profile knows its own
integral and that integral's inverse.
"""

from typing import Final, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["ROUNDING", "Floats", "RateProfile"]

Floats = NDArray[np.float64]

ROUNDING: Final = 1e-12
"""What summing may take from a total: an arrival that close to the last one is still in it."""


class RateProfile(Protocol):
    """
    An offered rate λ(t), in arrivals per second, for t from 0 to a duration.

    Outside that span the rate is 0.
    """

    @property
    def duration_seconds(self) -> float:
        """How long it lasts, > 0."""
        ...

    @property
    def gaps_seconds(self) -> Floats:
        """``(g, 2) float64``, spans in which nothing is known; the rate there reads 0."""
        ...

    def rate_at(self, seconds: ArrayLike) -> Floats:
        """Return λ(t), arrivals per second; where it jumps, the rate after the jump."""
        ...

    def arrivals_by(self, seconds: ArrayLike) -> Floats:
        """Return the arrivals expected in [0, t], the exact integral of λ."""
        ...

    def time_of(self, count: ArrayLike) -> Floats:
        """
        Return the first moment by which ``count`` arrivals are expected.

        The inverse of ``arrivals_by``; inf where the profile ends before.
        """
        ...
