"""
The endpoint's stack: model, configuration, endpoint, scaling, alarms, dashboard, logs.

The endpoint has the name that ``tonnage.toml`` gives it, as the emulator's has; model and
configuration are named by CloudFormation, so that a change makes new ones and the endpoint moves
over to them by its guardrails.
"""

import math
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_logs, aws_sagemaker
from constructs import Construct

from tonnage.deployment.settings import (
    DeploymentOptions,
    Guardrails,
    InstanceVariant,
    ServerlessVariant,
)

from .acknowledging import acknowledge_endpoint
from .alarms import Alarms, alarms
from .dashboard import dashboard
from .encryption import encryption
from .model import ModelFiles, log_group_name, model
from .policies import scale

__all__ = ["EndpointStack", "tag"]

_SPARE_SECONDS: Final = 3600
_LONGEST_SECONDS: Final = 28_800


class EndpointStack(cdk.Stack):
    """One endpoint with one production variant, on instances or serverless."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        options: DeploymentOptions,
        files: ModelFiles,
        *,
        synthesizer: cdk.IStackSynthesizer | None = None,
    ) -> None:
        """
        Make the stack's resources.

        Args:
            scope: The app.
            name: The stack's name.
            options: What is deployed; checked.
            files: What is uploaded with it.
            synthesizer: How the stack's files reach AWS; None for CDK's own way.
        """
        super().__init__(
            scope,
            name,
            env=cdk.Environment(region=options.region),
            description=f"The SageMaker endpoint {options.endpoint_name}, made by Tonnage",
            synthesizer=synthesizer,
        )
        logs = aws_logs.CfnLogGroup(
            self,
            "Logs",
            log_group_name=log_group_name(options),
            retention_in_days=options.observability.log_retention_days,
        )
        key = encryption(self, options.kms_key)
        made = model(self, options, files, key)
        watched = alarms(self, options)
        configuration = aws_sagemaker.CfnEndpointConfig(
            self,
            "EndpointConfig",
            production_variants=[_production_variant(options, made)],
            kms_key_id=key.key_id,
        )
        endpoint = aws_sagemaker.CfnEndpoint(
            self,
            "Endpoint",
            endpoint_name=options.endpoint_name,
            endpoint_config_name=configuration.attr_endpoint_config_name,
            # An update keeps the instance count that scaling has come to, and the weight.
            retain_all_variant_properties=True,
            deployment_config=_deployment_config(options, watched),
        )
        # Else the endpoint would make the log group itself, with logs that never expire.
        endpoint.add_resource_dependency(logs)
        scale(self, options, endpoint)
        board = dashboard(self, options, watched)
        cdk.CfnOutput(self, "EndpointName", value=endpoint.attr_endpoint_name)
        cdk.CfnOutput(self, "VariantName", value=options.variant.variant_name)
        cdk.CfnOutput(self, "DashboardName", value=board.dashboard_name)
        tag(self, options)
        acknowledge_endpoint(self, options)


def tag(stack: cdk.Stack, options: DeploymentOptions) -> None:
    """Put the deployment's tags on everything of a stack that takes tags."""
    for key, value in options.tags.items():
        cdk.Tags.of(stack).add(key, value)


def _production_variant(
    options: DeploymentOptions, made: aws_sagemaker.CfnModel
) -> aws_sagemaker.CfnEndpointConfig.ProductionVariantProperty:
    variant = options.variant
    if isinstance(variant, ServerlessVariant):
        return aws_sagemaker.CfnEndpointConfig.ProductionVariantProperty(
            variant_name=variant.variant_name,
            model_name=made.attr_model_name,
            initial_variant_weight=variant.initial_variant_weight,
            serverless_config=aws_sagemaker.CfnEndpointConfig.ServerlessConfigProperty(
                memory_size_in_mb=variant.memory_size_mb,
                max_concurrency=variant.max_concurrency,
                provisioned_concurrency=variant.provisioned_concurrency,
            ),
        )
    return aws_sagemaker.CfnEndpointConfig.ProductionVariantProperty(
        variant_name=variant.variant_name,
        model_name=made.attr_model_name,
        instance_type=variant.instance_type,
        initial_instance_count=variant.initial_instance_count,
        initial_variant_weight=variant.initial_variant_weight,
        container_startup_health_check_timeout_in_seconds=options.model.startup_timeout_seconds,
    )


def _deployment_config(
    options: DeploymentOptions, watched: Alarms
) -> aws_sagemaker.CfnEndpoint.DeploymentConfigProperty | None:
    # Guardrails are for instances (Developer Guide, "Deployment guardrails").
    if not isinstance(options.variant, InstanceVariant):
        return None
    rails = options.guardrails
    # Callers' errors are in ModelErrors too: a bad caller must not roll a good model back.
    rollback = aws_sagemaker.CfnEndpoint.AutoRollbackConfigProperty(
        alarms=[
            aws_sagemaker.CfnEndpoint.AlarmProperty(alarm_name=alarm.alarm_name)
            for alarm in (watched.errors, watched.latency)
        ]
    )
    if rails.update == "rolling":
        return aws_sagemaker.CfnEndpoint.DeploymentConfigProperty(
            auto_rollback_configuration=rollback, rolling_update_policy=_rolling(rails)
        )
    return aws_sagemaker.CfnEndpoint.DeploymentConfigProperty(
        auto_rollback_configuration=rollback, blue_green_update_policy=_blue_green(rails)
    )


def _rolling(rails: Guardrails) -> aws_sagemaker.CfnEndpoint.RollingUpdatePolicyProperty:
    return aws_sagemaker.CfnEndpoint.RollingUpdatePolicyProperty(
        maximum_batch_size=_percent(rails.step_fraction),
        wait_interval_in_seconds=rails.wait_seconds,
        maximum_execution_timeout_in_seconds=_at_most_seconds(rails),
    )


def _blue_green(rails: Guardrails) -> aws_sagemaker.CfnEndpoint.BlueGreenUpdatePolicyProperty:
    size = _percent(rails.step_fraction)
    return aws_sagemaker.CfnEndpoint.BlueGreenUpdatePolicyProperty(
        traffic_routing_configuration=aws_sagemaker.CfnEndpoint.TrafficRoutingConfigProperty(
            type=rails.update.upper(),
            canary_size=size if rails.update == "canary" else None,
            linear_step_size=size if rails.update == "linear" else None,
            # Required even where there are no steps to wait between.
            wait_interval_in_seconds=0 if rails.update == "all_at_once" else rails.wait_seconds,
        ),
        termination_wait_in_seconds=rails.keep_old_seconds,
        maximum_execution_timeout_in_seconds=_at_most_seconds(rails),
    )


def _percent(fraction: float) -> aws_sagemaker.CfnEndpoint.CapacitySizeProperty:
    return aws_sagemaker.CfnEndpoint.CapacitySizeProperty(
        type="CAPACITY_PERCENT", value=round(fraction * 100)
    )


def _at_most_seconds(rails: Guardrails) -> float:
    """Return how long an update may take: all of its waits, and an hour to start instances."""
    waits = _waits(rails) * rails.wait_seconds + rails.keep_old_seconds
    return min(_LONGEST_SECONDS, waits + _SPARE_SECONDS)


def _waits(rails: Guardrails) -> int:
    if rails.update in {"all_at_once", "canary"}:
        return int(rails.update == "canary")
    return math.ceil(1 / rails.step_fraction)
