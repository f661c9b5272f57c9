"""
``tonnage swarm`` from the settings to the record: a moto server is the account.

moto keeps the state machine but runs no tasks. That part is played here, by the book that the stack
wrote: each branch's tasks are started as processes, with the variables of their own task definition
and the override that the branch names, and the execution ends as they do.

moto deletes no VPC that something was in. So what stands for the CDK's command line here
hands over the synthesised template without the network; ``test_deploying`` drives the real one.
"""

import io
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from support import Up
from tonnage.cli import _run
from tonnage.deployment.cdk_cli import cache_directory
from tonnage.domain import read_record
from tonnage.emulator import BackgroundEndpoint

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/swarm:1"
HOST = "abc.execute-api.us-east-1.amazonaws.com"
STACK = "real-estate-swarm"
TASK_SECONDS = 90

CDK = f"""#!{sys.executable}
import json, sys
from pathlib import Path
import boto3
assembly, command = Path(sys.argv[2]), sys.argv[4]
(file,) = assembly.glob("*.template.json")
stack = file.name.removesuffix(".template.json")
cloudformation = boto3.client("cloudformation")
print(f"{{stack}}: {{command}}")
if command == "destroy":
    cloudformation.delete_stack(StackName=stack)
    sys.exit()
template = json.loads(file.read_text())
resources = template["Resources"]
for name, resource in list(resources.items()):
    kind = resource["Type"]
    if kind == "AWS::StepFunctions::StateMachine":
        # moto takes the definition as text alone, and this one refers to the network.
        template["Metadata"] = {{"Definition": resource["Properties"].pop("Definition")}}
    if kind.startswith("AWS::EC2::") or kind == "AWS::S3::BucketPolicy":
        del resources[name]
cloudformation.create_stack(
    StackName=stack, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"]
)
"""


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a command said, and its exit code."""

    returncode: int
    stdout: str
    stderr: str


class Ecs(threading.Thread):
    """Runs what is started in the account, as ECS and Step Functions would."""

    def __init__(self, url: str, *, breaks: bool = False) -> None:
        super().__init__(daemon=True)
        self._clients = {
            name: boto3.client(name, **credentials(url)) for name in ("ecs", "cloudformation")
        }
        self._url = url
        self._breaks = breaks
        self._done = threading.Event()
        self.codes: list[int] = []

    def run(self) -> None:
        while not self._done.wait(0.05):
            for execution in running():
                self._carry_out(execution)

    def stop(self) -> None:
        self._done.set()
        self.join(TASK_SECONDS)
        for client in self._clients.values():
            client.close()

    def _carry_out(self, execution: Any) -> None:  # noqa: ANN401 (moto's)
        stack, definition = self._definition()
        tasks = [
            self._start(state["Parameters"], stack, execution.name)
            for branch in definition["States"]["Swarm"]["Branches"]
            for state in branch["States"].values()
            for _ in range(state["Parameters"]["Count"])
        ]
        self.codes = [task.wait(TASK_SECONDS) for task in tasks]
        execution.status = "FAILED" if any(self.codes) else "SUCCEEDED"
        execution.cause = "Essential container in task exited" if any(self.codes) else None

    def _definition(self) -> tuple[dict[str, str], dict[str, Any]]:
        """The stack's physical names, and the definition as the template has it."""
        cloudformation = self._clients["cloudformation"]
        template = cloudformation.get_template(StackName=STACK)["TemplateBody"]
        names = {
            each["LogicalResourceId"]: each["PhysicalResourceId"]
            for each in cloudformation.list_stack_resources(StackName=STACK)[
                "StackResourceSummaries"
            ]
        }
        return names, template["Metadata"]["Definition"]

    def _start(
        self, parameters: dict[str, Any], stack: dict[str, str], run: str
    ) -> subprocess.Popen[bytes]:
        task = self._clients["ecs"].describe_task_definition(
            taskDefinition=stack[parameters["TaskDefinition"]["Ref"]]
        )["taskDefinition"]
        (container,) = task["containerDefinitions"]
        assert container["image"].endswith("/swarm:1")
        variables = {each["name"]: each["value"] for each in container["environment"]}
        (override,) = parameters["Overrides"]["ContainerOverrides"]
        assert override["Environment"] == [
            {"Name": "TONNAGE_SWARM_RUN", "Value.$": "$$.Execution.Name"}
        ]
        if self._breaks:
            variables["TONNAGE_SWARM_ROLE"] = "boss"
        return subprocess.Popen(
            [sys.executable, "-m", "tonnage.deployment.swarm.task"],
            env={
                **os.environ,
                **variables,
                "TONNAGE_SWARM_RUN": run,
                "TONNAGE_SWARM_HOST": "127.0.0.1",
                "AWS_ENDPOINT_URL_S3": self._url,
                "AWS_ACCESS_KEY_ID": "a",
                "AWS_SECRET_ACCESS_KEY": "b",
                "AWS_DEFAULT_REGION": "us-east-1",
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def running() -> list[Any]:
    """The executions that were started and have not ended, in the server's own memory."""
    from moto.stepfunctions.models import stepfunctions_backends

    machines = stepfunctions_backends["123456789012"]["us-east-1"].state_machines
    return [
        execution
        for machine in machines
        for execution in machine.executions
        if execution.status == "RUNNING"
    ]


def credentials(url: str) -> dict[str, Any]:
    return {
        "endpoint_url": url,
        "region_name": "us-east-1",
        "aws_access_key_id": "a",
        "aws_secret_access_key": "b",
    }


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """A moto server in this process, whose memory is at hand."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's cache directory in which the CDK's command line is installed already."""
    if shutil.which("node") is None:
        if os.environ.get("CI"):
            pytest.fail("these tests synthesise templates: apt install nodejs")
        pytest.skip("synthesising needs Node.js: apt install nodejs")
    directory = tmp_path_factory.mktemp("cache")
    cdk = directory / "tonnage" / cache_directory().name / "node_modules" / ".bin" / "cdk"
    cdk.parent.mkdir(parents=True)
    cdk.write_text(CDK)
    cdk.chmod(0o755)
    return directory


@pytest.fixture(scope="module")
def endpoint(start_up: Up, packed_artefact: Path) -> Iterator[BackgroundEndpoint]:
    with start_up(artefact=packed_artefact) as running:
        yield running


@pytest.fixture
def run(
    example_project: Path, packed_artefact: Path, cache: Path, tmp_path: Path
) -> Callable[..., Ran]:
    """Runs the verb in this process, so that Node.js starts once for all of them."""
    assert packed_artefact.is_dir()

    def ran(*arguments: str, moto: str | None = None) -> Ran:
        out, err = io.StringIO(), io.StringIO()
        settings = ("--config", str(example_project / "tonnage.toml"))
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(tmp_path)
            for name in [each for each in os.environ if each.startswith("AWS_")]:
                patch.delenv(name)
            patch.setenv("XDG_CACHE_HOME", str(cache))
            patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
            patch.setenv("AWS_CONFIG_FILE", os.devnull)
            patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
            if moto is not None:
                patch.setenv("AWS_ENDPOINT_URL", moto)
                patch.setenv("AWS_ACCESS_KEY_ID", "a")
                patch.setenv("AWS_SECRET_ACCESS_KEY", "b")
            with redirect_stdout(out), redirect_stderr(err):
                code = _run(["swarm", *arguments, *settings])
        return Ran(returncode=code, stdout=out.getvalue(), stderr=err.getvalue())

    return ran


@contextmanager
def ecs(url: str, *, breaks: bool = False) -> Iterator[Ecs]:
    service = Ecs(url, breaks=breaks)
    service.start()
    try:
        yield service
    finally:
        service.stop()


def small(url: str) -> tuple[str, ...]:
    """A test of a few seconds by two workers, with an image that is there."""
    return (
        *(f"{url}/evaluate", "--yes", "--method", "direct", "--image-uri", IMAGE),
        *("--workers", "2", "--users", "20", "--spawn-rate", "20/s", "--pacing", "0.5s"),
        # Locust's workers tell their master every 3 s how many users they have.
        *("--duration", "6s", "--json"),
    )


def left(url: str) -> dict[str, list[Any]]:
    """What is in the account."""
    cloudformation = boto3.client("cloudformation", **credentials(url))
    stacks = cloudformation.list_stacks(StackStatusFilter=["CREATE_COMPLETE"])["StackSummaries"]
    buckets = boto3.client("s3", **credentials(url)).list_buckets()["Buckets"]
    return {
        "stacks": [each["StackName"] for each in stacks],
        "buckets": [each["Name"] for each in buckets],
    }


def test_a_swarm_is_deployed_run_kept_and_taken_down(
    run: Callable[..., Ran], moto: str, endpoint: BackgroundEndpoint, tmp_path: Path
):
    with ecs(moto) as service:
        told = run(*small(endpoint.url), "--run", "first", moto=moto)
    assert service.codes == [0, 0, 0], told.stderr
    assert told.returncode in {0, 3, 4}, told.stderr  # met, missed or doubted: the machine's to say
    outcome = json.loads(told.stdout)["run"]
    assert outcome["failed"] == 0
    assert outcome["record"] == "runs/first"
    record = read_record(tmp_path / "runs" / "first")
    # On a busy machine a worker may send one more while it ends: beyond the window that is told.
    assert len(record.samples.between(0.0, record.duration_seconds)) == outcome["requests"] > 20
    assert record.settings["swarm"] == {"workers": 2}
    assert record.settings["load"]["users"] == 20
    assert max(users for _, users in record.users) == 20
    assert record.generator["verdict"] == outcome["verdict"]
    assert left(moto) == {"stacks": [], "buckets": []}
    assert "9 tasks" not in told.stderr
    assert "3 tasks of 1 vCPU and 2 GB" in told.stderr


def test_an_open_loop_by_a_swarm_is_one_record(
    run: Callable[..., Ran], moto: str, endpoint: BackgroundEndpoint, tmp_path: Path
):
    with ecs(moto) as service:
        told = run(
            *(f"{endpoint.url}/evaluate", "--yes", "--method", "direct", "--image-uri", IMAGE),
            *("--rate", "40/s", "--duration", "3s", "--run", "open", "--json"),
            moto=moto,
        )
    assert service.codes == [0, 0, 0], told.stderr
    assert told.returncode in {0, 3, 4}, told.stderr
    outcome = json.loads(told.stdout)["run"]
    assert (outcome["requests"], outcome["failed"], outcome["arrivals"]) == (120, 0, "constant")
    record = read_record(tmp_path / "runs" / "open")
    assert record.title.startswith("constant arrivals, constant(40/s, 3s), on http://")
    assert record.title.endswith("by 2 workers")
    assert left(moto) == {"stacks": [], "buckets": []}


def test_a_swarm_that_fails_is_taken_down_too_and_its_bucket_is_named(
    run: Callable[..., Ran], moto: str, endpoint: BackgroundEndpoint, tmp_path: Path
):
    with ecs(moto, breaks=True):
        told = run(*small(endpoint.url), moto=moto)
    assert told.returncode == 1
    assert "ended as FAILED and left no record" in told.stderr
    assert "Essential container in task exited" in told.stderr
    (bucket,) = left(moto)["buckets"]
    assert f"kept in s3://{bucket}" in told.stderr
    assert left(moto)["stacks"] == []
    assert not (tmp_path / "runs").exists()


def test_without_yes_it_says_the_cost_and_writes_the_template(
    run: Callable[..., Ran], tmp_path: Path
):
    told = run(
        *(f"https://{HOST}/evaluate", "--i-own", HOST, "--workers", "8", "--users", "16000"),
        *("--spawn-rate", "40/s", "--duration", "20m", "--image-uri", IMAGE, "-o", "out"),
        *("--time-to-live", "30m", "--json"),
    )
    assert told.returncode == 0, told.stderr
    assert "16,000,000 requests through the REST API, $56.00" in told.stderr
    described = json.loads(told.stdout)
    assert described["run"] is None
    # Nine tasks: 0.04048 + 2 x 0.004445 + 0.005 dollars an hour, for a third and for half of one.
    hourly = 9 * (0.04048 + 2 * 0.004445 + 0.005)
    assert described["cost"]["planned_usd"] == pytest.approx(hourly / 3, abs=1e-4)
    assert described["cost"]["most_usd"] == pytest.approx(hourly / 2, abs=1e-4)
    template = (tmp_path / described["templates"]["real-estate-swarm"]).read_text()
    resources = json.loads(template)["Resources"]
    tasks = [each for each in resources.values() if each["Type"] == "AWS::ECS::TaskDefinition"]
    for task in tasks:
        (container,) = task["Properties"]["ContainerDefinitions"]
        variables = {each["Name"]: each["Value"] for each in container["Environment"]}
        options = json.loads(variables["TONNAGE_SWARM_PLAN"])
        plan = options["plan"]["closed_loop"]
        assert (options["workers"], plan["users"], plan["duration_seconds"]) == (8, 16000, 1200.0)
        assert plan["i_own"] == HOST
        assert variables["TONNAGE_SWARM_TIME_TO_LIVE"] == "1800"
    assert re.search(r'"ecr:BatchGetImage"', template), "the tasks may pull the image that is given"
    assert "BootstrapVersion" not in template, "with nothing to upload, no bootstrap is asked for"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((f"https://{HOST}/evaluate",), f"--i-own {HOST}"),
        ((f"https://{HOST}", "--locustfile", "LOCUSTFILE"), f"--i-own {HOST}"),
        (("http://127.0.0.1:8000",), "does not reach 127.0.0.1"),
        ((f"https://{HOST}/x", "--i-own", HOST, "--users", "3", "--workers", "9"), "cannot be"),
        ((f"https://{HOST}/x", "--i-own", HOST, "--time-to-live", "1s"), "ends before the test"),
        ((f"https://{HOST}/x", "--i-own", HOST, "--rate", "9/s", "--users", "9"), "choose one"),
        ((f"https://{HOST}/x", "--rate", "9/s"), f"--i-own {HOST}"),
        (("--endpoint", "real-estate", "--rate", "9/s"), "--i-own runtime.sagemaker.us-east-1"),
        ((), "does not reach 127.0.0.1"),
    ],
)
def test_what_it_will_not_do_is_misuse(
    run: Callable[..., Ran], example_project: Path, arguments: tuple[str, ...], says: str
):
    locustfile = str(example_project / "locustfile.py")
    told = run(*(each.replace("LOCUSTFILE", locustfile) for each in arguments))
    assert told.returncode == 2
    assert says in told.stderr


def test_without_credentials_nothing_is_started(run: Callable[..., Ran]):
    told = run(
        *(f"https://{HOST}/evaluate", "--i-own", HOST, "--users", "20", "--spawn-rate", "20/s"),
        *("--duration", "3s", "--image-uri", IMAGE, "--yes"),
    )
    assert told.returncode == 2
    assert "there are no AWS credentials" in told.stderr
