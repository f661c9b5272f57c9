"""
Why capacity changes, or does not, in Application Auto Scaling's words; and whose it is.
"""

import uuid
from dataclasses import dataclass, replace
from enum import StrEnum

from .alarms import AlarmState
from .decisions import Decision, Reason
from .targets import ScalableTarget

__all__ = ["AlarmKind", "PolicyNames", "activity_cause", "bound_cause", "resource_id"]


def resource_id(endpoint_name: str, variant_name: str) -> str:
    """Return the ``ResourceId`` of a variant as a scalable target."""
    return f"endpoint/{endpoint_name}/variant/{variant_name}"


class AlarmKind(StrEnum):
    """The policy's two alarms, as AWS names them."""

    HIGH = "AlarmHigh"
    LOW = "AlarmLow"


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyNames:
    """
    What a policy and its scalable target are called.

    Attributes:
        endpoint_name: The endpoint.
        variant_name: Its production variant.
        policy_name: The policy.
    """

    endpoint_name: str
    variant_name: str
    policy_name: str

    @property
    def resource_id(self) -> str:
        """The scalable target's ``ResourceId``."""
        return resource_id(self.endpoint_name, self.variant_name)

    def of_policy(self, policy_name: str) -> "PolicyNames":
        """Return the names of another policy on the same target."""
        return replace(self, policy_name=policy_name)

    def alarm_name(self, kind: AlarmKind) -> str:
        """Return an alarm's name; AWS ends it with a random id, here the id follows the names."""
        identity = uuid.uuid5(uuid.NAMESPACE_URL, f"{self.resource_id}/{self.policy_name}/{kind}")
        return f"TargetTracking-{self.resource_id}-{kind}-{identity}"


def activity_cause(
    decision: Decision, target: ScalableTarget, names: PolicyNames, *, index: int = 0
) -> str:
    """
    Return the ``Cause`` of a scaling activity, one that was not scaled included.

    Args:
        decision: What was decided.
        target: The bounds it was decided under.
        names: What the policy is called.
        index: Which policy of the arrays.

    Raises:
        ValueError: If nothing asked for other capacity, so that there is no activity.
    """
    if decision.reason[index] == Reason.BROUGHT_WITHIN_BOUNDS:
        return bound_cause(int(decision.desired_instance_count[index]), target, index)
    for kind, states in (
        (AlarmKind.HIGH, decision.high_alarm),
        (AlarmKind.LOW, decision.low_alarm),
    ):
        if states[index] == AlarmState.ALARM:
            return (
                f"monitor alarm {names.alarm_name(kind)} in state ALARM "
                f"triggered policy {names.policy_name}"
            )
    # A decision held back by a busy endpoint still has the capacity that is out of bounds.
    return bound_cause(int(decision.desired_instance_count[index]), target, index)


def bound_cause(capacity: int, target: ScalableTarget, index: int = 0) -> str:
    """
    Return the ``Cause`` of capacity that is brought within bounds.

    Raises:
        ValueError: If it is strictly within them, so that nothing happened.
    """
    smallest, largest = int(target.min_capacity[index]), int(target.max_capacity[index])
    if capacity <= smallest:
        return f"minimum capacity was set to {smallest}"
    if capacity >= largest:
        return f"maximum capacity was set to {largest}"
    raise ValueError("no alarm is in state ALARM and no bound was crossed: nothing happened")
