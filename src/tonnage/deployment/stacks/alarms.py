"""
What rings: alarms on errors, latency and capacity.

The metrics and their statistics are those of the Developer Guide, "Monitor with CloudWatch": each
error metric sends 1 or 0 for every invocation, so its average is the share that failed; latencies
are in microseconds.
"""

from dataclasses import dataclass
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions, aws_sns

from tonnage.deployment.settings import DeploymentOptions, ServerlessVariant

from .metrics import MICROSECONDS, in_service, metric

__all__ = ["Alarms", "alarms"]

_ABOVE: Final = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
_AT_LEAST: Final = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
_AT_MAX_MINUTES: Final = 15
_NEARLY_ALL: Final = 0.9


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
            metric(options, "Invocation5XXErrors", "Average"),
            seen.objective.errors.max_fraction,
            f"{seen.objective.errors} is missed: the share of invocations that end with 5XX",
        ),
        latency=_alarm(
            stack,
            "Latency",
            metric(options, "ModelLatency", f"p{latency.percentile * 100:g}"),
            round(latency.threshold_seconds * MICROSECONDS),
            f"{latency} is missed in the container alone, in microseconds",
            comparison=_AT_LEAST,
        ),
        client_errors=_alarm(
            stack,
            "ClientErrors",
            metric(options, "Invocation4XXErrors", "Average"),
            seen.client_error_fraction,
            "the share of invocations that are refused as the caller's fault",
        ),
        model_errors=_alarm(
            stack,
            "ModelErrors",
            metric(options, "InvocationModelErrors", "Average"),
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


def _capacity(stack: cdk.Stack, options: DeploymentOptions) -> cloudwatch.Alarm | None:
    variant = options.variant
    if isinstance(variant, ServerlessVariant):
        return _alarm(
            stack,
            "Capacity",
            metric(options, "ServerlessConcurrentExecutionsUtilization", "Maximum"),
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
        in_service(options),
        most - 0.5,
        f"all {most} instances of MaxCapacity have run for {_AT_MAX_MINUTES} minutes: no more come",
        minutes=_AT_MAX_MINUTES,
        of=_AT_MAX_MINUTES,
    )


def _alarm(
    stack: cdk.Stack,
    name: str,
    watched: cloudwatch.IMetric,
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
        metric=watched,
        threshold=threshold,
        comparison_operator=comparison,
        datapoints_to_alarm=minutes,
        evaluation_periods=of,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        alarm_description=description,
    )
