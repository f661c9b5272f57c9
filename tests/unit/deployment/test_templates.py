"""
Every number that costs money and every permission, in the synthesised templates.
"""

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Assembly

CASES = ["given-image", "everything", "fixed-count", "serverless"]


def resources(template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [each for each in template["Resources"].values() if each["Type"] == kind]


def only(template: dict[str, Any], kind: str) -> dict[str, Any]:
    (found,) = resources(template, kind)
    properties: dict[str, Any] = found["Properties"]
    return properties


def alarm(template: dict[str, Any], metric: str) -> dict[str, Any]:
    (found,) = [
        each["Properties"]
        for each in resources(template, "AWS::CloudWatch::Alarm")
        if each["Properties"].get("MetricName") == metric and "AlarmActions" not in each
    ][:1]
    properties: dict[str, Any] = found
    return properties


def check(template: dict[str, Any], kind: str, properties: dict[str, Any]) -> None:
    """Assert with the CDK's own matcher, which says how it differs."""
    from aws_cdk.assertions import Template

    Template.from_json(template).has_resource_properties(kind, properties)


def test_the_story_on_aws_is_what_was_rehearsed(assembly: "Assembly"):
    """design §6: one ml.c5.large, 1 to 10, target 60 per minute, cooldowns of 60 s."""
    template = assembly.templates["given-image"]
    check(
        template,
        "AWS::SageMaker::EndpointConfig",
        {
            "ProductionVariants": [
                {
                    "VariantName": "linear-model",
                    "InstanceType": "ml.c5.large",
                    "InitialInstanceCount": 1,
                    "InitialVariantWeight": 1,
                }
            ]
        },
    )
    assert only(template, "AWS::ApplicationAutoScaling::ScalableTarget") == {
        "ServiceNamespace": "sagemaker",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "ResourceId": "endpoint/given-image/variant/linear-model",
        "MinCapacity": 1,
        "MaxCapacity": 10,
    }
    check(
        template,
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        {
            "PolicyName": "SageMaker-Invocations-ScalingPolicy",
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": 60,
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
                },
                "ScaleInCooldown": 60,
                "ScaleOutCooldown": 60,
            },
        },
    )


def test_every_number_reaches_the_template_to_the_digit(assembly: "Assembly"):
    template = assembly.templates["everything"]
    (variant,) = only(template, "AWS::SageMaker::EndpointConfig")["ProductionVariants"]
    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.c7g.xlarge", 5)
    assert variant["InitialVariantWeight"] == 2.5
    assert variant["ContainerStartupHealthCheckTimeoutInSeconds"] == 600
    target = only(template, "AWS::ApplicationAutoScaling::ScalableTarget")
    assert (target["MinCapacity"], target["MaxCapacity"]) == (3, 17)
    assert target["ScheduledActions"] == [
        {
            "ScheduledActionName": "morning",
            "Schedule": "cron(0 8 ? * MON-FRI *)",
            "Timezone": "Asia/Taipei",
            "ScalableTargetAction": {"MinCapacity": 4, "MaxCapacity": 12},
        }
    ]
    tracking, step, _ = (
        each["Properties"]
        for each in resources(template, "AWS::ApplicationAutoScaling::ScalingPolicy")
    )
    configuration = tracking["TargetTrackingScalingPolicyConfiguration"]
    assert configuration["TargetValue"] == 1234.5678
    assert (configuration["ScaleInCooldown"], configuration["ScaleOutCooldown"]) == (301, 31)
    assert step["StepScalingPolicyConfiguration"] == {
        "AdjustmentType": "ChangeInCapacity",
        "Cooldown": 45,
        "StepAdjustments": [
            {
                "MetricIntervalLowerBound": 0,
                "MetricIntervalUpperBound": 6000,
                "ScalingAdjustment": 2,
            },
            {"MetricIntervalLowerBound": 6000, "ScalingAdjustment": 5},
        ],
    }


def test_a_step_policys_alarm_calls_it(assembly: "Assembly"):
    template = assembly.templates["everything"]
    policies = template["Resources"]
    (alarm_on_load,) = [
        each["Properties"]
        for each in resources(template, "AWS::CloudWatch::Alarm")
        if each["Properties"].get("MetricName") == "InvocationsPerInstance"
    ]
    (action,) = alarm_on_load["AlarmActions"]
    assert policies[action["Ref"]]["Properties"]["PolicyName"] == "overload"
    assert alarm_on_load["Threshold"] == 30_000
    assert alarm_on_load["Statistic"] == "Sum"
    assert alarm_on_load["Period"] == 60
    assert alarm_on_load["TreatMissingData"] == "missing"


@pytest.mark.parametrize(
    ("metric", "namespace"),
    [
        ("InvocationsPerInstance", "AWS/SageMaker"),
        ("CPUUtilization", "/aws/sagemaker/Endpoints"),
    ],
)
def test_a_step_policys_alarm_looks_where_sagemaker_tells_the_metric(
    assembly: "Assembly", metric: str, namespace: str
):
    found = {
        each["Properties"]["Namespace"]
        for each in resources(assembly.templates["everything"], "AWS::CloudWatch::Alarm")
        if each["Properties"].get("MetricName") == metric
    }
    assert found == {namespace}


def test_a_serverless_variant_has_its_three_sizes_and_no_instances(assembly: "Assembly"):
    template = assembly.templates["serverless"]
    (variant,) = only(template, "AWS::SageMaker::EndpointConfig")["ProductionVariants"]
    assert variant["ServerlessConfig"] == {
        "MemorySizeInMB": 3072,
        "MaxConcurrency": 42,
        "ProvisionedConcurrency": 7,
    }
    assert not {"InstanceType", "InitialInstanceCount"} & set(variant)
    assert resources(template, "AWS::ApplicationAutoScaling::ScalableTarget") == []
    assert "DeploymentConfig" not in only(template, "AWS::SageMaker::Endpoint")


def test_without_scaling_nothing_scales(assembly: "Assembly"):
    template = assembly.templates["fixed-count"]
    (variant,) = only(template, "AWS::SageMaker::EndpointConfig")["ProductionVariants"]
    assert variant["InitialInstanceCount"] == 4
    assert not [kind for kind in kinds(template) if kind.startswith("AWS::ApplicationAuto")]


def kinds(template: dict[str, Any]) -> set[str]:
    return {each["Type"] for each in template["Resources"].values()}


@pytest.mark.parametrize("case", CASES)
def test_nothing_bills_but_what_is_known_to(case: str, assembly: "Assembly"):
    """A resource of a new kind in a template is a new line on the bill: look at it first."""
    assert kinds(assembly.templates[case]) <= {
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::IAM::Role",
        "AWS::KMS::Key",
        "AWS::Logs::LogGroup",
        "AWS::SageMaker::Endpoint",
        "AWS::SageMaker::EndpointConfig",
        "AWS::SageMaker::Model",
    }
    assert ("AWS::KMS::Key" in kinds(assembly.templates[case])) == (case == "everything")


@pytest.mark.parametrize("case", CASES)
def test_an_update_keeps_the_count_that_scaling_has_come_to(case: str, assembly: "Assembly"):
    endpoint = only(assembly.templates[case], "AWS::SageMaker::Endpoint")
    assert endpoint["RetainAllVariantProperties"] is True
    assert endpoint["EndpointName"] == case


@pytest.mark.parametrize("case", CASES)
def test_no_data_is_captured(case: str, assembly: "Assembly"):
    assert "DataCaptureConfig" not in only(
        assembly.templates[case], "AWS::SageMaker::EndpointConfig"
    )


def test_all_at_once_keeps_the_old_fleet_for_a_while(assembly: "Assembly"):
    configuration = only(assembly.templates["given-image"], "AWS::SageMaker::Endpoint")
    assert configuration["DeploymentConfig"]["BlueGreenUpdatePolicy"] == {
        "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0},
        "TerminationWaitInSeconds": 600,
        "MaximumExecutionTimeoutInSeconds": 600 + 3600,
    }


def test_a_canary_takes_its_share_first(assembly: "Assembly"):
    configuration = only(assembly.templates["everything"], "AWS::SageMaker::Endpoint")
    assert configuration["DeploymentConfig"]["BlueGreenUpdatePolicy"] == {
        "TrafficRoutingConfiguration": {
            "Type": "CANARY",
            "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 20},
            "WaitIntervalInSeconds": 120,
        },
        "TerminationWaitInSeconds": 240,
        "MaximumExecutionTimeoutInSeconds": 120 + 240 + 3600,
    }


def test_a_rolling_update_goes_batch_by_batch(assembly: "Assembly"):
    configuration = only(assembly.templates["fixed-count"], "AWS::SageMaker::Endpoint")
    assert configuration["DeploymentConfig"]["RollingUpdatePolicy"] == {
        "MaximumBatchSize": {"Type": "CAPACITY_PERCENT", "Value": 25},
        "WaitIntervalInSeconds": 60,
        "MaximumExecutionTimeoutInSeconds": 4 * 60 + 600 + 3600,
    }


@pytest.mark.parametrize("case", ["given-image", "everything", "fixed-count"])
def test_an_update_rolls_back_when_the_objective_is_missed(case: str, assembly: "Assembly"):
    template = assembly.templates[case]
    rollback = only(template, "AWS::SageMaker::Endpoint")["DeploymentConfig"][
        "AutoRollbackConfiguration"
    ]
    watched = [
        template["Resources"][each["AlarmName"]["Ref"]]["Properties"]["MetricName"]
        for each in rollback["Alarms"]
    ]
    assert watched == ["Invocation5XXErrors", "ModelLatency"]


@pytest.mark.parametrize("case", CASES)
def test_alarms_hold_the_endpoint_to_its_objective(case: str, assembly: "Assembly"):
    template = assembly.templates[case]
    errors = alarm(template, "Invocation5XXErrors")
    # Each invocation sends 1 or 0, so that the average is the share.
    assert (errors["Statistic"], errors["Threshold"]) == ("Average", 0.001)
    latency = alarm(template, "ModelLatency")
    assert (latency["ExtendedStatistic"], latency["Threshold"]) == ("p99", 250_000)
    assert latency["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    for watched in (errors, latency, alarm(template, "Invocation4XXErrors")):
        assert {each["Name"]: each["Value"] for each in watched["Dimensions"]} == {
            "EndpointName": case,
            "VariantName": "linear-model",
        }
    assert alarm(template, "InvocationModelErrors")["Threshold"] in {0.05, 0.02}


def test_the_alarm_on_capacity_rings_at_the_maximum(assembly: "Assembly"):
    (capacity,) = [
        each["Properties"]
        for each in resources(assembly.templates["everything"], "AWS::CloudWatch::Alarm")
        if "Metrics" in each["Properties"]
    ]
    assert 16 < capacity["Threshold"] < 17
    assert (capacity["EvaluationPeriods"], capacity["DatapointsToAlarm"]) == (15, 15)
    expression, *metrics = capacity["Metrics"]
    assert expression["Expression"] == "invocations / per_instance"
    assert {
        each["Id"]: (each["MetricStat"]["Metric"]["MetricName"], each["MetricStat"]["Stat"])
        for each in metrics
    } == {"invocations": ("Invocations", "Sum"), "per_instance": ("InvocationsPerInstance", "Sum")}


def test_alarms_go_to_the_topic_that_is_named(assembly: "Assembly"):
    sent = [
        each["Properties"]["AlarmActions"]
        for each in resources(assembly.templates["everything"], "AWS::CloudWatch::Alarm")
    ]
    topic = ["arn:aws:sns:us-east-1:123456789012:on-call"]
    assert sum(actions == topic for actions in sent) == 5
    silent = resources(assembly.templates["given-image"], "AWS::CloudWatch::Alarm")
    assert all("AlarmActions" not in each["Properties"] for each in silent)


@pytest.mark.parametrize(("case", "days"), [("given-image", 30), ("everything", 90)])
def test_logs_expire_and_are_there_before_the_endpoint(case: str, days: int, assembly: "Assembly"):
    template = assembly.templates[case]
    assert only(template, "AWS::Logs::LogGroup") == {
        "LogGroupName": f"/aws/sagemaker/Endpoints/{case}",
        "RetentionInDays": days,
        **({"Tags": [{"Key": "team", "Value": "pricing"}]} if case == "everything" else {}),
    }
    (endpoint,) = resources(template, "AWS::SageMaker::Endpoint")
    assert "Logs" in endpoint["DependsOn"]


def test_the_dashboard_shows_load_errors_latency_and_capacity(assembly: "Assembly"):
    body = json.dumps(only(assembly.templates["given-image"], "AWS::CloudWatch::Dashboard"))
    for name in (
        *("InvocationsPerInstance", "Invocation5XXErrors", "Invocation4XXErrors"),
        *("InvocationModelErrors", "ModelLatency", "OverheadLatency", "CPUUtilization"),
    ):
        assert name in body


def test_tags_are_on_everything_that_takes_them(assembly: "Assembly"):
    template = assembly.templates["everything"]
    untagged = {
        each["Type"]
        for each in template["Resources"].values()
        if {"Key": "team", "Value": "pricing"} not in each["Properties"].get("Tags", [])
    }
    assert untagged <= {"AWS::ApplicationAutoScaling::ScalingPolicy"}


def test_volumes_are_encrypted_with_the_key_that_is_asked_for(assembly: "Assembly"):
    everything = assembly.templates["everything"]
    key = only(everything, "AWS::SageMaker::EndpointConfig")["KmsKeyId"]
    assert everything["Resources"][key["Fn::GetAtt"][0]]["Type"] == "AWS::KMS::Key"
    assert only(everything, "AWS::KMS::Key")["EnableKeyRotation"] is True
    fixed = only(assembly.templates["fixed-count"], "AWS::SageMaker::EndpointConfig")
    assert fixed["KmsKeyId"] == "alias/volumes"
    given = only(assembly.templates["given-image"], "AWS::SageMaker::EndpointConfig")
    assert "KmsKeyId" not in given


def test_the_model_is_in_the_image_or_where_it_is_said_to_be(assembly: "Assembly"):
    def container(case: str) -> dict[str, Any]:
        model = only(assembly.templates[case], "AWS::SageMaker::Model")
        assert model["EnableNetworkIsolation"] is True
        inner: dict[str, Any] = model["PrimaryContainer"]
        return inner

    assert container("given-image") == {
        "Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/real-estate:1"
    }
    fixed = container("fixed-count")
    assert fixed["ModelDataUrl"] == "s3://models/real-estate/model.tar.gz"
    everything = container("everything")
    assert everything["ModelDataUrl"]["Fn::Sub"].endswith(".tar.gz")
    assert everything["Environment"] == {"SAGEMAKER_MODEL_SERVER_WORKERS": "3"}
