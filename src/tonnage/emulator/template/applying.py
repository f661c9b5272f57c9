"""
From a template to the calls that bring up what it describes.
"""

import asyncio
import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tonnage.domain import ConfigurationError, DeploymentError
from tonnage.emulator.aws import AwsError, AwsFront, service_model

from .coercion import coerced
from .intrinsics import NO_VALUE, Resolver, with_parameters
from .reading import in_order
from .resources import RESOURCES, Made, Resource, stand_in

__all__ = ["AppliedResource", "AppliedTemplate", "apply_template"]

logger = logging.getLogger(__name__)

_POLL_SECONDS: Final = 0.02
_ENDPOINT: Final = "AWS::SageMaker::Endpoint"
_MODEL: Final = "AWS::SageMaker::Model"
_TARGET: Final = "AWS::ApplicationAutoScaling::ScalableTarget"
_ALARM: Final = "AWS::CloudWatch::Alarm"
_NAME_CHARACTERS: Final = 63


@dataclass(frozen=True, kw_only=True, slots=True)
class AppliedResource:
    """
    A resource of a template.

    Attributes:
        logical_id: What the template calls it.
        type_name: Such as ``AWS::SageMaker::Endpoint``.
        physical_id: What ``Ref`` gives of it.
    """

    logical_id: str
    type_name: str
    physical_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AppliedTemplate:
    """
    What became of a template.

    Attributes:
        made: The resources that were brought up, in order.
        unknown: Those whose type is not known here: they were not made.
        endpoint_names: The endpoints that are in service.
        outputs: The template's outputs, those that need an unknown resource's attribute left out.
    """

    made: tuple[AppliedResource, ...]
    unknown: tuple[AppliedResource, ...]
    endpoint_names: tuple[str, ...]
    outputs: Mapping[str, Any]


async def apply_template(
    template: Mapping[str, Any],
    front: AwsFront,
    *,
    model_data: Mapping[str, Path],
    parameters: Mapping[str, str] | None = None,
    stack_name: str = "local",
    account: str = "000000000000",
    region: str = "us-east-1",
) -> AppliedTemplate:
    """
    Bring up what a template describes, by the calls that a client would make.

    Args:
        template: As ``read_template`` returns it.
        front: The services.
        model_data: The artefact, on this machine, that stands for each model, by the model's
            logical id, its image or its S3 URI; the empty key is for all others.
        parameters: Values of the template's parameters.
        stack_name: What ``AWS::StackName`` is.
        account: What ``AWS::AccountId`` is.
        region: What ``AWS::Region`` is.

    Raises:
        ConfigurationError: If the template cannot be resolved.
        DeploymentError: If a call is refused, or an endpoint fails; what was made before stays.
    """
    pseudo = {
        "AWS::AccountId": account,
        "AWS::Partition": "aws",
        "AWS::Region": region,
        "AWS::StackId": f"arn:aws:cloudformation:{region}:{account}:stack/{stack_name}/local",
        "AWS::StackName": stack_name,
        "AWS::URLSuffix": "amazonaws.com",
    }
    resolver = with_parameters(template, parameters or {}, pseudo)
    applier = _Applier(resolver, front, model_data, stack_name)
    for logical_id in in_order(template["Resources"]):
        await applier.apply(logical_id, template["Resources"][logical_id])
    return AppliedTemplate(
        made=tuple(applier.made),
        unknown=tuple(applier.unknown),
        endpoint_names=tuple(applier.endpoint_names),
        outputs=_outputs(template.get("Outputs", {}), resolver),
    )


class _Applier:
    """Makes one resource after the other, and remembers what others refer to."""

    def __init__(
        self,
        resolver: Resolver,
        front: AwsFront,
        model_data: Mapping[str, Path],
        stack_name: str,
    ) -> None:
        self._resolver = resolver
        self._front = front
        self._model_data = model_data
        self._stack_name = stack_name
        self.made: list[AppliedResource] = []
        self.unknown: list[AppliedResource] = []
        self.endpoint_names: list[str] = []

    async def apply(self, logical_id: str, described: Mapping[str, Any]) -> None:
        """Make a resource, or note that it is not known."""
        condition = described.get("Condition")
        if condition is not None and not self._resolver.holds(condition):
            return
        type_name = described["Type"]
        kind = RESOURCES.get(type_name)
        if kind is None:
            logger.warning(
                "%s, of the type %s, is not known here and not made", logical_id, type_name
            )
            made = self._stand_in(logical_id, type_name)
            resources = self.unknown
        else:
            made = await self._make(logical_id, type_name, kind, described.get("Properties", {}))
            resources = self.made
        self._resolver.values[logical_id] = made.ref
        self._resolver.attributes[logical_id] = made.attributes
        resources.append(
            AppliedResource(logical_id=logical_id, type_name=type_name, physical_id=made.ref)
        )

    async def _make(
        self, logical_id: str, type_name: str, kind: Resource, described: Mapping[str, Any]
    ) -> Made:
        properties = self._resolver.resolved(described)
        if kind.name_member is not None and kind.name_member not in properties:
            properties[kind.name_member] = self._name(logical_id)
        if type_name == _MODEL:
            self._take_model_data(logical_id, properties)
        try:
            answer = await self._call(kind.service, kind.operation, kind.parameters(properties))
            if type_name == _ENDPOINT:
                await self._in_service(properties["EndpointName"])
            if type_name == _TARGET:
                await self._put_scheduled_actions(properties)
            if type_name == _ALARM:  # its operation answers nothing
                answer = await self._described_alarm(properties["AlarmName"])
        except AwsError as error:
            raise DeploymentError(
                f"{logical_id}, of the type {type_name}, was refused: {error.code}: {error.message}"
            ) from error
        return kind.made(properties, answer)

    async def _call(
        self, service: str, operation: str, parameters: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        shape = service_model(service).operation_model(operation).input_shape
        return await self._front.call(service, operation, coerced(shape, parameters))

    async def _in_service(self, endpoint_name: str) -> None:
        """Wait until an endpoint is in service, as CloudFormation does."""
        while True:
            described = await self._call(
                "sagemaker", "DescribeEndpoint", {"EndpointName": endpoint_name}
            )
            status = described["EndpointStatus"]
            if status == "InService":
                self.endpoint_names.append(endpoint_name)
                return
            if status == "Failed":
                raise DeploymentError(
                    f"the endpoint {endpoint_name} failed: {described.get('FailureReason')}"
                )
            await asyncio.sleep(_POLL_SECONDS)

    async def _put_scheduled_actions(self, properties: Mapping[str, Any]) -> None:
        named = {
            name: properties[name]
            for name in ("ResourceId", "ScalableDimension", "ServiceNamespace")
        }
        for action in properties.get("ScheduledActions", []):
            await self._call("application-autoscaling", "PutScheduledAction", {**named, **action})

    async def _described_alarm(self, name: str) -> Mapping[str, Any]:
        described = await self._call("cloudwatch", "DescribeAlarms", {"AlarmNames": [name]})
        alarm: Mapping[str, Any] = described["MetricAlarms"][0]
        return alarm

    def _take_model_data(self, logical_id: str, properties: dict[str, Any]) -> None:
        """Let a model's data be the artefact, on this machine, that stands for it."""
        containers = [properties.get("PrimaryContainer"), *properties.get("Containers", [])]
        for container in containers:
            if container is None:
                continue
            source = container.get("ModelDataSource", {}).get("S3DataSource", {})
            uri = container.get("ModelDataUrl") or source.get("S3Uri")
            keys = (logical_id, properties["ModelName"], container.get("Image"), uri, "")
            found = next((self._model_data[key] for key in keys if key in self._model_data), None)
            if found is not None:
                container.pop("ModelDataSource", None)
                container["ModelDataUrl"] = f"s3://local{found.resolve()}"
            elif uri is None:
                raise ConfigurationError(
                    f"nothing says which artefact stands for the model {logical_id}",
                    hint=f"name it: --model-data {logical_id}=PATH",
                )

    def _stand_in(self, logical_id: str, type_name: str) -> Made:
        values = self._resolver.values
        if type_name.count("::") < 2:  # noqa: PLR2004 (such as Custom::Thing)
            return Made(ref=logical_id, attributes={})
        return stand_in(logical_id, type_name, values["AWS::AccountId"], values["AWS::Region"])

    def _name(self, logical_id: str) -> str:
        """Return a name as CloudFormation makes one up: stack, logical id, and a short hash."""
        digest = hashlib.sha256(f"{self._stack_name}/{logical_id}".encode()).hexdigest()[:12]
        return f"{self._stack_name}-{logical_id}"[: _NAME_CHARACTERS - 13] + f"-{digest}"


def _outputs(outputs: Mapping[str, Any], resolver: Resolver) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, output in outputs.items():
        condition = output.get("Condition")
        if condition is not None and not resolver.holds(condition):
            continue
        try:
            value = resolver.resolved(output.get("Value"))
        except ConfigurationError as error:
            logger.warning("the output %s has no value: %s", name, error.message)
            continue
        if value is not NO_VALUE:
            found[name] = value
    return found
