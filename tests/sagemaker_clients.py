"""
What tests do with a local SageMaker through boto3, again and again.
"""

import json
from pathlib import Path
from typing import Any

from botocore.client import BaseClient

from support import until
from tonnage.emulator import BackgroundEndpoint


class Sagemaker:
    """
    boto3's two clients of one emulator, and what tests do with them again and again.

    Attributes:
        control: The control plane's client.
        runtime: The runtime's.
        url: Where the emulator listens.
        process_id: Its process.
    """

    def __init__(
        self, started: BackgroundEndpoint, control: BaseClient, runtime: BaseClient
    ) -> None:
        self._started = started
        self.url = started.url
        self.process_id = started.process_id
        self.control = control
        self.runtime = runtime

    def model(self, name: str, artefact: Path) -> str:
        """Create a model of a local artefact, and return its name."""
        self.control.create_model(
            ModelName=name,
            PrimaryContainer={"Image": "image:1", "ModelDataUrl": f"s3://local{artefact}"},
            ExecutionRoleArn="arn:aws:iam::000000000000:role/local",
        )
        return name

    def config(self, name: str, *variants: dict[str, Any]) -> str:
        """Create an endpoint config, and return its name."""
        self.control.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=list(variants)
        )
        return name

    def endpoint(self, name: str, config: str) -> str:
        """Create an endpoint, wait until it is in service, and return its name."""
        self.control.create_endpoint(EndpointName=name, EndpointConfigName=config)
        self.until(name, "InService")
        return name

    def describe(self, name: str) -> dict[str, Any]:
        """Describe an endpoint."""
        described: dict[str, Any] = self.control.describe_endpoint(EndpointName=name)
        return described

    def status(self, name: str) -> str:
        """Return an endpoint's status."""
        status: str = self.describe(name)["EndpointStatus"]
        return status

    def until(self, name: str, status: str) -> dict[str, Any]:
        """Wait until an endpoint has a status."""
        until(lambda: self.status(name) == status, f"{name} to be {status}")
        return self.describe(name)

    def instances(self, name: str) -> list[dict[str, Any]]:
        """Return an endpoint's instances, as the emulator's own state tells them."""
        return [
            instance
            for endpoint in self._started.state()["endpoints"]
            if endpoint["endpoint_name"] == name
            for variant in endpoint["variants"]
            for instance in variant["instances"]
        ]

    def outstanding(self, name: str, process_id: int) -> int:
        """Return how many invocations one of an endpoint's instances has in hand."""
        return sum(
            instance["outstanding"]
            for instance in self.instances(name)
            if instance["process_id"] == process_id
        )

    def invoke(self, name: str, **members: object) -> dict[str, Any]:
        """Invoke an endpoint."""
        members = {"Body": b'{"distance": 150}', "ContentType": "application/json", **members}
        answer: dict[str, Any] = self.runtime.invoke_endpoint(EndpointName=name, **members)
        answer["json"] = json.loads(answer["Body"].read())
        return answer


def variant(model: str, name: str = "one", count: int = 1, **members: object) -> dict[str, Any]:
    """Return a production variant as an endpoint config takes it."""
    return {
        "VariantName": name,
        "ModelName": model,
        "InstanceType": "ml.c5.large",
        "InitialInstanceCount": count,
        **members,
    }
