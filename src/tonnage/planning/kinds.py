"""
What a policy may have beside its numbers: another metric, steps of its own, a schedule.

In the words of ``tonnage.toml``: ``[scaling] metric``, ``[[scaling.step]]``,
``[[scaling.scheduled]]``. A kind is the same for many policies, so that they are simulated at once.
"""

from dataclasses import dataclass
from typing import Any, Final

from tonnage.domain import ConfigurationError
from tonnage.scaling import (
    PREDEFINED_METRICS,
    AdjustmentType,
    AttachedPolicy,
    ComparisonOperator,
    MetricAlarm,
    ScalableTarget,
    ScheduledAction,
    Statistic,
    StepAdjustment,
    StepScaling,
    StepScalingPolicy,
    TargetState,
    TargetTracking,
    TargetTrackingPolicy,
    apply_scheduled_action,
    scheduled_runs,
)

__all__ = [
    "CONCURRENCY",
    "INVOCATIONS",
    "PLAIN",
    "PlannedAction",
    "PlannedStep",
    "PlannedSteps",
    "PolicyKind",
]

INVOCATIONS: Final = "SageMakerVariantInvocationsPerInstance"
CONCURRENCY: Final = "SageMakerVariantConcurrentRequestsPerModelHighResolution"
_WEEK_SECONDS: Final = 7 * 86_400.0


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedAction:
    """
    A ``[[scaling.scheduled]]``: new bounds at a time.

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

    def action(self) -> ScheduledAction:
        """Return the scaling law's own form."""
        return ScheduledAction.of(
            self.name,
            self.schedule,
            timezone=self.timezone or "UTC",
            min_capacity=self.min_capacity,
            max_capacity=self.max_capacity,
        )

    def settings(self) -> dict[str, Any]:
        """Return it as ``tonnage.toml`` has it."""
        return _given(
            name=self.name,
            schedule=self.schedule,
            timezone=self.timezone,
            min_capacity=self.min_capacity,
            max_capacity=self.max_capacity,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedStep:
    """
    One step of a policy.

    Attributes:
        scaling_adjustment: What to do, in the policy's adjustment type.
        lower_bound: From how far beyond the threshold; None for no bound.
        upper_bound: Up to how far; None for no bound.
    """

    scaling_adjustment: int
    lower_bound: float | None = None
    upper_bound: float | None = None

    def settings(self) -> dict[str, Any]:
        """Return it as ``tonnage.toml`` has it."""
        return _given(
            metric_interval_lower_bound=self.lower_bound,
            metric_interval_upper_bound=self.upper_bound,
            scaling_adjustment=self.scaling_adjustment,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedSteps:
    """
    A ``[[scaling.step]]``: a step policy and the alarm that calls it.

    Attributes:
        policy_name: The policy's name.
        threshold: The alarm's.
        steps: What to do, by how far the metric is beyond it.
        metric: The CloudWatch metric.
        statistic: What a datapoint is of a period's samples.
        comparison: How a datapoint breaches the threshold.
        period_seconds: What a datapoint covers.
        evaluation_periods: How many in a row must breach.
        adjustment_type: What a step's number means.
        min_adjustment_magnitude: The least change of a percentage.
        cooldown_seconds: After an activity, until the next that is not larger.
    """

    policy_name: str
    threshold: float
    steps: tuple[PlannedStep, ...]
    metric: str = "InvocationsPerInstance"
    statistic: str = "Sum"
    comparison: str = "GreaterThanOrEqualToThreshold"
    period_seconds: float = 60.0
    evaluation_periods: int = 1
    adjustment_type: str = "ChangeInCapacity"
    min_adjustment_magnitude: int | None = None
    cooldown_seconds: float = 300.0

    def attached(self) -> StepScaling:
        """
        Return the scaling law's own form.

        Raises:
            ConfigurationError: If AWS would refuse it.
        """
        return StepScaling(
            name=self.policy_name,
            policy=StepScalingPolicy.of(
                adjustment_type=AdjustmentType(self.adjustment_type),
                steps=[
                    StepAdjustment(
                        scaling_adjustment=step.scaling_adjustment,
                        lower_bound=step.lower_bound,
                        upper_bound=step.upper_bound,
                    )
                    for step in self.steps
                ],
                cooldown_seconds=self.cooldown_seconds,
                min_adjustment_magnitude=self.min_adjustment_magnitude or 0,
            ),
            alarm=MetricAlarm.of(
                threshold=self.threshold,
                name=f"{self.policy_name}-alarm",
                comparison_operator=ComparisonOperator(self.comparison),
                metric_name=self.metric,
                statistic=_statistic(self.statistic, self.policy_name),
                period_seconds=self.period_seconds,
                evaluation_periods=self.evaluation_periods,
            ),
        )

    def settings(self) -> dict[str, Any]:
        """Return it as ``tonnage.toml`` has it."""
        return _given(
            policy_name=self.policy_name,
            metric=self.metric,
            statistic=self.statistic,
            comparison=self.comparison,
            threshold=self.threshold,
            period=f"{self.period_seconds:g}s",
            evaluation_periods=self.evaluation_periods,
            adjustment_type=self.adjustment_type,
            min_adjustment_magnitude=self.min_adjustment_magnitude,
            cooldown=f"{self.cooldown_seconds:g}s",
            step_adjustments=[step.settings() for step in self.steps],
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyKind:
    """
    What the policies of a group share.

    Attributes:
        metric: What their target tracking follows, AWS's ``PredefinedMetricType``.
        steps: Step policies beside it.
        scheduled: What moves their bounds.
    """

    metric: str = INVOCATIONS
    steps: tuple[PlannedSteps, ...] = ()
    scheduled: tuple[PlannedAction, ...] = ()

    @property
    def is_high_resolution(self) -> bool:
        """Whether it follows requests in flight every 10 s."""
        return self.metric == CONCURRENCY

    def attached(
        self, policy: TargetTrackingPolicy, name: str = "TargetTracking"
    ) -> tuple[AttachedPolicy, ...]:
        """Return all policies of a scalable target, the target tracking one first."""
        tracking = TargetTracking(policy=policy, metric=PREDEFINED_METRICS[self.metric], name=name)
        return (tracking, *(steps.attached() for steps in self.steps))

    def actions(self) -> tuple[ScheduledAction, ...]:
        """Return the scheduled actions in the scaling law's own form."""
        return tuple(action.action() for action in self.scheduled)

    def bounds_at(self, target: ScalableTarget, seconds: float) -> ScalableTarget:
        """Return the bounds as the schedule of the week before a moment has left them."""
        if not self.scheduled:
            return target
        state = TargetState.initial(target)
        for _, action in scheduled_runs(self.actions(), seconds - _WEEK_SECONDS, seconds):
            state, _ = apply_scheduled_action(state, action)
        return state.target

    def settings(self) -> dict[str, Any]:
        """Return its keys of ``[scaling]``; lists only where there is something in them."""
        lists = {
            "step": [steps.settings() for steps in self.steps],
            "scheduled": [action.settings() for action in self.scheduled],
        }
        return {"metric": self.metric, **{name: rows for name, rows in lists.items() if rows}}


PLAIN: Final = PolicyKind()
"""Target tracking on invocations, and nothing beside it."""


def _statistic(name: str, policy: str) -> Statistic:
    try:
        return Statistic(name)
    except ValueError:
        known = ", ".join(Statistic)
        raise ConfigurationError(
            f"the step policy {policy!r} has the statistic {name!r}", hint=f"known are {known}"
        ) from None


def _given(**values: object) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
