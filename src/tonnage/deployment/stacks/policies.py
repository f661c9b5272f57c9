"""
How the variant scales: the scalable target, its policies, its scheduled actions.

Application Auto Scaling uses its own service-linked role, which it makes when the target is
registered: the stack needs none.
"""

from collections.abc import Iterator
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_cloudwatch, aws_sagemaker

from tonnage.deployment.settings import DeploymentOptions, InstanceVariant, Scaling
from tonnage.domain import ScheduledAction, StepPolicy
from tonnage.scaling import namespace_of

__all__ = ["scale"]

_NAMESPACE: Final = "sagemaker"
_DIMENSION: Final = "sagemaker:variant:DesiredInstanceCount"


def scale(
    stack: cdk.Stack, options: DeploymentOptions, endpoint: aws_sagemaker.CfnEndpoint
) -> autoscaling.CfnScalableTarget | None:
    """Return the variant's scalable target, with its policies; None when it does not scale."""
    variant = options.variant
    if not isinstance(variant, InstanceVariant) or variant.scaling is None:
        return None
    scaling = variant.scaling
    target = autoscaling.CfnScalableTarget(
        stack,
        "ScalableTarget",
        service_namespace=_NAMESPACE,
        scalable_dimension=_DIMENSION,
        resource_id=f"endpoint/{options.endpoint_name}/variant/{variant.variant_name}",
        min_capacity=scaling.min_capacity,
        max_capacity=scaling.max_capacity,
        scheduled_actions=[_scheduled(action) for action in scaling.scheduled] or None,
    )
    # A target is registered only for an endpoint that is in service.
    target.add_resource_dependency(endpoint)
    _target_tracking(stack, scaling, target)
    for number, policy in enumerate(scaling.step, start=1):
        _step(stack, number, policy, options, target)
    return target


def _target_tracking(
    stack: cdk.Stack, scaling: Scaling, target: autoscaling.CfnScalableTarget
) -> None:
    autoscaling.CfnScalingPolicy(
        stack,
        "TargetTracking",
        policy_name=scaling.policy_name,
        policy_type="TargetTrackingScaling",
        scaling_target_id=target.ref,
        target_tracking_scaling_policy_configuration=autoscaling.CfnScalingPolicy.TargetTrackingScalingPolicyConfigurationProperty(
            target_value=scaling.target_value,
            predefined_metric_specification=autoscaling.CfnScalingPolicy.PredefinedMetricSpecificationProperty(
                predefined_metric_type=scaling.metric
            ),
            scale_in_cooldown=scaling.scale_in_cooldown_seconds,
            scale_out_cooldown=scaling.scale_out_cooldown_seconds,
        ),
    )


def _step(
    stack: cdk.Stack,
    number: int,
    policy: StepPolicy,
    options: DeploymentOptions,
    target: autoscaling.CfnScalableTarget,
) -> None:
    resource = autoscaling.CfnScalingPolicy(
        stack,
        f"Step{number}",
        policy_name=policy.policy_name,
        policy_type="StepScaling",
        scaling_target_id=target.ref,
        step_scaling_policy_configuration=autoscaling.CfnScalingPolicy.StepScalingPolicyConfigurationProperty(
            adjustment_type=policy.adjustment_type,
            cooldown=policy.cooldown_seconds,
            min_adjustment_magnitude=policy.min_adjustment_magnitude,
            step_adjustments=list(_adjustments(policy)),
        ),
    )
    aws_cloudwatch.CfnAlarm(
        stack,
        f"Step{number}Alarm",
        alarm_name=f"{stack.stack_name}-{policy.policy_name}",
        alarm_description=f"Calls the scaling policy {policy.policy_name}",
        namespace=namespace_of(policy.metric),
        metric_name=policy.metric,
        dimensions=[
            aws_cloudwatch.CfnAlarm.DimensionProperty(name=name, value=value)
            for name, value in (
                ("EndpointName", options.endpoint_name),
                ("VariantName", options.variant.variant_name),
            )
        ],
        statistic=policy.statistic,
        period=policy.period_seconds,
        evaluation_periods=policy.evaluation_periods,
        comparison_operator=policy.comparison,
        threshold=policy.threshold,
        treat_missing_data="missing",
        alarm_actions=[resource.ref],
    )


def _adjustments(
    policy: StepPolicy,
) -> Iterator[autoscaling.CfnScalingPolicy.StepAdjustmentProperty]:
    for step in policy.step_adjustments:
        yield autoscaling.CfnScalingPolicy.StepAdjustmentProperty(
            metric_interval_lower_bound=step.metric_interval_lower_bound,
            metric_interval_upper_bound=step.metric_interval_upper_bound,
            scaling_adjustment=step.scaling_adjustment,
        )


def _scheduled(
    action: ScheduledAction,
) -> autoscaling.CfnScalableTarget.ScheduledActionProperty:
    return autoscaling.CfnScalableTarget.ScheduledActionProperty(
        scheduled_action_name=action.name,
        schedule=action.schedule,
        timezone=action.timezone,
        scalable_target_action=autoscaling.CfnScalableTarget.ScalableTargetActionProperty(
            min_capacity=action.min_capacity, max_capacity=action.max_capacity
        ),
    )
