"""
The whole life of an endpoint, by a script written for AWS and by the AWS CLI.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support import Clients, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from botocore.client import BaseClient

    from support import Up
    from tonnage.emulator import BackgroundEndpoint

    Aws = Callable[..., Any]

SCRIPT = Path(__file__).parents[2] / "aws_story.py"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_PAGER": "",
}


@pytest.fixture
def environment() -> dict[str, str]:
    """What an AWS user's shell has."""
    inherited = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
    return {**inherited, **CREDENTIALS}


@pytest.fixture
def local(start_up: Up) -> Iterator[BackgroundEndpoint]:
    """A local SageMaker, its provisioning delay at zero, whose minute lasts 0.2 seconds."""
    with start_up(time_scale=300.0, provisioning_delay_seconds=0.0) as endpoint:
        yield endpoint


@pytest.fixture
def model_data(packed_artefact: Path) -> str:
    """The S3 URI of the model; the bucket ``local`` is this machine."""
    return f"s3://local{packed_artefact / 'model.tar.gz'}"


def test_a_script_written_for_aws_passes_with_only_the_endpoint_url_set(
    local: BackgroundEndpoint, model_data: str, environment: dict[str, str]
):
    finished = subprocess.run(
        [sys.executable, SCRIPT, model_data],
        env={**environment, "AWS_ENDPOINT_URL": local.url},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    seen = json.loads(finished.stdout)
    assert seen["cost"] == pytest.approx(50.3, abs=0.1)
    assert (seen["variant"], seen["config"]) == ("linear", "prices-2")
    high, low = seen["alarms"]
    assert high.startswith("TargetTracking-endpoint/prices/variant/linear-AlarmHigh-")
    assert low.startswith("TargetTracking-endpoint/prices/variant/linear-AlarmLow-")
    (activity,) = [one for one in seen["activities"] if one[1].endswith("2.")]
    assert activity == [
        "Successful",
        "Setting desired instance count to 2.",
        f"monitor alarm {high} in state ALARM triggered policy invocations",
    ]
    assert seen["invocations"] > 0
    assert seen["latency"] > 0
    assert "InvocationsPerInstance" in seen["metrics"]
    assert seen["alarms_left"] == []
    assert "prices" not in seen["left"]
    assert "not found" in seen["after"]


def test_the_aws_cli_does_the_same(
    local: BackgroundEndpoint,
    model_data: str,
    environment: dict[str, str],
    aws_cli: str,
    control_client: Callable[[str], BaseClient],
    tmp_path: Path,
):
    def aws(*arguments: str) -> Any:  # noqa: ANN401 (whatever the command prints)
        finished = subprocess.run(
            [aws_cli, "--endpoint-url", local.url, "--output", "json", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr
        return json.loads(finished.stdout) if finished.stdout.strip() else {}

    create(aws, model_data)
    sagemaker = control_client(local.url)  # a look of boto3's is a hundred times quicker

    def described() -> dict[str, Any]:
        return sagemaker.describe_endpoint(EndpointName="prices")

    until(lambda: described()["EndpointStatus"] == "InService", "the endpoint to be in service")
    invoke = ("sagemaker-runtime", "invoke-endpoint", "--endpoint-name", "prices")
    json_body = ("--content-type", "application/json", "--cli-binary-format", "raw-in-base64-out")
    out = tmp_path / "out.json"
    answer = aws(*invoke, *json_body, "--body", '{"distance": 150}', str(out))
    assert answer["InvokedProductionVariant"] == "linear"
    assert json.loads(out.read_text())["cost"] == pytest.approx(50.3, abs=0.1)

    (high, low) = put_policy(aws)
    with Clients(
        f"{local.url}/endpoints/prices/invocations", {"distance": 150}, count=2, pause_seconds=0.01
    ).running():
        until(lambda: current_count(described()) == 2, "two instances")
    shown = aws("cloudwatch", "describe-alarms", "--alarm-names", high, low)
    assert {alarm["AlarmName"] for alarm in shown["MetricAlarms"]} == {high, low}
    assert endpoint(aws)["EndpointStatus"] == "InService"
    look(aws, high)
    delete(aws)


TARGET = (
    *("--service-namespace", "sagemaker", "--resource-id", "endpoint/prices/variant/linear"),
    *("--scalable-dimension", "sagemaker:variant:DesiredInstanceCount"),
)


def create(aws: Aws, model_data: str) -> None:
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/prices:1"
    container = f"Image={image},ModelDataUrl={model_data}"
    role = "arn:aws:iam::123456789012:role/sagemaker"
    model = ("--model-name", "prices", "--execution-role-arn", role)
    aws("sagemaker", "create-model", *model, "--primary-container", container)
    variant = "VariantName=linear,ModelName=prices,InstanceType=ml.c5.large,InitialInstanceCount=1"
    config = ("--endpoint-config-name", "prices", "--production-variants", variant)
    aws("sagemaker", "create-endpoint-config", *config)
    named = ("--endpoint-name", "prices", "--endpoint-config-name", "prices")
    aws("sagemaker", "create-endpoint", *named)


def endpoint(aws: Aws) -> dict[str, Any]:
    described: dict[str, Any] = aws("sagemaker", "describe-endpoint", "--endpoint-name", "prices")
    return described


def current_count(described: dict[str, Any]) -> int:
    count: int = described["ProductionVariants"][0]["CurrentInstanceCount"]
    return count


def put_policy(aws: Aws) -> list[str]:
    bounds = ("--min-capacity", "1", "--max-capacity", "2")
    aws("application-autoscaling", "register-scalable-target", *TARGET, *bounds)
    configuration = {
        "TargetValue": 60.0,
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
        },
        "ScaleInCooldown": 3600,
    }
    put = aws(
        *("application-autoscaling", "put-scaling-policy", *TARGET),
        *("--policy-name", "invocations", "--policy-type", "TargetTrackingScaling"),
        *("--target-tracking-scaling-policy-configuration", json.dumps(configuration)),
    )
    return [alarm["AlarmName"] for alarm in put["Alarms"]]


def look(aws: Aws, high: str) -> None:
    of_sagemaker = ("--service-namespace", "sagemaker")
    described = aws("application-autoscaling", "describe-scaling-activities", *of_sagemaker)
    out = described["ScalingActivities"][-1]
    assert out["Description"] == "Setting desired instance count to 2."
    assert out["Cause"] == f"monitor alarm {high} in state ALARM triggered policy invocations"
    dimensions = ("Name=EndpointName,Value=prices", "Name=VariantName,Value=linear")
    statistics = aws(
        *("cloudwatch", "get-metric-statistics", "--namespace", "AWS/SageMaker"),
        *("--metric-name", "Invocations", "--dimensions", *dimensions),
        *("--start-time", "2000-01-01T00:00:00Z", "--end-time", "2099-01-01T00:00:00Z"),
        *("--period", "86400000", "--statistics", "Sum"),
    )
    assert statistics["Datapoints"][0]["Sum"] > 0
    listed = aws("cloudwatch", "list-metrics", "--dimensions", *dimensions)
    assert len(listed["Metrics"]) == 10


def delete(aws: Aws) -> None:
    aws("application-autoscaling", "deregister-scalable-target", *TARGET)
    aws("sagemaker", "delete-endpoint", "--endpoint-name", "prices")
    aws("sagemaker", "delete-endpoint-config", "--endpoint-config-name", "prices")
    aws("sagemaker", "delete-model", "--model-name", "prices")
