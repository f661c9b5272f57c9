"""
A rate made of straight pieces, as ramps, steps, spikes and traces are; and joining profiles.
"""

from dataclasses import dataclass, field
from functools import reduce
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import ConfigurationError
from .joined import JoinedProfile, parts_of
from .rate_profile import ROUNDING, Floats, RateProfile

__all__ = ["PiecewiseRate", "join_profiles"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PiecewiseRate:
    """
    A rate made of straight pieces: held, or changing linearly.

    In piece i, from t_i to t_{i+1}::

        λ(t) = a_i + (b_i - a_i) · (t - t_i) / (t_{i+1} - t_i)

    Attributes:
        knots_seconds: ``(k + 1,) float64``, t_0 = 0 < t_1 < … < t_k, the duration.
        start_per_second: ``(k,) float64``, a_i >= 0, the rate at the start of each piece.
        end_per_second: ``(k,) float64``, b_i >= 0, the rate at its end; a_i = b_i holds it.
        gaps_seconds: ``(g, 2) float64``, spans in which nothing is known, for traces with holes.

    Raises:
        ConfigurationError: If a rate is negative or not finite, or the times do not increase.
    """

    knots_seconds: Floats
    start_per_second: Floats
    end_per_second: Floats
    gaps_seconds: Floats = field(default_factory=lambda: np.empty((0, 2)))
    _arrivals: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        knots, start, end = self.knots_seconds, self.start_per_second, self.end_per_second
        if not len(start) == len(end) == len(knots) - 1 > 0:
            raise ConfigurationError(
                f"{len(knots)} times need {max(0, len(knots) - 1)} pieces, and at least one,"
                f" not {len(start)} and {len(end)}"
            )
        spans = np.diff(knots)
        if knots[0] != 0 or not (spans > 0).all() or not np.isfinite(knots[-1]):
            raise ConfigurationError("a profile's times must begin at 0 and increase")
        for rates in (start, end) if end is not start else (start,):
            if not ((rates >= 0) & (rates < np.inf)).all():
                wrong = rates[~((rates >= 0) & (rates < np.inf))][0]
                raise ConfigurationError(f"a rate must be 0/s or more, not {wrong:g}/s")
        total = np.concatenate(([0.0], np.cumsum(spans * (start + end) / 2)))
        object.__setattr__(self, "_arrivals", total)

    @classmethod
    def constant(cls, rate_per_second: float, duration_seconds: float) -> Self:
        """Return a rate that is held."""
        return cls.steps([rate_per_second], duration_seconds)

    @classmethod
    def ramp(cls, start_per_second: float, end_per_second: float, duration_seconds: float) -> Self:
        """Return a rate that changes linearly, up or down."""
        return cls(
            knots_seconds=np.array([0.0, duration_seconds]),
            start_per_second=np.array([float(start_per_second)]),
            end_per_second=np.array([float(end_per_second)]),
        )

    @classmethod
    def steps(cls, rates_per_second: ArrayLike, each_seconds: float) -> Self:
        """Return rates that are each held for ``each_seconds``, one after the other."""
        rates = np.atleast_1d(np.asarray(rates_per_second, dtype=np.float64))
        return cls.held(np.arange(len(rates) + 1, dtype=np.float64) * each_seconds, rates)

    @classmethod
    def spike(
        cls,
        base_per_second: float,
        peak_per_second: float,
        *,
        start_seconds: float,
        length_seconds: float,
        duration_seconds: float,
    ) -> Self:
        """Return a base rate that jumps to a peak at a start, and back after a length."""
        end = start_seconds + length_seconds
        if not 0 < start_seconds < end < duration_seconds:
            raise ConfigurationError(
                f"a spike from {start_seconds:g} s to {end:g} s must lie within 0 s and"
                f" {duration_seconds:g} s, with the base rate on both sides"
            )
        rates = np.array([base_per_second, peak_per_second, base_per_second], dtype=np.float64)
        return cls.held(np.array([0.0, start_seconds, end, duration_seconds]), rates)

    @classmethod
    def held(
        cls, knots_seconds: Floats, rates_per_second: Floats, gaps_seconds: Floats | None = None
    ) -> Self:
        """Return rates that each hold from their knot to the next: k rates, k + 1 knots."""
        return cls(
            knots_seconds=knots_seconds,
            start_per_second=rates_per_second,
            end_per_second=rates_per_second,
            gaps_seconds=np.empty((0, 2)) if gaps_seconds is None else gaps_seconds,
        )

    @property
    def duration_seconds(self) -> float:
        """How long it lasts, > 0."""
        return float(self.knots_seconds[-1])

    def rate_at(self, seconds: ArrayLike) -> Floats:
        """Return λ(t), arrivals per second; see ``RateProfile``."""
        moments = np.asarray(seconds, dtype=np.float64)
        piece = self._piece(moments)
        within = moments - self.knots_seconds[piece]
        rate: Floats = self.start_per_second[piece] + self._slope(piece) * within
        outside = (moments < 0) | (moments > self.duration_seconds)
        # Rounding may take a falling ramp below its end.
        return np.where(outside, 0.0, np.maximum(rate, 0.0))

    def arrivals_by(self, seconds: ArrayLike) -> Floats:
        """Return the arrivals expected in [0, t]."""
        moments = np.clip(np.asarray(seconds, dtype=np.float64), 0.0, self.duration_seconds)
        piece = self._piece(moments)
        within = moments - self.knots_seconds[piece]
        inside = within * self.start_per_second[piece]
        if self.end_per_second is not self.start_per_second:
            inside += self._slope(piece) * within**2 / 2
        return np.asarray(self._arrivals[piece] + inside, dtype=np.float64)

    def time_of(self, count: ArrayLike) -> Floats:
        """Return the first moment by which ``count`` arrivals are expected; see ``RateProfile``."""
        counts = np.asarray(count, dtype=np.float64)
        total = self._arrivals[-1]
        inside = np.clip(counts, 0.0, total)
        last = len(self.start_per_second) - 1
        piece = np.clip(np.searchsorted(self._arrivals, inside, side="left") - 1, 0, last)
        rest = inside - self._arrivals[piece]
        start, slope = self.start_per_second[piece], self._slope(piece)
        # rest = start·x + slope·x²/2, solved in the form that no cancellation spoils. The root's
        # argument is the square of the rate there, and rounding alone takes it below 0.
        below = start + np.sqrt(np.maximum(start**2 + 2 * slope * rest, 0.0))
        span = self.knots_seconds[piece + 1] - self.knots_seconds[piece]
        x = np.divide(2 * rest, below, out=np.zeros_like(rest), where=below > 0)
        moments = self.knots_seconds[piece] + np.minimum(x, span)
        return np.where(counts > total * (1 + ROUNDING), np.inf, moments)

    def then(self, other: RateProfile) -> RateProfile:
        """Return this profile with another one after it."""
        return join_profiles(self, other)

    def _piece(self, moments: Floats) -> NDArray[np.intp]:
        piece = np.searchsorted(self.knots_seconds, moments, side="right") - 1
        return np.clip(piece, 0, len(self.start_per_second) - 1)

    def _slope(self, piece: NDArray[np.intp]) -> Floats | float:
        if self.end_per_second is self.start_per_second:
            return 0.0
        rise = self.end_per_second[piece] - self.start_per_second[piece]
        slope: Floats = rise / (self.knots_seconds[piece + 1] - self.knots_seconds[piece])
        return slope


def join_profiles(*profiles: RateProfile) -> RateProfile:
    """
    Return profiles one after the other, as one; straight pieces stay one ``PiecewiseRate``.

    Raises:
        ConfigurationError: If there is none.
    """
    if not profiles:
        raise ConfigurationError("a traffic profile needs at least one part")
    parts = [part for profile in profiles for part in parts_of(profile)]
    straight = [part for part in parts if isinstance(part, PiecewiseRate)]
    if len(straight) == len(parts):
        return reduce(_append, straight)
    return JoinedProfile(parts=tuple(parts))


def _append(first: PiecewiseRate, second: PiecewiseRate) -> PiecewiseRate:
    def both(name: str) -> Floats:
        return np.concatenate((getattr(first, name), getattr(second, name)))

    shift = first.duration_seconds
    start = both("start_per_second")
    is_held = all(part.end_per_second is part.start_per_second for part in (first, second))
    return PiecewiseRate(
        knots_seconds=np.concatenate((first.knots_seconds, second.knots_seconds[1:] + shift)),
        start_per_second=start,
        end_per_second=start if is_held else both("end_per_second"),
        gaps_seconds=np.concatenate((first.gaps_seconds, second.gaps_seconds + shift)),
    )
