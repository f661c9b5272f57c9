"""
An open loop among several machines: each sends every so many-th of the same arrivals.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tonnage.domain import RateProfile
from tonnage.loadtest import OpenLoopPlan

__all__ = ["EveryNth", "share_of"]

_Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class EveryNth:
    """
    The arrivals of a profile that fall to one of ``n``: those numbered ``first + k · n`` from 0.

    With A(t) for the arrivals of the whole by t, its own are::

        max(0, (A(t) - first) ÷ n)

    so that the moments of all shares together are the moments of the whole.

    Attributes:
        whole: The profile that is shared.
        first: The number of the first arrival, from 0 to ``n - 1``.
        n: How many shares there are.
    """

    whole: RateProfile
    first: int
    n: int

    @property
    def duration_seconds(self) -> float:
        """The whole's."""
        return self.whole.duration_seconds

    @property
    def gaps_seconds(self) -> _Floats:
        """The whole's."""
        return self.whole.gaps_seconds

    def rate_at(self, seconds: ArrayLike) -> _Floats:
        """Return the share of the whole's rate."""
        return self.whole.rate_at(seconds) / self.n

    def arrivals_by(self, seconds: ArrayLike) -> _Floats:
        """Return its own arrivals in [0, t]."""
        return np.maximum(0.0, (self.whole.arrivals_by(seconds) - self.first) / self.n)

    def time_of(self, count: ArrayLike) -> _Floats:
        """Return the first moment by which so many of its own are expected."""
        return self.whole.time_of(np.asarray(count, dtype=np.float64) * self.n + self.first)


def share_of(plan: OpenLoopPlan, *, index: int, workers: int, start: float) -> OpenLoopPlan:
    """
    Return what one of several workers sends.

    Evenly spaced arrivals are dealt out in turn. Poisson arrivals of a rate are independent Poisson
    arrivals of its parts, so each worker draws its own.

    Args:
        plan: What all of them send together.
        index: Which one it is, from 0.
        workers: How many there are.
        start: When all begin, on this machine's monotonic clock.
    """
    first = index if plan.arrivals == "constant" else 0
    return replace(
        plan,
        profile=EveryNth(whole=plan.profile, first=first, n=workers),
        processes=1,
        seed=plan.seed * workers + index,
        start_at_monotonic_seconds=start,
    )
