"""
The settings' scaling as the calls that a client would make of AWS's APIs.
"""

from typing import Any

from tonnage.domain import ScheduledAction, StepPolicy
from tonnage.scaling import namespace_of

from .autoscaling.book import DIMENSION, NAMESPACE
from .options import EndpointOptions, ScalingOptions

__all__ = ["scheduled_action", "step_alarm", "step_policy", "target_tracking", "variant_named"]

Parameters = dict[str, Any]


def variant_named(endpoint: EndpointOptions) -> Parameters:
    """Return how Application Auto Scaling is told a variant."""
    return {
        "ServiceNamespace": NAMESPACE,
        "ResourceId": f"endpoint/{endpoint.endpoint_name}/variant/{endpoint.variant_name}",
        "ScalableDimension": DIMENSION,
    }


def target_tracking(scaling: ScalingOptions) -> Parameters:
    """Return ``PutScalingPolicy``'s parameters for the target-tracking policy."""
    return {
        "PolicyName": scaling.policy_name,
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": scaling.target_value,
            "PredefinedMetricSpecification": {"PredefinedMetricType": scaling.metric},
            "ScaleInCooldown": _whole(scaling.scale_in_cooldown_seconds),
            "ScaleOutCooldown": _whole(scaling.scale_out_cooldown_seconds),
        },
    }


def step_policy(step: StepPolicy) -> Parameters:
    """Return ``PutScalingPolicy``'s parameters for a step policy."""
    configuration = {
        "AdjustmentType": step.adjustment_type,
        "Cooldown": _whole(step.cooldown_seconds),
        "MinAdjustmentMagnitude": step.min_adjustment_magnitude,
        "StepAdjustments": [
            _given(
                MetricIntervalLowerBound=each.metric_interval_lower_bound,
                MetricIntervalUpperBound=each.metric_interval_upper_bound,
                ScalingAdjustment=each.scaling_adjustment,
            )
            for each in step.step_adjustments
        ],
    }
    return {
        "PolicyName": step.policy_name,
        "PolicyType": "StepScaling",
        "StepScalingPolicyConfiguration": _given(**configuration),
    }


def step_alarm(endpoint: EndpointOptions, step: StepPolicy, policy_arn: str) -> Parameters:
    """Return ``PutMetricAlarm``'s parameters for the alarm that calls a step policy."""
    named = {"EndpointName": endpoint.endpoint_name, "VariantName": endpoint.variant_name}
    return {
        "AlarmName": f"{endpoint.endpoint_name}-{step.policy_name}",
        "AlarmActions": [policy_arn],
        "Namespace": namespace_of(step.metric),
        "MetricName": step.metric,
        "Dimensions": [{"Name": name, "Value": value} for name, value in named.items()],
        "Statistic": step.statistic,
        "Period": _whole(step.period_seconds),
        "EvaluationPeriods": step.evaluation_periods,
        "ComparisonOperator": step.comparison,
        "Threshold": step.threshold,
        "TreatMissingData": "missing",
    }


def scheduled_action(action: ScheduledAction) -> Parameters:
    """Return ``PutScheduledAction``'s parameters."""
    bounds = _given(MinCapacity=action.min_capacity, MaxCapacity=action.max_capacity)
    return _given(
        ScheduledActionName=action.name,
        Schedule=action.schedule,
        Timezone=action.timezone,
        ScalableTargetAction=bounds,
    )


def _given(**members: object) -> Parameters:
    """Return what has a value: AWS's APIs have no null."""
    return {name: value for name, value in members.items() if value is not None}


def _whole(seconds: float) -> float:
    """Return whole seconds as AWS's integer; a fraction, which AWS cannot have, stays one."""
    return int(seconds) if seconds == int(seconds) else seconds
