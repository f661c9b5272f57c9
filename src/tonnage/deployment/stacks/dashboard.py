"""
What is shown: one dashboard of load, errors, latency and capacity.
"""

from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from tonnage.deployment.settings import DeploymentOptions, InstanceVariant

from .alarms import Alarms
from .metrics import MICROSECONDS, in_service, metric

__all__ = ["dashboard"]

_WIDTH: Final = 12


def dashboard(
    stack: cdk.Stack, options: DeploymentOptions, watched: Alarms
) -> cloudwatch.Dashboard:
    """Return the dashboard: load, errors, latency, capacity, and the alarms."""
    percentile = f"p{options.observability.objective.latency.percentile * 100:g}"
    threshold = round(options.observability.objective.latency.threshold_seconds * MICROSECONDS)
    board = cloudwatch.Dashboard(stack, "Dashboard", default_interval=cdk.Duration.hours(3))
    board.add_widgets(
        cloudwatch.AlarmStatusWidget(
            title="Alarms", width=2 * _WIDTH, height=2, alarms=_by_name(stack, watched)
        )
    )
    board.add_widgets(
        _graph(
            "Invocations, per minute",
            [
                metric(options, "Invocations", "Sum"),
                metric(options, "InvocationsPerInstance", "Sum"),
            ],
        ),
        _graph(
            "Errors, share of invocations",
            [
                metric(options, name, "Average")
                for name in (
                    *("Invocation5XXErrors", "Invocation4XXErrors", "InvocationModelErrors"),
                )
            ],
        ),
    )
    board.add_widgets(
        cloudwatch.GraphWidget(
            title="Latency, microseconds",
            width=_WIDTH,
            left=[
                metric(options, name, statistic)
                for name in ("ModelLatency", "OverheadLatency")
                for statistic in ("p50", percentile)
            ],
            left_annotations=[cloudwatch.HorizontalAnnotation(value=threshold, label="objective")],
        ),
        _capacity_graph(options),
    )
    return board


def _by_name(stack: cdk.Stack, watched: Alarms) -> list[cloudwatch.IAlarm]:
    """Return the alarms by ARNs that are written out: the dashboard waits for none of them."""
    return [
        cloudwatch.Alarm.from_alarm_arn(
            stack,
            f"Shown{alarm.node.id}",
            stack.format_arn(
                service="cloudwatch",
                resource="alarm",
                resource_name=f"{stack.stack_name}-{alarm.node.id.removesuffix('Alarm')}",
                arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
            ),
        )
        for alarm in watched.all
    ]


def _capacity_graph(options: DeploymentOptions) -> cloudwatch.GraphWidget:
    variant = options.variant
    if isinstance(variant, InstanceVariant):
        count: list[cloudwatch.IMetric] = [in_service(options)]
        cpu = metric(options, "CPUUtilization", "Average", "/aws/sagemaker/Endpoints")
        most = variant.scaling.max_capacity if variant.scaling else variant.initial_instance_count
        return cloudwatch.GraphWidget(
            title="Instances in service, and CPU per cent (100 a core)",
            width=_WIDTH,
            left=count,
            right=[cpu],
            left_annotations=[cloudwatch.HorizontalAnnotation(value=most, label="most")],
        )
    return _graph(
        "Concurrency, share of its maximum, and cold starts",
        [
            metric(options, "ServerlessConcurrentExecutionsUtilization", "Maximum"),
            metric(options, "ModelSetupTime", "SampleCount"),
        ],
    )


def _graph(title: str, metrics: list[cloudwatch.Metric]) -> cloudwatch.GraphWidget:
    left: list[cloudwatch.IMetric] = [*metrics]
    return cloudwatch.GraphWidget(title=title, width=_WIDTH, left=left)
