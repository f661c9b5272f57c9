"""
Policies as they are put on a scalable target: each with its name, its metric and its alarms.
"""

from dataclasses import dataclass

from tonnage.domain import ConfigurationError

from .metric_alarms import MetricAlarm
from .metrics import INVOCATIONS_PER_INSTANCE, TrackedMetric
from .policies import TargetTrackingPolicy
from .step_policies import StepScalingPolicy

__all__ = ["AttachedPolicy", "StepScaling", "TargetTracking"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TargetTracking:
    """
    A target tracking policy on a metric.

    Attributes:
        policy: What the user sets.
        metric: What it follows; it says when the policy's own alarms fire.
        name: The policy's name.
    """

    policy: TargetTrackingPolicy
    metric: TrackedMetric = INVOCATIONS_PER_INSTANCE
    name: str = "TargetTracking"

    @property
    def period_seconds(self) -> float:
        """How often the policy is evaluated, and what one of its datapoints covers."""
        return self.metric.rule.period_seconds

    @property
    def kept_datapoints(self) -> int:
        """How many datapoints its alarms look at."""
        return self.metric.rule.kept_datapoints

    @property
    def metric_name(self) -> str:
        """The CloudWatch metric."""
        return self.metric.name


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class StepScaling:
    """
    A step scaling policy and the alarm that acts on it.

    A policy that two alarms act on is two of these.

    Attributes:
        policy: What the user sets.
        alarm: What triggers it.
        name: The policy's name.
    """

    policy: StepScalingPolicy
    alarm: MetricAlarm
    name: str = "StepScaling"

    def __post_init__(self) -> None:
        count = self.policy.aggregated_datapoints
        if count is not None and count > self.alarm.kept_datapoints:
            raise ConfigurationError(
                f"aggregated_datapoints must be at most what the alarm looks at"
                f" ({self.alarm.kept_datapoints}), not {count}"
            )

    @property
    def period_seconds(self) -> float:
        """How often the policy is evaluated, and what one of its datapoints covers."""
        return self.alarm.period_seconds

    @property
    def kept_datapoints(self) -> int:
        """How many datapoints its alarm looks at."""
        return self.alarm.kept_datapoints

    @property
    def metric_name(self) -> str:
        """The CloudWatch metric."""
        return self.alarm.metric_name


AttachedPolicy = TargetTracking | StepScaling
"""Any policy on a scalable target."""
