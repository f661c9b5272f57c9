"""
Latency against load, and its knee.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from .trials import TrialOutcome

__all__ = ["CurvePoint", "Knee", "curve_points", "find_knee"]

_LEAST_POINTS: Final = 4
_LEAST_DISTANCE: Final = 0.15
_NOT_DRAWN: Final = frozenset({"overload", "recovery", "control"})


@dataclass(frozen=True, kw_only=True, slots=True)
class CurvePoint:
    """
    One trial on the curve.

    Attributes:
        rate_per_second: Offered.
        p50_seconds: Median latency of the window's answered requests.
        p99_seconds: Their 99th percentile.
        error_fraction: Requests without a 2xx answer ÷ requests.
        met: Whether the objective was met.
    """

    rate_per_second: float
    p50_seconds: float
    p99_seconds: float
    error_fraction: float
    met: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Knee:
    """
    Where latency begins to pay for rate.

    Attributes:
        rate_per_second: The offered rate.
        p99_seconds: The 99th percentile there.
    """

    rate_per_second: float
    p99_seconds: float


def curve_points(outcomes: Sequence[TrialOutcome]) -> tuple[CurvePoint, ...]:
    """Return the trials that were answered and believed, by rate: not the recovery's, nor cold."""
    cold = [outcome for outcome in outcomes if outcome.trial.purpose == "warm-up"][:-1]
    points = [
        CurvePoint(
            rate_per_second=outcome.trial.rate_per_second,
            p50_seconds=outcome.latency_seconds["p50"],
            p99_seconds=outcome.latency_seconds["p99"],
            error_fraction=outcome.error_fraction,
            met=outcome.met,
        )
        for outcome in outcomes
        if outcome.is_evidence
        and outcome not in cold
        and outcome.trial.purpose not in _NOT_DRAWN
        and np.isfinite(outcome.latency_seconds["p99"])
    ]
    return tuple(sorted(points, key=lambda point: point.rate_per_second))


def find_knee(points: Sequence[CurvePoint]) -> Knee | None:
    """
    Return the point of the curve that lies farthest below its chord; None if none clearly does.

    The curve is the non-decreasing fit of p99 over rate (a rate carries at least the latency of a
    lower one), both axes scaled to [0, 1]. That is the *kneedle* of Satopää et al., 2011. Only
    points up to the first rate that missed count: beyond it the height is the queue's bound, not
    the target's answer.
    """
    end = next((index for index, point in enumerate(points) if not point.met), len(points) - 1)
    used = points[: end + 1]
    if len(used) < _LEAST_POINTS:
        return None
    rates = np.array([point.rate_per_second for point in used])
    rising = np.maximum.accumulate([point.p99_seconds for point in used])
    if rates[-1] <= rates[0] or rising[-1] <= rising[0]:
        return None
    across = (rates - rates[0]) / (rates[-1] - rates[0])
    up = (rising - rising[0]) / (rising[-1] - rising[0])
    best = int(np.argmax(across - up))
    if across[best] - up[best] < _LEAST_DISTANCE:
        return None
    return Knee(rate_per_second=float(rates[best]), p99_seconds=float(rising[best]))
