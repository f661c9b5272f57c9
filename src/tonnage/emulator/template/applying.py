"""
From a template to the calls that bring up what it describes.
"""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tonnage.domain import ConfigurationError, DeploymentError
from tonnage.emulator._place import ACCOUNT, REGION
from tonnage.emulator.aws import AwsError, AwsFront

from .calling import Calls
from .intrinsics import NO_VALUE, Resolver, with_parameters
from .model_data import put_model_data
from .reading import in_order
from .resources import RESOURCES, Made, Resource, stand_in

__all__ = ["AppliedResource", "AppliedTemplate", "apply_template"]

logger = logging.getLogger(__name__)

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
    account: str = ACCOUNT,
    region: str = REGION,
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
    applier = _Applier(resolver, Calls(front), model_data, stack_name)
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
        calls: Calls,
        model_data: Mapping[str, Path],
        stack_name: str,
    ) -> None:
        self._resolver = resolver
        self._calls = calls
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
            put_model_data(logical_id, properties, self._model_data)
        try:
            answer = await self._calls.call(
                kind.service, kind.operation, kind.parameters(properties)
            )
            if type_name == _ENDPOINT:
                await self._calls.until_in_service(properties["EndpointName"])
                self.endpoint_names.append(properties["EndpointName"])
            if type_name == _TARGET:
                await self._calls.put_scheduled_actions(properties)
            if type_name == _ALARM:  # its operation answers nothing
                answer = await self._calls.described_alarm(properties["AlarmName"])
        except AwsError as error:
            raise DeploymentError(
                f"{logical_id}, of the type {type_name}, was refused: {error.code}: {error.message}"
            ) from error
        return kind.made(properties, answer)

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
