"""
What SageMaker's control plane answers, in each status, held against botocore's output shapes.

A client's parser drops what it does not know, so the operations are called here as the front does.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from aws_world import checked_output
from sagemaker_clients import variant
from tonnage.emulator import LocalOptions
from tonnage.emulator._local import LocalSageMaker
from tonnage.emulator.aws import AwsError
from tonnage.emulator.aws._models import service_model
from tonnage.emulator.aws._validation import checked_input
from tonnage.emulator.sagemaker import sagemaker_service

if TYPE_CHECKING:
    from pathlib import Path

LOCAL = LocalOptions(provisioning_delay_seconds=0.0, time_scale=300.0)


class Checked:
    """The control plane, each call's input and answer held against its shape."""

    def __init__(self, local: LocalOptions) -> None:
        self.sagemaker = LocalSageMaker(local)
        self._service = sagemaker_service(self.sagemaker)
        self.called: set[str] = set()

    async def call(self, operation: str, **given: object) -> dict[str, Any]:
        model = service_model("sagemaker").operation_model(operation)
        parameters = checked_input(model.input_shape, given)
        answer = await self._service.operations[operation](parameters)
        self.called.add(operation)
        if model.output_shape is None:
            assert answer == {}
            return {}
        return checked_output(model.output_shape, answer)

    async def until(self, endpoint_name: str, status: str) -> dict[str, Any]:
        async with asyncio.timeout(60):
            while True:
                described = await self.call("DescribeEndpoint", EndpointName=endpoint_name)
                if described["EndpointStatus"] == status:
                    return described
                await asyncio.sleep(0.005)


async def told(artefact: Path, nothing: Path) -> set[str]:
    """Call every operation, and describe an endpoint in each of its statuses."""
    aws = Checked(LOCAL)
    call = aws.call
    try:
        for name, path in (("good", artefact), ("bad", nothing)):
            container = {"Image": "image:1", "ModelDataUrl": f"s3://local{path}"}
            await call(
                "CreateModel",
                ModelName=name,
                PrimaryContainer=container,
                Tags=[{"Key": "a", "Value": "b"}],
            )
        serverless = {"MemorySizeInMB": 1024, "MaxConcurrency": 2, "ProvisionedConcurrency": 1}
        for name, members in (
            ("blue", variant("good")),
            ("green", variant("good", count=2)),
            ("bad", variant("bad")),
            (
                "serverless",
                {"VariantName": "one", "ModelName": "good", "ServerlessConfig": serverless},
            ),
        ):
            await call(
                "CreateEndpointConfig", EndpointConfigName=name, ProductionVariants=[members]
            )
        for name in ("blue", "bad", "serverless"):
            await call("CreateEndpoint", EndpointName=name, EndpointConfigName=name)
        for name, status in (
            ("blue", "Creating"),
            ("blue", "InService"),
            ("bad", "Failed"),
            ("serverless", "InService"),
        ):
            await aws.until(name, status)
        await changed(aws)
        for kind, name in (("Model", "good"), ("EndpointConfig", "blue")):
            described = await call(f"Describe{kind}", **{f"{kind}Name": name})
            arn = described[f"{kind}Arn"]
            await call("AddTags", ResourceArn=arn, Tags=[{"Key": "c", "Value": "d"}])
            await call("ListTags", ResourceArn=arn, MaxResults=50)
            await call("DeleteTags", ResourceArn=arn, TagKeys=["c"])
            await call(f"List{kind}s", MaxResults=1)
        await call("ListEndpoints")
        await call("DeleteEndpoint", EndpointName="blue")
        described = await call("DescribeEndpoint", EndpointName="blue")
        assert described["EndpointStatus"] == "Deleting"
        await call("DeleteEndpointConfig", EndpointConfigName="blue")
        await call("DeleteModel", ModelName="good")
        with pytest.raises(AwsError, match="Could not find model"):
            await call("DescribeModel", ModelName="good")
    finally:
        await aws.sagemaker.close()
    return aws.called


async def changed(aws: Checked) -> None:
    """Update and scale an endpoint, described on the way."""
    size = {"Type": "INSTANCE_COUNT", "Value": 1}
    routing = {"Type": "CANARY", "WaitIntervalInSeconds": 30, "CanarySize": size}
    await aws.call(
        "UpdateEndpoint",
        EndpointName="blue",
        EndpointConfigName="green",
        DeploymentConfig={"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}},
    )
    assert "PendingDeploymentSummary" in await aws.until("blue", "Updating")
    assert "LastDeploymentConfig" in await aws.until("blue", "InService")
    await aws.call(
        "UpdateEndpointWeightsAndCapacities",
        EndpointName="blue",
        DesiredWeightsAndCapacities=[{"VariantName": "one", "DesiredInstanceCount": 3}],
    )
    (shown,) = (await aws.until("blue", "Updating"))["ProductionVariants"]
    assert shown["VariantStatus"] == [{"Status": "Updating"}]
    await aws.until("blue", "InService")
    await aws.call("UpdateEndpoint", EndpointName="blue", EndpointConfigName="serverless")
    await aws.until("blue", "InService")


def test_every_answer_is_as_awss_model_says(packed_artefact: Path, tmp_path: Path):
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    called = asyncio.run(told(packed_artefact, nothing))
    sagemaker = LocalSageMaker(LOCAL)
    assert called == set(sagemaker_service(sagemaker).operations)
