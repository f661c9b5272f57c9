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
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .policies import Policies
from .searched import SAME_COST, Outcomes, Searched, Trial, keeps_margin
from .space import SearchSpace, coarse_grid, neighbours

__all__ = ["search_policies", "tried"]

_Floats = NDArray[np.float64]

_ROUNDS: Final = 3
_KEPT: Final = 3
_DEARER: Final = 1.3
"""How much dearer than the cheapest a policy may be for its margin to be of interest."""


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
        held = keeps_margin(fails[now], raised[now], allowed, space)
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
    table = _Table(trial, max_failed_fraction, space)
    table.add(coarse_grid(line_per_second, peak_per_second, space))
    for _ in range(_ROUNDS if space.scales else 0):
        best = table.best_rows()
        if len(best) == 0 or not table.add(neighbours(table.policies, best, space)):
            break
    return table.searched()


class _Table:
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
        """Return what was tried, and what is chosen of it."""
        holding, holds = self._holding(), self._keeps_margin()
        return Searched(
            policies=self.policies,
            outcomes=self._outcomes,
            failed_with_margin=self._raised,
            max_failed_fraction=self._allowed,
            chosen=self._chosen(holding) if len(holding) else None,
            holds=holds,
            keeps_margin=bool(holds.any()),
        )

    def _holding(self) -> NDArray[np.intp]:
        """Return the rows that keep the margin, or else those that meet the objective."""
        keeping = np.flatnonzero(self._keeps_margin())
        if len(keeping):
            return keeping
        return np.flatnonzero(self._outcomes.failed_fraction < self._allowed)

    def _keeps_margin(self) -> NDArray[np.bool_]:
        fails = self._outcomes.failed_fraction
        return keeps_margin(fails, self._raised, self._allowed, self._space)

    def _chosen(self, holding: NDArray[np.intp]) -> int:
        cost = self._outcomes.instance_seconds[holding]
        same = holding[cost <= cost.min() * (1 + SAME_COST)]
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
