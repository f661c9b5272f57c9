"""
The scaling activities of all policies, as one table.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import ScalingActivity
from tonnage.scaling import (
    AttachedPolicy,
    PolicyNames,
    ScalableTarget,
    TargetDecision,
    target_cause,
)

__all__ = ["SIMULATED", "Activities"]

_Floats = NDArray[np.float64]
_Counts = NDArray[np.int64]
_Codes = NDArray[np.int8]

SIMULATED = PolicyNames(
    endpoint_name="simulated", variant_name="AllTraffic", policy_name="TargetTracking"
)
"""What a simulated policy is called in the causes of its activities, unless it has a name."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Activities:
    """
    Every activity of every fleet, one row each, in the order of time for each fleet.

    Attributes:
        policy: ``(e,) int64``, which fleet's it is: the place in the arrays over policies.
        at_seconds: ``(e,) float64``, when it was decided.
        from_count: ``(e,) int64``, desired before.
        to_count: ``(e,) int64``, desired after.
        settled_at_seconds: ``(e,) float64``, when its last instance was in service, or gone.
        succeeded: ``(e,) bool``; False where instances could not be had.
        reason: ``(e,) int8`` of ``tonnage.scaling.Reason``.
        high_alarm: ``(e,) int8`` of ``tonnage.scaling.AlarmState``, at the decision.
        low_alarm: ``(e,) int8``, likewise.
        slot: ``(e,) int64``, which of the fleet's policies asked for it; -1 for a moved bound.
        min_capacity: ``(e,) int64``, the bound at the decision.
        max_capacity: ``(e,) int64``, likewise.
    """

    policy: _Counts
    at_seconds: _Floats
    from_count: _Counts
    to_count: _Counts
    settled_at_seconds: _Floats
    succeeded: NDArray[np.bool_]
    reason: _Codes
    high_alarm: _Codes
    low_alarm: _Codes
    slot: _Counts
    min_capacity: _Counts
    max_capacity: _Counts

    def __len__(self) -> int:
        return len(self.policy)

    @classmethod
    def empty(cls) -> Self:
        """Return no activities."""
        whole, real = np.empty(0, dtype=np.int64), np.empty(0)
        code = np.empty(0, dtype=np.int8)
        return cls(
            policy=whole,
            at_seconds=real,
            from_count=whole,
            to_count=whole,
            settled_at_seconds=real,
            succeeded=np.empty(0, dtype=np.bool_),
            reason=code,
            high_alarm=code,
            low_alarm=code,
            slot=whole,
            min_capacity=whole,
            max_capacity=whole,
        )

    @classmethod
    def of_decision(
        cls,
        decision: TargetDecision,
        column: NDArray[np.intp],
        *,
        target: ScalableTarget,
        policy: _Counts,
        at_seconds: _Floats,
        from_count: _Counts,
        to_count: _Counts,
        settled_at_seconds: _Floats,
        succeeded: NDArray[np.bool_],
    ) -> Self:
        """Return the activities that some columns of a decision start."""
        slot = decision.policy[column]
        high, low = np.zeros((2, len(column)), dtype=np.int8)
        for index, (own_high, own_low) in enumerate(decision.alarms):
            np.copyto(high, own_high[column], where=slot == index)
            np.copyto(low, own_low[column], where=slot == index)
        return cls(
            policy=policy,
            at_seconds=at_seconds,
            from_count=from_count,
            to_count=to_count,
            settled_at_seconds=settled_at_seconds,
            succeeded=succeeded,
            reason=decision.reason[column],
            high_alarm=high,
            low_alarm=low,
            slot=slot,
            min_capacity=target.min_capacity,
            max_capacity=target.max_capacity,
        )

    @classmethod
    def joined(cls, parts: list["Activities"]) -> "Activities":
        """Return the rows of all parts, by policy and then by time."""
        if not parts:
            return cls.empty()
        columns = {
            column.name: np.concatenate([getattr(part, column.name) for part in parts])
            for column in fields(cls)
        }
        order = np.lexsort((columns["at_seconds"], columns["policy"]))
        return cls(**{name: column[order] for name, column in columns.items()})

    def of(
        self, policy: int, policies: Sequence[AttachedPolicy], names: PolicyNames = SIMULATED
    ) -> tuple[ScalingActivity, ...]:
        """Return one fleet's activities, with their causes in Application Auto Scaling's words."""
        first, last = np.searchsorted(self.policy, [policy, policy + 1])
        if first == last:
            return ()
        rows = slice(first, last)
        decision = TargetDecision(
            desired_instance_count=self.to_count[rows],
            reason=self.reason[rows],
            policy=self.slot[rows],
            policy_reasons=(),
            alarms=((self.high_alarm[rows], self.low_alarm[rows]),) * len(policies),
        )
        bounds = ScalableTarget(
            min_capacity=self.min_capacity[rows], max_capacity=self.max_capacity[rows]
        )
        return tuple(
            ScalingActivity(
                at_seconds=float(self.at_seconds[row]),
                from_count=int(self.from_count[row]),
                to_count=int(self.to_count[row]),
                cause=target_cause(decision, policies, bounds, names, index=row - first),
                in_service_at_seconds=float(self.settled_at_seconds[row]),
            )
            for row in range(first, last)
        )
