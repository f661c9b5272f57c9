"""
Rate profiles one after the other.
"""

from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import ArrayLike

from .rate_profile import ROUNDING, Floats, RateProfile

__all__ = ["JoinedProfile", "parts_of"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class JoinedProfile:
    """
    Profiles one after the other.

    Attributes:
        parts: At least one, in order.
    """

    parts: tuple[RateProfile, ...]

    @property
    def duration_seconds(self) -> float:
        """How long all of them last."""
        return float(self._starts()[-1])

    @property
    def gaps_seconds(self) -> Floats:
        """The spans of each part in which nothing is known."""
        shifted = [
            part.gaps_seconds + start
            for part, start in zip(self.parts, self._starts()[:-1], strict=True)
        ]
        return np.concatenate(shifted)

    def rate_at(self, seconds: ArrayLike) -> Floats:
        """Return λ(t), arrivals per second; see ``RateProfile``."""
        moments = np.asarray(seconds, dtype=np.float64)
        rate = np.zeros(moments.shape)
        for part, start in zip(self.parts, self._starts()[:-1], strict=True):
            # A later part overwrites the moment that it begins at.
            rate = np.where(moments >= start, part.rate_at(moments - start), rate)
        return rate

    def arrivals_by(self, seconds: ArrayLike) -> Floats:
        """Return the arrivals expected in [0, t]."""
        moments = np.asarray(seconds, dtype=np.float64)
        starts = self._starts()[:-1]
        by_part = [
            part.arrivals_by(moments - start)
            for part, start in zip(self.parts, starts, strict=True)
        ]
        return reduce(np.add, by_part)

    def time_of(self, count: ArrayLike) -> Floats:
        """Return the first moment by which ``count`` arrivals are expected; see ``RateProfile``."""
        counts = np.asarray(count, dtype=np.float64)
        totals = [float(part.arrivals_by(part.duration_seconds)) for part in self.parts]
        moments = np.full(counts.shape, np.inf)
        before = 0.0
        for part, start, total in zip(self.parts, self._starts()[:-1], totals, strict=True):
            rest = np.maximum(counts - before, 0.0)
            before += total
            # What sums leave over at the end of all is still within the last part.
            is_over = counts > before * (1 + ROUNDING)
            here = part.time_of(np.where(is_over, np.inf, np.minimum(rest, total)))
            moments = np.where(np.isinf(moments), here + start, moments)
        return moments

    def then(self, other: RateProfile) -> RateProfile:
        """Return this profile with another one after it."""
        return JoinedProfile(parts=(*self.parts, *parts_of(other)))

    def _starts(self) -> Floats:
        return np.concatenate(([0.0], np.cumsum([part.duration_seconds for part in self.parts])))


def parts_of(profile: RateProfile) -> tuple[RateProfile, ...]:
    """Return the parts of a joined profile; any other is its own only one."""
    return profile.parts if isinstance(profile, JoinedProfile) else (profile,)
