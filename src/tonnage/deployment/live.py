"""
What an endpoint is now: settings, scaling, and a window of its metrics.

It reads three of AWS's services by boto3 (SageMaker, Application Auto Scaling, CloudWatch) and
changes none. A local endpoint that speaks their protocols is read the same way.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from tonnage.domain import ConfigurationError, DeploymentError, LatencyObjective

__all__ = ["LiveEndpoint", "LiveScaling", "Minute", "read_endpoint"]

Clients = Callable[[str], Any]

_NAMESPACE: Final = "sagemaker"
_DIMENSION: Final = "sagemaker:variant:DesiredInstanceCount"
_PERIOD_SECONDS: Final = 60
_MICROSECONDS: Final = 1e6


@dataclass(frozen=True, kw_only=True, slots=True)
class Minute:
    """
    One minute of metrics; None where CloudWatch has no datapoint.

    Attributes:
        at: Its beginning.
        invocations: Their number.
        invocations_per_instance: Each counted as 1 ÷ instances in service.
        model_latency_seconds: The objective's percentile.
        overhead_latency_seconds: The same of what SageMaker adds.
        error_fraction: The share that ended with 5XX.
    """

    at: datetime
    invocations: float
    invocations_per_instance: float | None
    model_latency_seconds: float | None
    overhead_latency_seconds: float | None
    error_fraction: float | None

    @property
    def instances(self) -> float | None:
        """Instances in service, on average over its invocations."""
        return (
            self.invocations / self.invocations_per_instance
            if self.invocations_per_instance
            else None
        )

    @property
    def rate_per_instance(self) -> float | None:
        """Invocations per second and instance."""
        each = self.invocations_per_instance
        return None if each is None else each / _PERIOD_SECONDS


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveScaling:
    """
    A registered scalable target.

    Attributes:
        min_capacity: Its least.
        max_capacity: Its most.
        policies: Its policies as AWS describes them, by name.
        scheduled: Its scheduled actions so.
    """

    min_capacity: int
    max_capacity: int
    policies: Mapping[str, Mapping[str, Any]]
    scheduled: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveEndpoint:
    """
    An endpoint as AWS describes it.

    Attributes:
        name: Its name.
        status: ``InService`` when all is well.
        variant: The variant in its configuration.
        current_instance_count: Of that variant; None for serverless.
        desired_instance_count: So.
        scaling: None when no scalable target is registered.
        minutes: The window, the oldest first; only minutes with invocations.
        window_seconds: How long it is.
    """

    name: str
    status: str
    variant: Mapping[str, Any]
    current_instance_count: int | None
    desired_instance_count: int | None
    scaling: LiveScaling | None
    minutes: Sequence[Minute]
    window_seconds: float


def read_endpoint(
    clients: Clients,
    name: str,
    variant_name: str,
    latency: LatencyObjective,
    *,
    now: datetime,
    window_seconds: float,
) -> LiveEndpoint:
    """
    Read an endpoint.

    Args:
        clients: Service → its boto3 client.
        name: The endpoint.
        variant_name: The production variant to look at.
        latency: Which percentile to read.
        now: The end of the window.
        window_seconds: How far back to look.

    Raises:
        ConfigurationError: If there is no such endpoint or variant.
        DeploymentError: If AWS does not answer, or refuses.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        sagemaker = clients("sagemaker")
        endpoint, configuration = _described(sagemaker, name)
        variant = _named(configuration["ProductionVariants"], variant_name, name)
        now_running = _named(endpoint.get("ProductionVariants", []), variant_name, name)
        return LiveEndpoint(
            name=name,
            status=endpoint["EndpointStatus"],
            variant=variant,
            current_instance_count=now_running.get("CurrentInstanceCount"),
            desired_instance_count=now_running.get("DesiredInstanceCount"),
            scaling=_scaling(
                clients("application-autoscaling"), f"endpoint/{name}/variant/{variant_name}"
            ),
            minutes=_minutes(
                clients("cloudwatch"), name, variant_name, latency, now, window_seconds
            ),
            window_seconds=window_seconds,
        )
    except (BotoCoreError, ClientError) as error:
        raise DeploymentError(f"the endpoint {name} cannot be read: {error}") from error


def _described(sagemaker: Any, name: str) -> tuple[dict[str, Any], dict[str, Any]]:  # noqa: ANN401 (a boto3 client)
    from botocore.exceptions import ClientError

    try:
        endpoint: dict[str, Any] = sagemaker.describe_endpoint(EndpointName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationException":
            raise
        raise ConfigurationError(
            f"there is no endpoint {name}: {error.response['Error']['Message']}",
            hint="name it as `aws sagemaker list-endpoints` does, and check [aws] region",
        ) from error
    configuration: dict[str, Any] = sagemaker.describe_endpoint_config(
        EndpointConfigName=endpoint["EndpointConfigName"]
    )
    return endpoint, configuration


def _named(variants: Sequence[dict[str, Any]], name: str, endpoint: str) -> dict[str, Any]:
    for variant in variants:
        if variant["VariantName"] == name:
            return variant
    there = ", ".join(variant["VariantName"] for variant in variants) or "none"
    raise ConfigurationError(
        f"the endpoint {endpoint} has no variant {name}: it has {there}",
        hint="[endpoint] variant names it",
    )


def _scaling(autoscaling: Any, resource: str) -> LiveScaling | None:  # noqa: ANN401 (a boto3 client)
    here = {"ServiceNamespace": _NAMESPACE, "ScalableDimension": _DIMENSION}
    targets = autoscaling.describe_scalable_targets(ResourceIds=[resource], **here)
    if not targets["ScalableTargets"]:
        return None
    (target,) = targets["ScalableTargets"]
    policies = autoscaling.describe_scaling_policies(ResourceId=resource, **here)
    scheduled = autoscaling.describe_scheduled_actions(ResourceId=resource, **here)
    return LiveScaling(
        min_capacity=target["MinCapacity"],
        max_capacity=target["MaxCapacity"],
        policies={each["PolicyName"]: each for each in policies["ScalingPolicies"]},
        scheduled={each["ScheduledActionName"]: each for each in scheduled["ScheduledActions"]},
    )


def _minutes(
    cloudwatch: Any,  # noqa: ANN401 (a boto3 client)
    endpoint: str,
    variant: str,
    latency: LatencyObjective,
    now: datetime,
    window_seconds: float,
) -> list[Minute]:
    percentile = f"p{latency.percentile * 100:g}"
    wanted = {
        "invocations": ("Invocations", "Sum"),
        "per_instance": ("InvocationsPerInstance", "Sum"),
        "model": ("ModelLatency", percentile),
        "overhead": ("OverheadLatency", percentile),
        "errors": ("Invocation5XXErrors", "Average"),
    }
    dimensions = [
        {"Name": "EndpointName", "Value": endpoint},
        {"Name": "VariantName", "Value": variant},
    ]
    queries = [
        {
            "Id": key,
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/SageMaker",
                    "MetricName": metric,
                    "Dimensions": dimensions,
                },
                "Period": _PERIOD_SECONDS,
                "Stat": statistic,
            },
        }
        for key, (metric, statistic) in wanted.items()
    ]
    series: dict[str, dict[datetime, float]] = {key: {} for key in wanted}
    asked = {
        "MetricDataQueries": queries,
        "StartTime": now - timedelta(seconds=window_seconds),
        "EndTime": now,
        "ScanBy": "TimestampAscending",
    }
    while True:
        page = cloudwatch.get_metric_data(**asked)
        for result in page["MetricDataResults"]:
            pairs = zip(result["Timestamps"], result["Values"], strict=True)
            series[result["Id"]].update(pairs)
        if not page.get("NextToken"):
            break
        asked["NextToken"] = page["NextToken"]
    return [
        _minute(at, series) for at in sorted(series["invocations"]) if series["invocations"][at]
    ]


def _minute(at: datetime, series: Mapping[str, Mapping[datetime, float]]) -> Minute:
    def seconds(key: str) -> float | None:
        microseconds = series[key].get(at)
        return None if microseconds is None else microseconds / _MICROSECONDS

    return Minute(
        at=at,
        invocations=series["invocations"][at],
        invocations_per_instance=series["per_instance"].get(at),
        model_latency_seconds=seconds("model"),
        overhead_latency_seconds=seconds("overhead"),
        error_fraction=series["errors"].get(at),
    )
