"""
Each fleet from one scaling activity to the next.

Between two activities nothing about a fleet changes but its datapoints, and those follow from the
traffic alone. So a round shows ``decide_target`` a block of future moments of every fleet at once,
each moment as if it were a scalable target of its own; the first that acts is real, what was shown
after it was not. A month of a quiet policy takes a few rounds instead of 43,200 evaluations.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tonnage.scaling import (
    AttachedPolicy,
    ScalableTarget,
    SuspendedState,
    TargetDecision,
    TargetObservation,
    TargetState,
    decide_target,
    put,
    take,
    target_scaling_failed,
    target_scaling_succeeded,
)

from ._changes import Changes
from ._fleets import Fleets
from ._history import AlarmHistory
from ._look_ahead import Ahead, look_ahead
from ._metrics import Metrics
from ._moments import Moments, Scheduled
from ._periods import Periods
from .activities import Activities

__all__ = ["Walk"]

_Floats = NDArray[np.float64]
_Counts = NDArray[np.int64]
_Indices = NDArray[np.intp]

_COLUMNS = 16_384
"""How many moments a round looks at, over all fleets: what numpy does well in one go."""
_LEAST_AHEAD, _MOST_AHEAD = 16, 2048


@dataclass(eq=False)
class Walk:
    """
    All fleets on their way through the trace.

    Attributes:
        policies: What is put on each of them, every array ``(n,)`` long.
        scheduled: Their bounds over time.
        suspended: What of their scaling is suspended, ``(n,)``.
        fleets: The fleets.
        metrics: The policies' metrics.
        periods: The traffic, in the first policy's periods.
        keep_history: Whether to keep what the first policy's alarms saw.
    """

    policies: Sequence[AttachedPolicy]
    scheduled: Scheduled
    suspended: SuspendedState
    fleets: Fleets
    metrics: Metrics
    periods: Periods
    keep_history: bool
    steps: list[tuple[_Counts, _Floats, _Counts]] = field(default_factory=list)
    desires: list[tuple[_Counts, _Floats, _Counts]] = field(default_factory=list)
    history: AlarmHistory | None = None
    _activities: list[Activities] = field(default_factory=list)

    def __post_init__(self) -> None:
        count = len(self.fleets.initial)
        self._state = TargetState.initial(
            self._bounds(np.zeros(count, dtype=np.int64), np.arange(count)),
            self.policies,
            suspended=self.suspended,
        )
        self._moments = Moments.of(
            self.policies,
            self.scheduled,
            duration_seconds=self.periods.profile.duration_seconds,
            metric_delay_seconds=self.fleets.metric_delay_seconds,
        )
        self._next = np.zeros(count, dtype=np.int64)
        self._count = self.fleets.initial.copy()
        self._changes = Changes.none(self._count)
        self._settled_at = np.full(count, -np.inf)
        self._ordinal = np.zeros(count, dtype=np.int64)
        if self.keep_history:
            self.history = AlarmHistory.empty(len(self.periods), count)

    def run(self) -> Activities:
        """Walk every fleet to the end of the trace and return what it did on the way."""
        ahead = 64
        while (active := np.flatnonzero(self._next < len(self._moments))).size:
            most = max(_LEAST_AHEAD, _COLUMNS // active.size)
            ahead = min(max(_LEAST_AHEAD, ahead), most, _MOST_AHEAD)
            # Looking twice as far as the last steps went wastes about half of what is looked at.
            ahead = 2 * int(self._round(active, ahead))
        return Activities.joined(self._activities)

    def _round(self, active: _Indices, ahead: int) -> float:
        """Take each active fleet to its next activity or ``ahead`` moments on; say how far."""
        block = look_ahead(
            self.policies,
            self._state,
            self._moments,
            self.metrics,
            self._changes,
            active=active,
            following=self._next,
            count=self._count,
            ahead=ahead,
        )
        now = self._moments.seconds[block.moment]
        state, decision = self._decide(block, now)
        acts = decision.acts.reshape(now.shape) & block.is_there
        acts &= now < self.periods.profile.duration_seconds
        has_acted: NDArray[np.bool_] = np.asarray(acts.any(axis=1))
        first = np.where(has_acted, acts.argmax(axis=1), ahead - 1)
        last = np.minimum(first, block.is_there.sum(axis=1) - 1)
        if self.history is not None and self.policies:
            self._note(self.history, block, last, state, decision)
        rows = np.arange(active.size)
        columns = rows * ahead + last
        if active.size == len(self._count):
            self._state = take(state, columns)
        else:
            self._state = put(self._state, active, state, columns)
        self._next[active] += last + 1
        if has_acted.any():
            who = rows[has_acted]
            self._act(active[who], now[who, last[who]], decision, columns[who])
        return float((last + 1).mean())

    def _decide(self, block: Ahead, now: _Floats) -> tuple[TargetState, TargetDecision]:
        moment, column = block.moment.ravel(), block.column
        count = self._count[column]
        observation = TargetObservation(
            metric_values=(None,) * len(self.policies),
            desired_instance_count=count,
            in_service_instance_count=count,
            # At the very moment an update ends the scaler still sees it: its timer was set first.
            is_updating=(now <= self._settled_at[block.active, np.newaxis]).ravel(),
        )
        state = TargetState(
            target=self._bounds(self._moments.bounds[moment], column),
            suspended=take(self._state.suspended, column),
            cooldowns=take(self._state.cooldowns, column),
            memories=block.memories,
        )
        # A single element stands for all columns.
        is_single = len(self._count) == 1
        return decide_target(
            self.policies if is_single else take(tuple(self.policies), column),
            state,
            observation,
            now.ravel(),
            due=tuple(due[moment] for due in self._moments.due),
        )

    def _bounds(self, which: _Counts, fleet: _Indices) -> ScalableTarget:
        return ScalableTarget(
            min_capacity=self.scheduled.min_capacity[which, fleet],
            max_capacity=self.scheduled.max_capacity[which, fleet],
        )

    def _act(self, who: _Indices, at: _Floats, decision: TargetDecision, column: _Counts) -> None:
        """Start the activities of some fleets, and foresee how each will end."""
        before, after = self._count[who], decision.desired_instance_count[column]
        final = np.where(
            after > before, np.minimum(after, np.maximum(self.fleets.available[who], before)), after
        )
        moments, counts, settled_at = self.fleets.carried_out(
            who, at, before=before, after=after, final=final, ordinal=self._ordinal[who]
        )
        self._ordinal[who] += after > before
        succeeded, is_change = final == after, np.isfinite(moments)
        arrivals = np.where(is_change, self.periods.profile.arrivals_by(moments), np.inf)
        self._changes.replace(who, moments, arrivals, counts, since=self._needed_since(who, at))
        self._count[who] = final
        self._settled_at[who] = settled_at
        mask = np.zeros(len(self._count), dtype=np.bool_)
        mask[who[succeeded]] = True
        self._state = target_scaling_succeeded(self._state, self._settled_at, which=mask)
        mask[:] = False
        mask[who[~succeeded]] = True
        self._state = target_scaling_failed(self._state, which=mask)
        rows = np.nonzero(is_change)[0]
        self.steps.append((who[rows], moments[is_change], counts[is_change]))
        self.desires.append((who, at, after))
        self.desires.append((who[~succeeded], settled_at[~succeeded], final[~succeeded]))
        self._activities.append(
            Activities.of_decision(
                decision,
                column,
                target=take(self._state.target, who),
                policy=who,
                at_seconds=at,
                from_count=before,
                to_count=after,
                settled_at_seconds=settled_at,
                succeeded=succeeded,
            )
        )

    def _needed_since(self, who: _Indices, at: _Floats) -> _Floats:
        """Return from when on datapoints still to come count: they may be late, or of long ago."""
        since = at.copy()
        for index, periods in enumerate(self.metrics.periods):
            seen = self._moments.newest[index][self._next[who] - 1]
            since = np.minimum(since, (seen + 1) * periods.period_seconds)
        return since

    def _note(
        self,
        history: AlarmHistory,
        block: Ahead,
        last: _Counts,
        state: TargetState,
        decision: TargetDecision,
    ) -> None:
        shape = block.moment.shape
        is_real = (np.arange(shape[1]) <= last[:, np.newaxis]) & self._moments.due[0][block.moment]
        seen = is_real.ravel()
        high, low = decision.alarms[0]
        history.note(
            self._moments.newest[0][block.moment[is_real]],
            block.column[seen],
            state.memories[0].datapoints[-1, seen],
            (high[seen], low[seen]),
        )
