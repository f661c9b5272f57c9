"""
A script as one writes it for AWS: nothing in it knows that it may run against a local SageMaker.

It takes the S3 URI of a ``model.tar.gz`` and prints what it saw as JSON. Where it runs is for
``AWS_ENDPOINT_URL`` to say.
"""

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

ENDPOINT, VARIANT, ROLE = "prices", "linear", "arn:aws:iam::123456789012:role/sagemaker"
TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": f"endpoint/{ENDPOINT}/variant/{VARIANT}",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
DIMENSIONS = [
    {"Name": "EndpointName", "Value": ENDPOINT},
    {"Name": "VariantName", "Value": VARIANT},
]
PATIENCE = {"Delay": 1, "MaxAttempts": 60}

sagemaker = boto3.client("sagemaker")
runtime = boto3.client("sagemaker-runtime")
autoscaling = boto3.client("application-autoscaling")
cloudwatch = boto3.client("cloudwatch")


def main(model_data: str) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    create(model_data, seen)
    invoke(seen)
    scale(seen)
    look(seen)
    update(seen)
    delete(seen)
    return seen


def create(model_data: str, seen: dict[str, Any]) -> None:
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/prices:1"
    sagemaker.create_model(
        ModelName="prices",
        ExecutionRoleArn=ROLE,
        PrimaryContainer={"Image": image, "ModelDataUrl": model_data},
    )
    create_config("prices-1", count=1)
    began = time.monotonic()
    created = sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName="prices-1")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=ENDPOINT, WaiterConfig=PATIENCE)
    seen["create_seconds"] = time.monotonic() - began
    seen["endpoint_arn"] = created["EndpointArn"]


def create_config(name: str, *, count: int) -> None:
    variant = {
        "VariantName": VARIANT,
        "ModelName": "prices",
        "InstanceType": "ml.c5.large",
        "InitialInstanceCount": count,
        "InitialVariantWeight": 1.0,
    }
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])


def invoke(seen: dict[str, Any]) -> None:
    answer = runtime.invoke_endpoint(
        EndpointName=ENDPOINT,
        ContentType="application/json",
        Body=json.dumps({"distance": 150}).encode(),
    )
    seen["cost"] = json.load(answer["Body"])["cost"]
    seen["variant"] = answer["InvokedProductionVariant"]


def scale(seen: dict[str, Any]) -> None:
    autoscaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=2)
    put = autoscaling.put_scaling_policy(
        **TARGET,
        PolicyName="invocations",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 60.0,
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
            },
            "ScaleInCooldown": 60,
            "ScaleOutCooldown": 60,
        },
    )
    seen["alarms"] = [alarm["AlarmName"] for alarm in put["Alarms"]]
    deadline = time.monotonic() + 60
    seen["alarm_state"] = ""
    while current_count() < 2:
        assert time.monotonic() < deadline, "it did not scale out"
        for _ in range(5):
            invoke({})
        (alarm,) = cloudwatch.describe_alarms(AlarmNames=seen["alarms"][:1])["MetricAlarms"]
        if alarm["StateValue"] == "ALARM":
            seen["alarm_state"], seen["alarm_reason"] = alarm["StateValue"], alarm["StateReason"]


def current_count() -> int:
    described = sagemaker.describe_endpoint(EndpointName=ENDPOINT)
    count: int = described["ProductionVariants"][0]["CurrentInstanceCount"]
    return count


def look(seen: dict[str, Any]) -> None:
    activities = autoscaling.describe_scaling_activities(
        ServiceNamespace="sagemaker",
        ResourceId=TARGET["ResourceId"],
        IncludeNotScaledActivities=True,
    )["ScalingActivities"]
    seen["activities"] = [
        [activity["StatusCode"], activity["Description"], activity["Cause"]]
        for activity in activities
        if "NotScaledReasons" not in activity
    ]
    now = datetime.now(UTC)
    span = {"StartTime": now - timedelta(minutes=5), "EndTime": now + timedelta(minutes=1)}
    metric = {"Namespace": "AWS/SageMaker", "MetricName": "Invocations", "Dimensions": DIMENSIONS}
    data = cloudwatch.get_metric_data(
        MetricDataQueries=[
            {"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}
        ],
        **span,
    )
    seen["invocations"] = sum(data["MetricDataResults"][0]["Values"])
    latency = cloudwatch.get_metric_statistics(
        **{**metric, "MetricName": "ModelLatency"},
        Period=60,
        Statistics=["Average", "SampleCount"],
        ExtendedStatistics=["p99"],
        **span,
    )
    seen["latency"] = latency["Datapoints"][0]["ExtendedStatistics"]["p99"]
    listed = cloudwatch.list_metrics(Namespace="AWS/SageMaker", Dimensions=DIMENSIONS)
    seen["metrics"] = sorted(metric["MetricName"] for metric in listed["Metrics"])


def update(seen: dict[str, Any]) -> None:
    create_config("prices-2", count=1)
    sagemaker.update_endpoint(
        EndpointName=ENDPOINT, EndpointConfigName="prices-2", RetainAllVariantProperties=True
    )
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=ENDPOINT, WaiterConfig=PATIENCE)
    described = sagemaker.describe_endpoint(EndpointName=ENDPOINT)
    seen["config"] = described["EndpointConfigName"]
    invoke({})


def delete(seen: dict[str, Any]) -> None:
    autoscaling.delete_scaling_policy(**TARGET, PolicyName="invocations")
    seen["alarms_left"] = cloudwatch.describe_alarms(AlarmNamePrefix="TargetTracking-")[
        "MetricAlarms"
    ]
    autoscaling.deregister_scalable_target(**TARGET)
    sagemaker.delete_endpoint(EndpointName=ENDPOINT)
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=ENDPOINT, WaiterConfig=PATIENCE)
    for name in ("prices-1", "prices-2"):
        sagemaker.delete_endpoint_config(EndpointConfigName=name)
    sagemaker.delete_model(ModelName="prices")
    seen["left"] = [model["ModelName"] for model in sagemaker.list_models()["Models"]]
    try:
        invoke({})
    except runtime.exceptions.ValidationError as error:
        seen["after"] = error.response["Error"]["Message"]


if __name__ == "__main__":
    json.dump(main(sys.argv[1]), sys.stdout)
