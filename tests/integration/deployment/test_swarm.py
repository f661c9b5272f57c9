"""
The load swarm's tasks: a real Locust master and real workers, results in a moto server's S3.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from support import PATIENCE_SECONDS, Command, Up, free_port, until
from tonnage.deployment.swarm import SwarmOptions, collect_swarm, write_swarm_context
from tonnage.domain import NO_ANSWER, RunRecord
from tonnage.emulator import BackgroundEndpoint

if TYPE_CHECKING:
    from .conftest import Docker

BUCKET = "results"
ROLES = ("master", "worker", "worker")
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


def options(url: str, **changed: object) -> SwarmOptions:
    plan: dict[str, Any] = {
        "url": f"{url}/evaluate",
        "workers": 2,
        "users": 20,
        "spawn_rate_per_second": 20.0,
        "duration_seconds": 3.0,
        "pacing_seconds": 0.5,
        "body": {"distance": 150},
        **changed,
    }
    return SwarmOptions(**plan)


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


def fetched(client: Any, run: str, directory: Path) -> set[str]:  # noqa: ANN401 (boto3's)
    """Copy a run's objects as ``aws s3 cp --recursive`` does; return their names."""
    listed = client.list_objects_v2(Bucket=BUCKET, Prefix=f"runs/{run}/")["Contents"]
    names = {each["Key"].removeprefix(f"runs/{run}/") for each in listed}
    for name in names:
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        client.download_file(BUCKET, f"runs/{run}/{name}", str(directory / name))
    return names


def check(client: Any, run: str, directory: Path) -> RunRecord:  # noqa: ANN401 (boto3's)
    """Check a run's results: the master counted what the workers kept."""
    names = fetched(client, run, directory)
    assert {"master.json", "master/locust_stats.csv", "master/locust.json"} <= names
    record = collect_swarm(directory)
    (counted,) = json.loads((directory / "master" / "locust.json").read_text())
    answered = record.samples.status != NO_ANSWER
    assert int(answered.sum()) == counted["num_requests"]
    assert set(record.samples.status[answered].tolist()) == {200}
    assert len(record.generator["workers"]) == 2
    assert (record.samples.sent_seconds >= record.samples.intended_seconds).all()
    assert len(record.samples) > 20
    return record


def test_two_workers_keep_every_request_that_the_master_counted(
    s3: tuple[str, Any], endpoint: BackgroundEndpoint, tmp_path: Path
):
    url, client = s3
    chosen = options(endpoint.url)
    command = (sys.executable, "-m", "tonnage.deployment.swarm.task")
    tasks = [Command(command, env=environment(url, "as-processes", chosen, role)) for role in ROLES]
    try:
        assert [task.exit_code(90) for task in tasks] == [0, 0, 0], [t.stderr for t in tasks]
    finally:
        for task in tasks:
            task.__exit__(None, None, None)
    record = check(client, "as-processes", tmp_path)
    assert record.settings["load"]["users"] == 10, "each worker's share"
    seeds = {worker["seed"] for worker in record.generator["workers"]}
    assert len(seeds) == 2, "equal seeds would put the workers' users in step"


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
def test_its_containers_run_with_a_real_engine(
    docker: "Docker",
    image: str,
    run: Callable[..., str],
    s3: tuple[str, Any],
    endpoint: BackgroundEndpoint,
    tmp_path: Path,
):
    url, client = s3
    chosen = options(endpoint.url)
    names = [
        run(
            image,
            {**environment(url, "contained", chosen, role), "TONNAGE_SWARM_TIME_TO_LIVE": "90"},
        )
        for role in ROLES
    ]
    codes = [int(docker.run("wait", name)) for name in names]
    assert codes == [0, 0, 0], [docker.run("logs", name) for name in names]
    check(client, "contained", tmp_path)


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
