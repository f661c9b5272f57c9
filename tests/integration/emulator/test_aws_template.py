"""
A template that is brought up with real instances.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from aws_front import client
from support import post
from tonnage.domain import TonnageError
from tonnage.emulator import TemplateOptions, up_in_background

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tonnage.emulator import UpOptions

VARIANT = {
    "VariantName": "linear",
    "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
    "InstanceType": "ml.c5.large",
    "InitialInstanceCount": "1",
    "InitialVariantWeight": 1,
}
RESOURCES: dict[str, Any] = {
    "Role": {"Type": "AWS::IAM::Role", "Properties": {}},
    "Model": {
        "Type": "AWS::SageMaker::Model",
        "Properties": {
            "ExecutionRoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
            "PrimaryContainer": {"Image": "000000000000.dkr.ecr.us-east-1.amazonaws.com/prices:1"},
        },
    },
    "Config": {
        "Type": "AWS::SageMaker::EndpointConfig",
        "Properties": {"ProductionVariants": [VARIANT]},
    },
    "Endpoint": {
        "Type": "AWS::SageMaker::Endpoint",
        "Properties": {
            "EndpointName": "from-template",
            "EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]},
        },
    },
    "Target": {
        "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
        "Properties": {
            "MinCapacity": 1,
            "MaxCapacity": {"Ref": "Most"},
            "ResourceId": {"Fn::Sub": "endpoint/${Endpoint.EndpointName}/variant/linear"},
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
            "ServiceNamespace": "sagemaker",
        },
    },
}
TEMPLATE = {"Parameters": {"Most": {"Type": "Number", "Default": 2}}, "Resources": RESOURCES}


@pytest.fixture
def described(
    up_options: Callable[..., UpOptions], tmp_path: Path
) -> Callable[[object], UpOptions]:
    """Makes the options to bring up a template."""

    def make(template: object) -> UpOptions:
        file = tmp_path / "prices.template.json"
        file.write_text(json.dumps(template))
        return replace(up_options(), template=TemplateOptions(file=file, parameters={"Most": "3"}))

    return make


def test_what_a_template_describes_is_invoked_and_scaled(
    described: Callable[[object], UpOptions],
):
    with up_in_background(described(TEMPLATE)) as endpoint:
        path = "/endpoints/from-template/invocations"
        assert post(f"{endpoint.url}{path}", {"distance": 150}).status == 200
        assert post(f"{endpoint.url}/evaluate", {"distance": 150}).status == 200
        autoscaling = client("application-autoscaling", endpoint.url)
        found = autoscaling.describe_scalable_targets(ServiceNamespace="sagemaker")
        (target,) = found["ScalableTargets"]
        assert target["ResourceId"] == "endpoint/from-template/variant/linear"
        assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 3)


@pytest.mark.parametrize(
    ("resources", "named"),
    [
        ({"Queue": {"Type": "AWS::SQS::Queue"}}, "no endpoint"),
        ({**RESOURCES, "Config": {**RESOURCES["Config"], "Properties": {}}}, "Config, of the type"),
    ],
)
def test_a_template_that_cannot_be_brought_up_is_told(
    described: Callable[[object], UpOptions], resources: dict[str, Any], named: str
):
    options = described({**TEMPLATE, "Resources": resources})
    with pytest.raises(TonnageError, match=named), up_in_background(options):
        pass
