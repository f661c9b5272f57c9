"""
What this process spends while it should be punctual: CPU, waits for a core, collector pauses.
"""

import gc
import os
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

__all__ = ["CollectorPauses", "Vitals", "machine_seconds", "stolen_seconds"]

_NANO: Final = 1e-9
_STEAL: Final = 8


class CollectorPauses:
    """How long the garbage collector stopped this process."""

    def __init__(self) -> None:
        self._began_seconds = 0.0
        self._longest_seconds = 0.0
        gc.callbacks.append(self._note)

    def take_longest(self) -> float:
        """Return the longest pause since the last call, in seconds."""
        longest, self._longest_seconds = self._longest_seconds, 0.0
        return longest

    def _note(self, phase: Literal["start", "stop"], _info: dict[str, int]) -> None:
        if phase == "start":
            self._began_seconds = time.perf_counter()
        else:
            pause = time.perf_counter() - self._began_seconds
            self._longest_seconds = max(self._longest_seconds, pause)


@dataclass(frozen=True, kw_only=True, slots=True)
class Vitals:
    """
    A reading, to be subtracted from a later one.

    Attributes:
        at_seconds: ``time.monotonic`` at the reading.
        cpu_seconds: CPU used by this process so far.
        waited_seconds: How long its main thread was ready to run and had no core; 0 where the
            kernel does not say.
    """

    at_seconds: float
    cpu_seconds: float
    waited_seconds: float

    @classmethod
    def read(cls) -> "Vitals":
        """Take a reading of this process."""
        return cls(
            at_seconds=time.monotonic(),
            cpu_seconds=time.process_time(),
            waited_seconds=_waited_seconds(),
        )

    def since(self, earlier: "Vitals") -> dict[str, float]:
        """Return the shares of the time between two readings."""
        span = max(self.at_seconds - earlier.at_seconds, 1e-9)
        return {
            "span_seconds": span,
            "cpu_fraction": (self.cpu_seconds - earlier.cpu_seconds) / span,
            # The kernel books a wait when it ends, perhaps all of it into this span.
            "waited_fraction": min(1.0, (self.waited_seconds - earlier.waited_seconds) / span),
        }


def machine_seconds() -> tuple[float, float]:
    """Return how long the machine's cores have been busy, and how long in all; 0 if unknown."""
    try:
        ticks = [
            int(number) for number in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]
        ]
    except (OSError, ValueError):
        return 0.0, 0.0
    return float(sum(ticks) - ticks[3] - ticks[4]), float(sum(ticks))  # but for idle and iowait


def stolen_seconds() -> float:
    """Return how long another guest of the same host had this machine's cores; in ticks."""
    try:
        return float(Path("/proc/stat").read_text().split("\n")[0].split()[_STEAL])
    except (OSError, ValueError, IndexError):
        return 0.0


@cache
def _schedstat() -> int:
    # Opened once: it must be readable also when there is no descriptor left.
    try:
        return os.open("/proc/self/schedstat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1


def _waited_seconds() -> float:
    try:
        return int(os.pread(_schedstat(), 128, 0).split()[1]) * _NANO
    except (OSError, IndexError, ValueError):
        return 0.0
