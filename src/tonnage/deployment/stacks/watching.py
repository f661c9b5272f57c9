"""
What is watched: alarms on errors, latency and capacity, and one dashboard.

The metrics and their statistics are those of the Developer Guide, "Monitor with CloudWatch": each
error metric sends 1 or 0 for every invocation, so its average is the share that failed; latencies
are in microseconds.
"""

from dataclasses import dataclass
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions, aws_sns

from tonnage.deployment.settings import DeploymentOptions, InstanceVariant, ServerlessVariant

__all__ = ["Alarms", "alarms", "dashboard"]

_ABOVE: Final = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
_AT_LEAST: Final = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
_MINUTE: Final = cdk.Duration.minutes(1)
_MICROSECONDS: Final = 1_000_000
_AT_MAX_MINUTES: Final = 15
_NEARLY_ALL: Final = 0.9
_WIDTH: Final = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Alarms:
    """
    The endpoint's alarms.

    Attributes:
        errors: More server errors than the objective allows.
        latency: The objective's percentile is not below its threshold in the container alone.
        client_errors: Callers send what is refused.
        model_errors: The container answers with errors, or not at all.
        capacity: All that may run has run for a while; None when nothing scales.
    """

    errors: cloudwatch.Alarm
    latency: cloudwatch.Alarm
    client_errors: cloudwatch.Alarm
    model_errors: cloudwatch.Alarm
    capacity: cloudwatch.Alarm | None

    @property
    def all(self) -> list[cloudwatch.Alarm]:
        """Every one there is."""
        four = [self.errors, self.latency, self.client_errors, self.model_errors]
        return [*four, self.capacity] if self.capacity else four


def alarms(stack: cdk.Stack, options: DeploymentOptions) -> Alarms:
    """Return the alarms of an endpoint."""
    seen = options.observability
    latency = seen.objective.latency
    made = Alarms(
        errors=_alarm(
            stack,
            "ServerErrors",
            _metric(options, "Invocation5XXErrors", "Average"),
            seen.objective.errors.max_fraction,
            f"{seen.objective.errors} is missed: the share of invocations that end with 5XX",
        ),
        latency=_alarm(
            stack,
            "Latency",
            _metric(options, "ModelLatency", f"p{latency.percentile * 100:g}"),
            round(latency.threshold_seconds * _MICROSECONDS),
            f"{latency} is missed in the container alone, in microseconds",
            comparison=_AT_LEAST,
        ),
        client_errors=_alarm(
            stack,
            "ClientErrors",
            _metric(options, "Invocation4XXErrors", "Average"),
            seen.client_error_fraction,
            "the share of invocations that are refused as the caller's fault",
        ),
        model_errors=_alarm(
            stack,
            "ModelErrors",
            _metric(options, "InvocationModelErrors", "Average"),
            seen.client_error_fraction,
            "the share of invocations that the container does not answer with 2XX",
        ),
        capacity=_capacity(stack, options),
    )
    if seen.alarm_topic is not None:
        topic = aws_sns.Topic.from_topic_arn(stack, "AlarmTopic", seen.alarm_topic)
        for alarm in made.all:
            alarm.add_alarm_action(aws_cloudwatch_actions.SnsAction(topic))
    return made


def dashboard(
    stack: cdk.Stack, options: DeploymentOptions, watched: Alarms
) -> cloudwatch.Dashboard:
    """Return the dashboard: load, errors, latency, capacity, and the alarms."""
    percentile = f"p{options.observability.objective.latency.percentile * 100:g}"
    threshold = round(options.observability.objective.latency.threshold_seconds * _MICROSECONDS)
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
                _metric(options, "Invocations", "Sum"),
                _metric(options, "InvocationsPerInstance", "Sum"),
            ],
        ),
        _graph(
            "Errors, share of invocations",
            [
                _metric(options, name, "Average")
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
                _metric(options, name, statistic)
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


def _metric(
    options: DeploymentOptions, name: str, statistic: str, namespace: str = "AWS/SageMaker"
) -> cloudwatch.Metric:
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


def _in_service(options: DeploymentOptions) -> cloudwatch.MathExpression:
    """
    Return the instances in service, which no metric counts.

    Each invocation adds 1 to one metric and 1 ÷ (instances in service) to the other.
    """
    return cloudwatch.MathExpression(
        expression="invocations / per_instance",
        using_metrics={
            "invocations": _metric(options, "Invocations", "Sum"),
            "per_instance": _metric(options, "InvocationsPerInstance", "Sum"),
        },
        label="instances in service",
        period=_MINUTE,
    )


def _capacity(stack: cdk.Stack, options: DeploymentOptions) -> cloudwatch.Alarm | None:
    variant = options.variant
    if isinstance(variant, ServerlessVariant):
        return _alarm(
            stack,
            "Capacity",
            _metric(options, "ServerlessConcurrentExecutionsUtilization", "Maximum"),
            _NEARLY_ALL,
            f"nearly all of MaxConcurrency {variant.max_concurrency} is in use: what comes"
            " beyond it is throttled",
        )
    if variant.scaling is None:
        return None
    most = variant.scaling.max_capacity
    return _alarm(
        stack,
        "Capacity",
        _in_service(options),
        most - 0.5,
        f"all {most} instances of MaxCapacity have run for {_AT_MAX_MINUTES} minutes: no more come",
        minutes=_AT_MAX_MINUTES,
        of=_AT_MAX_MINUTES,
    )


def _capacity_graph(options: DeploymentOptions) -> cloudwatch.GraphWidget:
    variant = options.variant
    if isinstance(variant, InstanceVariant):
        in_service: list[cloudwatch.IMetric] = [_in_service(options)]
        cpu = _metric(options, "CPUUtilization", "Average", "/aws/sagemaker/Endpoints")
        most = variant.scaling.max_capacity if variant.scaling else variant.initial_instance_count
        return cloudwatch.GraphWidget(
            title="Instances in service, and CPU per cent (100 a core)",
            width=_WIDTH,
            left=in_service,
            right=[cpu],
            left_annotations=[cloudwatch.HorizontalAnnotation(value=most, label="most")],
        )
    return _graph(
        "Concurrency, share of its maximum, and cold starts",
        [
            _metric(options, "ServerlessConcurrentExecutionsUtilization", "Maximum"),
            _metric(options, "ModelSetupTime", "SampleCount"),
        ],
    )


def _graph(title: str, metrics: list[cloudwatch.Metric]) -> cloudwatch.GraphWidget:
    left: list[cloudwatch.IMetric] = [*metrics]
    return cloudwatch.GraphWidget(title=title, width=_WIDTH, left=left)


def _alarm(
    stack: cdk.Stack,
    name: str,
    metric: cloudwatch.IMetric,
    threshold: float,
    description: str,
    *,
    comparison: cloudwatch.ComparisonOperator = _ABOVE,
    minutes: int = 2,
    of: int = 3,
) -> cloudwatch.Alarm:
    return cloudwatch.Alarm(
        stack,
        f"{name}Alarm",
        alarm_name=f"{stack.stack_name}-{name}",
        metric=metric,
        threshold=threshold,
        comparison_operator=comparison,
        datapoints_to_alarm=minutes,
        evaluation_periods=of,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        alarm_description=description,
    )
