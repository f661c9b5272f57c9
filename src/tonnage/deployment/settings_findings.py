"""
The settings of what runs, held against those that were planned.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from tonnage.domain import ScheduledAction, StepPolicy

from .findings import Finding, equal
from .live import LiveEndpoint, LiveScaling
from .settings import InstanceVariant, Scaling, ServerlessVariant

__all__ = ["settings_findings"]


def settings_findings(
    variant: InstanceVariant | ServerlessVariant, live: LiveEndpoint
) -> Iterator[Finding]:
    """Yield each setting of a variant and of its scaling."""
    if isinstance(variant, ServerlessVariant):
        yield from _serverless(variant, live)
    else:
        yield from _instances(variant, live)
        yield from _scaled(variant.scaling, live.scaling)


def _serverless(variant: ServerlessVariant, live: LiveEndpoint) -> Iterator[Finding]:
    sizes = live.variant.get("ServerlessConfig", {})
    yield equal("MemorySizeInMB", variant.memory_size_mb, sizes.get("MemorySizeInMB"))
    yield equal("MaxConcurrency", variant.max_concurrency, sizes.get("MaxConcurrency"))
    provisioned = sizes.get("ProvisionedConcurrency")
    yield equal("ProvisionedConcurrency", variant.provisioned_concurrency, provisioned)


def _instances(variant: InstanceVariant, live: LiveEndpoint) -> Iterator[Finding]:
    yield equal("InstanceType", variant.instance_type, live.variant.get("InstanceType"))
    count, scaling = live.current_instance_count, variant.scaling
    if scaling is None:
        yield equal("CurrentInstanceCount", variant.initial_instance_count, count)
        return
    low, high = scaling.widest
    yield Finding(
        what="CurrentInstanceCount",
        planned=f"{low} to {high}",
        actual=count,
        is_drift=count is None or not low <= count <= high,
    )


def _scaled(planned: Scaling | None, actual: LiveScaling | None) -> Iterator[Finding]:
    if planned is None or actual is None:
        yield equal(
            "ScalableTarget",
            "not registered" if planned is None else "registered",
            "not registered" if actual is None else "registered",
        )
        return
    # A scheduled action moves the bounds of the target, and is meant to.
    if not planned.scheduled:
        yield equal("MinCapacity", planned.min_capacity, actual.min_capacity)
        yield equal("MaxCapacity", planned.max_capacity, actual.max_capacity)
    yield from _policies(planned, actual)
    for action in planned.scheduled:
        there = actual.scheduled.get(action.name, {})
        yield equal(
            f"scheduled action {action.name}",
            _action_shape(action),
            _live_action_shape(there) if there else "missing",
        )
    for name in sorted(set(actual.scheduled) - {each.name for each in planned.scheduled}):
        yield equal(f"scheduled action {name}", "none", "there")


def _action_shape(action: ScheduledAction) -> str:
    zone = action.timezone or "UTC"
    return f"{action.schedule} {zone}: {action.min_capacity} to {action.max_capacity}"


def _live_action_shape(there: Mapping[str, Any]) -> str:
    bounds, zone = there.get("ScalableTargetAction", {}), there.get("Timezone", "UTC")
    return f"{there['Schedule']} {zone}: {bounds.get('MinCapacity')} to {bounds.get('MaxCapacity')}"


def _policies(planned: Scaling, actual: LiveScaling) -> Iterator[Finding]:
    tracking = actual.policies.get(planned.policy_name)
    if tracking is None:
        yield equal(f"scaling policy {planned.policy_name}", "there", "missing")
    else:
        told = tracking.get("TargetTrackingScalingPolicyConfiguration", {})
        metric = told.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
        yield equal("PredefinedMetricType", planned.metric, metric)
        yield equal("TargetValue", planned.target_value, told.get("TargetValue"))
        yield equal(
            "ScaleInCooldown", planned.scale_in_cooldown_seconds, told.get("ScaleInCooldown")
        )
        yield equal(
            "ScaleOutCooldown", planned.scale_out_cooldown_seconds, told.get("ScaleOutCooldown")
        )
    for step in planned.step:
        there = actual.policies.get(step.policy_name)
        yield equal(
            f"scaling policy {step.policy_name}",
            _step_shape(step),
            _live_step_shape(there) if there else "missing",
        )
        alarms = [_live_alarm_shape(each) for each in actual.alarms.get(step.policy_name, ())]
        yield equal(f"alarm of {step.policy_name}", _alarm_shape(step), "; ".join(alarms) or "none")
    known = {planned.policy_name, *(step.policy_name for step in planned.step)}
    for name in sorted(set(actual.policies) - known):
        yield equal(f"scaling policy {name}", "none", "there")


def _step_shape(step: StepPolicy) -> dict[str, Any]:
    bounds = [
        [each.metric_interval_lower_bound, each.metric_interval_upper_bound]
        for each in step.step_adjustments
    ]
    changes = [each.scaling_adjustment for each in step.step_adjustments]
    return {
        "AdjustmentType": step.adjustment_type,
        "Cooldown": step.cooldown_seconds,
        "StepAdjustments": [[*each, change] for each, change in zip(bounds, changes, strict=True)],
    }


def _alarm_shape(step: StepPolicy) -> str:
    return (
        f"{step.metric} {step.statistic} {step.comparison} {step.threshold:g},"
        f" {step.evaluation_periods} x {step.period_seconds:g} s"
    )


def _live_alarm_shape(alarm: Mapping[str, Any]) -> str:
    """Say what an alarm watches; one by hand may be of a kind without some of this."""
    threshold, period = alarm.get("Threshold", math.nan), alarm.get("Period", math.nan)
    return (
        f"{alarm.get('MetricName')} {alarm.get('Statistic')} {alarm['ComparisonOperator']}"
        f" {threshold:g}, {alarm['EvaluationPeriods']} x {period:g} s"
    )


def _live_step_shape(policy: Any) -> dict[str, Any]:  # noqa: ANN401 (boto3's answer)
    told = policy.get("StepScalingPolicyConfiguration", {})
    return {
        "AdjustmentType": told.get("AdjustmentType"),
        "Cooldown": told.get("Cooldown"),
        "StepAdjustments": [
            [
                each.get("MetricIntervalLowerBound"),
                each.get("MetricIntervalUpperBound"),
                each["ScalingAdjustment"],
            ]
            for each in told.get("StepAdjustments", [])
        ],
    }
