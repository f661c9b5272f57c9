"""
The emulator's clock beside the wall clock: what AWS clients read and write as timestamps.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from tonnage.domain import ScaledClock

__all__ = ["WallTime"]


@dataclass(frozen=True, kw_only=True, slots=True)
class WallTime:
    """
    Converts between the emulator's compressed seconds and seconds since the epoch.

    It is fixed when it is made: a wall clock that is set later moves nothing.

    Attributes:
        clock: The emulator's clock.
        origin_epoch_seconds: The wall clock's reading at the emulator's zero.
    """

    clock: ScaledClock
    origin_epoch_seconds: float

    @classmethod
    def of(cls, clock: ScaledClock, now_epoch_seconds: Callable[[], float] = time.time) -> Self:
        """Return the conversion for a clock, by the wall clock as it is now."""
        elapsed = clock.now_seconds() / clock.time_scale
        return cls(clock=clock, origin_epoch_seconds=now_epoch_seconds() - elapsed)

    def now_epoch_seconds(self) -> float:
        """Return the wall clock's reading."""
        return self.epoch_of(self.clock.now_seconds())

    def epoch_of(self, seconds: float) -> float:
        """Return the wall clock's reading at a moment of the emulator's clock."""
        return self.origin_epoch_seconds + seconds / self.clock.time_scale

    def seconds_of(self, epoch_seconds: float) -> float:
        """Return the moment of the emulator's clock at a reading of the wall clock."""
        return (epoch_seconds - self.origin_epoch_seconds) * self.clock.time_scale

    def seconds_of_real(self, real_seconds: float) -> float:
        """Return the moment of the emulator's clock at a reading of the real one beneath it."""
        return (real_seconds - self.clock.origin_seconds) * self.clock.time_scale
