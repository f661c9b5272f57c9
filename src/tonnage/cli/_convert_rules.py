"""
``[[scaling.step]]`` and ``[[scaling.scheduled]]`` → the words that every room shares.
"""

from tonnage.config import ScheduledSettings, Settings, StepSettings
from tonnage.domain import ScheduledAction, StepAdjustment, StepPolicy

__all__ = ["scheduled_actions", "step_policies"]


def step_policies(settings: Settings) -> tuple[StepPolicy, ...]:
    """Return the settings' step policies."""
    return tuple(map(_step_policy, settings.scaling.step))


def scheduled_actions(settings: Settings) -> tuple[ScheduledAction, ...]:
    """Return the settings' scheduled actions."""
    return tuple(map(_scheduled_action, settings.scaling.scheduled))


def _step_policy(step: StepSettings) -> StepPolicy:
    return StepPolicy(
        policy_name=step.policy_name,
        metric=step.metric,
        statistic=step.statistic,
        comparison=step.comparison,
        threshold=step.threshold,
        period_seconds=step.period_seconds,
        evaluation_periods=step.evaluation_periods,
        adjustment_type=step.adjustment_type,
        min_adjustment_magnitude=step.min_adjustment_magnitude,
        cooldown_seconds=step.cooldown_seconds,
        step_adjustments=tuple(
            StepAdjustment(
                metric_interval_lower_bound=each.metric_interval_lower_bound,
                metric_interval_upper_bound=each.metric_interval_upper_bound,
                scaling_adjustment=each.scaling_adjustment,
            )
            for each in step.step_adjustments
        ),
    )


def _scheduled_action(action: ScheduledSettings) -> ScheduledAction:
    return ScheduledAction(
        name=action.name,
        schedule=action.schedule,
        timezone=action.timezone,
        min_capacity=action.min_capacity,
        max_capacity=action.max_capacity,
    )
