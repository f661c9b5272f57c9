"""
The template that is deployed, rehearsed: synthesised, brought up here, loaded, and verified.
"""

import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from support import Command, free_port, post, tonnage
from tonnage.cli import _run
from tonnage.domain import PiecewiseRate, RunRecord
from tonnage.loadtest import OpenLoopPlan, Payload, load

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/real-estate:1"
ENDPOINT = "real-estate-evaluation"
LINE = 200.0
"""What an instance carries in this rehearsal, and so what is planned."""

SET = (
    *("--set", f"deployment.image_uri='{IMAGE}'", "--set", "api.front=none"),
    *("--set", f"local.instance_rate='{LINE:g}/s'", "--set", "local.instance_queue='200ms'"),
    # New instances come after the test: what it is loaded with is one instance's line.
    *("--set", "local.provisioning_delay='5h'"),
)


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a command said, and its exit code."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture(scope="module")
def project(example_project: Path, packed_artefact: Path) -> Path:
    assert packed_artefact.is_dir()
    if shutil.which("node") is None:
        if os.environ.get("CI"):
            pytest.fail("this test synthesises a template: apt install nodejs")
        pytest.skip("synthesising needs Node.js: apt install nodejs")
    return example_project


@pytest.fixture(scope="module")
def run(project: Path) -> Callable[..., Ran]:
    """Runs the command line in this process, so that Node.js starts once for all of them."""

    def ran(*arguments: str, account: str | None = None) -> Ran:
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(project)
            for name in [each for each in os.environ if each.startswith("AWS_")]:
                patch.delenv(name)
            patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
            patch.setenv("AWS_CONFIG_FILE", os.devnull)
            patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
            if account is not None:
                patch.setenv("AWS_ENDPOINT_URL", account)
            with redirect_stdout(out), redirect_stderr(err):
                code = _run(list(arguments))
        return Ran(returncode=code, stdout=out.getvalue(), stderr=err.getvalue())

    return ran


@pytest.fixture(scope="module")
def template(run: Callable[..., Ran], tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("synth") / "cdk.out"
    written = run("synth", "-o", str(directory), *SET)
    assert written.returncode == 0, written.stderr
    return directory / "real-estate.template.json"


@pytest.fixture(scope="module")
def account(project: Path, template: Path) -> Iterator[str]:
    """The URL of ``tonnage up --template``, which stands for an AWS account."""
    port = free_port()
    settings = ("--config", project / "tonnage.toml", *SET)
    with tonnage("up", "--template", template, "--port", str(port), *settings) as running:
        running.until_line("all endpoints are in service")
        assert no_policy_was_left_out(running)
        yield f"http://127.0.0.1:{port}"


def no_policy_was_left_out(running: Command) -> bool:
    return not any("AutoScaling" in line and "is " not in line for line in running.lines)


@pytest.fixture(scope="module")
def at_the_line(account: str) -> RunRecord:
    """A load test of four seconds at the planned line."""
    return offered(account, LINE)


def offered(account: str, rate: float) -> RunRecord:
    plan = OpenLoopPlan(
        url=f"{account}/evaluate",
        profile=PiecewiseRate.constant(rate, 4.0),
        payload=Payload(body={"distance": 150}),
        seed=1,
    )
    return load(plan)


def failed(record: RunRecord) -> float:
    return float((record.samples.status != 200).mean())


def client(service: str, account: str) -> Any:  # noqa: ANN401 (boto3's clients have no types)
    return boto3.client(
        service,
        endpoint_url=account,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def drifts(told: Ran) -> list[str]:
    found: list[str] = json.loads(told.stdout)["drift"]
    return found


def test_it_answers_as_the_settings_endpoint(account: str):
    answer = post(f"{account}/endpoints/{ENDPOINT}/invocations", {"distance": 150})
    assert (answer.status, answer.json) == (200, {"cost": 50.3})


def test_it_carries_the_planned_line(at_the_line: RunRecord):
    assert len(at_the_line.samples) == 4 * LINE
    assert failed(at_the_line) < 0.05, "a pause of this machine may cost a queue's length"


def test_its_registered_policy_is_the_settings(account: str):
    autoscaling = client("application-autoscaling", account)
    here = {
        "ServiceNamespace": "sagemaker",
        "ResourceIds": [f"endpoint/{ENDPOINT}/variant/linear-model"],
    }
    (target,) = autoscaling.describe_scalable_targets(**here)["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 10)
    (policy,) = autoscaling.describe_scaling_policies(ServiceNamespace="sagemaker")[
        "ScalingPolicies"
    ]
    assert policy["PolicyName"] == "SageMaker-Invocations-ScalingPolicy"
    assert policy["TargetTrackingScalingPolicyConfiguration"] == {
        "TargetValue": 60.0,
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
        },
        "ScaleInCooldown": 60,
        "ScaleOutCooldown": 60,
    }


def test_verify_finds_it_as_planned(run: Callable[..., Ran], account: str, at_the_line: RunRecord):
    assert len(at_the_line.samples)
    told = run("verify", ENDPOINT, *SET, "--line", f"{LINE:g}/s", "--json", account=account)
    findings = {each["what"]: each for each in json.loads(told.stdout)["findings"]}
    # What this machine's speed has no say in.
    settings = {"EndpointStatus", "InstanceType", "CurrentInstanceCount", "MinCapacity"}
    settings |= {"MaxCapacity", "PredefinedMetricType", "TargetValue"}
    settings |= {"ScaleInCooldown", "ScaleOutCooldown", "load line"}
    assert settings <= set(findings)
    assert not settings & set(drifts(told))
    carried = findings["load line"]["actual"]
    assert carried.startswith("carried "), carried


def test_verify_names_a_setting_that_was_changed(run: Callable[..., Ran], account: str):
    told = run("verify", ENDPOINT, *SET, "--set", "scaling.target_value=99", account=account)
    assert told.returncode == 3
    assert "drift  TargetValue: 60.0 (planned: 99.0)" in told.stdout


def test_verify_names_what_was_changed_in_the_account(run: Callable[..., Ran], account: str):
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{ENDPOINT}/variant/linear-model",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    autoscaling = client("application-autoscaling", account)
    autoscaling.register_scalable_target(**target, MaxCapacity=12)
    told = run("verify", ENDPOINT, *SET, "--json", account=account)
    autoscaling.register_scalable_target(**target, MaxCapacity=10)
    assert told.returncode == 3
    assert "MaxCapacity" in drifts(told)


def test_beyond_the_line_it_refuses(account: str, at_the_line: RunRecord):
    """Else the test at the line would show nothing."""
    state = client("sagemaker", account).describe_endpoint(EndpointName=ENDPOINT)
    (variant,) = state["ProductionVariants"]
    capacity = LINE * variant["CurrentInstanceCount"]
    assert failed(offered(account, 3 * capacity)) > 0.2
