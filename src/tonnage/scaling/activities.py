"""
Scaling activities in Application Auto Scaling's words: description, cause, status and message.

The texts are those of the guide's examples ("Scaling activities", "Manage scheduled scaling") and
of SageMaker's own on a quota ("Endpoint auto scaling: quotas"). Where no example is known, what is
said is Tonnage's, and ``docs/decisions/0021`` names it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from .alarms import AlarmState
from .attached import AttachedPolicy, StepScaling
from .causes import AlarmKind, PolicyNames, bound_cause
from .decisions import Reason, TargetDecision
from .scheduled_actions import ScheduledAction
from .targets import ScalableTarget

__all__ = [
    "INSUFFICIENT_CAPACITY",
    "ActivityStatus",
    "ActivityWords",
    "NotScaledReason",
    "activity_failed",
    "activity_in_progress",
    "activity_not_scaled",
    "activity_overridden",
    "activity_succeeded",
    "activity_unfulfilled",
    "policy_cause",
    "resource_limit_exceeded",
    "scheduled_activity",
    "target_cause",
]


class ActivityStatus(StrEnum):
    """An activity's ``StatusCode``."""

    PENDING = "Pending"
    IN_PROGRESS = "InProgress"
    SUCCESSFUL = "Successful"
    OVERRIDDEN = "Overridden"
    UNFULFILLED = "Unfulfilled"
    FAILED = "Failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class NotScaledReason:
    """Why an activity did not scale; the capacities that do not belong to the code are None."""

    code: str
    max_capacity: int | None = None
    min_capacity: int | None = None
    current_capacity: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ActivityWords:
    """What ``DescribeScalingActivities`` says of one activity."""

    description: str
    cause: str
    status_code: ActivityStatus
    status_message: str = ""
    not_scaled_reasons: tuple[NotScaledReason, ...] = ()


INSUFFICIENT_CAPACITY = (
    "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error."
    " Please retry using a different ML instance type or after some time."
)
"""SageMaker's reason when a region has no instance of the type left."""


def resource_limit_exceeded(instance_type: str, *, limit: int, in_use: int, asked_for: int) -> str:
    """Return SageMaker's reason when more instances are asked for than the account may have."""
    return (
        f"The account-level service limit '{instance_type} for endpoint usage' is {limit}"
        f" Instances, with current utilization of {in_use} Instances and a request delta of"
        f" {asked_for} Instances. Please contact AWS support to request an increase for this limit."
        " (Service: AmazonSageMaker; Status Code: 400; Error Code: ResourceLimitExceeded)"
    )


def activity_in_progress(count: int, cause: str) -> ActivityWords:
    """Return an activity that has started."""
    came = "Waiting for change to be fulfilled by sagemaker."
    return _setting(count, cause, ActivityStatus.IN_PROGRESS, came)


def activity_succeeded(count: int, cause: str) -> ActivityWords:
    """Return an activity whose capacity has settled."""
    came = "Change successfully fulfilled by sagemaker."
    return _setting(count, cause, ActivityStatus.SUCCESSFUL, came)


def activity_unfulfilled(count: int, cause: str, reason: str) -> ActivityWords:
    """Return an activity that SageMaker took on and could not carry out."""
    came = f"Change could not be fulfilled by sagemaker. Reason: {reason}"
    return _setting(count, cause, ActivityStatus.UNFULFILLED, came)


def activity_overridden(count: int, cause: str) -> ActivityWords:
    """Return an activity whose count was set again before it had settled."""
    came = "Change was overridden by a newer scaling event."
    return _setting(count, cause, ActivityStatus.OVERRIDDEN, came)


def activity_failed(count: int, cause: str, reason: str) -> ActivityWords:
    """Return an activity that failed, as when a quota or the region has no more instances."""
    return ActivityWords(
        description=_description(count),
        cause=cause,
        status_code=ActivityStatus.FAILED,
        status_message=f"Failed to set desired instance count to {count}. Reason: {reason}",
    )


def scheduled_activity(
    action: ScheduledAction, *, was_run: bool = True, index: int = 0
) -> ActivityWords:
    """Return the activity of a scheduled action that moved the bounds, or could not."""
    bounds = " and ".join(
        f"{which} capacity to {int(value[min(index, len(value) - 1)])}"
        for which, value in (("min", action.min_capacity), ("max", action.max_capacity))
        if value is not None
    )
    failed = (
        f"Failed to set {bounds}. Reason: Maximum capacity cannot be less than minimum capacity"
    )
    return ActivityWords(
        description=f"Setting {bounds}",
        cause=f"scheduled action name {action.name} was triggered",
        status_code=ActivityStatus.SUCCESSFUL if was_run else ActivityStatus.FAILED,
        status_message=f"Successfully set {bounds}" if was_run else failed,
    )


def activity_not_scaled(
    reason: Reason, cause: str, target: ScalableTarget, *, current: int, index: int = 0
) -> ActivityWords | None:
    """
    Return the activity that ``IncludeNotScaledActivities`` shows; None where AWS has no word.

    Args:
        reason: Why nothing scaled.
        cause: From ``policy_cause``.
        target: The bounds.
        current: The desired count.
        index: Which target of the arrays.
    """
    code = reason.aws_code
    if code is None:
        return None
    at_max = reason == Reason.ALREADY_AT_MAX_CAPACITY
    at_min = reason == Reason.ALREADY_AT_MIN_CAPACITY
    why = NotScaledReason(
        code=code,
        max_capacity=int(target.max_capacity[index]) if at_max else None,
        min_capacity=int(target.min_capacity[index]) if at_min else None,
        current_capacity=None if at_max or at_min else current,
    )
    return ActivityWords(
        description="Attempting to scale due to alarm triggered",
        cause=cause,
        status_code=ActivityStatus.FAILED,
        not_scaled_reasons=(why,),
    )


def policy_cause(
    decision: TargetDecision,
    policies: Sequence[AttachedPolicy],
    policy: int,
    names: PolicyNames,
    *,
    index: int = 0,
) -> str:
    """
    Return the ``Cause`` that is one policy's alarm.

    Args:
        decision: What was decided.
        policies: The target's policies.
        policy: Which of them.
        names: What the endpoint and its variant are called; the policy has its own name.
        index: Which target of the arrays.

    Raises:
        ValueError: If none of the policy's alarms is in ALARM.
    """
    own = policies[policy]
    for kind, states in zip(AlarmKind, decision.alarms[policy], strict=True):
        if states[index] == AlarmState.ALARM:
            if isinstance(own, StepScaling):
                alarm = own.alarm.name
            else:
                alarm = names.of_policy(own.name).alarm_name(kind)
            return f"monitor alarm {alarm} in state ALARM triggered policy {own.name}"
    raise ValueError("no alarm of the policy is in state ALARM: it asked for nothing")


def target_cause(
    decision: TargetDecision,
    policies: Sequence[AttachedPolicy],
    target: ScalableTarget,
    names: PolicyNames,
    *,
    index: int = 0,
) -> str:
    """
    Return the ``Cause`` of what was decided, of what was not scaled included.

    Args:
        decision: What was decided.
        policies: The target's policies.
        target: The bounds it was decided under.
        names: What the endpoint and its variant are called.
        index: Which target of the arrays.

    Raises:
        ValueError: If nothing asked for other capacity, so that there is no activity.
    """
    policy = int(decision.policy[index])
    reason = decision.reason[index]
    if policy < 0 or reason == Reason.BROUGHT_WITHIN_BOUNDS:
        return bound_cause(int(decision.desired_instance_count[index]), target, index)
    return policy_cause(decision, policies, policy, names, index=index)


def _setting(count: int, cause: str, status: ActivityStatus, came: str) -> ActivityWords:
    """Return an activity that SageMaker took on, with what came of it."""
    return ActivityWords(
        description=_description(count),
        cause=cause,
        status_code=status,
        status_message=f"Successfully set desired instance count to {count}. {came}",
    )


def _description(count: int) -> str:
    return f"Setting desired instance count to {count}."
