"""
What is registered, put and done, as the operations tell it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tonnage.scaling import ActivityWords, PolicyNames, ScheduledAction

__all__ = ["Action", "Activity", "Policy", "Target"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """
    A scaling policy.

    Attributes:
        name: Its name.
        arn: Its ARN.
        kind: ``TargetTrackingScaling`` or ``StepScaling``.
        configuration: Its configuration, as it was put.
        created_seconds: When, on the emulator's clock.
    """

    name: str
    arn: str
    kind: str
    configuration: Mapping[str, Any]
    created_seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """
    A scheduled action.

    Attributes:
        members: As it was put, with its name and its ARN.
        schedule: When it runs and what it sets, on the wall clock.
        created_seconds: When it was put, on the emulator's clock.
    """

    members: Mapping[str, Any]
    schedule: ScheduledAction
    created_seconds: float


@dataclass(slots=True)
class Activity:
    """
    A scaling activity, or one that was not scaled.

    Attributes:
        activity_id: Its id.
        resource_id: Of its target.
        words: What AWS says of it, as it stands.
        to_count: What it asked for; None if it asked for nothing.
        started_seconds: When it began, on the emulator's clock.
        ended_seconds: When it ended; None while it is under way.
    """

    activity_id: str
    resource_id: str
    words: ActivityWords
    to_count: int | None
    started_seconds: float
    ended_seconds: float | None = None


@dataclass(slots=True)
class Target:
    """
    A scalable target.

    Attributes:
        endpoint_name: Its endpoint.
        variant_name: Its production variant.
        arn: Its ARN.
        min_capacity: As it was registered, or set by a scheduled action since.
        max_capacity: Likewise.
        role_arn: Whose name SageMaker is called in.
        suspended: ``SuspendedState``, all three members.
        created_seconds: When it was registered, on the emulator's clock.
        tags: Its tags.
        policies: Its policies, by name.
        actions: Its scheduled actions, by name.
    """

    endpoint_name: str
    variant_name: str
    arn: str
    min_capacity: int
    max_capacity: int
    role_arn: str
    suspended: Mapping[str, bool]
    created_seconds: float
    tags: dict[str, str] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    actions: dict[str, Action] = field(default_factory=dict)

    @property
    def names(self) -> PolicyNames:
        """What its endpoint and its variant are called; each policy has its own name."""
        return PolicyNames(
            endpoint_name=self.endpoint_name, variant_name=self.variant_name, policy_name=""
        )

    @property
    def resource_id(self) -> str:
        """Its ``ResourceId``."""
        return self.names.resource_id
