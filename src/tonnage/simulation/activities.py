"""
The scaling activities of all policies, as one table.
"""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import ScalingActivity
from tonnage.scaling import Decision, PolicyNames, ScalableTarget, activity_cause

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
    Every activity of every policy, one row each, in the order of time for each policy.

    Attributes:
        policy: ``(e,) int64``, whose it is.
        at_seconds: ``(e,) float64``, when it was decided.
        from_count: ``(e,) int64``, desired before.
        to_count: ``(e,) int64``, desired after.
        settled_at_seconds: ``(e,) float64``, when its last instance was in service, or gone.
        succeeded: ``(e,) bool``; False where instances could not be had.
        reason: ``(e,) int8`` of ``tonnage.scaling.Reason``.
        high_alarm: ``(e,) int8`` of ``tonnage.scaling.AlarmState``, at the decision.
        low_alarm: ``(e,) int8``, likewise.
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
        self, policy: int, target: ScalableTarget, names: PolicyNames = SIMULATED
    ) -> tuple[ScalingActivity, ...]:
        """Return one policy's activities, with their causes in Application Auto Scaling's words."""
        first, last = np.searchsorted(self.policy, [policy, policy + 1])
        if first == last:
            return ()
        decision = Decision(
            desired_instance_count=self.to_count[first:last],
            reason=self.reason[first:last],
            high_alarm=self.high_alarm[first:last],
            low_alarm=self.low_alarm[first:last],
        )
        bounds = ScalableTarget.of(
            min_capacity=np.repeat(target.min_capacity[policy], last - first),
            max_capacity=np.repeat(target.max_capacity[policy], last - first),
        )
        return tuple(
            ScalingActivity(
                at_seconds=float(self.at_seconds[row]),
                from_count=int(self.from_count[row]),
                to_count=int(self.to_count[row]),
                cause=activity_cause(decision, bounds, names, index=row - first),
                in_service_at_seconds=float(self.settled_at_seconds[row]),
            )
            for row in range(first, last)
        )
