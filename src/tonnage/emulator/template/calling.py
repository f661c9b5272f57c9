"""
The calls that a template becomes, as a client would make them.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tonnage.domain import DeploymentError
from tonnage.emulator.aws import AwsFront, service_model

from .coercion import coerced

__all__ = ["Calls"]

_POLL_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class Calls:
    """
    Calls of the services.

    Attributes:
        front: The services.
    """

    front: AwsFront

    async def call(
        self, service: str, operation: str, parameters: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """
        Return what an operation answers to a template's values.

        Raises:
            AwsError: As a client would be told.
        """
        shape = service_model(service).operation_model(operation).input_shape
        return await self.front.call(service, operation, coerced(shape, parameters))

    async def until_in_service(self, endpoint_name: str) -> None:
        """
        Wait until an endpoint is in service, as CloudFormation does.

        Raises:
            DeploymentError: If it fails.
        """
        while True:
            described = await self.call(
                "sagemaker", "DescribeEndpoint", {"EndpointName": endpoint_name}
            )
            status = described["EndpointStatus"]
            if status == "InService":
                return
            if status == "Failed":
                raise DeploymentError(
                    f"the endpoint {endpoint_name} failed: {described.get('FailureReason')}"
                )
            await asyncio.sleep(_POLL_SECONDS)

    async def put_scheduled_actions(self, properties: Mapping[str, Any]) -> None:
        """Put the actions that a scalable target's own properties hold."""
        named = {
            name: properties[name]
            for name in ("ResourceId", "ScalableDimension", "ServiceNamespace")
        }
        for action in properties.get("ScheduledActions", []):
            await self.call("application-autoscaling", "PutScheduledAction", {**named, **action})

    async def described_alarm(self, name: str) -> Mapping[str, Any]:
        """Return an alarm as it is now."""
        described = await self.call("cloudwatch", "DescribeAlarms", {"AlarmNames": [name]})
        alarm: Mapping[str, Any] = described["MetricAlarms"][0]
        return alarm
