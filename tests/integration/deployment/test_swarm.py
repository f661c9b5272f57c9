"""
The load swarm's tasks: a real master and real workers, results in a moto server's S3.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import numpy as np
import pytest

from support import PATIENCE_SECONDS, Command, Up, ask, free_port, until
from tonnage.deployment.swarm import SwarmOptions, collect_swarm, write_swarm_context
from tonnage.domain import NO_ANSWER, RunRecord, parse_profile
from tonnage.emulator import BackgroundEndpoint
from tonnage.loadtest import LoadPlan, OpenLoopPlan, Payload, SageMakerEndpoint

if TYPE_CHECKING:
    from .conftest import Docker

BUCKET = "results"
ROLES = ("master", "worker", "worker")
RATES = "constant(40/s, 3s)"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "any",
    "AWS_SECRET_ACCESS_KEY": "any",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@pytest.fixture(scope="module")
def s3() -> Iterator[tuple[str, Any]]:
    """The URL of a moto server, and a client of its S3 with an empty bucket."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    moto = Path(sys.executable).with_name("moto_server")
    with Command((moto, "-H", "127.0.0.1", "-p", str(port))) as server:
        server.until_line("Running on")
        client = boto3.client(
            "s3",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="any",
            aws_secret_access_key="any",
        )
        client.create_bucket(Bucket=BUCKET)
        yield url, client
        client.close()


@pytest.fixture(scope="module")
def endpoint(start_up: Up, packed_artefact: Path) -> Iterator[BackgroundEndpoint]:
    with start_up(artefact=packed_artefact) as running:
        yield running


def options(url: str) -> SwarmOptions:
    """Users of Locust's."""
    plan = LoadPlan(
        url=f"{url}/evaluate",
        users=20,
        spawn_rate_per_second=20.0,
        duration_seconds=6.0,  # workers tell their master every 3 s how many users they have
        pacing_seconds=0.5,
        body={"distance": 150},
    )
    return SwarmOptions(plan=plan)


def open_options(url: str) -> SwarmOptions:
    """Arrivals that wait for nobody."""
    plan = OpenLoopPlan(
        url=f"{url}/evaluate",
        profile=parse_profile(RATES),
        profile_text=RATES,
        payload=Payload(body={"distance": 150}),
    )
    return SwarmOptions(plan=plan)


def signed_options(url: str) -> SwarmOptions:
    """The same on the endpoint itself: each task signs its requests."""
    plan = open_options(url).plan
    assert isinstance(plan, OpenLoopPlan)
    named = SageMakerEndpoint(endpoint_name="real-estate-evaluation")
    return SwarmOptions(plan=replace(plan, url=url, sagemaker=named))


def environment(s3_url: str, run: str, chosen: SwarmOptions, role: str) -> dict[str, str]:
    return {
        **CREDENTIALS,
        "AWS_ENDPOINT_URL_S3": s3_url,
        "TONNAGE_SWARM_PLAN": chosen.to_json(),
        "TONNAGE_SWARM_RUN": run,
        "TONNAGE_SWARM_BUCKET": BUCKET,
        "TONNAGE_SWARM_HOST": "127.0.0.1",
        "TONNAGE_SWARM_ROLE": role,
    }


def fetch(client: Any, run: str, directory: Path) -> None:  # noqa: ANN401 (boto3's)
    """Copy a run's objects as ``aws s3 cp --recursive`` does."""
    listed = client.list_objects_v2(Bucket=BUCKET, Prefix=f"runs/{run}/")["Contents"]
    names = {each["Key"].removeprefix(f"runs/{run}/") for each in listed}
    for name in names:
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        client.download_file(BUCKET, f"runs/{run}/{name}", str(directory / name))


def answered(endpoint: BackgroundEndpoint) -> int:
    """How many invocations the endpoint has answered, by its own counter."""
    text = ask(f"{endpoint.url}/metrics").body.decode()
    counts = re.findall(r'^tonnage_invocations_total{.*status="200".*} (.+)$', text, re.MULTILINE)
    return int(sum(map(float, counts)))


def check(client: Any, run: str, directory: Path, counted: int) -> RunRecord:  # noqa: ANN401 (boto3's)
    """Check a run's results: the record holds every request that the endpoint counted."""
    fetch(client, run, directory)
    record = collect_swarm(directory)
    status = record.samples.status
    assert set(status[status != NO_ANSWER].tolist()) == {200}
    # What the end of the test cut off, the endpoint may have answered or not.
    assert int((status == 200).sum()) <= counted <= len(status)
    assert record.generator["workers"] == 2
    assert record.settings["swarm"] == {"workers": 2}
    assert (record.samples.sent_seconds >= record.samples.intended_seconds).all()
    assert counted > 20
    return record


Swarm = Callable[[str, SwarmOptions], None]


@pytest.fixture
def swarm(s3: tuple[str, Any]) -> Iterator[Swarm]:
    """Runs a swarm's tasks as processes of this machine, to their end."""
    tasks: list[Command] = []

    def ran(run: str, chosen: SwarmOptions) -> None:
        command = (sys.executable, "-m", "tonnage.deployment.swarm.task")
        tasks.extend(Command(command, env=environment(s3[0], run, chosen, role)) for role in ROLES)
        assert [task.exit_code(90) for task in tasks] == [0, 0, 0], [t.stderr for t in tasks]

    yield ran
    for task in tasks:
        task.__exit__(None, None, None)


def test_two_workers_keep_every_request_of_a_closed_loop(
    swarm: Swarm, s3: tuple[str, Any], endpoint: BackgroundEndpoint, tmp_path: Path
):
    before = answered(endpoint)
    swarm("closed", options(endpoint.url))
    record = check(s3[1], "closed", tmp_path, answered(endpoint) - before)
    assert (record.generator["engine"], record.generator["model"]) == ("locust", "closed loop")
    assert record.settings["load"]["users"] == 20
    assert max(users for _, users in record.users) == 20


def test_two_workers_send_one_open_loop_between_them(
    swarm: Swarm, s3: tuple[str, Any], endpoint: BackgroundEndpoint, tmp_path: Path
):
    before = answered(endpoint)
    swarm("open", open_options(endpoint.url))
    record = check(s3[1], "open", tmp_path, answered(endpoint) - before)
    assert (record.generator["engine"], record.generator["model"]) == ("tonnage swarm", "open loop")
    assert record.settings["load"]["profile"] == RATES
    assert record.settings["load"]["mean_per_second"] == pytest.approx(40.0)
    # 120 arrivals, evenly spaced, however the two clocks were put together.
    assert len(record.samples) == 120
    gaps = np.diff(np.sort(record.samples.intended_seconds))
    assert gaps.mean() == pytest.approx(1 / 40, rel=0.01)
    assert gaps == pytest.approx(1 / 40, abs=0.005)


@pytest.mark.parametrize(
    ("missing", "says"),
    [("TONNAGE_SWARM_RUN", "has no 'TONNAGE_SWARM_RUN'"), (None, "must be master or worker")],
)
def test_a_task_that_was_not_told_its_part_says_so(missing: str | None, says: str):
    given = environment("http://127.0.0.1:9", "r", options("http://127.0.0.1:9"), "boss")
    if missing:
        given = {**given, "TONNAGE_SWARM_ROLE": "master"}
        del given[missing]
    finished = subprocess.run(
        [sys.executable, "-m", "tonnage.deployment.swarm.task"],
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 1
    assert says in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.fixture(scope="module")
def image(docker: "Docker", base: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    tag = "tonnage-test:swarm"
    context = write_swarm_context(tmp_path_factory.mktemp("swarm") / "context", base=base)
    finished = subprocess.run(
        ["docker", "build", "--tag", tag, str(context)],
        env={**os.environ, **docker.variables, "DOCKER_BUILDKIT": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout
    yield tag
    if not docker.variables:
        docker.run("image", "rm", "--force", tag, check=False)


@pytest.fixture
def run(docker: "Docker") -> Iterator[Callable[..., str]]:
    """Starts a task's container, as ECS does but on the host's network; removes it in the end."""
    names: list[str] = []

    def started(image: str, variables: Mapping[str, str]) -> str:
        flags = [flag for item in variables.items() for flag in ("--env", "=".join(item))]
        locked_down = ("--cap-drop", "ALL", "--network", "host")
        names.append(docker.run("run", "--detach", *locked_down, *flags, image))
        return names[-1]

    yield started
    for name in names:
        docker.run("rm", "--force", name, check=False)


@pytest.mark.timeout(900)  # the first waits for the engine, the base image and the build
@pytest.mark.parametrize(
    ("told", "loop"), [("contained-users", options), ("contained-arrivals", signed_options)]
)
def test_its_containers_run_with_a_real_engine(
    docker: "Docker",
    image: str,
    run: Callable[..., str],
    s3: tuple[str, Any],
    endpoint: BackgroundEndpoint,
    told: str,
    loop: Callable[[str], SwarmOptions],
    tmp_path: Path,
):
    before = answered(endpoint)
    chosen = loop(endpoint.url)
    names = [
        run(
            image,
            {**environment(s3[0], told, chosen, role), "TONNAGE_SWARM_TIME_TO_LIVE": "90"},
        )
        for role in ROLES
    ]
    codes = [int(docker.run("wait", name)) for name in names]
    assert codes == [0, 0, 0], [docker.run("logs", name) for name in names]
    check(s3[1], told, tmp_path, answered(endpoint) - before)


@pytest.mark.timeout(900)
def test_a_container_ends_at_its_time_to_live(
    docker: "Docker", image: str, run: Callable[..., str], s3: tuple[str, Any]
):
    """A worker without a master would wait for five minutes; it may live for one second."""
    chosen = options("http://127.0.0.1:9")
    variables = environment(s3[0], "without-a-master", chosen, "worker")
    name = run(image, {**variables, "TONNAGE_SWARM_TIME_TO_LIVE": "1"})
    until(
        lambda: not docker.inspect(name)["State"]["Running"],
        "the container to end",
        seconds=PATIENCE_SECONDS,
    )
    assert docker.inspect(name)["State"]["ExitCode"] == 124, "timeout's own"
