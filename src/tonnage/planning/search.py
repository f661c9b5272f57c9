"""
The cheapest policy that holds, for one load line: a grid, then the neighbourhood of its best.

What is searched here is target tracking on invocations; ``alternatives`` goes on from there.

A policy *holds* when it uses up no more than a share of the failures that the objective allows, and
on the traffic raised by a margin not all of them: traffic to come is never the traffic that was.
Policies that cost within one per cent of the cheapest are taken to cost the same, and of those the
one is chosen that fails least when the margin is doubled, and then the one in the middle of the
targets: a target at an edge is one minute's traffic away from another number of instances.
"""

import math
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from .policies import Policies
from .space import SearchSpace, coarse_grid, neighbours

__all__ = ["Alternative", "Outcomes", "Searched", "Trial", "search_policies", "tried"]

_Floats = NDArray[np.float64]

_SAME_COST: Final = 0.01
_ROUNDS: Final = 3
_KEPT: Final = 3
_DEARER: Final = 1.3
"""How much dearer than the cheapest a policy may be for its margin to be of interest."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Outcomes:
    """
    What came of each policy on one traffic.

    Attributes:
        offered: ``(n,) float64`` requests.
        failed: ``(n,) float64`` of them.
        instance_seconds: ``(n,) float64`` that are billed.
    """

    offered: _Floats
    failed: _Floats
    instance_seconds: _Floats

    @property
    def failed_fraction(self) -> _Floats:
        """Failed ÷ offered, 0 without requests."""
        return np.divide(
            self.failed, self.offered, out=np.zeros_like(self.failed), where=self.offered > 0
        )

    def joined(self, other: "Outcomes") -> "Outcomes":
        """Return these rows and, below them, the other's."""
        return Outcomes(
            offered=np.concatenate((self.offered, other.offered)),
            failed=np.concatenate((self.failed, other.failed)),
            instance_seconds=np.concatenate((self.instance_seconds, other.instance_seconds)),
        )


class Trial(Protocol):
    """Tries policies on a traffic."""

    def __call__(self, policies: Policies, *, raised_by: float = 0.0) -> Outcomes:
        """Return what comes of each, on the traffic raised by a fraction."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Alternative:
    """
    The best policy of another kind.

    Attributes:
        row: Where it is in what was tried.
        what: Its kind, in a word or two.
        assumed: What it takes for granted that nobody has confirmed; empty if nothing.
        held_out_failed_fraction: What its schedule fails on days that it was not made from; None
            for one without, or with dates.
    """

    row: int
    what: str
    assumed: str = ""
    held_out_failed_fraction: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Searched:
    """
    Every policy that was tried, and the one that was chosen.

    Attributes:
        policies: What was tried.
        outcomes: What came of it.
        failed_with_margin: ``(n,) float64``, the fraction that fails on the raised traffic; NaN
            where that was not tried, because too much failed already or others are cheaper.
        max_failed_fraction: What the objective allows.
        chosen: The plain row that was chosen; None where none meets the objective at all.
        holds: ``(n,) bool``, which policies keep the margin.
        keeps_margin: Whether the chosen one does.
        alternatives: The best of other kinds, where they are of use.
        left_out: What was not considered further, and why, in sentences.
    """

    policies: Policies
    outcomes: Outcomes
    failed_with_margin: _Floats
    max_failed_fraction: float
    chosen: int | None
    holds: NDArray[np.bool_]
    keeps_margin: bool
    alternatives: tuple[Alternative, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def meets(self) -> NDArray[np.bool_]:
        """Which policies meet the objective on the traffic as it is."""
        return self.outcomes.failed_fraction < self.max_failed_fraction

    @property
    def nearest(self) -> int:
        """The row that fails least, the cheapest of those."""
        return int(np.lexsort((self.outcomes.instance_seconds, self.outcomes.failed_fraction))[0])


def tried(
    trial: Trial,
    policies: Policies,
    *,
    allowed: float,
    space: SearchSpace,
    cheapest_seconds: float = math.inf,
) -> tuple[Outcomes, _Floats]:
    """
    Return what comes of policies, and what fails on the raised traffic of those that matter.

    The cheapest are raised first, and dearer ones only until some hold.

    Args:
        trial: What runs them.
        policies: What to try.
        allowed: The fraction that may fail.
        space: The margin, and the share of failures that may be used up.
        cheapest_seconds: The instance-seconds of the cheapest that is known to hold.
    """
    outcomes = trial(policies)
    raised = np.full(len(policies), np.nan)
    cost, fails = outcomes.instance_seconds, outcomes.failed_fraction
    is_fixed = policies.max_capacity == policies.min_capacity
    left = np.flatnonzero(fails < allowed)
    limit = min(cheapest_seconds, float(cost[left].min(initial=math.inf))) * _DEARER
    while len(left):
        near = is_fixed[left] | (cost[left] <= limit)
        now, left = left[near], left[~near]
        if len(now):
            raised[now] = trial(policies.take(now), raised_by=space.margin).failed_fraction
        held = (raised[now] < allowed) & (fails[now] < allowed * space.failed_share)
        if limit >= cheapest_seconds or (held & ~is_fixed[now]).any():
            break
        limit *= _DEARER
    return outcomes, raised


def search_policies(
    trial: Trial,
    *,
    line_per_second: float,
    peak_per_second: float,
    max_failed_fraction: float,
    space: SearchSpace,
) -> Searched:
    """
    Return what was tried, and the cheapest policy that holds.

    Args:
        trial: What runs the policies.
        line_per_second: What one instance carries.
        peak_per_second: The highest rate offered.
        max_failed_fraction: What the objective allows; a policy must stay below.
        space: Where to look.
    """
    tried = _Tried(trial, max_failed_fraction, space)
    tried.add(coarse_grid(line_per_second, peak_per_second, space))
    for _ in range(_ROUNDS if space.scales else 0):
        best = tried.best_rows()
        if len(best) == 0 or not tried.add(neighbours(tried.policies, best, space)):
            break
    return tried.searched()


class _Tried:
    """The growing table of what was tried."""

    def __init__(self, trial: Trial, allowed: float, space: SearchSpace) -> None:
        self._trial = trial
        self._allowed = allowed
        self._space = space
        self.policies = Policies.columns([], [], [], [], [])
        self._outcomes = Outcomes(
            offered=np.empty(0), failed=np.empty(0), instance_seconds=np.empty(0)
        )
        self._raised = np.empty(0)

    def add(self, wanted: Policies) -> bool:
        """Try what has not been tried; say whether there was any."""
        fresh = wanted.without(self.policies) if len(self.policies) else wanted
        if len(fresh) == 0:
            return False
        held = self._outcomes.instance_seconds[self._keeps_margin()]
        outcomes, raised = tried(
            self._trial,
            fresh,
            allowed=self._allowed,
            space=self._space,
            cheapest_seconds=float(held.min(initial=math.inf)),
        )
        self.policies = self.policies.joined(fresh)
        self._outcomes = self._outcomes.joined(outcomes)
        self._raised = np.concatenate((self._raised, raised))
        return True

    def best_rows(self) -> NDArray[np.intp]:
        """Return the cheapest that hold, the cheapest first, each of another shape."""
        holding = self._holding()
        order = np.argsort(self._outcomes.instance_seconds[holding], kind="stable")
        rows, shapes = [], set()
        for row in holding[order]:
            shape = (int(self.policies.min_capacity[row]), int(self.policies.max_capacity[row]))
            if shape not in shapes:
                shapes.add(shape)
                rows.append(row)
        return np.array(rows[:_KEPT], dtype=np.intp)

    def searched(self) -> Searched:
        holding = self._holding()
        keeps = bool(self._keeps_margin().any())
        return Searched(
            policies=self.policies,
            outcomes=self._outcomes,
            failed_with_margin=self._raised,
            max_failed_fraction=self._allowed,
            chosen=self._chosen(holding) if len(holding) else None,
            holds=self._keeps_margin(),
            keeps_margin=keeps,
        )

    def _holding(self) -> NDArray[np.intp]:
        """Return the rows that keep the margin, or else those that meet the objective."""
        keeping = np.flatnonzero(self._keeps_margin())
        if len(keeping):
            return keeping
        return np.flatnonzero(self._outcomes.failed_fraction < self._allowed)

    def _keeps_margin(self) -> NDArray[np.bool_]:
        spared = self._outcomes.failed_fraction < self._allowed * self._space.failed_share
        return spared & (self._raised < self._allowed)

    def _chosen(self, holding: NDArray[np.intp]) -> int:
        cost = self._outcomes.instance_seconds[holding]
        same = holding[cost <= cost.min() * (1 + _SAME_COST)]
        if len(same) > 1:
            harder = self._trial(self.policies.take(same), raised_by=2 * self._space.margin)
            fails = np.round(harder.failed_fraction, 6)
            same = same[fails == fails.min()]
        return _middle(self.policies, same, self._space)


def _middle(policies: Policies, rows: NDArray[np.intp], space: SearchSpace) -> int:
    """Return the row in the middle of the targets, of the most usual shape among them."""
    chosen = policies.take(rows)
    order = {pair: at for at, pair in enumerate(space.cooldowns_seconds)}
    pairs = [
        order.get(pair, len(order))
        for pair in zip(
            chosen.scale_in_cooldown_seconds.tolist(),
            chosen.scale_out_cooldown_seconds.tolist(),
            strict=True,
        )
    ]
    shapes = list(
        zip(chosen.min_capacity.tolist(), chosen.max_capacity.tolist(), pairs, strict=True)
    )
    usual = max(set(shapes), key=lambda shape: (shapes.count(shape), [-part for part in shape]))
    alike = rows[np.array([shape == usual for shape in shapes])]
    targets = policies.target_value[alike]
    middle = math.sqrt(float(targets.min()) * float(targets.max()))
    return int(alike[np.argmin(np.abs(np.log(targets / middle)))])
