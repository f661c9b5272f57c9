"""
Time as an argument.

Nothing in the core reads a clock: it is handed one, or a number called ``now_seconds``. Intervals
are measured on monotonic clocks; wall-clock time appears only in what is shown to people and to AWS
clients.
"""

import time
from dataclasses import dataclass, field
from typing import Protocol

__all__ = ["Clock", "ManualClock", "MonotonicClock", "ScaledClock"]


class Clock(Protocol):
    """Says how many seconds have passed since some fixed moment."""

    def now_seconds(self) -> float:
        """Return the time, never less than what it returned before."""
        ...


@dataclass(frozen=True, slots=True)
class MonotonicClock:
    """The machine's own monotonic clock, the same for every process on it."""

    def now_seconds(self) -> float:
        """Return seconds since the machine's own origin."""
        return time.monotonic()


@dataclass(frozen=True, kw_only=True, slots=True)
class ScaledClock:
    """
    Compressed time: ``time_scale`` seconds of it pass in one real second.

    Attributes:
        time_scale: How many times faster than real time it runs, > 0.
        origin_seconds: The underlying clock's reading that counts as zero.
        clock: The underlying clock.
    """

    time_scale: float
    origin_seconds: float
    clock: Clock = field(default_factory=MonotonicClock)

    def now_seconds(self) -> float:
        """Return the compressed seconds since the origin."""
        return (self.clock.now_seconds() - self.origin_seconds) * self.time_scale

    def real_seconds_until(self, moment_seconds: float) -> float:
        """Return the real seconds until a compressed moment, 0 when it is past."""
        return max(0.0, (moment_seconds - self.now_seconds()) / self.time_scale)


@dataclass(slots=True)
class ManualClock:
    """A clock that stands still until it is told to move: for tests and simulations."""

    seconds: float = 0.0

    def now_seconds(self) -> float:
        """Return the time it was last moved to."""
        return self.seconds

    def advance(self, seconds: float) -> None:
        """Move forward by ``seconds`` >= 0."""
        self.seconds += seconds
