"""
Which call each known type of resource becomes, and what it is referred to by.

``Ref`` and the attributes are as the CloudFormation Template Reference says of each type.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["RESOURCES", "Made", "Resource", "stand_in"]

Properties = Mapping[str, Any]
Answer = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """
    What the rest of a template sees of a resource.

    Attributes:
        ref: What ``Ref`` gives.
        attributes: What ``Fn::GetAtt`` gives.
    """

    ref: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Resource:
    """
    A known type of resource.

    Attributes:
        service: botocore's name of the service.
        operation: What makes one.
        name_member: The property that names it, made up where it is not given; None for none.
        parameters: The operation's parameters for its properties.
        made: What it is referred to by, from its parameters and the operation's answer.
    """

    service: str
    operation: str
    name_member: str | None
    parameters: Callable[[Properties], dict[str, Any]]
    made: Callable[[Properties, Answer], Made]


def stand_in(logical_id: str, type_name: str, account: str, region: str) -> Made:
    """Return what a resource that is not made is referred to by, so that others can be."""
    service = type_name.split("::")[1].lower()
    kind = type_name.rpartition("::")[2].lower()
    place = (
        f"arn:aws:iam::{account}" if service == "iam" else f"arn:aws:{service}:{region}:{account}"
    )
    arn = f"{place}:{kind}/{logical_id}"
    return Made(ref=logical_id, attributes={"Arn": arn, "Name": logical_id, "Id": logical_id})


def _as_it_is(properties: Properties) -> dict[str, Any]:
    return dict(properties)


def _sagemaker(operation: str, kind: str) -> Resource:
    name, arn = f"{kind}Name", f"{kind}Arn"
    return Resource(
        service="sagemaker",
        operation=operation,
        name_member=name,
        parameters=_as_it_is,
        made=lambda properties, answer: Made(
            ref=answer[arn], attributes={name: properties[name], "Arn": answer[arn]}
        ),
    )


_ENDPOINT_UPDATES: Final = (
    "RetainAllVariantProperties",
    "ExcludeRetainedVariantProperties",
    "RetainDeploymentConfig",
)
_TARGET: Final = ("ResourceId", "ScalableDimension", "ServiceNamespace")


def _endpoint(properties: Properties) -> dict[str, Any]:
    """Return ``CreateEndpoint``'s parameters: what is for updates has no say at first."""
    return {name: value for name, value in properties.items() if name not in _ENDPOINT_UPDATES}


def _target(properties: Properties) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name != "ScheduledActions"}


def _made_target(properties: Properties, answer: Answer) -> Made:
    reference = "|".join(properties[name] for name in _TARGET)
    return Made(ref=reference, attributes={"Id": reference, **answer})


def _policy(properties: Properties) -> dict[str, Any]:
    parameters = dict(properties)
    reference = parameters.pop("ScalingTargetId", None)
    if reference is not None:
        parameters |= dict(zip(_TARGET, str(reference).split("|"), strict=False))
    return parameters


def _made_policy(_properties: Properties, answer: Answer) -> Made:
    arn = answer["PolicyARN"]
    return Made(ref=arn, attributes={"Arn": arn})


def _made_alarm(properties: Properties, answer: Answer) -> Made:
    return Made(ref=properties["AlarmName"], attributes={"Arn": answer["AlarmArn"]})


RESOURCES: Final[Mapping[str, Resource]] = {
    "AWS::SageMaker::Model": _sagemaker("CreateModel", "Model"),
    "AWS::SageMaker::EndpointConfig": _sagemaker("CreateEndpointConfig", "EndpointConfig"),
    "AWS::SageMaker::Endpoint": Resource(
        service="sagemaker",
        operation="CreateEndpoint",
        name_member="EndpointName",
        parameters=_endpoint,
        made=_sagemaker("CreateEndpoint", "Endpoint").made,
    ),
    "AWS::ApplicationAutoScaling::ScalableTarget": Resource(
        service="application-autoscaling",
        operation="RegisterScalableTarget",
        name_member=None,
        parameters=_target,
        made=_made_target,
    ),
    "AWS::ApplicationAutoScaling::ScalingPolicy": Resource(
        service="application-autoscaling",
        operation="PutScalingPolicy",
        name_member="PolicyName",
        parameters=_policy,
        made=_made_policy,
    ),
    "AWS::CloudWatch::Alarm": Resource(
        service="cloudwatch",
        operation="PutMetricAlarm",
        name_member="AlarmName",
        parameters=_as_it_is,
        made=_made_alarm,
    ),
}
