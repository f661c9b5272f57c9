"""
When decisions are made: as each policy's periods end, and as scheduled actions run.

Nothing here depends on what the fleets do, so it is known beforehand and the same for all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tonnage.scaling import (
    AttachedPolicy,
    ScalableTarget,
    ScheduledAction,
    SuspendedState,
    TargetState,
    apply_scheduled_action,
    scheduled_runs,
)

__all__ = ["Moments", "Scheduled"]

_Floats = NDArray[np.float64]
_Counts = NDArray[np.int64]

_RETRY_SECONDS = 60.0
"""How often a busy endpoint is tried again when there are schedules and no policies."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Scheduled:
    """
    The bounds over time, as scheduled actions set them.

    Attributes:
        since_seconds: ``(s,) float64``, from when each holds; -inf for those at the start.
        min_capacity: ``(s, n) int64``.
        max_capacity: ``(s, n) int64``.
    """

    since_seconds: _Floats
    min_capacity: _Counts
    max_capacity: _Counts

    @classmethod
    def of(
        cls,
        target: ScalableTarget,
        suspended: SuspendedState,
        actions: Sequence[ScheduledAction],
        *,
        starts_at_seconds: float,
        duration_seconds: float,
    ) -> "Scheduled":
        """Run the actions of a trace that starts at a moment of the calendar."""
        state = TargetState.initial(target, suspended=suspended)
        since, bounds = [-np.inf], [state.target]
        end = starts_at_seconds + duration_seconds
        for moment, action in scheduled_runs(actions, starts_at_seconds - 1.0, end):
            if moment < starts_at_seconds:
                continue
            state, _ = apply_scheduled_action(state, action)
            since.append(moment - starts_at_seconds)
            bounds.append(state.target)
        return cls(
            since_seconds=np.array(since),
            min_capacity=np.array([each.min_capacity for each in bounds]),
            max_capacity=np.array([each.max_capacity for each in bounds]),
        )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Moments:
    """
    The moments at which something may be decided.

    Attributes:
        seconds: ``(m,) float64``, rising.
        newest: ``(k, m) int64``, each policy's last period whose datapoint is there; -1 for none.
        due: ``(k, m) bool``, where that datapoint has just come.
        bounds: ``(m,) int64``, which of the scheduled bounds hold.
    """

    seconds: _Floats
    newest: _Counts
    due: NDArray[np.bool_]
    bounds: _Counts

    @classmethod
    def of(
        cls,
        policies: Sequence[AttachedPolicy],
        scheduled: Scheduled,
        *,
        duration_seconds: float,
        metric_delay_seconds: float,
    ) -> "Moments":
        """Return the moments of a trace."""
        arrivals = [
            np.arange(1.0, duration_seconds // policy.period_seconds + 1) * policy.period_seconds
            + metric_delay_seconds
            for policy in policies
        ]
        others = [scheduled.since_seconds[1:]]
        if not policies:
            others.append(np.arange(_RETRY_SECONDS, duration_seconds, _RETRY_SECONDS))
        seconds = np.unique(np.concatenate(arrivals + others))
        newest = np.array(
            [np.searchsorted(each, seconds, side="right") - 1 for each in arrivals], dtype=np.int64
        ).reshape(len(policies), len(seconds))
        before = np.concatenate((np.full((len(policies), 1), -1), newest[:, :-1]), axis=1)
        bounds = np.searchsorted(scheduled.since_seconds, seconds, side="right") - 1
        return cls(
            seconds=seconds,
            newest=newest,
            due=newest > before[:, : len(seconds)],
            bounds=bounds.astype(np.int64),
        )

    def __len__(self) -> int:
        return len(self.seconds)
