"""
Traffic as a rate over time, independent of who is to carry it.

A rate profile says how many arrivals per second are offered at each moment. A load test draws its
send times from one, a simulation integrates one; both are exact, because a profile knows its own
integral and that integral's inverse.
"""

from dataclasses import dataclass, field
from functools import reduce
from typing import Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import ConfigurationError

__all__ = ["JoinedProfile", "PiecewiseRate", "RateProfile", "Sine", "join_profiles"]

_Floats = NDArray[np.float64]

_ROUNDING = 1e-12
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
    def gaps_seconds(self) -> _Floats:
        """``(g, 2) float64``, spans in which nothing is known; the rate there reads 0."""
        ...

    def rate_at(self, seconds: ArrayLike) -> _Floats:
        """Return λ(t), arrivals per second; where it jumps, the rate after the jump."""
        ...

    def arrivals_by(self, seconds: ArrayLike) -> _Floats:
        """Return the arrivals expected in [0, t], the exact integral of λ."""
        ...

    def time_of(self, count: ArrayLike) -> _Floats:
        """
        Return the first moment by which ``count`` arrivals are expected.

        The inverse of ``arrivals_by``; inf where the profile ends before.
        """
        ...


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

    knots_seconds: _Floats
    start_per_second: _Floats
    end_per_second: _Floats
    gaps_seconds: _Floats = field(default_factory=lambda: np.empty((0, 2)))
    _arrivals: _Floats = field(init=False, repr=False)

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
        cls, knots_seconds: _Floats, rates_per_second: _Floats, gaps_seconds: _Floats | None = None
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

    def rate_at(self, seconds: ArrayLike) -> _Floats:
        """Return λ(t), arrivals per second; see ``RateProfile``."""
        moments = np.asarray(seconds, dtype=np.float64)
        piece = self._piece(moments)
        within = moments - self.knots_seconds[piece]
        rate: _Floats = self.start_per_second[piece] + self._slope(piece) * within
        outside = (moments < 0) | (moments > self.duration_seconds)
        # Rounding may take a falling ramp below its end.
        return np.where(outside, 0.0, np.maximum(rate, 0.0))

    def arrivals_by(self, seconds: ArrayLike) -> _Floats:
        """Return the arrivals expected in [0, t]."""
        moments = np.clip(np.asarray(seconds, dtype=np.float64), 0.0, self.duration_seconds)
        piece = self._piece(moments)
        within = moments - self.knots_seconds[piece]
        inside = within * self.start_per_second[piece]
        if self.end_per_second is not self.start_per_second:
            inside += self._slope(piece) * within**2 / 2
        return np.asarray(self._arrivals[piece] + inside, dtype=np.float64)

    def time_of(self, count: ArrayLike) -> _Floats:
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
        return np.where(counts > total * (1 + _ROUNDING), np.inf, moments)

    def then(self, other: "RateProfile") -> "RateProfile":
        """Return this profile with another one after it."""
        return join_profiles(self, other)

    def _piece(self, moments: _Floats) -> NDArray[np.intp]:
        piece = np.searchsorted(self.knots_seconds, moments, side="right") - 1
        return np.clip(piece, 0, len(self.start_per_second) - 1)

    def _slope(self, piece: NDArray[np.intp]) -> _Floats | float:
        if self.end_per_second is self.start_per_second:
            return 0.0
        rise = self.end_per_second[piece] - self.start_per_second[piece]
        slope: _Floats = rise / (self.knots_seconds[piece + 1] - self.knots_seconds[piece])
        return slope


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
    def gaps_seconds(self) -> _Floats:
        """No spans: it is known throughout."""
        return np.empty((0, 2))

    def rate_at(self, seconds: ArrayLike) -> _Floats:
        """Return λ(t), arrivals per second; see ``RateProfile``."""
        moments = np.asarray(seconds, dtype=np.float64)
        inside = (moments >= 0) & (moments <= self.duration_seconds)
        return np.where(inside, self._rate(moments), 0.0)

    def arrivals_by(self, seconds: ArrayLike) -> _Floats:
        """Return Λ(t), the arrivals expected in [0, t]."""
        moments = np.asarray(seconds, dtype=np.float64)
        return self._arrivals(np.clip(moments, 0.0, self.duration_seconds))

    def time_of(self, count: ArrayLike) -> _Floats:
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
        return np.where(counts > total * (1 + _ROUNDING), np.inf, moments)

    def then(self, other: "RateProfile") -> "RateProfile":
        """Return this profile with another one after it."""
        return join_profiles(self, other)

    def _rate(self, moments: _Floats) -> _Floats:
        phase = 2 * np.pi * moments / self.period_seconds
        return self.mean_per_second + self.amplitude_per_second * np.sin(phase)

    def _arrivals(self, moments: _Floats) -> _Floats:
        swing = self.amplitude_per_second * self.period_seconds / (2 * np.pi)
        phase = 2 * np.pi * moments / self.period_seconds
        return self.mean_per_second * moments + swing * (1 - np.cos(phase))


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
    def gaps_seconds(self) -> _Floats:
        """The spans of each part in which nothing is known."""
        shifted = [
            part.gaps_seconds + start
            for part, start in zip(self.parts, self._starts()[:-1], strict=True)
        ]
        return np.concatenate(shifted)

    def rate_at(self, seconds: ArrayLike) -> _Floats:
        """Return λ(t), arrivals per second; see ``RateProfile``."""
        moments = np.asarray(seconds, dtype=np.float64)
        rate = np.zeros(moments.shape)
        for part, start in zip(self.parts, self._starts()[:-1], strict=True):
            # A later part overwrites the moment that it begins at.
            rate = np.where(moments >= start, part.rate_at(moments - start), rate)
        return rate

    def arrivals_by(self, seconds: ArrayLike) -> _Floats:
        """Return the arrivals expected in [0, t]."""
        moments = np.asarray(seconds, dtype=np.float64)
        starts = self._starts()[:-1]
        by_part = [
            part.arrivals_by(moments - start)
            for part, start in zip(self.parts, starts, strict=True)
        ]
        return reduce(np.add, by_part)

    def time_of(self, count: ArrayLike) -> _Floats:
        """Return the first moment by which ``count`` arrivals are expected; see ``RateProfile``."""
        counts = np.asarray(count, dtype=np.float64)
        totals = [float(part.arrivals_by(part.duration_seconds)) for part in self.parts]
        moments = np.full(counts.shape, np.inf)
        before = 0.0
        for part, start, total in zip(self.parts, self._starts()[:-1], totals, strict=True):
            rest = np.maximum(counts - before, 0.0)
            before += total
            # What sums leave over at the end of all is still within the last part.
            is_over = counts > before * (1 + _ROUNDING)
            here = part.time_of(np.where(is_over, np.inf, np.minimum(rest, total)))
            moments = np.where(np.isinf(moments), here + start, moments)
        return moments

    def then(self, other: RateProfile) -> RateProfile:
        """Return this profile with another one after it."""
        return join_profiles(self, other)

    def _starts(self) -> _Floats:
        return np.concatenate(([0.0], np.cumsum([part.duration_seconds for part in self.parts])))


def join_profiles(*profiles: RateProfile) -> RateProfile:
    """
    Return profiles one after the other, as one; straight pieces stay one ``PiecewiseRate``.

    Raises:
        ConfigurationError: If there is none.
    """
    if not profiles:
        raise ConfigurationError("a traffic profile needs at least one part")
    parts: list[RateProfile] = []
    for profile in profiles:
        parts.extend(profile.parts if isinstance(profile, JoinedProfile) else [profile])
    straight = [part for part in parts if isinstance(part, PiecewiseRate)]
    if len(straight) == len(parts):
        return reduce(_append, straight)
    return JoinedProfile(parts=tuple(parts))


def _append(first: PiecewiseRate, second: PiecewiseRate) -> PiecewiseRate:
    def both(name: str) -> _Floats:
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
