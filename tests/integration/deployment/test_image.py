"""
The image, built with a real Docker engine and run as SageMaker runs it.
"""

from __future__ import annotations

import json
import shutil
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from support import PATIENCE_SECONDS, TONNAGE, Answer, ask, post, tonnage, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Container, Docker, RunContainer

# The first test waits for the engine, the base image and the build.
pytestmark = pytest.mark.timeout(900)

ROW = {"distance": 150}
COST = 50.3
AS_A_STRANGER = ("--user", "10001:10001", "--read-only", "--cap-drop", "ALL")
MIB = 1024 * 1024


def test_it_answers_as_any_user_without_writing_anything(
    image: dict[str, Any], run_container: RunContainer
):
    """No root, no capability, no file system to write to, not even a temporary directory."""
    with run_container(image, *AS_A_STRANGER) as container:
        url = container.until_ready()
        pong = ask(f"{url}/ping")
        assert (pong.status, pong.body) == (200, b"")
        assert post(f"{url}/invocations", ROW).json == {"cost": COST}
        assert post(f"{url}/invocations", {"distance": -1}).status == 400
        assert {line["level"] for line in container.log} <= {"INFO"}
        asked = [line for line in container.requests if line["path"] == "/invocations"]
        assert sorted(line["status"] for line in asked) == [200, 400]


@pytest.mark.parametrize(
    ("flags", "arguments"),
    [
        ((), ("serve",)),
        ((), ()),
        (("--entrypoint", "serve"), ()),
        (("--entrypoint", "/opt/tonnage/bin/serve"), ()),
    ],
    ids=["argument", "nothing", "executable", "by its path"],
)
def test_serve_is_an_argument_and_an_executable(
    image: dict[str, Any],
    run_container: RunContainer,
    flags: tuple[str, ...],
    arguments: tuple[str, ...],
):
    with run_container(image, *flags, arguments=arguments) as container:
        url = container.until_ready()
        assert post(f"{url}/invocations", ROW).json == {"cost": COST}


def test_another_argument_is_misuse(
    docker: Docker, image: dict[str, Any], run_container: RunContainer
):
    with run_container(image, arguments=("train",)) as container:
        assert container.exit_code() == 2
        assert "its one argument is `serve`" in docker.run("logs", container.name)


def test_it_binds_the_port_that_a_pipeline_gives_it(
    image: dict[str, Any], run_container: RunContainer
):
    port = 9104
    bind = (
        "--env",
        f"SAGEMAKER_BIND_TO_PORT={port}",
        "--env",
        "SAGEMAKER_SAFE_PORT_RANGE=9105-9110",
    )
    with run_container(image, *bind, port=port) as container:
        url = container.until_ready(port)
        assert post(f"{url}/invocations", ROW).status == 200
        assert container.log[0]["port"] == port


@pytest.mark.parametrize("workers", [1, 3])
def test_it_starts_the_workers_that_it_is_told_to(
    docker: Docker, image: dict[str, Any], run_container: RunContainer, workers: int
):
    told = ("--env", f"SAGEMAKER_MODEL_SERVER_WORKERS={workers}")
    with run_container(image, *told) as container:
        container.until_ready()
        _title, *processes = docker.run("top", container.name).splitlines()
        assert len(processes) == 1 + workers


def test_a_model_may_be_mounted_read_only(
    empty_image: dict[str, Any], packed_artefact: Path, run_container: RunContainer
):
    """As SageMaker does: /opt/ml/model from model.tar.gz, the image holds none."""
    mount = ("--volume", f"{packed_artefact}:/opt/ml/model:ro")
    with run_container(empty_image, "--read-only", *mount) as container:
        url = container.until_ready()
        assert post(f"{url}/invocations", ROW).json == {"cost": COST}
    with run_container(empty_image) as container:
        assert container.exit_code() == 1
        (line,) = container.log
        assert line["level"] == "ERROR"
        assert "there is no artefact in /opt/ml/model" in line["message"]


def test_a_model_that_was_changed_is_refused(
    empty_image: dict[str, Any],
    packed_artefact: Path,
    tmp_path: Path,
    run_container: RunContainer,
):
    changed = tmp_path / "artefact"
    shutil.copytree(packed_artefact, changed)
    content = bytearray((changed / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (changed / "model.onnx").write_bytes(content)
    with run_container(empty_image, "--volume", f"{changed}:/opt/ml/model:ro") as container:
        assert container.exit_code() == 1
        assert "model.onnx was changed" in container.log[-1]["message"]


def test_a_variable_that_cannot_be_is_named_with_its_value(
    image: dict[str, Any], run_container: RunContainer
):
    with run_container(image, "--env", "SAGEMAKER_MODEL_SERVER_WORKERS=many") as container:
        assert container.exit_code() == 2
        (line,) = container.log
        assert "SAGEMAKER_MODEL_SERVER_WORKERS is 'many'" in line["message"]
        assert line["hint"]


def test_docker_stop_ends_it_before_it_is_killed(
    docker: Docker, image: dict[str, Any], run_container: RunContainer
):
    """An exit code of 137 would be Docker's SIGKILL after 30 s."""
    with run_container(image, *AS_A_STRANGER) as container:
        container.until_ready()
        docker.run("stop", "--time", "30", container.name)
        assert container.state["ExitCode"] == 0
        assert container.log[-1]["message"] == "drained"


def test_a_request_in_hand_is_answered_after_sigterm(
    docker: Docker, probe_image: dict[str, Any], run_container: RunContainer
):
    """Half of it has come when SIGTERM does; the rest comes when nothing new is taken any more."""
    body = json.dumps(ROW).encode()
    head = (
        b"POST /invocations HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body)
    )
    with run_container(probe_image) as container:
        url = container.until_ready()
        place = urlsplit(url)
        assert place.port is not None
        with socket.create_connection(("127.0.0.1", place.port), PATIENCE_SECONDS) as client:
            # A whole request first: now a worker, not only Docker's proxy, has the connection.
            client.sendall(head + body)
            assert answer_on(client).status == 200
            client.sendall(head + body[:5])
            with docker.start("stop", "--time", "30", container.name) as stopping:
                until(lambda: is_closed(place.port), "the container to take nothing new")
                client.sendall(body[5:])
                answer = answer_on(client)
                assert answer.status == 200
                assert answer.json["cost"] == COST
                assert answer.headers["connection"] == "close"
                assert stopping.wait(60) == 0
        assert container.state["ExitCode"] == 0


def test_sigterm_at_the_very_start_ends_it(
    docker: Docker,
    image: dict[str, Any],
    run_container: RunContainer,
    until_it_runs: Callable[[Container], None],
):
    """The kernel keeps from a container's first process what that has no handler for."""
    for _ in range(3):
        with run_container(image) as container:
            until_it_runs(container)
            docker.run("stop", "--time", "30", container.name)
            assert container.state["ExitCode"] == 0, container.log


def test_it_is_small_pinned_and_says_what_it_is(
    docker: Docker, image: dict[str, Any], base: str, packing: dict[str, Any]
):
    described = docker.inspect(image["tag"])["Config"]
    assert described["Entrypoint"][0] != "/bin/sh", "not the exec form"
    assert described["Entrypoint"][-1] == "serve"
    labels = described["Labels"]
    assert labels["com.amazonaws.sagemaker.capabilities.accept-bind-to-port"] == "true"
    assert labels["org.opencontainers.image.base.name"] == base
    assert labels["tonnage.artefact.sha256"] == image["artefact_sha256"]
    assert "8080/tcp" in described["ExposedPorts"]
    assert image["own_size_bytes"] <= 350 * MIB, "beyond its base"
    assert packing["format"] == "onnx"
    in_it = ("run", "--rm", "--entrypoint", "/opt/tonnage/bin/python", image["tag"], "-c")
    lacks = "import importlib.util as u; print(u.find_spec('sklearn'), u.find_spec('pip'))"
    assert docker.run(*in_it, lacks) == "None None"


def test_a_model_that_stays_with_scikit_learn_gets_it(
    build: Callable[..., dict[str, Any]], skops_artefact: Path, run_container: RunContainer
):
    scikit_learn_image = build(skops_artefact, "tonnage-test:skops")
    with run_container(scikit_learn_image, *AS_A_STRANGER) as container:
        url = container.until_ready()
        assert post(f"{url}/invocations", ROW).json["cost"] == pytest.approx(45, abs=2)


def test_a_base_that_does_not_exist_is_a_fault_with_the_builders_words(
    docker: Docker, packed_artefact: Path
):
    nowhere = "localhost:1/nothing:1"
    arguments = (packed_artefact, "--tag", "tonnage-test:none", "--base", nowhere)
    with tonnage("image", *arguments, env=docker.variables) as command:
        assert command.exit_code(120) == 1
    assert "docker build ended with 1" in command.stderr
    assert nowhere.partition("/")[0] in command.stderr


def test_without_docker_it_says_what_to_install(packed_artefact: Path, tmp_path: Path):
    python = {"PATH": str(TONNAGE.parent)}
    with tonnage("image", packed_artefact, "--tag", "a:1", env=python) as command:
        assert command.exit_code() == 2
    error, hint = command.lines
    assert "there is no `docker`" in error
    assert "apt install docker.io" in hint
    absent = {"DOCKER_HOST": f"unix://{tmp_path}/none"}
    if shutil.which("docker"):
        with tonnage("image", packed_artefact, "--tag", "a:1", env=absent) as command:
            assert command.exit_code() == 2
        assert "the Docker engine does not answer" in command.lines[0]


def is_closed(port: int | None) -> bool:
    """Say whether a new connection gets no answer; Docker's proxy may still take it."""
    try:
        with socket.create_connection(("127.0.0.1", port or 0), PATIENCE_SECONDS) as client:
            client.sendall(b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n")
            return not client.recv(1)
    except OSError:
        return True


def answer_on(client: socket.socket) -> Answer:
    """Read one answer of a connection."""
    received = b""
    while b"\r\n\r\n" not in received:
        more = client.recv(65536)
        assert more, f"the connection ended after {received!r}"
        received += more
    head, _, body = received.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    while len(body) < int(headers["content-length"]):
        body += client.recv(65536)
    return Answer(status=int(status_line.split()[1]), headers=headers, body=body)
