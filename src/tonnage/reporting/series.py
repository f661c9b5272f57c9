"""
Raw samples and timelines as the few hundred numbers a chart needs: pure functions over arrays.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import RunRecord, Samples, per_second_counts, percentile

__all__ = ["CHARTED", "MAX_WINDOWS", "Timeline", "held_at", "steps", "timeline", "window_seconds"]

CHARTED: Final = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
"""The percentiles a chart shows, name → fraction."""

MAX_WINDOWS: Final = 900
"""More points than this on one axis are wider windows instead."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Timeline:
    """
    One record, window by window; every array is ``(n,) float64``, NaN where nothing is known.

    Only whole windows are kept: a last, shorter one would look like a drop in the rate.

    Attributes:
        window_seconds: A window's length, 1 s unless the record is long.
        starts_seconds: When each window begins, since the run began.
        sent_per_second: Requests sent in the window ÷ its length.
        succeeded_per_second: Those of them that were answered 2xx, whenever the answer came.
        failed_per_second: Those of them that were not, or not at all.
        users: Users as last reported at the window's end.
        desired: The desired instance count there.
        in_service: The in-service instance count there.
        latency_seconds: ``p50``, ``p95``, ``p99`` → intended send to last byte, over the answered
            requests that were sent in the window.
    """

    window_seconds: float
    starts_seconds: Floats
    sent_per_second: Floats
    succeeded_per_second: Floats
    failed_per_second: Floats
    users: Floats
    desired: Floats
    in_service: Floats
    latency_seconds: dict[str, Floats]

    @property
    def middles_seconds(self) -> Floats:
        """The middle of each window: where its point is drawn."""
        return self.starts_seconds + self.window_seconds / 2


def window_seconds(duration_seconds: float) -> float:
    """Return the shortest of 1, 2, 5, 10, 20 … seconds that cuts a run into at most 900 windows."""
    needed = duration_seconds / MAX_WINDOWS
    if not needed > 1:
        return 1.0
    decade = 10.0 ** math.floor(math.log10(needed))
    return next(step * decade for step in (1, 2, 5, 10) if step * decade >= needed)


def timeline(record: RunRecord) -> Timeline:
    """Return what ``record`` saw, window by window."""
    duration = charted_seconds(record)
    width = window_seconds(duration)
    count = max(1, math.floor(duration / width + 1e-9))
    starts: Floats = np.arange(count, dtype=np.float64) * width
    ends: Floats = starts + width
    samples = record.samples
    sent = samples.sent_seconds
    fleet = record.fleet.instances if record.fleet else ()

    def rate(moments: Floats) -> Floats:
        return per_second_counts(moments / width, count) / width

    return Timeline(
        window_seconds=width,
        starts_seconds=starts,
        sent_per_second=rate(sent),
        succeeded_per_second=rate(sent[~samples.failed]),
        failed_per_second=rate(sent[samples.failed]),
        users=held_at(record.users, ends),
        desired=held_at([(at, desired) for at, desired, _ in fleet], ends),
        in_service=held_at([(at, serving) for at, _, serving in fleet], ends),
        latency_seconds=_percentiles(samples, width, count),
    )


def charted_seconds(record: RunRecord) -> float:
    """Return the length of a record's time axis: its duration, or 1 s where that says nothing."""
    duration = record.duration_seconds
    return duration if math.isfinite(duration) and duration > 0 else 1.0


def held_at(changes: Sequence[tuple[float, float]], moments_seconds: Floats) -> Floats:
    """
    Return the value in force at each moment, NaN before the first change.

    Args:
        changes: ``(seconds, value)``, oldest first; each holds until the next.
        moments_seconds: ``(n,)``.
    """
    if not changes:
        return np.full(len(moments_seconds), np.nan)
    at, values = np.array(changes, dtype=np.float64).T
    index = np.searchsorted(at, moments_seconds, side="right") - 1
    return np.where(index >= 0, values[index], np.nan)


def steps(
    changes: Sequence[tuple[float, int, int]], end_seconds: float
) -> list[tuple[float, int, int]]:
    """
    Return the corners of a step line from 0 to ``end_seconds``.

    Changes before 0 count as the state at 0, changes after the end are left out, and the last one
    is held until the end.
    """
    corners: list[tuple[float, int, int]] = []
    for at, desired, in_service in changes:
        if at > end_seconds:
            break
        if at <= 0:
            corners.clear()
        corners.append((max(0.0, at), desired, in_service))
    if corners and corners[-1][0] < end_seconds:
        corners.append((end_seconds, *corners[-1][1:]))
    return corners


def _percentiles(samples: Samples, width: float, count: int) -> dict[str, Floats]:
    latency = samples.latency_seconds
    known = (samples.status > 0) & np.isfinite(latency) & (samples.sent_seconds >= 0)
    order = np.argsort(samples.sent_seconds[known], kind="stable")
    sent, latency = samples.sent_seconds[known][order], latency[known][order]
    edges = np.searchsorted(sent / width, np.arange(count + 1))
    windows = [latency[low:high] for low, high in itertools.pairwise(edges)]
    return {
        name: np.array([percentile(window, fraction) for window in windows])
        for name, fraction in CHARTED.items()
    }
