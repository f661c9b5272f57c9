"""
Where a search looks: the space, its coarse grid, and the neighbourhood of what was found.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from .policies import Policies

__all__ = [
    "DEFAULT_FAILED_SHARE",
    "DEFAULT_MARGIN",
    "SearchSpace",
    "coarse_grid",
    "neighbours",
    "nice",
]

DEFAULT_MARGIN: Final = 0.1
"""How much more traffic a plan must hold; chosen by benchmarks/planning/regret.py."""

DEFAULT_FAILED_SHARE: Final = 0.7
"""How much of the allowed failures a plan may use up; chosen by the same."""

AlternativeName = Literal["schedules", "steps", "high resolution"]

_COUNTS: Final = 6
_AROUND: Final = (0.85, 0.92, 0.96, 1.0, 1.04, 1.08, 1.18)


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchSpace:
    """
    Where to look.

    Attributes:
        min_capacity: The least instances a policy may have at rest, >= 1.
        max_capacity: The most a policy may have.
        target_shares: Targets as shares of the load line; AWS's own advice is 0.5.
        cooldowns_seconds: Pairs of scale-in and scale-out cooldown, the preferred first.
        margin: How much more traffic the policy must hold, 0.1 for a tenth.
        failed_share: How much of the failures that the objective allows a policy may use up on the
            traffic as it is, in (0, 1].
        scales: Whether the instance count may change at all.
        alternatives: What may be tried beside target tracking on invocations.
        allow_high_resolution: Whether a policy on requests in flight may be chosen. That AWS offers
            this metric for CPU instances is not confirmed.
        allow_serverless: Whether a serverless endpoint may be chosen. Its times follow from an
            instance's line, and its cold starts are assumed.
    """

    min_capacity: int = 1
    max_capacity: int = 10
    target_shares: tuple[float, ...] = (
        *(0.01, 0.02, 0.04, 0.06, 0.08, 0.12, 0.17, 0.24, 0.32),
        *(0.4, 0.5, 0.58, 0.66, 0.74, 0.82, 0.9, 1.0),
    )
    cooldowns_seconds: tuple[tuple[float, float], ...] = ((300.0, 300.0), (60.0, 60.0))
    margin: float = DEFAULT_MARGIN
    failed_share: float = DEFAULT_FAILED_SHARE
    scales: bool = True
    alternatives: tuple[AlternativeName, ...] = ("schedules", "steps", "high resolution")
    allow_high_resolution: bool = False
    allow_serverless: bool = False


def coarse_grid(line_per_second: float, peak_per_second: float, space: SearchSpace) -> Policies:
    """Return a first grid around what the peak needs, and every fixed count up to it."""
    needed = max(1, math.ceil(peak_per_second / line_per_second * (1 - 1e-9)))
    with_margin = max(1, math.ceil(peak_per_second * (1 + space.margin) / line_per_second))
    low, high = space.min_capacity, space.max_capacity
    least = _spread(low, min(high, max(low, with_margin)))
    most = {
        min(high, max(low, count))
        for count in (
            *(needed - 1, needed, with_margin, with_margin + 1),
            *(math.ceil(1.5 * with_margin), high),
        )
    }
    targets = [nice(share * line_per_second * 60) for share in space.target_shares]
    grid = Policies.grid(
        min_capacity=least,
        max_capacity=sorted(most | {*least}) if len(least) <= _COUNTS else sorted(most),
        target_value=targets,
        cooldowns_seconds=space.cooldowns_seconds,
    )
    fixed = np.arange(low, min(high, max(low, with_margin + 1)) + 1)
    middle = np.full(len(fixed), targets[len(targets) // 2])
    pair = space.cooldowns_seconds[0]
    steady = Policies.columns(
        fixed, fixed, middle, np.full(len(fixed), pair[0]), np.full(len(fixed), pair[1])
    )
    if not space.scales:
        return steady
    return grid.take(grid.max_capacity > grid.min_capacity).joined(steady)


def neighbours(policies: Policies, rows: NDArray[np.intp], space: SearchSpace) -> Policies:
    """Return the neighbours of some rows: targets nearby, one instance less or more."""
    near = Policies.columns([], [], [], [], [])
    for row in rows:
        policy = policies.row(int(row))
        least = _within((policy.min_capacity + step for step in (-1, 0, 1)), space)
        most = _within((policy.max_capacity + step for step in (-1, 0, 1)), space)
        grid = Policies.grid(
            min_capacity=least,
            max_capacity=most,
            target_value=[nice(policy.target_value * factor) for factor in _AROUND],
            cooldowns_seconds=space.cooldowns_seconds,
        )
        near = near.joined(grid.take(grid.max_capacity > grid.min_capacity))
    return _unique(near)


def _unique(policies: Policies) -> Policies:
    kept: dict[object, int] = {}
    for index in range(len(policies)):
        kept.setdefault(policies.row(index), index)
    return policies.take(np.array(list(kept.values()), dtype=np.intp))


def _within(counts: Iterable[int], space: SearchSpace) -> list[int]:
    return sorted({min(space.max_capacity, max(space.min_capacity, count)) for count in counts})


def _spread(low: int, high: int) -> Sequence[int]:
    """Return whole numbers from ``low`` to ``high``: all of few, a handful of many."""
    if high - low < _COUNTS:
        return range(low, high + 1)
    return sorted({round(count) for count in np.linspace(low, high, _COUNTS)})


def nice(value: float) -> float:
    """Return a target with two digits, as people would set it; never 0."""
    if value <= 0:
        return 1.0
    power = 10.0 ** (math.floor(math.log10(value)) - 1)
    return max(1.0, round(value / power) * power) if value >= 1 else value
