"""
Whether a backlog grows: the one sign of overload that a short window shows before any term gives
way.

A queue that can hold 250 ms of work hides an overload of 1 % for 25 seconds. Its latency, though,
climbs from the first second on, and an open loop sees that.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from tonnage.domain import Samples

__all__ = ["Growth", "backlog_growth"]

BLOCKS: Final = 10
"""Into so many stretches of equal time the window is cut."""

LEAST_REQUESTS: Final = 50
"""With fewer, a block's median says too little."""

LEAST_GROWTH: Final = 0.003
"""Latency gained per second of load; below it, rounding and clocks could be the cause."""

SIGNIFICANCE: Final = 4.8
"""Student's t of the mean step between blocks: one false alarm in 2,000 with 8 degrees."""

_ROUNDING: Final = 1e-12


@dataclass(frozen=True, kw_only=True, slots=True)
class Growth:
    """
    How a window's backlog changed.

    Attributes:
        per_second: Seconds of latency gained per second, negative when it shrank.
        is_certain: Whether chance can be ruled out, and it is more than rounding.
    """

    per_second: float = 0.0
    is_certain: bool = False


def backlog_growth(window: Samples) -> Growth:
    """
    Return how the backlog grew over a window; no growth where that cannot be said.

    The medians of the blocks' latencies make nine steps. Their mean is tested against their own
    spread. Steps, not a regression line: near saturation a queue walks at random, and residuals
    around a line would call most of its walks a trend.
    """
    answered = window.status > 0
    moments = window.intended_seconds[answered]
    if len(moments) < LEAST_REQUESTS:
        return Growth()
    edges = np.linspace(moments.min(), moments.max() + _ROUNDING, BLOCKS + 1)
    block = np.clip(np.searchsorted(edges, moments, side="right") - 1, 0, BLOCKS - 1)
    latency = window.latency_seconds[answered]
    if len(np.unique(block)) < BLOCKS:
        return Growth()
    medians = np.array([np.median(latency[block == number]) for number in range(BLOCKS)])
    steps = np.diff(medians)
    growth = float(steps.mean() / (edges[1] - edges[0]))
    error = float(steps.std(ddof=1)) / np.sqrt(len(steps)) + _ROUNDING
    is_certain = bool(steps.mean() > SIGNIFICANCE * error) and growth > LEAST_GROWTH
    return Growth(per_second=growth, is_certain=is_certain)
