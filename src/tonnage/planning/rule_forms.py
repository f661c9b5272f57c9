"""
Steps and timetables in their other forms: the scaling law's own, and that of ``tonnage.toml``.
"""

from typing import Any

from tonnage import scaling as law
from tonnage.domain import ConfigurationError, ScheduledAction, StepAdjustment, StepPolicy

__all__ = ["action_settings", "law_action", "law_steps", "step_settings"]


def law_action(action: ScheduledAction) -> law.ScheduledAction:
    """
    Return a scheduled action in the scaling law's own form.

    Raises:
        ConfigurationError: If AWS would refuse it.
    """
    return law.ScheduledAction.of(
        action.name,
        action.schedule,
        timezone=action.timezone or "UTC",
        min_capacity=action.min_capacity,
        max_capacity=action.max_capacity,
    )


def law_steps(policy: StepPolicy) -> law.StepScaling:
    """
    Return a step policy and its alarm in the scaling law's own form.

    Raises:
        ConfigurationError: If AWS would refuse it.
    """
    return law.StepScaling(
        name=policy.policy_name,
        policy=law.StepScalingPolicy.of(
            adjustment_type=law.AdjustmentType(policy.adjustment_type),
            steps=[
                law.StepAdjustment(
                    scaling_adjustment=step.scaling_adjustment,
                    lower_bound=step.metric_interval_lower_bound,
                    upper_bound=step.metric_interval_upper_bound,
                )
                for step in policy.step_adjustments
            ],
            cooldown_seconds=policy.cooldown_seconds,
            min_adjustment_magnitude=policy.min_adjustment_magnitude or 0,
        ),
        alarm=law.MetricAlarm.of(
            threshold=policy.threshold,
            name=f"{policy.policy_name}-alarm",
            comparison_operator=law.ComparisonOperator(policy.comparison),
            metric_name=policy.metric,
            statistic=_statistic(policy.statistic, policy.policy_name),
            period_seconds=policy.period_seconds,
            evaluation_periods=policy.evaluation_periods,
        ),
    )


def action_settings(action: ScheduledAction) -> dict[str, Any]:
    """Return a scheduled action as ``tonnage.toml`` has it."""
    return _given(
        name=action.name,
        schedule=action.schedule,
        timezone=action.timezone,
        min_capacity=action.min_capacity,
        max_capacity=action.max_capacity,
    )


def step_settings(policy: StepPolicy) -> dict[str, Any]:
    """Return a step policy as ``tonnage.toml`` has it."""
    return _given(
        policy_name=policy.policy_name,
        metric=policy.metric,
        statistic=policy.statistic,
        comparison=policy.comparison,
        threshold=policy.threshold,
        period=f"{policy.period_seconds:g}s",
        evaluation_periods=policy.evaluation_periods,
        adjustment_type=policy.adjustment_type,
        min_adjustment_magnitude=policy.min_adjustment_magnitude,
        cooldown=f"{policy.cooldown_seconds:g}s",
        step_adjustments=[_adjustment_settings(step) for step in policy.step_adjustments],
    )


def _adjustment_settings(step: StepAdjustment) -> dict[str, Any]:
    return _given(
        metric_interval_lower_bound=step.metric_interval_lower_bound,
        metric_interval_upper_bound=step.metric_interval_upper_bound,
        scaling_adjustment=step.scaling_adjustment,
    )


def _statistic(name: str, policy: str) -> law.Statistic:
    try:
        return law.Statistic(name)
    except ValueError:
        known = ", ".join(law.Statistic)
        raise ConfigurationError(
            f"the step policy {policy!r} has the statistic {name!r}", hint=f"known are {known}"
        ) from None


def _given(**values: object) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
