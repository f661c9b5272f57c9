"""
A rate that swings about a mean.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .errors import ConfigurationError
from .joined import JoinedProfile, parts_of
from .rate_profile import ROUNDING, Floats, RateProfile

__all__ = ["Sine"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sine:
    """
    A rate that swings about a mean: a day in one line.

    ::

        λ(t) = M + A · sin(2π · t / P)

        Λ(t) = M · t + A · P / 2π · (1 - cos(2π · t / P))      the arrivals by t

    =======  =========================================  ==================
    Symbol   Meaning                                    Unit
    =======  =========================================  ==================
    λ        the offered rate                           arrivals / second
    M        ``mean_per_second``, > 0                   arrivals / second
    A        ``amplitude_per_second``, 0 <= A <= M      arrivals / second
    P        ``period_seconds``, > 0                    seconds
    t        time since the profile began               seconds
    =======  =========================================  ==================

    ::

        M + A |     ____
              |   .'    '.
            M | .'        '.          .
              |             '.      .'
        M - A |               '.__.'
              +-----------------------+
              0          P/2          P

    Raises:
        ConfigurationError: If a value is out of range.
    """

    mean_per_second: float
    amplitude_per_second: float
    period_seconds: float
    duration_seconds: float

    def __post_init__(self) -> None:
        if not 0 < self.mean_per_second < np.inf:
            raise ConfigurationError(f"a sine's mean must be > 0/s, not {self.mean_per_second:g}/s")
        if not 0 <= self.amplitude_per_second <= self.mean_per_second:
            raise ConfigurationError(
                f"a sine's amplitude must be between 0/s and its mean"
                f" ({self.mean_per_second:g}/s), not {self.amplitude_per_second:g}/s"
            )
        for name, value in (("period", self.period_seconds), ("duration", self.duration_seconds)):
            if not 0 < value < np.inf:
                raise ConfigurationError(f"a sine's {name} must be > 0 s, not {value:g} s")

    @property
    def gaps_seconds(self) -> Floats:
        """No spans: it is known throughout."""
        return np.empty((0, 2))

    def rate_at(self, seconds: ArrayLike) -> Floats:
        """Return λ(t), arrivals per second; see ``RateProfile``."""
        moments = np.asarray(seconds, dtype=np.float64)
        inside = (moments >= 0) & (moments <= self.duration_seconds)
        return np.where(inside, self._rate(moments), 0.0)

    def arrivals_by(self, seconds: ArrayLike) -> Floats:
        """Return Λ(t), the arrivals expected in [0, t]."""
        moments = np.asarray(seconds, dtype=np.float64)
        return self._arrivals(np.clip(moments, 0.0, self.duration_seconds))

    def time_of(self, count: ArrayLike) -> Floats:
        """
        Return the first moment by which ``count`` arrivals are expected; see ``RateProfile``.

        Newton's steps on Λ(t) = count, kept within a bracket that halves when they leave it.
        """
        counts = np.asarray(count, dtype=np.float64)
        total = float(self._arrivals(np.array(self.duration_seconds)))
        wanted = np.clip(counts, 0.0, total)
        high = np.minimum(wanted / self.mean_per_second, self.duration_seconds)
        swing = self.amplitude_per_second * self.period_seconds / np.pi / self.mean_per_second
        low = np.maximum(high - swing, 0.0)
        moments = (low + high) / 2
        for _ in range(64):
            miss = self._arrivals(moments) - wanted
            low, high = np.where(miss < 0, moments, low), np.where(miss < 0, high, moments)
            if (np.abs(miss) <= 1e-10 * (1.0 + wanted)).all():
                break
            rate = self._rate(moments)
            newton = moments - np.divide(miss, rate, out=np.full_like(miss, np.inf), where=rate > 0)
            stays = (newton > low) & (newton < high)
            moments = np.where(stays, newton, (low + high) / 2)
        return np.where(counts > total * (1 + ROUNDING), np.inf, moments)

    def then(self, other: RateProfile) -> RateProfile:
        """Return this profile with another one after it."""
        return JoinedProfile(parts=(self, *parts_of(other)))

    def _rate(self, moments: Floats) -> Floats:
        phase = 2 * np.pi * moments / self.period_seconds
        return self.mean_per_second + self.amplitude_per_second * np.sin(phase)

    def _arrivals(self, moments: Floats) -> Floats:
        swing = self.amplitude_per_second * self.period_seconds / (2 * np.pi)
        phase = 2 * np.pi * moments / self.period_seconds
        return self.mean_per_second * moments + swing * (1 - np.cos(phase))
