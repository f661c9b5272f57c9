"""
What an endpoint is now: settings, scaling, and a window of its metrics.

It reads three of AWS's services by boto3 (SageMaker, Application Auto Scaling, CloudWatch) and
changes none. A local endpoint that speaks their protocols is read the same way.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from tonnage.domain import ConfigurationError, DeploymentError, LatencyObjective

from .minutes import Minute, read_minutes

__all__ = ["Clients", "LiveEndpoint", "LiveScaling", "read_endpoint"]

Clients = Callable[[str], Any]

_NAMESPACE: Final = "sagemaker"
_DIMENSION: Final = "sagemaker:variant:DesiredInstanceCount"


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveScaling:
    """
    A registered scalable target.

    Attributes:
        min_capacity: Its least.
        max_capacity: Its most.
        policies: Its policies as AWS describes them, by name.
        scheduled: Its scheduled actions so.
        alarms: The alarms that call its step policies, by the policy's name.
    """

    min_capacity: int
    max_capacity: int
    policies: Mapping[str, Mapping[str, Any]]
    scheduled: Mapping[str, Mapping[str, Any]]
    alarms: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)


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
            scaling=_scaling(clients, f"endpoint/{name}/variant/{variant_name}"),
            minutes=read_minutes(
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


def _scaling(clients: Clients, resource: str) -> LiveScaling | None:
    autoscaling = clients("application-autoscaling")
    here = {"ServiceNamespace": _NAMESPACE, "ScalableDimension": _DIMENSION}
    targets = autoscaling.describe_scalable_targets(ResourceIds=[resource], **here)
    if not targets["ScalableTargets"]:
        return None
    (target,) = targets["ScalableTargets"]

    def paged(operation: str, key: str) -> list[dict[str, Any]]:
        pages = autoscaling.get_paginator(operation).paginate(ResourceId=resource, **here)
        return [each for page in pages for each in page[key]]

    policies = paged("describe_scaling_policies", "ScalingPolicies")
    scheduled = paged("describe_scheduled_actions", "ScheduledActions")
    return LiveScaling(
        min_capacity=target["MinCapacity"],
        max_capacity=target["MaxCapacity"],
        policies={each["PolicyName"]: each for each in policies},
        scheduled={each["ScheduledActionName"]: each for each in scheduled},
        alarms=_alarms(clients, policies),
    )


def _alarms(
    clients: Clients, policies: Sequence[Mapping[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    """Return the alarms of step policies; those of target tracking are AWS's own to keep."""
    names = {
        each["PolicyName"]: [alarm["AlarmName"] for alarm in each.get("Alarms", [])]
        for each in policies
        if each["PolicyType"] == "StepScaling"
    }
    asked = sorted({name for of_policy in names.values() for name in of_policy})
    if not asked:
        return {}
    pages = clients("cloudwatch").get_paginator("describe_alarms").paginate(AlarmNames=asked)
    there = {each["AlarmName"]: each for page in pages for each in page["MetricAlarms"]}
    return {
        policy: [there[name] for name in of_policy if name in there]
        for policy, of_policy in names.items()
    }
