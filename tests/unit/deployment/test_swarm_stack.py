"""
The swarm's stack: what it may do, what can reach it, and that it ends.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from template_snapshots import check_snapshot
from tonnage.deployment.swarm import SwarmOptions, collect_swarm, write_swarm_context
from tonnage.domain import ConfigurationError, RecordError, RunRecord, Samples, write_record

# In a process of its own: jsii's Node.js and its warnings end with it.
SCRIPT = """
import sys
import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks
from tonnage.deployment.swarm import SwarmOptions
from tonnage.deployment.swarm.stack import SwarmStack
app = cdk.App(outdir=sys.argv[1], analytics_reporting=False, tree_metadata=False)
cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
SwarmStack(app, "swarm", SwarmOptions.of_json(sys.argv[2]), region="eu-west-1")
app.synth()
"""
URL = "https://abc.execute-api.eu-west-1.amazonaws.com/evaluate"


def options(**changed: object) -> SwarmOptions:
    plan: dict[str, Any] = {
        "url": URL,
        "i_own": "abc.execute-api.eu-west-1.amazonaws.com",
        "workers": 12,
        "users": 20_000,
        "spawn_rate_per_second": 20.0,
        "duration_seconds": 1200.0,
        "body": {"distance": 150},
        **changed,
    }
    return SwarmOptions(**plan)


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the stack is; cdk-nag has looked at it, and a finding would have been an error."""
    out = tmp_path_factory.mktemp("assembly")
    finished = subprocess.run(
        [sys.executable, "-c", SCRIPT, out, options().to_json()],
        env={**os.environ, "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr + finished.stdout
    return out


@pytest.fixture(scope="module")
def resources(assembly: Path) -> dict[str, dict[str, Any]]:
    template = json.loads((assembly / "swarm.template.json").read_text())
    found: dict[str, dict[str, Any]] = template["Resources"]
    return found


def of_type(resources: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    return [each["Properties"] for each in resources.values() if each["Type"] == kind]


def test_cfn_lint_finds_nothing(assembly: Path):
    finished = subprocess.run(
        [
            Path(sys.executable).with_name("cfn-lint"),
            *("-i", "W3005", "-t", str(assembly / "swarm.template.json")),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout


def test_its_template_changes_only_on_purpose(assembly: Path):
    check_snapshot("swarm", json.loads((assembly / "swarm.template.json").read_text()))


def test_no_role_of_it_has_a_managed_policy(resources: dict[str, Any]):
    for role in of_type(resources, "AWS::IAM::Role"):
        assert "ManagedPolicyArns" not in role
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"]["Service"] in {"ecs-tasks.amazonaws.com", "states.amazonaws.com"}


def test_nothing_runs_by_itself_and_nothing_is_billed_by_the_hour(resources: dict[str, Any]):
    kinds = {each["Type"] for each in resources.values()}
    assert not kinds & {
        "AWS::ECS::Service",
        "AWS::EC2::NatGateway",
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "AWS::EC2::VPCEndpoint",
        "AWS::Events::Rule",
    }


def test_no_action_is_a_wildcard_and_each_statement_is_known(resources: dict[str, Any]):
    actions: set[str] = set()
    for policy in of_type(resources, "AWS::IAM::Policy"):
        for statement in policy["PolicyDocument"]["Statement"]:
            given = statement["Action"]
            actions |= {given} if isinstance(given, str) else set(given)
            if statement["Resource"] == "*":
                assert given == "ecr:GetAuthorizationToken"
    assert actions == {
        *("s3:PutObject", "s3:GetObject", "s3:ListBucket"),
        *("ecs:RunTask", "ecs:StopTask", "ecs:DescribeTasks", "iam:PassRole"),
        *("events:PutTargets", "events:PutRule", "events:DescribeRule"),
        *("ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability"),
        *("ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"),
        *("logs:CreateLogStream", "logs:PutLogEvents"),
    }


def test_only_the_workers_reach_the_master_and_only_at_its_port(resources: dict[str, Any]):
    (ingress,) = of_type(resources, "AWS::EC2::SecurityGroupIngress")
    assert (ingress["IpProtocol"], ingress["FromPort"], ingress["ToPort"]) == ("tcp", 5557, 5557)
    assert "WorkerGroup" in ingress["SourceSecurityGroupId"]["Fn::GetAtt"][0]
    assert "MasterGroup" in ingress["GroupId"]["Fn::GetAtt"][0]
    for group in of_type(resources, "AWS::EC2::SecurityGroup"):
        assert "SecurityGroupIngress" not in group


def definition(resources: dict[str, Any]) -> dict[str, Any]:
    (machine,) = of_type(resources, "AWS::StepFunctions::StateMachine")
    found: dict[str, Any] = machine["Definition"]
    return found


def test_every_worker_starts_once_beside_one_master(resources: dict[str, Any]):
    branches = definition(resources)["States"]["Swarm"]["Branches"]
    counts = {}
    for branch in branches:
        (state,) = branch["States"].values()
        counts[branch["StartAt"]] = state["Parameters"]["Count"]
    assert counts == {"Master": 1, "Workers1": 10, "Workers2": 2}, "RunTask starts ten at most"


def test_it_has_a_time_to_live_thrice(resources: dict[str, Any]):
    """The container's, the step's, and the execution's: 1,200 s and a quarter of an hour."""
    machine = definition(resources)
    assert machine["TimeoutSeconds"] == 2100 + 600
    for branch in machine["States"]["Swarm"]["Branches"]:
        (state,) = branch["States"].values()
        assert state["TimeoutSeconds"] == 2100
        assert "runTask.sync" in json.dumps(state["Resource"])
    for task in of_type(resources, "AWS::ECS::TaskDefinition"):
        (container,) = task["ContainerDefinitions"]
        variables = {each["Name"]: each["Value"] for each in container["Environment"]}
        assert variables["TONNAGE_SWARM_TIME_TO_LIVE"] == "2100"
        assert SwarmOptions.of_json(variables["TONNAGE_SWARM_PLAN"]) == options()
        assert (task["Cpu"], task["Memory"]) == ("1024", "2048")


def test_results_are_private_and_outlive_the_stack(resources: dict[str, Any]):
    ((bucket, found),) = [
        (each["Properties"], each)
        for each in resources.values()
        if each["Type"] == "AWS::S3::Bucket"
    ]
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert bucket["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] == 90
    assert found["DeletionPolicy"] == "Retain"


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"workers": 0}, "from 1 to 100"),
        ({"users": 5}, "cannot be shared"),
        ({"time_to_live_seconds": 60.0}, "ends before the test"),
        ({"body": None}, "a load test sends"),
        ({"i_own": None}, "abc.execute-api"),
    ],
)
def test_what_makes_no_load_test_is_refused(changed: dict[str, object], says: str):
    with pytest.raises(ConfigurationError) as caught:
        options(**changed)
    assert says in f"{caught.value.message} {caught.value.hint}"


def test_the_context_holds_the_locustfiles_and_every_package_by_its_hash(tmp_path: Path):
    mine = tmp_path / "mine.py"
    mine.write_text("users = 1\n")
    context = write_swarm_context(tmp_path / "context", base="python:3.13-slim", locustfiles=[mine])
    assert (context / "files" / "mine.py").read_text() == "users = 1\n"
    assert "ARG BASE=python:3.13-slim" in (context / "Dockerfile").read_text()
    lock = (context / "requirements.lock").read_text()
    for package in ("locust", "boto3", "numpy"):
        assert f"\n{package}==" in lock
    assert lock.count("--hash=sha256:") > lock.count("==")
    assert len(list(context.glob("tonnage-*.whl"))) == 1


def test_the_image_runs_what_the_tests_ran_with():
    """`make lock` writes the locks together."""
    root = Path(__file__).parents[3]
    swarm = root / "src/tonnage/deployment/swarm/swarm_files/swarm.lock"
    shipped, tested = pins(swarm), pins(root / "requirements" / "dev.lock")
    assert shipped
    assert shipped <= tested


def pins(lock: Path) -> set[str]:
    """Each pinned version; its marker is as narrow as what was asked for with it."""
    return set(re.findall(r"^[a-z][\w.-]*==[^ \\;]+", lock.read_text(), flags=re.MULTILINE))


def test_a_context_that_cannot_be_is_refused(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="no locustfile"):
        write_swarm_context(tmp_path / "a", locustfiles=[tmp_path / "none.py"])
    with pytest.raises(ConfigurationError, match="no image"):
        write_swarm_context(tmp_path / "b", base="a b")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "mine").write_text("mine")
    with pytest.raises(ConfigurationError, match="is not empty"):
        write_swarm_context(tmp_path / "c")


def worker(started: float, sent: list[float]) -> RunRecord:
    times = np.array(sent)
    return RunRecord(
        name="swarm",
        title="",
        started_at_epoch_seconds=started,
        duration_seconds=4.0,
        samples=Samples(
            intended_seconds=times,
            sent_seconds=times,
            done_seconds=times + 0.5,
            status=np.full(len(times), 200, dtype=np.uint16),
        ),
        notes=("a note",),
    )


def test_workers_that_began_at_different_times_have_one_clock(tmp_path: Path):
    write_record(worker(1000.0, [0.0, 2.0]), tmp_path / "worker-a")
    write_record(worker(1001.0, [0.0, 2.0]), tmp_path / "worker-b")
    whole = collect_swarm(tmp_path)
    assert whole.samples.sent_seconds.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert whole.samples.done_seconds.tolist() == [0.5, 1.5, 2.5, 3.5]
    assert (whole.started_at_epoch_seconds, whole.duration_seconds) == (1000.0, 5.0)
    assert whole.notes == ("a note",)


def test_a_run_without_workers_says_how_to_fetch_one(tmp_path: Path):
    with pytest.raises(RecordError, match="no worker's record") as caught:
        collect_swarm(tmp_path)
    assert "aws s3 cp" in (caught.value.hint or "")
