"""
What else runs on the machine of a target and its generator, and what that does to a measurement.

A generator that is scheduled before everything else does not feel its neighbours; a target on the
same machine does, and reads slower than it is. Nothing in the samples tells its slowness from
theirs. So the machine is looked at while neither has anything to do: in the silence before the
load. What is busy then is somebody else.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tonnage.domain import format_fraction

from .health import Verdict
from .open_loop.vitals import machine_seconds

__all__ = ["LOOK_SECONDS", "NEIGHBOURS", "Look", "judge_neighbours", "mean_busy"]

LOOK_SECONDS: Final = 0.3
"""A look that a run of its own is worth; the kernel counts in hundredths of a second a core."""

NEIGHBOURS: Final = "neighbours"
"""The cause of a verdict: others had the machine."""

MOST_BUSY_FRACTION: Final = 0.2
"""Of all cores. A target that needs the rest finds it taken now and then."""

MOST_STOLEN_FRACTION: Final = 0.05

_SHORTEST_LOOK_SECONDS: Final = 0.08
_SPARE_SECONDS: Final = 0.02


@dataclass(slots=True)
class Look:
    """
    A look at the machine in the silence before a moment.

    Attributes:
        until_seconds: The moment, on ``time.monotonic``.
        busy_fraction: Of all cores, what was busy; NaN before the look, and without time for one.
    """

    until_seconds: float
    busy_fraction: float = math.nan

    def take(self) -> None:
        """Look until shortly before the moment; return at once when there is no time."""
        left = self.until_seconds - _SPARE_SECONDS - time.monotonic()
        if left < _SHORTEST_LOOK_SECONDS:
            return
        time.sleep(left - min(left, LOOK_SECONDS))
        busy, whole = machine_seconds()
        time.sleep(max(0.0, self.until_seconds - _SPARE_SECONDS - time.monotonic()))
        busy_now, whole_now = machine_seconds()
        if whole_now > whole:
            self.busy_fraction = (busy_now - busy) / (whole_now - whole)


def mean_busy(looks: Sequence[float]) -> float:
    """Return the mean of what was seen, NaN when nothing was."""
    known = [look for look in looks if not math.isnan(look)]
    return float(np.mean(known)) if known else math.nan


def judge_neighbours(verdict: Verdict, looks: Sequence[float], stolen_fraction: float) -> Verdict:
    """
    Doubt a measurement on a machine that others used, unless it is doubted already.

    Args:
        verdict: What the generator said of itself.
        looks: Of all cores, what others took in each silence.
        stolen_fraction: Of all cores' time, what another guest of the same host took.
    """
    if verdict.word != "VALID":
        return verdict
    if stolen_fraction > MOST_STOLEN_FRACTION:
        return Verdict(
            word="DOUBTFUL",
            cause=NEIGHBOURS,
            reason=f"another guest of this host took {format_fraction(stolen_fraction)} of all"
            " cores: the target may be slower here than it is",
        )
    busy = mean_busy(looks)
    if busy > MOST_BUSY_FRACTION:
        return Verdict(
            word="DOUBTFUL",
            cause=NEIGHBOURS,
            reason=f"other programs took {format_fraction(busy)} of all cores while nothing was"
            " sent: the target may be slower here than it is",
        )
    return verdict
