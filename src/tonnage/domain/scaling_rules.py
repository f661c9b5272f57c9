"""
What stands beside a target-tracking policy, as its owner writes it: steps, and a timetable.

Plain values in Application Auto Scaling's and CloudWatch's words. The emulator puts them by AWS's
API, the planner weighs them by the scaling law, the deployment writes them into a template.
"""

from dataclasses import dataclass

__all__ = ["ScheduledAction", "StepAdjustment", "StepPolicy"]


@dataclass(frozen=True, kw_only=True, slots=True)
class StepAdjustment:
    """
    What a step policy does while the metric is so far from the alarm's threshold.

    Attributes:
        metric_interval_lower_bound: From here on, inclusive; None for minus infinity.
        metric_interval_upper_bound: To here, exclusive; None for infinity.
        scaling_adjustment: By how much, in the unit of the policy's adjustment type.
    """

    metric_interval_lower_bound: float | None = None
    metric_interval_upper_bound: float | None = None
    scaling_adjustment: int


@dataclass(frozen=True, kw_only=True, slots=True)
class StepPolicy:
    """
    A step policy and the alarm that calls it.

    Attributes:
        policy_name: The policy's name.
        metric: The CloudWatch metric that the alarm watches.
        statistic: What a datapoint is of a period's samples.
        comparison: How a datapoint breaches the threshold.
        threshold: The alarm's.
        period_seconds: What a datapoint covers.
        evaluation_periods: How many in a row must breach.
        adjustment_type: What a step's number means.
        min_adjustment_magnitude: The least change of a percentage.
        cooldown_seconds: After an activity, until the next that is not larger.
        step_adjustments: What to do, by how far the metric is beyond the threshold.
    """

    policy_name: str
    metric: str = "InvocationsPerInstance"
    statistic: str = "Sum"
    comparison: str = "GreaterThanOrEqualToThreshold"
    threshold: float
    period_seconds: float = 60.0
    evaluation_periods: int = 1
    adjustment_type: str = "ChangeInCapacity"
    min_adjustment_magnitude: int | None = None
    cooldown_seconds: float = 300.0
    step_adjustments: tuple[StepAdjustment, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduledAction:
    """
    New bounds of the scalable target at a time of the wall clock.

    Attributes:
        name: The action's name.
        schedule: When, as AWS writes it: ``cron(…)``, ``at(…)`` or ``rate(…)``.
        timezone: Whose hours those are; None for UTC.
        min_capacity: The least instances from then on; None leaves it.
        max_capacity: The most; None leaves it.
    """

    name: str
    schedule: str
    timezone: str | None = None
    min_capacity: int | None = None
    max_capacity: int | None = None
