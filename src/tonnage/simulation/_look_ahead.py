"""
Datapoints and alarms of moments still to come, as if nothing happened before them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tonnage.scaling import (
    AttachedPolicy,
    PolicyMemory,
    StepScaling,
    TargetState,
    TreatMissingData,
    metric_alarm_states,
    take,
)

from ._changes import Changes
from ._metrics import Metrics
from ._moments import Moments

__all__ = ["Ahead", "look_ahead"]

_Counts = NDArray[np.int64]
_Indices = NDArray[np.intp]

_RETAINED = np.int8(-1)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Ahead:
    """
    A block of moments, one row a fleet; flattened, a column each.

    Attributes:
        active: ``(a,)``, the fleets.
        moment: ``(a, b) int64``, which moments.
        is_there: ``(a, b) bool``, False behind the end of the trace.
        column: ``(a * b,)``, each column's fleet.
        memories: k, each policy's, of the columns.
    """

    active: _Indices
    moment: _Counts
    is_there: NDArray[np.bool_]
    column: _Indices
    memories: tuple[PolicyMemory, ...]


def look_ahead(
    policies: Sequence[AttachedPolicy],
    state: TargetState,
    moments: Moments,
    metrics: Metrics,
    changes: Changes,
    *,
    active: _Indices,
    following: _Counts,
    count: _Counts,
    ahead: int,
) -> Ahead:
    """
    Return the next moments of some fleets, with what their policies will have seen by then.

    Args:
        policies: The policies.
        state: What all fleets remember.
        moments: All moments.
        metrics: The policies' metrics.
        changes: How the in-service counts changed.
        active: Which fleets.
        following: ``(n,)``, each fleet's next moment.
        count: ``(n,)``, what is in service, or will be.
        ahead: How many moments.
    """
    moment = following[active, np.newaxis] + np.arange(ahead)
    is_there = moment < len(moments)
    moment = np.minimum(moment, len(moments) - 1)
    column = np.repeat(active, ahead)
    memories = []
    for index, (policy, memory) in enumerate(zip(policies, state.memories, strict=True)):
        newest = moments.newest[index]
        before = following[active] - 1
        seen = np.where(before < 0, -1, newest[before])
        fresh = newest[moment] - seen[:, np.newaxis]
        width = int(fresh[:, -1].max(initial=0))
        last = max(0, len(metrics.periods[index]) - 1)
        period = np.minimum(seen[:, np.newaxis] + 1 + np.arange(width), last)
        values = metrics.values(index, changes, count, active, period)
        all_points = np.concatenate((memory.datapoints[:, active].T, values), axis=1)
        kept = policy.kept_datapoints
        windows = np.lib.stride_tricks.sliding_window_view(all_points, kept, axis=1)
        chosen = windows[np.arange(active.size)[:, np.newaxis], fresh]
        datapoints = np.ascontiguousarray(chosen.reshape(-1, kept).T)
        seen_by_then = PolicyMemory(datapoints=datapoints, alarm=memory.alarm[column])
        memories.append(_with_retained(policy, seen_by_then, memory, active, column))
    return Ahead(
        active=active, moment=moment, is_there=is_there, column=column, memories=tuple(memories)
    )


def _with_retained(
    policy: AttachedPolicy,
    ahead: PolicyMemory,
    now: PolicyMemory,
    active: _Indices,
    column: _Indices,
) -> PolicyMemory:
    """Fill in what an alarm that ignores missing data keeps from one moment to the next."""
    if not isinstance(policy, StepScaling):
        return ahead
    if policy.alarm.treat_missing_data != TreatMissingData.IGNORE:
        return ahead
    unknown = np.full(column.shape, _RETAINED)
    own = take(policy.alarm, column)
    states = metric_alarm_states(own, ahead.datapoints, unknown).reshape(active.size, -1)
    states = np.concatenate((now.alarm[active, np.newaxis], states), axis=1)
    decided = np.where(states != _RETAINED, np.arange(states.shape[1]), 0)
    since = np.maximum.accumulate(decided, axis=1)
    filled = np.take_along_axis(states, since, axis=1)[:, 1:]
    return replace(ahead, alarm=filled.ravel())
