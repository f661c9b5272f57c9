"""
A queue that is slower than a tick, its backlog carried from one to the next.

The mean backlog x of an instance, as a share of its room b, follows::

    b dx/dt = λ/n - c + (idle - refused)      refused - idle = t σ² / (2 b),  σ² = λ/n (1 - p)

with the tilt t of the density of ``queueing`` whose mean is x: so it settles where that does, and
fills and drains as a fluid would. Each tick is one implicit step. It is sequential, so that plain
numbers are quicker here than arrays.
"""

import math
from collections.abc import Sequence

__all__ = ["carry"]

_LEAST_VARIATION = 0.02
"""Of even arrivals at a single instance: none at all would make the backlog jump."""
_LEAST_TRAFFIC = 0.05
"""Of the line: below it a backlog drains as a fluid does, whatever still arrives."""
_NEWTON_STEPS = 30
_NEAR, _FAR = 1e-3, 300.0


def carry(
    rates: Sequence[float],
    spans: Sequence[float],
    counts: Sequence[int],
    *,
    line_per_second: float,
    queue_seconds: float,
    is_even: bool,
) -> tuple[list[float], list[float]]:
    """
    Return what is refused in each tick, and the tail z b of the queues at its end.

    Args:
        rates: Offered to all instances, per second, in each tick.
        spans: How long each tick is.
        counts: Instances in service in each.
        line_per_second: c.
        queue_seconds: q.
        is_even: Whether arrivals are evenly spaced before they are spread over the instances.
    """
    room = line_per_second * queue_seconds + 1.0
    fill, before = 0.0, counts[0]
    refused, tails = [], []
    for offered, span, count in zip(rates, spans, counts, strict=True):
        # New instances begin empty; those that go take their share of the backlog with them.
        fill *= min(1.0, before / count)
        before = count
        rate = offered / count
        variation = max(1.0 - 1.0 / count, _LEAST_VARIATION) if is_even else 1.0
        variance = max(rate, _LEAST_TRAFFIC * line_per_second) * variation
        goal = fill + span * (rate - line_per_second) / room
        tilt = _solve(goal, span * variance / (2 * room**2))
        fill = _mean(tilt)
        lost = variance / (2 * room) * _upper_density(tilt) * span * count
        refused.append(min(lost, offered * span))
        tails.append(-tilt)
    return refused, tails


def _solve(goal: float, stiffness: float) -> float:
    """
    Return the tilt t at which mean(t) + stiffness t = goal.

    The mean rises ever more slowly away from 0, so Newton's steps from there never overshoot.
    """
    tilt = 0.0
    for _ in range(_NEWTON_STEPS):
        step = (_mean(tilt) + stiffness * tilt - goal) / (_slope_of_mean(tilt) + stiffness)
        tilt -= step
        if abs(step) <= 1e-9 * (1 + abs(tilt)):
            break
    return tilt


def _mean(tilt: float) -> float:
    if abs(tilt) < _NEAR:
        return 0.5 + tilt / 12
    if abs(tilt) > _FAR:
        return (tilt > 0) - 1 / tilt
    return -1 / math.expm1(-tilt) - 1 / tilt


def _slope_of_mean(tilt: float) -> float:
    if abs(tilt) < _NEAR:
        return 1 / 12
    if abs(tilt) > _FAR:
        return 1 / tilt**2
    return 1 / tilt**2 - 1 / (4 * math.sinh(tilt / 2) ** 2)


def _upper_density(tilt: float) -> float:
    if abs(tilt) < _NEAR:
        return 1 + tilt / 2
    if abs(tilt) > _FAR:
        return max(tilt, 0.0)
    return -tilt / math.expm1(-tilt)
