"""
Each policy from one scaling activity to the next.

Between two activities nothing about a policy changes but its datapoints, and those follow from the
traffic alone. So a round shows ``decide`` a block of future periods of every policy at once, each
period as if it were a policy of its own; the first that acts is real, what was shown after it was
not. A month of a quiet policy takes a few rounds instead of 43,200 evaluations.
"""

from dataclasses import dataclass, field, fields, replace

import numpy as np
from numpy.typing import NDArray

from tonnage.scaling import (
    TARGET_TRACKING,
    Decision,
    Observation,
    ScalableTarget,
    ScalingState,
    TargetTrackingPolicy,
    decide,
    scaling_failed,
    scaling_succeeded,
)

from ._changes import Changes
from ._periods import Periods
from .activities import Activities
from .provisioning import Launches

__all__ = ["AlarmHistory", "Fleets", "Walk"]

_Floats = NDArray[np.float64]
_Counts = NDArray[np.int64]
_Indices = NDArray[np.intp]

_RULE = TARGET_TRACKING
_KEPT = _RULE.kept_datapoints
_COLUMNS = 16_384
"""How many periods a round looks at, over all policies: what numpy does well in one go."""
_LEAST_AHEAD, _MOST_AHEAD = 16, 2048


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Fleets:
    """
    What the walk needs to know of each policy's fleet, as arrays.

    Attributes:
        launches: When new instances are in service.
        initial: ``(n,) int64``, instances at the start.
        available: ``(n,) int64``, instances that are to be had.
        metric_delay_seconds: From the end of a period to its evaluation.
        drain_seconds: From a scale-in to the end of its update.
    """

    launches: Launches
    initial: _Counts
    available: _Counts
    metric_delay_seconds: float
    drain_seconds: float


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class AlarmHistory:
    """
    What was seen at the end of each period.

    Attributes:
        metric_value: ``(p, n) float64``, NaN where missing.
        high: ``(p, n) int8`` of ``AlarmState``.
        low: ``(p, n) int8``, likewise.
    """

    metric_value: _Floats
    high: NDArray[np.int8]
    low: NDArray[np.int8]


@dataclass(eq=False)
class Walk:
    """
    All policies on their way through the trace.

    Attributes:
        policy: The policies.
        target: Their bounds, each ``(n,)``.
        fleets: Their fleets.
        periods: The traffic.
        keep_history: Whether to keep what the alarms saw.
    """

    policy: TargetTrackingPolicy
    target: ScalableTarget
    fleets: Fleets
    periods: Periods
    keep_history: bool
    steps: list[tuple[_Counts, _Floats, _Counts]] = field(default_factory=list)
    desires: list[tuple[_Counts, _Floats, _Counts]] = field(default_factory=list)
    history: AlarmHistory | None = None
    _activities: list[Activities] = field(default_factory=list)

    def __post_init__(self) -> None:
        count = len(self.fleets.initial)
        self._state = ScalingState.initial(count)
        self._next = np.zeros(count, dtype=np.int64)
        self._count = self.fleets.initial.copy()
        self._changes = Changes.none(self._count)
        self._settled_at = np.full(count, -np.inf)
        self._ordinal = np.zeros(count, dtype=np.int64)
        if self.keep_history:
            shape = (len(self.periods), count)
            codes = np.zeros((2, *shape), dtype=np.int8)
            self.history = AlarmHistory(
                metric_value=np.full(shape, np.nan), high=codes[0], low=codes[1]
            )

    def run(self) -> Activities:
        """Walk every policy to the end of the trace and return what it did on the way."""
        ahead = 64
        while (active := np.flatnonzero(self._next < len(self.periods))).size:
            most = max(_LEAST_AHEAD, _COLUMNS // active.size)
            ahead = min(max(_LEAST_AHEAD, ahead), most, _MOST_AHEAD)
            # Looking twice as far as the last steps went wastes about half of what is looked at.
            ahead = 2 * int(self._round(active, ahead))
        return Activities.joined(self._activities)

    def _round(self, active: _Indices, ahead: int) -> float:
        """Take each active policy to its next activity or ``ahead`` periods on; say how far."""
        period = self._next[active, np.newaxis] + np.arange(ahead)
        is_there = period < len(self.periods)
        period = np.minimum(period, len(self.periods) - 1)
        metric = self._metric(active, period)
        windows = np.lib.stride_tricks.sliding_window_view(
            np.concatenate((self._state.datapoints[1:, active].T, metric), axis=1), _KEPT, axis=1
        )
        now = (period + 1) * self.periods.period_seconds + self.fleets.metric_delay_seconds
        state, decision = self._decide(active, windows, now)
        acts = decision.acts.reshape(period.shape) & is_there
        acts &= now < self.periods.profile.duration_seconds
        has_acted: NDArray[np.bool_] = np.asarray(acts.any(axis=1))
        first = np.where(has_acted, acts.argmax(axis=1), ahead - 1)
        last = np.minimum(first, is_there.sum(axis=1) - 1)
        if self.history is not None:
            self._note(self.history, active, period, last, metric, decision)
        rows = np.arange(active.size)
        self._state = self._state_after(
            active, windows[rows, last], state, has_acted, rows * ahead + last
        )
        self._next[active] += last + 1
        if has_acted.any():
            who = rows[has_acted]
            self._act(active[who], now[who, last[who]], decision, who * ahead + last[who])
        return float((last + 1).mean())

    def _metric(self, active: _Indices, period: _Counts) -> _Floats:
        """Return invocations per instance of some policies' periods: each counts 1 ÷ in service."""
        low, high = self.periods.arrivals[period], self.periods.arrivals[period + 1]
        total = self._changes.per_instance(active, low, high)
        return np.where(self.periods.is_missing[period], np.nan, total)

    def _decide(
        self, active: _Indices, windows: _Floats, now: _Floats
    ) -> tuple[ScalingState, Decision]:
        ahead = now.shape[1]
        column = np.repeat(active, ahead)
        count = self._count[column]
        observation = Observation(
            metric_value=windows[:, :, -1].ravel(),
            desired_instance_count=count,
            in_service_instance_count=count,
            # At the very moment an update ends the scaler still sees it: its timer was set first.
            is_updating=(now <= self._settled_at[active, np.newaxis]).ravel(),
        )
        state = ScalingState(
            datapoints=np.ascontiguousarray(windows.transpose(2, 0, 1)).reshape(_KEPT, -1),
            **{name: getattr(self._state, name)[column] for name in _MEMORY},
        )
        policy = TargetTrackingPolicy(
            **{item.name: getattr(self.policy, item.name)[column] for item in fields(self.policy)}
        )
        target = ScalableTarget(
            min_capacity=self.target.min_capacity[column],
            max_capacity=self.target.max_capacity[column],
        )
        return decide(policy, target, state, observation, now.ravel(), _RULE)

    def _state_after(
        self,
        active: _Indices,
        datapoints: _Floats,
        state: ScalingState,
        has_acted: NDArray[np.bool_],
        column: _Counts,
    ) -> ScalingState:
        kept = self._state.datapoints.copy()
        kept[:, active] = datapoints.T
        if not has_acted.any():
            return replace(self._state, datapoints=kept)
        fresh = {}
        for name in _MEMORY:
            values = getattr(self._state, name).copy()
            values[active[has_acted]] = getattr(state, name)[column[has_acted]]
            fresh[name] = values
        return ScalingState(datapoints=kept, **fresh)

    def _act(self, who: _Indices, at: _Floats, decision: Decision, column: _Counts) -> None:
        """Start the activities of some policies, and foresee how each will end."""
        before, after = self._count[who], decision.desired_instance_count[column]
        final = np.where(
            after > before, np.minimum(after, np.maximum(self.fleets.available[who], before)), after
        )
        moments, counts, settled_at = self._carry_out(who, at, before, after, final)
        succeeded, is_change = final == after, np.isfinite(moments)
        arrivals = np.where(is_change, self.periods.profile.arrivals_by(moments), np.inf)
        # A datapoint that comes late may be of a period in which the last change still counts.
        self._changes.replace(
            who, moments, arrivals, counts, since=at - self.fleets.metric_delay_seconds
        )
        self._count[who] = final
        self._settled_at[who] = settled_at
        mask = np.zeros(len(self._count), dtype=np.bool_)
        mask[who[succeeded]] = True
        self._state = scaling_succeeded(self._state, self._settled_at, which=mask)
        mask[:] = False
        mask[who[~succeeded]] = True
        self._state = scaling_failed(self._state, which=mask)
        rows = np.nonzero(is_change)[0]
        self.steps.append((who[rows], moments[is_change], counts[is_change]))
        self.desires.append((who, at, after))
        self.desires.append((who[~succeeded], settled_at[~succeeded], final[~succeeded]))
        self._activities.append(
            Activities(
                policy=who,
                at_seconds=at,
                from_count=before,
                to_count=after,
                settled_at_seconds=settled_at,
                succeeded=succeeded,
                reason=decision.reason[column],
                high_alarm=decision.high_alarm[column],
                low_alarm=decision.low_alarm[column],
            )
        )

    def _carry_out(
        self, who: _Indices, at: _Floats, before: _Counts, after: _Counts, final: _Counts
    ) -> tuple[_Floats, _Counts, _Floats]:
        """
        Return when the in-service counts change, to what, and when it is all over.

        Both are ``(w, m)``; moments are padded with inf.
        """
        is_out = after > before
        ordinal = self._ordinal[who]
        self._ordinal[who] += is_out
        launches = self.fleets.launches
        if launches.is_certain:
            delay = np.asarray(launches.delay)[who]
            moments = np.where(final == before, np.inf, at + np.where(is_out, delay, 0.0))
            settled_at = at + np.where(is_out, delay, self.fleets.drain_seconds)
            return moments[:, np.newaxis], final[:, np.newaxis], settled_at
        width = int(np.where(is_out, final - before, 1).max(initial=1))
        moments = np.full((len(who), max(1, width)), np.inf)
        counts = np.repeat(final[:, np.newaxis], moments.shape[1], axis=1)
        settled_at = at + self.fleets.drain_seconds
        moments[~is_out, 0] = at[~is_out]
        for row in np.flatnonzero(is_out):
            wanted, got = int(after[row] - before[row]), int(final[row] - before[row])
            done = at[row] + launches.after_seconds(int(who[row]), int(ordinal[row]), wanted)
            moments[row, :got] = done[:got]
            counts[row, :got] = before[row] + np.arange(1, got + 1)
            settled_at[row] = done[-1]
        return moments, counts, settled_at

    def _note(
        self,
        history: AlarmHistory,
        active: _Indices,
        period: _Counts,
        last: _Counts,
        metric: _Floats,
        decision: Decision,
    ) -> None:
        is_real = np.arange(period.shape[1]) <= last[:, np.newaxis]
        rows = period[is_real], np.repeat(active, last + 1)
        history.metric_value[rows] = metric[is_real]
        history.high[rows] = decision.high_alarm.reshape(period.shape)[is_real]
        history.low[rows] = decision.low_alarm.reshape(period.shape)[is_real]


_MEMORY = tuple(item.name for item in fields(ScalingState) if item.name != "datapoints")
