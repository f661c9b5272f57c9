"""
What cannot be deployed, and what is missing: one line and a hint, before anything is synthesised.
"""

import os
import subprocess
from pathlib import Path

import pytest

from support import TONNAGE
from tonnage.deployment.account import Account
from tonnage.deployment.cdk_cli import CdkCli
from tonnage.deployment.driving import deploy_flags, drive
from tonnage.deployment.synthesis import Synthesised
from tonnage.domain import DeploymentError

IMAGE = ("--set", "deployment.image_uri='123456789012.dkr.ecr.us-east-1.amazonaws.com/r:1'")
SERVERLESS = ("--set", "deployment.kind=serverless")
SWARM = ("swarm", "https://mine.example.com/x", "--i-own", "mine.example.com", "--users", "20")


@pytest.fixture(scope="module")
def project(example_project: Path, packed_artefact: Path) -> Path:
    assert packed_artefact.is_dir()
    return example_project


def told(project: Path, path: Path, arguments: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    """Run the command line as somebody who has nothing but Python and what ``path`` holds."""
    return subprocess.run(
        [TONNAGE, *arguments],
        cwd=project,
        env={
            "PATH": str(path),
            "HOME": str(path),
            "AWS_EC2_METADATA_DISABLED": "true",
            **{
                name: os.environ[name] for name in ("COVERAGE_PROCESS_START",) if name in os.environ
            },
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (("synth", "-o", "out"), "there is no `node` on the PATH", "apt install nodejs npm"),
        (("deploy", "--yes"), "there is no `docker` on the PATH", "[deployment] image_uri"),
        (("deploy", "--yes", *IMAGE), "there are no AWS credentials", "aws configure"),
        (("diff",), "there are no AWS credentials", "aws configure"),
        (("destroy", "--yes"), "there are no AWS credentials", "aws configure"),
        (("verify",), "there are no AWS credentials", "aws configure"),
        (("image", "artefact", "--tag", "x"), "there is no `docker` on the PATH", "--context"),
        ((*SWARM, "--yes"), "there is no `docker` on the PATH", "--image-uri"),
        (SWARM, "there is no `node` on the PATH", "apt install nodejs npm"),
    ],
)
def test_what_is_missing_is_named_with_how_to_get_it(
    project: Path, tmp_path: Path, arguments: tuple[str, ...], error: str, hint: str
):
    finished = told(project, tmp_path, arguments)
    assert finished.returncode == 2, finished.stderr
    *_, fault, next_step = finished.stderr.splitlines()
    assert fault.startswith("error: ")
    assert error in fault
    assert next_step.startswith("hint: ")
    assert hint in next_step
    assert not (project / "out").exists()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (("endpoint.instance_type=ml.t2.medium",), "does not auto-scale burstable types"),
        (("endpoint.instance_type=ml.c5.enormous",), "ml.c5.enormous"),
        (("service.name=a_b",), "'a_b'"),
        (("aws.stack=1x",), "'1x' is no stack's name"),
        (("aws.region=europe",), "'europe' is no region"),
        (("aws.instance_quota=4",), "above the account's quota of 4 ml.c5.large"),
        (("scaling.min_capacity=20",), "above max_capacity 10"),
        (("deployment.memory_size_mb=9000",), "1024 to 6144 MB in steps of 1024, not 9000"),
        (("deployment.max_concurrency=900",), "between 1 and 200, not 900"),
        (("deployment.update=canary",), "the fleet may be 1 instance"),
        (("api.front=http", "api.auth=api_key"), "API keys"),
        (("deployment.image_uri=nowhere",), "is no image in Amazon ECR"),
    ],
)
def test_what_aws_would_refuse_is_refused_before_synth(
    project: Path, tmp_path: Path, settings: tuple[str, ...], says: str
):
    """There is no Node.js on the path: that it is not missed shows that nothing was synthesised."""
    serverless = SERVERLESS if any("memory" in each or "conc" in each for each in settings) else ()
    flags = [flag for each in settings for flag in ("--set", each)]
    finished = told(project, tmp_path, ("synth", "-o", "out", *flags, *serverless))
    assert finished.returncode == 2, finished.stderr
    assert says in finished.stderr
    assert "node" not in finished.stderr
    assert not (project / "out").exists()


class Events:
    """CloudFormation, as far as it is asked why a stack failed."""

    def client(self, _service: str) -> "Events":
        return self

    def get_paginator(self, _operation: str) -> "Events":
        return self

    def paginate(self, *, StackName: str) -> list[dict[str, object]]:  # noqa: N803 (boto3's)
        kind = "AWS::SageMaker::Endpoint"
        quota = "The account-level service limit 'ml.c5.large for endpoint usage' is 0 Instances"
        stack = "AWS::CloudFormation::Stack"
        return [
            {
                "StackEvents": [
                    event("CREATE_FAILED", "Board", "AWS::CloudWatch::Dashboard", "cancelled"),
                    event("CREATE_FAILED", "Endpoint", kind, quota),
                    event("CREATE_IN_PROGRESS", StackName, stack, ""),
                ]
            }
        ]


def event(status: str, name: str, kind: str, reason: str) -> dict[str, str]:
    return {
        "ResourceStatus": status,
        "LogicalResourceId": name,
        "ResourceType": kind,
        "ResourceStatusReason": reason,
    }


def test_a_failed_deploy_ends_with_the_stacks_own_reason(tmp_path: Path):
    cdk = tmp_path / "cdk"
    cdk.write_text("#!/bin/sh\necho 'the deployment failed, somewhere'\nexit 1\n")
    cdk.chmod(0o755)
    account = Account(number="1", region="us-east-1", session=Events())  # type: ignore[arg-type]
    made = Synthesised(
        directory=tmp_path, stacks=("real-estate",), templates={}, needs_bootstrap=False
    )
    lines: list[str] = []
    with pytest.raises(DeploymentError) as caught:
        drive(CdkCli(path=str(cdk)), account, made, deploy_flags("change-set"), lines.append)
    first, reason = caught.value.message.splitlines()
    assert first == "cdk deploy failed"
    assert reason.startswith("real-estate: Endpoint (AWS::SageMaker::Endpoint): The account-level")
    assert reason.endswith("is 0 Instances")
    assert caught.value.hint
    assert lines == ["the deployment failed, somewhere"]
