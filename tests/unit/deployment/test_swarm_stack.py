"""
The swarm's stack: what it may do, what can reach it, and that it ends.
"""

import json
import re
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import synthesis
from template_snapshots import check_snapshot
from tonnage.deployment.swarm import SwarmOptions, collect_swarm, write_swarm_context
from tonnage.deployment.swarm.sharing import share_of
from tonnage.domain import (
    ConfigurationError,
    PiecewiseRate,
    RecordError,
    RunRecord,
    Samples,
    parse_profile,
    write_record,
)
from tonnage.loadtest import (
    LoadPlan,
    OpenLoopPlan,
    Payload,
    SageMakerEndpoint,
    arrival_moments,
)

URL = "https://abc.execute-api.eu-west-1.amazonaws.com/evaluate"


HOST = "abc.execute-api.eu-west-1.amazonaws.com"
RUNTIME = "runtime.sagemaker.eu-west-1.amazonaws.com"
BODY = {"distance": 150}


def options(**changed: object) -> SwarmOptions:
    """A closed loop; what is no part of its plan is the swarm's."""
    sizes = {
        name: changed.pop(name) for name in ("workers", "time_to_live_seconds") & changed.keys()
    }
    plan: dict[str, Any] = {
        "url": URL,
        "i_own": HOST,
        "users": 20_000,
        "spawn_rate_per_second": 20.0,
        "duration_seconds": 1200.0,
        "body": BODY,
        **changed,
    }
    return SwarmOptions(**{"plan": LoadPlan(**plan), "workers": 12, **sizes})


def open_options(text: str = "ramp(0/s, 9000/s, 10m)", **changed: object) -> SwarmOptions:
    """An open loop on the endpoint itself."""
    plan: dict[str, Any] = {
        "profile_text": text,
        "i_own": RUNTIME,
        "payload": Payload(body=BODY),
        "sagemaker": SageMakerEndpoint(endpoint_name="Real-Estate", region="eu-west-1"),
        **changed,
    }
    profile = plan.pop("profile", None) or parse_profile(text)
    return SwarmOptions(plan=OpenLoopPlan(profile=profile, **plan), workers=3)


@pytest.fixture(scope="module")
def assembly(cdk_process: ProcessPoolExecutor, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the stack is; cdk-nag has looked at it, and a finding would have been an error."""
    out = tmp_path_factory.mktemp("assembly")
    cdk_process.submit(synthesis.swarm_stack, options(), out).result()
    return out


@pytest.fixture(scope="module")
def resources(assembly: Path) -> dict[str, dict[str, Any]]:
    template = json.loads((assembly / "swarm.template.json").read_text())
    found: dict[str, dict[str, Any]] = template["Resources"]
    return found


@pytest.fixture(scope="module")
def open_template(
    assembly: Path, cdk_process: ProcessPoolExecutor, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """The template of a swarm that sends open-loop arrivals to an endpoint."""
    out = tmp_path_factory.mktemp("open")
    cdk_process.submit(synthesis.swarm_stack, open_options(), out).result()
    found: dict[str, Any] = json.loads((out / "swarm.template.json").read_text())
    return found


def of_type(resources: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    return [each["Properties"] for each in resources.values() if each["Type"] == kind]


def test_cfn_lint_finds_nothing(assembly: Path, cdk_process: ProcessPoolExecutor):
    assert cdk_process.submit(synthesis.lint, assembly).result() == []


def test_its_template_changes_only_on_purpose(assembly: Path, open_template: dict[str, Any]):
    check_snapshot("swarm", json.loads((assembly / "swarm.template.json").read_text()))
    check_snapshot("swarm-open", open_template)


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


def test_those_of_an_open_loop_reach_no_master_and_call_one_endpoint(
    open_template: dict[str, Any],
):
    open_resources = open_template["Resources"]
    assert not of_type(open_resources, "AWS::EC2::SecurityGroupIngress")
    calls = [
        statement
        for policy in of_type(open_resources, "AWS::IAM::Policy")
        for statement in policy["PolicyDocument"]["Statement"]
        if "sagemaker" in json.dumps(statement["Action"])
    ]
    assert calls, "the tasks sign their requests with their own role"
    for statement in calls:
        assert statement["Action"] == "sagemaker:InvokeEndpoint"
        assert json.dumps(statement["Resource"]).endswith(':endpoint/real-estate"]]}')
    for task in of_type(open_resources, "AWS::ECS::TaskDefinition"):
        (container,) = task["ContainerDefinitions"]
        variables = {each["Name"]: each["Value"] for each in container["Environment"]}
        told = SwarmOptions.of_json(variables["TONNAGE_SWARM_PLAN"])
        assert told.to_json() == open_options().to_json()
        assert (told.duration_seconds, told.requests) == (600.0, 2_700_000.0)
        assert variables["TONNAGE_SWARM_TIME_TO_LIVE"] == "1500"


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
        ({"workers": 0}, "from 1 to 64"),
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


@pytest.mark.parametrize(
    ("text", "changed", "says"),
    [
        ("trace week.csv", {"profile": PiecewiseRate.constant(9.0, 60.0)}, "cannot be told this"),
        (
            "constant(9/s, 60s)",
            {"profile": PiecewiseRate.constant(8.0, 60.0)},
            "tells another traffic",
        ),
        ("constant(1/s, 3s)", {}, "3 requests cannot be shared among 3 workers"),
        ("constant(9/s, 60s)", {"payload": Payload(function="a:b")}, "is on this machine"),
    ],
)
def test_an_open_loop_that_the_tasks_cannot_send_is_refused(
    text: str, changed: dict[str, object], says: str
):
    with pytest.raises(ConfigurationError) as caught:
        open_options(text, **changed)
    assert says in caught.value.message


@pytest.mark.parametrize("workers", [2, 3, 7])
@pytest.mark.parametrize(
    "text", ["constant(50/s, 2s)", "ramp(0/s, 90/s, 3s) then constant(9/s, 1s)"]
)
def test_the_workers_together_send_every_arrival_once(text: str, workers: int):
    """Evenly spaced arrivals stay so: what one machine would send, to the moment."""
    plan = open_options(text).plan
    assert isinstance(plan, OpenLoopPlan)
    whole = arrival_moments(plan.profile, arrivals="constant", seed=0)
    shares = [share_of(plan, index=each, workers=workers, start=0.0) for each in range(workers)]
    parts = [arrival_moments(one.profile, arrivals="constant", seed=one.seed) for one in shares]
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    np.testing.assert_allclose(np.sort(np.concatenate(parts)), whole, rtol=0, atol=1e-9)


def test_poisson_arrivals_are_drawn_by_each_worker_for_itself():
    """Independent parts of a Poisson process: their sum has its rate, and its variance."""
    plan = open_options("constant(200/s, 50s)", arrivals="poisson").plan
    assert isinstance(plan, OpenLoopPlan)
    shares = [share_of(plan, index=each, workers=4, start=0.0) for each in range(4)]
    parts = [arrival_moments(one.profile, arrivals="poisson", seed=one.seed) for one in shares]
    assert len({one.seed for one in shares}) == 4
    together = np.sort(np.concatenate(parts))
    assert len(np.unique(together)) == len(together)
    assert len(together) == pytest.approx(10_000, abs=5 * 100)
    gaps = np.diff(together) * 200
    assert gaps.mean() == pytest.approx(1.0, abs=0.05)
    assert gaps.var() == pytest.approx(1.0, abs=0.1)


def test_a_locustfile_is_found_where_the_image_has_it(tmp_path: Path):
    for place in ("mine", "image"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "users.py").write_text("users = 1\n")
    told = options(body=None, locustfile=tmp_path / "mine" / "users.py").to_json()
    assert str(tmp_path) not in told
    plan = SwarmOptions.of_json(told, files=tmp_path / "image").plan
    assert isinstance(plan, LoadPlan)
    assert plan.locustfile == tmp_path / "image" / "users.py"


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


def test_the_masters_record_of_a_closed_loop_is_the_whole(tmp_path: Path):
    write_record(worker(1000.0, [0.0, 2.0]), tmp_path / "record")
    whole = collect_swarm(tmp_path)
    assert (whole.name, whole.samples.sent_seconds.tolist()) == ("swarm", [0.0, 2.0])


def test_the_worst_worker_is_the_verdict_of_an_open_loop(tmp_path: Path):
    said = {"a": "VALID", "b": "INVALID", "c": "DOUBTFUL"}
    for name, word in said.items():
        told = {"verdict": word, "reason": f"{name} says so", "unanswered": {"timed_out": 2}}
        write_record(replace(worker(1000.0, [0.0]), generator=told), tmp_path / f"worker-{name}")
    generator = collect_swarm(tmp_path).generator
    assert (generator["verdict"], generator["workers"]) == ("INVALID", 3)
    assert generator["reason"] == "worker 2: b says so"
    assert generator["unanswered"] == {"timed_out": 6}


def test_a_run_without_records_says_how_to_fetch_one(tmp_path: Path):
    with pytest.raises(RecordError, match="no record of a swarm") as caught:
        collect_swarm(tmp_path)
    assert "aws s3 cp" in (caught.value.hint or "")
