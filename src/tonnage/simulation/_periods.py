"""
The traffic as CloudWatch sums it: arrivals by the end of each metric period.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import RateProfile

__all__ = ["Periods"]

_Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Periods:
    """
    The whole metric periods of a profile.

    Attributes:
        profile: The traffic.
        period_seconds: How long a period is.
        arrivals: ``(p + 1,) float64``, expected by the start of each period, and by the end of all.
        is_missing: ``(p,) bool``, where a gap takes part of it, so that its sum is not known.
    """

    profile: RateProfile
    period_seconds: float
    arrivals: _Floats
    is_missing: NDArray[np.bool_]

    @classmethod
    def of(cls, profile: RateProfile, period_seconds: float) -> "Periods":
        """Return the periods that end within the profile."""
        count = int(profile.duration_seconds // period_seconds)
        edges = np.arange(count + 1) * period_seconds
        is_missing = np.zeros(count, dtype=np.bool_)
        for start, end in profile.gaps_seconds:
            is_missing[int(start // period_seconds) : int(np.ceil(end / period_seconds))] = True
        return cls(
            profile=profile,
            period_seconds=period_seconds,
            arrivals=profile.arrivals_by(edges),
            is_missing=is_missing,
        )

    def __len__(self) -> int:
        return len(self.is_missing)
