"""
CloudFormation templates: what is resolved, what is called, and what is named as unknown.
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from aws_front import Recorder
from aws_world import World
from tonnage.domain import ConfigurationError, DeploymentError
from tonnage.emulator.aws import AwsError, AwsFront, AwsService
from tonnage.emulator.template import AppliedTemplate, apply_template, read_template
from tonnage.emulator.template.intrinsics import with_parameters
from tonnage.emulator.template.reading import in_order

DIMENSIONS = [
    {"Name": "EndpointName", "Value": {"Fn::GetAtt": ["Endpoint", "EndpointName"]}},
    {"Name": "VariantName", "Value": "linear"},
]
TEMPLATE: dict[str, Any] = {
    "Parameters": {"Most": {"Type": "Number", "Default": "4"}, "Stage": {"Type": "String"}},
    "Conditions": {"IsTest": {"Fn::Equals": [{"Ref": "Stage"}, "test"]}},
    "Resources": {
        "Policy": {
            "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
            "Properties": {
                "PolicyName": "tracking",
                "PolicyType": "TargetTrackingScaling",
                "ScalingTargetId": {"Ref": "Target"},
                "TargetTrackingScalingPolicyConfiguration": {
                    "TargetValue": "60",
                    "PredefinedMetricSpecification": {
                        "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
                    },
                },
            },
        },
        "Steps": {
            "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
            "Properties": {
                "PolicyName": "steps",
                "PolicyType": "StepScaling",
                "ScalingTargetId": {"Ref": "Target"},
                "StepScalingPolicyConfiguration": {
                    "AdjustmentType": "ChangeInCapacity",
                    "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
                },
            },
        },
        "Busy": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmActions": [{"Ref": "Steps"}],
                "ComparisonOperator": "GreaterThanThreshold",
                "Dimensions": DIMENSIONS,
                "EvaluationPeriods": 2,
                "MetricName": "Invocations",
                "Namespace": "AWS/SageMaker",
                "Period": 60,
                "Statistic": "Sum",
                "Threshold": 100,
            },
        },
        "Target": {
            "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
            "Properties": {
                "MinCapacity": "1",
                "MaxCapacity": {"Ref": "Most"},
                "ResourceId": {
                    "Fn::Sub": "endpoint/${Endpoint.EndpointName}/variant/linear",
                },
                "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
                "ServiceNamespace": "sagemaker",
                "ScheduledActions": [
                    {
                        "ScheduledActionName": "nights",
                        "Schedule": "cron(0 22 * * ? *)",
                        "ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": 2},
                    }
                ],
            },
        },
        "Endpoint": {
            "Type": "AWS::SageMaker::Endpoint",
            "DependsOn": "Logs",
            "Properties": {
                "EndpointName": "prices",
                "EndpointConfigName": {"Fn::GetAtt": "Config.EndpointConfigName"},
                "RetainAllVariantProperties": True,
            },
        },
        "Config": {
            "Type": "AWS::SageMaker::EndpointConfig",
            "Properties": {
                "ProductionVariants": [
                    {
                        "VariantName": "linear",
                        "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
                        "InstanceType": {"Fn::If": ["IsTest", "ml.c5.large", "ml.m5.large"]},
                        "InitialInstanceCount": "1",
                        "AcceleratorType": {"Ref": "AWS::NoValue"},
                    }
                ]
            },
        },
        "Model": {
            "Type": "AWS::SageMaker::Model",
            "Properties": {
                "ExecutionRoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                "PrimaryContainer": {
                    "Image": {
                        "Fn::Join": ["", [{"Ref": "AWS::AccountId"}, ".dkr.ecr/prices:", "1"]]
                    }
                },
            },
        },
        "Role": {"Type": "AWS::IAM::Role", "Properties": {}},
        "Logs": {"Type": "AWS::Logs::LogGroup"},
        "Absent": {"Type": "AWS::SNS::Topic", "Condition": "IsLive"},
    },
    "Outputs": {
        "Arn": {"Value": {"Ref": "Endpoint"}},
        "Topic": {"Value": {"Fn::GetAtt": ["Logs", "Colour"]}},
    },
}
TEMPLATE["Conditions"]["IsLive"] = {"Fn::Not": [{"Condition": "IsTest"}]}


class Hosting:
    """SageMaker's operations, as far as a template calls them."""

    def __init__(self, *statuses: str) -> None:
        self.statuses = list(statuses or ("Creating", "InService"))
        self.model = Recorder({"ModelArn": "arn:aws:sagemaker:us-east-1:000000000000:model/m"})
        self.config = Recorder({"EndpointConfigArn": "arn:config-of-some-length"})
        self.endpoint = Recorder({"EndpointArn": "arn:endpoint-of-some-length"})

    async def describe(self, _given: Mapping[str, Any]) -> Mapping[str, Any]:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return {"EndpointStatus": status, "FailureReason": "no room"}

    def service(self) -> AwsService:
        return AwsService(
            name="sagemaker",
            target_prefix="SageMaker",
            operations={
                "CreateModel": self.model,
                "CreateEndpointConfig": self.config,
                "CreateEndpoint": self.endpoint,
                "DescribeEndpoint": self.describe,
            },
        )


def apply(
    template: Mapping[str, Any], hosting: Hosting, world: World, **given: object
) -> AppliedTemplate:
    front = AwsFront([hosting.service(), *world.control.services()])
    whole: dict[str, Any] = {
        "model_data": {"": Path("/models/prices")},
        "parameters": {"Stage": "test"},
        **given,
    }
    return asyncio.run(apply_template(template, front, **whole))


def test_a_template_becomes_the_calls_a_client_would_make(caplog: pytest.LogCaptureFixture):
    hosting, world = Hosting(), World()
    with caplog.at_level(logging.WARNING):
        applied = apply(TEMPLATE, hosting, world)
    (model,) = hosting.model.given
    assert model["ExecutionRoleArn"] == "arn:aws:iam::000000000000:role/Role"
    assert model["PrimaryContainer"] == {
        "Image": "000000000000.dkr.ecr/prices:1",
        "ModelDataUrl": "s3://local/models/prices",
    }
    (config,) = hosting.config.given
    assert config["ProductionVariants"] == [
        {
            "VariantName": "linear",
            "ModelName": model["ModelName"],
            "InstanceType": "ml.c5.large",
            "InitialInstanceCount": 1,
        }
    ]
    assert model["ModelName"].startswith("local-Model-")
    (endpoint,) = hosting.endpoint.given
    assert endpoint == {
        "EndpointName": "prices",
        "EndpointConfigName": config["EndpointConfigName"],
    }
    assert applied.endpoint_names == ("prices",)
    assert applied.outputs == {"Arn": "arn:endpoint-of-some-length"}
    assert {(one.logical_id, one.type_name) for one in applied.unknown} == {
        ("Role", "AWS::IAM::Role"),
        ("Logs", "AWS::Logs::LogGroup"),
    }
    for one in applied.unknown:
        assert f"{one.logical_id}, of the type {one.type_name}, is not known here" in caplog.text
    assert "Absent" not in caplog.text
    assert "the output Topic has no value" in caplog.text


def test_what_it_says_of_scaling_is_in_force():
    world = World()
    apply(TEMPLATE, Hosting(), world)
    of = {"ServiceNamespace": "sagemaker"}
    (target,) = world.call("DescribeScalableTargets", of)["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 4)
    tracking, steps = world.call("DescribeScalingPolicies", of)["ScalingPolicies"]
    assert tracking["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 60.0
    assert len(steps["Alarms"]) == 1
    (action,) = world.call("DescribeScheduledActions", of)["ScheduledActions"]
    assert action["ScheduledActionName"] == "nights"
    world.minutes(2, 150)
    assert world.variant.desired_instance_count == 2
    assert world.activities()[0]["Cause"].endswith("triggered policy steps")


@pytest.mark.parametrize("key", ["Model", "000000000000.dkr.ecr/prices:1", ""])
def test_an_artefact_stands_for_a_model_by_id_image_or_for_all(key: str):
    hosting = Hosting()
    apply(TEMPLATE, hosting, World(), model_data={key: Path("/other")})
    (model,) = hosting.model.given
    assert model["PrimaryContainer"]["ModelDataUrl"] == "s3://local/other"


def test_a_model_without_an_artefact_is_told():
    with pytest.raises(ConfigurationError, match="stands for the model Model") as raised:
        apply(TEMPLATE, Hosting(), World(), model_data={"Other": Path("/other")})
    assert raised.value.hint == "name it: --model-data Model=PATH"


def test_a_refusal_names_the_resource():
    hosting = Hosting()
    hosting.config.answer = AwsError("ValidationException", "no such type")
    with pytest.raises(DeploymentError, match=r"Config, of the type .* no such type"):
        apply(TEMPLATE, hosting, World())


def test_an_endpoint_that_fails_says_why():
    with pytest.raises(DeploymentError, match="prices failed: no room"):
        apply(TEMPLATE, Hosting("Creating", "Failed"), World())


@pytest.mark.parametrize(
    ("parameters", "named"), [({}, "Stage has no value"), ({"Stage": "a", "X": "b"}, "parameter X")]
)
def test_parameters_are_all_given_and_all_known(parameters: dict[str, str], named: str):
    with pytest.raises(ConfigurationError, match=named):
        apply(TEMPLATE, Hosting(), World(), parameters=parameters)


# Functions.


def resolved(value: object) -> object:
    template = {
        "Parameters": {
            "Text": {"Type": "String", "Default": "t"},
            "Texts": {"Type": "CommaDelimitedList", "Default": "a,b"},
        },
        "Mappings": {"Sizes": {"test": {"type": "ml.c5.large"}}},
        "Conditions": {"Yes": {"Fn::Equals": [1, "1"]}, "No": {"Fn::Not": [{"Condition": "Yes"}]}},
    }
    resolver = with_parameters(template, {}, {"AWS::Region": "us-east-1"})
    resolver.attributes["Thing"] = {"Arn": "arn:thing", "A.B": "nested"}
    return resolver.resolved(value)


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ({"Ref": "Text"}, "t"),
        ({"Ref": "AWS::Region"}, "us-east-1"),
        ({"Fn::GetAtt": "Thing.Arn"}, "arn:thing"),
        ({"Fn::GetAtt": ["Thing", "A.B"]}, "nested"),
        ({"Fn::Sub": "${Text}/${Thing.Arn}/${!Literal}"}, "t/arn:thing/${Literal}"),
        ({"Fn::Sub": ["${x}${Text}", {"x": {"Ref": "AWS::Region"}}]}, "us-east-1t"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Text"}, 3]]}, "a-t-3"),
        ({"Fn::Join": ["+", {"Ref": "Texts"}]}, "a+b"),
        ({"Fn::Select": ["1", {"Fn::Split": ["/", "a/b/c"]}]}, "b"),
        ({"Fn::FindInMap": ["Sizes", "test", "type"]}, "ml.c5.large"),
        ({"Fn::If": ["Yes", 1, 2]}, 1),
        ({"Fn::If": ["No", 1, {"a": [{"Ref": "Text"}]}]}, {"a": ["t"]}),
        ({"Fn::And": [{"Condition": "Yes"}, {"Condition": "No"}]}, False),
        ({"Fn::Or": [{"Condition": "Yes"}, {"Condition": "No"}]}, True),
        ({"kept": 1, "left": {"Ref": "AWS::NoValue"}}, {"kept": 1}),
        ([1, {"Ref": "AWS::NoValue"}], [1]),
    ],
)
def test_functions_are_evaluated(value: object, result: object):
    assert resolved(value) == result


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"Ref": "Nothing"}, "refers to Nothing"),
        ({"Fn::GetAtt": "Thing.Colour"}, "Thing.Colour"),
        ({"Fn::GetAtt": "Thing"}, "cannot be evaluated"),
        ({"Fn::ImportValue": "x"}, "Fn::ImportValue is not known"),
        ({"Fn::Join": ["-"]}, "cannot be evaluated"),
        ({"Fn::Select": [9, ["a"]]}, "cannot be evaluated"),
        ({"Fn::FindInMap": ["Sizes", "test", "none"]}, "cannot be evaluated"),
        ({"Fn::If": ["Perhaps", 1, 2]}, "no condition Perhaps"),
        ({"Fn::Sub": "${Nothing}"}, "refers to Nothing"),
    ],
)
def test_what_cannot_be_evaluated_is_told(value: object, named: str):
    with pytest.raises(ConfigurationError, match=named):
        resolved(value)


def test_resources_come_after_those_they_refer_to():
    order = in_order(TEMPLATE["Resources"])
    for before, after in (
        ("Role", "Model"),
        ("Model", "Config"),
        ("Config", "Endpoint"),
        ("Logs", "Endpoint"),
        ("Endpoint", "Target"),
        ("Target", "Policy"),
        ("Steps", "Busy"),
    ):
        assert order.index(before) < order.index(after)


def test_a_circle_is_told():
    circle = {name: {"Type": "T", "DependsOn": [other]} for name, other in (("A", "B"), ("B", "A"))}
    with pytest.raises(ConfigurationError, match="need each other: "):
        in_order(circle)


# Files.


def test_a_template_is_read_from_its_file(tmp_path: Path):
    file = tmp_path / "prices.template.json"
    file.write_text(json.dumps(TEMPLATE))
    assert read_template(file) == TEMPLATE


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Resources:", "is not JSON"),
        ("[]", "no CloudFormation template"),
        ('{"Resources": []}', "no CloudFormation template"),
        ('{"Resources": {"A": {}}}', "no CloudFormation template"),
    ],
)
def test_a_file_that_is_no_template_is_told(tmp_path: Path, text: str, named: str):
    file = tmp_path / "template"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=named):
        read_template(file)
    with pytest.raises(ConfigurationError, match="cannot read"):
        read_template(tmp_path / "nothing")
