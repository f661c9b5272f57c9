"""
What a simulation gives back: totals for every policy, and tick by tick when asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import ScalingActivity, format_duration, format_fraction, html_table
from tonnage.scaling import AttachedPolicy, PolicyNames, ScalableTarget

from ._history import AlarmHistory
from ._stretches import Stretches
from .activities import SIMULATED, Activities

__all__ = ["Simulation", "Timeline"]

_Floats = NDArray[np.float64]
_Counts = NDArray[np.int32]

_SECONDS_PER_HOUR = 3600.0
_SHOWN_POLICIES = 10


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Timeline:
    """
    Every tick of every policy.

    Attributes:
        seconds: ``(t,) float64``, where each tick begins.
        offered: ``(t,) float64``, requests that arrive in it.
        served: ``(t, n) float64``, of those, the ones let in.
        failed: ``(t, n) float64``, the ones refused.
        queued: ``(t, n) float64``, requests at the instances, mean, in service included.
        utilisation: ``(t, n) float64``, the share of the fleet's time that is spent serving.
        latency_seconds: ``(t, n) float64``, an estimate of the 99th percentile of those let in.
        desired: ``(t, n) int32``, instances asked for.
        in_service: ``(t, n) int32``, instances taking invocations.
        pending: ``(t, n) int32``, instances on their way.
        period_end_seconds: ``(p,) float64``, the ends of the first policy's metric periods.
        metric_value: ``(p, n) float64``, its metric in each, invocations per instance mostly; NaN
            where missing.
        high_alarm: ``(p, n) int8`` of ``tonnage.scaling.AlarmState``.
        low_alarm: ``(p, n) int8``, likewise.
    """

    seconds: _Floats
    offered: _Floats
    served: _Floats
    failed: _Floats
    queued: _Floats
    utilisation: _Floats
    latency_seconds: _Floats
    desired: _Counts
    in_service: _Counts
    pending: _Counts
    period_end_seconds: _Floats
    metric_value: _Floats
    high_alarm: NDArray[np.int8]
    low_alarm: NDArray[np.int8]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Simulation:
    """
    What n policies made of the same traffic.

    Attributes:
        duration_seconds: How long the traffic lasted.
        offered: ``(n,) float64``, requests; the same for all.
        served: ``(n,) float64``, of those, let in and answered.
        failed: ``(n,) float64``, refused.
        instance_seconds: ``(n,) float64``, time in service, summed over instances.
        largest_count: ``(n,) int64``, the most instances that were ever in service.
        activities: What was scaled, when and why.
        target: The bounds at the start, one for each policy; scheduled actions move them.
        timeline: Every tick, if it was kept.
        stretches: Spans of constant instance count in service, of all policies.
        history: What the first policy's alarms saw, if the timeline was kept.
        policies: What was put on each fleet.
        has_own_names: Whether the policies were given with names of their own.
    """

    duration_seconds: float
    offered: _Floats
    served: _Floats
    failed: _Floats
    instance_seconds: _Floats
    largest_count: NDArray[np.int64]
    activities: Activities
    target: ScalableTarget
    timeline: Timeline | None
    stretches: Stretches
    history: AlarmHistory | None
    policies: Sequence[AttachedPolicy] = ()
    has_own_names: bool = False

    def __len__(self) -> int:
        return len(self.offered)

    def _repr_html_(self) -> str:
        """Return it as a notebook shows it: each policy's totals, the first ones'."""
        lasted = format_duration(self.duration_seconds)
        rows = {
            f"policy {policy + 1}" if len(self) > 1 else "the policy": (
                f"{self.offered[policy]:,.0f} requests, {self.failed[policy]:,.0f} failed"
                f" ({format_fraction(float(self.failed_fraction[policy]))}),"
                f" {self.instance_hours[policy]:.2f} instance hours,"
                f" {self.largest_count[policy]} instances at most"
            )
            for policy in range(min(len(self), _SHOWN_POLICIES))
        }
        left = len(self) - len(rows)
        notes = [f"{left} more policies"] if left else []
        return html_table(f"A simulation of {lasted}", rows, notes)

    @property
    def failed_fraction(self) -> _Floats:
        """Refused ÷ offered, ``(n,) float64``; 0 without traffic."""
        return np.divide(self.failed, self.offered, out=np.zeros(len(self)), where=self.offered > 0)

    @property
    def tick_spans(self) -> _Floats:
        """How long each tick of the timeline is, ``(t,) float64``; the last may be shorter."""
        if self.timeline is None:
            return np.empty(0)
        return np.diff(np.append(self.timeline.seconds, self.duration_seconds))

    @property
    def instance_hours(self) -> _Floats:
        """Hours in service, summed over instances, ``(n,) float64``: what is paid for."""
        return self.instance_seconds / _SECONDS_PER_HOUR

    def instances(self, policy: int = 0) -> list[tuple[float, int]]:
        """Return ``(seconds, in service)`` of a policy at the start and at each change."""
        mine = self.stretches.of_policy(policy)
        return [
            (float(at), int(count))
            for at, count in zip(mine.start_seconds, mine.count, strict=True)
        ]

    def activities_of(
        self, policy: int = 0, names: PolicyNames = SIMULATED
    ) -> tuple[ScalingActivity, ...]:
        """
        Return a policy's scaling activities with their causes.

        Args:
            policy: Which, of the arrays over policies.
            names: What the endpoint and its variant are called, and a policy without a name.
        """
        named = self.policies
        if not self.has_own_names:
            named = tuple(replace(each, name=names.policy_name) for each in self.policies)
        return self.activities.of(policy, named, names)
