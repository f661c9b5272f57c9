"""
The variant's metrics as CloudWatch has them.
"""

from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from tonnage.deployment.settings import DeploymentOptions

__all__ = ["MICROSECONDS", "in_service", "metric"]

MICROSECONDS: Final = 1_000_000
"""Of a second: the unit of latencies."""

_MINUTE: Final = cdk.Duration.minutes(1)


def metric(
    options: DeploymentOptions, name: str, statistic: str, namespace: str = "AWS/SageMaker"
) -> cloudwatch.Metric:
    """Return a metric of the variant, by the minute."""
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map={
            "EndpointName": options.endpoint_name,
            "VariantName": options.variant.variant_name,
        },
        statistic=statistic,
        period=_MINUTE,
    )


def in_service(options: DeploymentOptions) -> cloudwatch.MathExpression:
    """
    Return the instances in service, which no metric counts.

    Each invocation adds 1 to one metric and 1 ÷ (instances in service) to the other.
    """
    return cloudwatch.MathExpression(
        expression="invocations / per_instance",
        using_metrics={
            "invocations": metric(options, "Invocations", "Sum"),
            "per_instance": metric(options, "InvocationsPerInstance", "Sum"),
        },
        label="instances in service",
        period=_MINUTE,
    )
