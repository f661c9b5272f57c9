"""
Images built by ``tonnage image`` with a real Docker engine, and containers of them.
"""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from docker_engine import BUILD_SECONDS, Docker
from support import PATIENCE_SECONDS, ask, until
from tonnage.artefact import pack


@dataclass(frozen=True)
class Container:
    """A container that was started with ``docker run -d``."""

    docker: Docker
    name: str

    @property
    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = self.docker.inspect(self.name)["State"]
        return state

    @property
    def log(self) -> list[dict[str, Any]]:
        """What it says of itself; every line is JSON."""
        return [line for line in self._lines() if line.get("event") != "request"]

    @property
    def requests(self) -> list[dict[str, Any]]:
        """Its lines about requests, one each."""
        return [line for line in self._lines() if line.get("event") == "request"]

    def _lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.docker.run("logs", self.name).splitlines()]

    def url(self, port: int = 8080) -> str:
        address = self.docker.run("port", self.name, f"{port}/tcp").splitlines()[0]
        return f"http://{address}"

    def until_ready(self, port: int = 8080) -> str:
        url = self.url(port)

        def is_ready() -> bool:
            assert self.state["Running"], self.docker.run("logs", self.name)
            return ping_status(url) == 200

        until(is_ready, "the container to be ready")
        return url

    def exit_code(self) -> int:
        return int(self.docker.run("wait", self.name))


def ping_status(url: str) -> int:
    """Return the status of ``/ping``, 0 when nobody answers."""
    try:
        return ask(f"{url}/ping").status
    except (OSError, ValueError):
        return 0
    except Exception as error:
        # Docker's proxy takes connections for a container that does not.
        if type(error).__module__ == "http.client":
            return 0
        raise


RunContainer = Callable[..., AbstractContextManager[Container]]


@pytest.fixture(scope="session")
def base(docker_base: str) -> str:
    return docker_base


@pytest.fixture(scope="session")
def build(docker: Docker, base: str) -> Iterator[Callable[..., dict[str, Any]]]:
    """Runs ``tonnage image ARTEFACT --json`` with Docker's legacy builder."""
    from support import TONNAGE

    tags: list[str] = []

    def built(artefact: Path, tag: str, *flags: str) -> dict[str, Any]:
        tags.append(tag)
        finished = subprocess.run(
            [TONNAGE, "image", artefact, "--tag", tag, "--base", base, "--json", *flags],
            env={**os.environ, **docker.variables, "DOCKER_BUILDKIT": "0"},
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr
        report: dict[str, Any] = json.loads(finished.stdout)
        return report

    yield built
    if not docker.variables:  # an engine that was there before; one of the tests' own goes whole
        docker.run("image", "rm", "--force", *tags, check=False)


@pytest.fixture(scope="session")
def image(build: Callable[..., dict[str, Any]], packed_artefact: Path) -> dict[str, Any]:
    """What ``tonnage image`` says about the reference model's image."""
    return build(packed_artefact, "tonnage-test:compiled")


@pytest.fixture(scope="session")
def probe_image(
    image: dict[str, Any],
    build: Callable[..., dict[str, Any]],
    probe_artefact: Path,
) -> dict[str, Any]:
    """The same with a model that misbehaves when asked to; only its last layer is new."""
    assert image
    return build(probe_artefact, "tonnage-test:probe")


@pytest.fixture(scope="session")
def empty_image(
    image: dict[str, Any],
    build: Callable[..., dict[str, Any]],
    packed_artefact: Path,
) -> dict[str, Any]:
    """The image without the model, as for an endpoint with ``ModelDataUrl``."""
    assert image
    return build(packed_artefact, "tonnage-test:empty", "--without-model")


@pytest.fixture(scope="session")
def skops_artefact(example_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that has no ONNX form, so that it stays with scikit-learn."""
    import joblib
    import numpy as np
    from sklearn.ensemble import HistGradientBoostingRegressor

    project = tmp_path_factory.mktemp("skops")
    shutil.copy(example_project / "service.py", project)
    distances = np.linspace(1, 8, 200)[:, None]
    model = HistGradientBoostingRegressor(max_iter=5).fit(distances, 50 - distances[:, 0])
    joblib.dump(model, project / "model.joblib")
    report = pack(
        project / "model.joblib",
        service="service:RealEstate",
        output=project / "artefact",
        code=project,
    )
    assert report.manifest.model.format == "skops"
    return report.directory


@pytest.fixture
def run_container(docker: Docker) -> RunContainer:
    """Starts ``docker run IMAGE serve`` on a free port of loopback; removes it in the end."""

    @contextmanager
    def started(
        image: dict[str, Any],
        *flags: str | Path,
        arguments: tuple[str, ...] = ("serve",),
        port: int = 8080,
    ) -> Iterator[Container]:
        publish = ("--publish", f"127.0.0.1::{port}")
        name = docker.run("run", "--detach", *publish, *flags, image["tag"], *arguments)
        try:
            yield Container(docker, name)
        finally:
            docker.run("rm", "--force", name, check=False)

    return started


def blocks(process_id: int, number: signal.Signals) -> bool:
    """Say whether a process holds a signal back."""
    status = Path(f"/proc/{process_id}/status").read_text()
    mask = next(line for line in status.splitlines() if line.startswith("SigBlk:"))
    return bool(int(mask.split()[1], 16) >> (number - 1) & 1)


@pytest.fixture
def until_it_runs() -> Callable[[Container], None]:
    """Waits until a container's first process holds SIGTERM back: from its first instruction on."""

    def wait(container: Container) -> None:
        process_id = container.state["Pid"]
        until(
            lambda: blocks(process_id, signal.SIGTERM) or ping_status(container.url()) == 200,
            "the container to run",
            seconds=PATIENCE_SECONDS,
        )

    return wait
