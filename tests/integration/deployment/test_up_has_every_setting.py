"""
``tonnage up`` by settings that only a deployment used to know: steps, schedules, metrics, origins.

What it is held against is what a deployment is held against: `tonnage verify`, and boto3.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from support import TONNAGE, ask, free_port, post, tonnage

ENDPOINT = "real-estate-evaluation"
SHOP = "https://shop.example.com"
HIGH_RESOLUTION = "SageMakerVariantConcurrentRequestsPerModelHighResolution"
MORE = f"""
[api]
cors_origins = ["{SHOP}"]

[[scaling.step]]
policy_name = "overload"
threshold = 30000
cooldown = "60s"
step_adjustments = [
  {{ metric_interval_lower_bound = 0, metric_interval_upper_bound = 6000, scaling_adjustment = 2 }},
  {{ metric_interval_lower_bound = 6000, scaling_adjustment = 5 }},
]

[[scaling.scheduled]]
name = "morning"
schedule = "cron(0 8 ? * MON-FRI *)"
timezone = "Asia/Taipei"
min_capacity = 1
max_capacity = 12
"""
Written = Callable[..., Path]


@pytest.fixture(scope="module")
def written(
    example_project: Path, packed_artefact: Path, tmp_path_factory: pytest.TempPathFactory
) -> Written:
    """Writes a project whose settings say more than the example's."""

    def write(more: str = MORE) -> Path:
        project = tmp_path_factory.mktemp("more") / "project"
        shutil.copytree(example_project, project)
        assert (project / packed_artefact.name).is_dir()
        file = project / "tonnage.toml"
        text, api, rest = file.read_text().partition("\n[api]\n")
        assert api
        _, aws, rest = rest.partition("\n[aws]\n")
        assert aws
        text = text.replace("SageMakerVariantInvocationsPerInstance", HIGH_RESOLUTION)
        file.write_text(f"{text}\n{more}\n[aws]\n{rest}")
        return file

    return write


@pytest.fixture(scope="module")
def settings(written: Written) -> Path:
    return written()


@pytest.fixture(scope="module")
def url(settings: Path) -> Iterator[str]:
    port = free_port()
    with tonnage("up", "--config", settings, "--port", str(port)) as running:
        running.until_line("is in service")
        yield f"http://127.0.0.1:{port}"


def client(service: str, url: str) -> Any:  # noqa: ANN401 (boto3's clients have no types)
    return boto3.client(
        service,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def test_the_metric_of_the_settings_is_tracked(url: str):
    autoscaling = client("application-autoscaling", url)
    policies = autoscaling.describe_scaling_policies(ServiceNamespace="sagemaker")
    tracking = {each["PolicyName"]: each for each in policies["ScalingPolicies"]}[
        "SageMaker-Invocations-ScalingPolicy"
    ]["TargetTrackingScalingPolicyConfiguration"]
    assert tracking["PredefinedMetricSpecification"] == {"PredefinedMetricType": HIGH_RESOLUTION}
    alarms = client("cloudwatch", url).describe_alarms()["MetricAlarms"]
    assert {each["Period"] for each in alarms if "AlarmHigh" in each["AlarmName"]} == {10}


def test_a_step_policy_has_its_alarm(url: str):
    (alarm,) = [
        each
        for each in client("cloudwatch", url).describe_alarms()["MetricAlarms"]
        if each["AlarmName"] == f"{ENDPOINT}-overload"
    ]
    assert (alarm["MetricName"], alarm["Statistic"]) == ("InvocationsPerInstance", "Sum")
    assert (alarm["Threshold"], alarm["Period"]) == (30000.0, 60)
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    (action,) = alarm["AlarmActions"]
    assert action.endswith("policyName/overload")


def test_verify_finds_every_policy_and_schedule_as_planned(url: str, settings: Path):
    finished = subprocess.run(
        [TONNAGE, "verify", "--config", settings, "--json"],
        env={**os.environ, "AWS_ENDPOINT_URL": url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    findings = {each["what"] for each in json.loads(finished.stdout)["findings"]}
    assert {"scaling policy overload", "scheduled action morning"} <= findings


def test_a_page_may_call_from_where_the_settings_say(url: str):
    origin = {"Origin": SHOP}
    preflight = ask(f"{url}/evaluate", "OPTIONS", headers=origin)
    assert preflight.status == 204
    assert preflight.headers["access-control-allow-origin"] == SHOP
    body = json.dumps({"distance": 150}).encode()
    asked = {"Content-Type": "application/json", **origin}
    answer = ask(f"{url}/evaluate", "POST", body=body, headers=asked)
    assert answer.headers["access-control-allow-origin"] == SHOP
    refused = ask(f"{url}/evaluate", "POST", body=b"{}", headers=asked)
    assert (refused.status, refused.headers["access-control-allow-origin"]) == (400, SHOP)
    elsewhere = ask(f"{url}/evaluate", "OPTIONS", headers={"Origin": "https://evil.example.com"})
    assert "access-control-allow-origin" not in elsewhere.headers
    assert "access-control-allow-origin" not in post(f"{url}/evaluate", body).headers


def test_a_schedule_that_aws_would_refuse_is_refused_here(written: Written):
    file = written(MORE.replace("cron(0 8 ? * MON-FRI *)", "every morning"))
    finished = subprocess.run(
        [TONNAGE, "up", "--config", file, "--port", "0"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 2
    assert "every morning" in finished.stderr
    assert "Traceback" not in finished.stderr
