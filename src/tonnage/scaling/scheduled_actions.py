"""
Scheduled scaling: actions that move the bounds of a scalable target at set times.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from tonnage.domain import ConfigurationError

from .arrays import BoolArray, CountArray, columns, require, whole
from .schedules import Schedule
from .target_state import TargetState
from .targets import ScalableTarget

__all__ = ["ScheduledAction", "apply_scheduled_action", "scheduled_runs"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ScheduledAction:
    """
    New bounds for a scalable target at set times.

    Attributes:
        name: The action's name.
        schedule: When it runs.
        min_capacity: ``(n,) int64``, or a single one for all targets; None leaves it.
        max_capacity: Likewise; at least one of the two is given.
        start_seconds: A recurring action runs at this moment first, then as its schedule says.
        end_seconds: It does not run after this moment; what it has set stays.
        created_seconds: When it was put: it runs after that, and intervals without a start count
            from there.

    Raises:
        ConfigurationError: If AWS would refuse it.
    """

    name: str
    schedule: Schedule
    min_capacity: CountArray | None = None
    max_capacity: CountArray | None = None
    start_seconds: float | None = None
    end_seconds: float | None = None
    created_seconds: float = 0.0

    def __post_init__(self) -> None:
        low, high = self.min_capacity, self.max_capacity
        if low is None and high is None:
            raise ConfigurationError(
                f"the scheduled action {self.name!r} sets neither minimum nor maximum capacity",
                hint="give at least one of them",
            )
        if low is not None:
            require(low >= 1, low, "min_capacity of a variant must be at least 1")
        if high is not None:
            require(high >= 1, high, "max_capacity of a variant must be at least 1")
        if low is not None and high is not None:
            require(
                np.broadcast_to(low <= high, high.shape),
                high,
                "max_capacity must not be less than min_capacity",
            )
        ends_at = np.inf if self.end_seconds is None else self.end_seconds
        if self.start_seconds is not None and ends_at <= self.start_seconds:
            raise ConfigurationError(f"the scheduled action {self.name!r} ends before it begins")

    @classmethod
    def of(
        cls,
        name: str,
        schedule: str,
        *,
        timezone: str = "UTC",
        min_capacity: ArrayLike | None = None,
        max_capacity: ArrayLike | None = None,
        start_seconds: float | None = None,
        end_seconds: float | None = None,
        created_seconds: float = 0.0,
    ) -> Self:
        """Return an action from AWS's expression and plain numbers, or sequences of them."""

        def count(value: ArrayLike | None, what: str) -> CountArray | None:
            return None if value is None else whole(columns(value)[0], what)

        return cls(
            name=name,
            schedule=Schedule.parse(schedule, timezone),
            min_capacity=count(min_capacity, "min_capacity"),
            max_capacity=count(max_capacity, "max_capacity"),
            start_seconds=start_seconds,
            end_seconds=end_seconds,
            created_seconds=created_seconds,
        )

    def runs(self, after_seconds: float, until_seconds: float) -> list[float]:
        """Return when it runs, after one moment and until another, in seconds since 1970 UTC."""
        if self.schedule.once_at_seconds is not None:
            return [
                moment
                for moment in self.schedule.moments(after_seconds, 0.0)
                if moment <= until_seconds
            ]
        anchor = self.created_seconds if self.start_seconds is None else self.start_seconds
        last = until_seconds if self.end_seconds is None else min(until_seconds, self.end_seconds)
        recurring = self.schedule.moments(max(after_seconds, anchor), anchor)
        runs = list(takewhile(lambda moment: moment <= last, recurring))
        if self.start_seconds is not None and after_seconds < self.start_seconds <= last:
            runs.insert(0, self.start_seconds)
        return runs


def scheduled_runs(
    actions: Sequence[ScheduledAction], after_seconds: float, until_seconds: float
) -> list[tuple[float, ScheduledAction]]:
    """
    Return which actions run when, after one moment and until another, in their order.

    Those of one moment keep the order they are given in.
    """
    runs = [
        (moment, index)
        for index, action in enumerate(actions)
        for moment in action.runs(after_seconds, until_seconds)
    ]
    return [(moment, actions[index]) for moment, index in sorted(runs)]


def apply_scheduled_action(
    state: TargetState, action: ScheduledAction
) -> tuple[TargetState, BoolArray]:
    """
    Return the state with the bounds that a scheduled action sets, and where it was carried out.

    It is not where scheduled scaling is suspended, and where a bound that the action leaves alone
    contradicts the one it sets. Evaluate the target next: it brings capacity within the new bounds
    at once, cooldown or not.
    """
    target = state.target
    low = target.min_capacity if action.min_capacity is None else action.min_capacity
    high = target.max_capacity if action.max_capacity is None else action.max_capacity
    runs = np.broadcast_to(
        (low <= high) & ~state.suspended.scheduled_scaling_suspended, target.min_capacity.shape
    )
    bounds = ScalableTarget(
        min_capacity=np.where(runs, low, target.min_capacity),
        max_capacity=np.where(runs, high, target.max_capacity),
    )
    return replace(state, target=bounds), runs
