"""
The alarms that a target's tracking policies own, as CloudWatch shows them.

The law evaluates them with its own datapoints; here they are put, told their state, and deleted.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tonnage.emulator.cloudwatch import CloudWatch, alarm_members, state_reason
from tonnage.scaling import (
    AlarmKind,
    AlarmState,
    PolicyMemory,
    TargetDecision,
    TargetTracking,
)

from .attaching import Attached
from .records import Target

__all__ = ["OwnedAlarms"]


class OwnedAlarms:
    """
    Two alarms for each target tracking policy of a target.

    Args:
        target: The target.
        cloudwatch: Where they are.
    """

    def __init__(self, target: Target, cloudwatch: CloudWatch) -> None:
        self._target = target
        self._cloudwatch = cloudwatch
        self._names: set[str] = set()

    def put(self, attached: Sequence[Attached]) -> None:
        """Let there be the alarms of these policies, and no others of the target."""
        alarms = self._cloudwatch.alarms
        wanted = {
            members["AlarmName"]: (members, policy.policy.arn)
            for policy in attached
            if isinstance(policy.law, TargetTracking)
            for members in _members(policy, policy.law, self._target).values()
        }
        alarms.delete(self._names - wanted.keys())
        for name, (members, arn) in wanted.items():
            known = alarms.get(name)
            complete = alarm_members(members)
            if known is None or known.members != complete:
                alarms.put(complete, owner=arn)
        self._names = set(wanted)

    def forget(self) -> None:
        """Delete them."""
        self._cloudwatch.alarms.delete(self._names)
        self._names = set()

    def note(
        self,
        attached: Sequence[Attached],
        memories: Sequence[PolicyMemory],
        decision: TargetDecision,
    ) -> None:
        """Show the states that a decision was made in."""
        for policy, both, memory in zip(attached, decision.alarms, memories, strict=True):
            if not isinstance(policy.law, TargetTracking):
                continue
            names = self._target.names.of_policy(policy.law.name)
            for kind, states in zip(AlarmKind, both, strict=True):
                alarm = self._cloudwatch.alarms.get(names.alarm_name(kind))
                state = AlarmState(int(states[0])).name
                if alarm is not None and state != alarm.state:
                    members = alarm.members
                    reason = state_reason(
                        state,
                        members["ComparisonOperator"],
                        members["Threshold"],
                        self._shown(policy, memory),
                        members["EvaluationPeriods"],
                    )
                    self._cloudwatch.alarms.set_state(alarm, state, reason)

    def _shown(self, policy: Attached, memory: PolicyMemory) -> list[tuple[float, float]]:
        """Return the datapoints that a policy remembers, with the wall clock's time of each."""
        store, period = self._cloudwatch.store, policy.law.period_seconds
        newest = store.newest_period(period, store.wall.clock.now_seconds())
        values = [float(row[0]) for row in memory.datapoints]
        first = newest - len(values) + 1
        return [
            (store.wall.epoch_of((first + index) * period), value)
            for index, value in enumerate(values)
            if not math.isnan(value)
        ]


def _members(
    attached: Attached, law: TargetTracking, target: Target
) -> dict[AlarmKind, dict[str, Any]]:
    """Return the members of the two alarms that a policy owns."""
    rule, value = law.metric.rule, float(law.policy.target_value[0])
    names = target.names.of_policy(law.name)
    arn = attached.policy.arn
    low_period = rule.period_seconds * rule.low_periods_per_datapoint
    sides: Mapping[AlarmKind, tuple[str, float, int, float]] = {
        AlarmKind.HIGH: ("GreaterThanThreshold", value, rule.high_datapoints, rule.period_seconds),
        AlarmKind.LOW: (
            "LessThanThreshold",
            value * rule.low_ratio,
            rule.low_datapoints,
            low_period,
        ),
    }
    return {
        kind: {
            "AlarmName": names.alarm_name(kind),
            "AlarmDescription": f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {arn}.",
            "AlarmActions": [arn],
            "ComparisonOperator": operator,
            "Threshold": threshold,
            "EvaluationPeriods": count,
            **({} if "Metrics" in attached.metric else {"Period": int(period)}),
            **attached.metric,
        }
        for kind, (operator, threshold, count, period) in sides.items()
    }
