"""
What tests of several rooms need.
"""

import csv
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import pytest

from docker_engine import Docker, base_image, docker_engine, why_no_engine
from suite_cut import ALONE, ENGINE, TESTS, entries, is_listed, place_of
from support import EXAMPLE, TONNAGE
from tonnage.artefact import FileEntry, Manifest

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import Scheduling

_CHROMIUM = Path("/usr/bin/chromium")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs alone, and refuse a test that would start a second engine beside the first."""
    alone = frozenset(entries(ALONE))
    for item in items:
        if is_listed(item, alone, TESTS):
            item.add_marker(pytest.mark.alone)
        uses_engine = isinstance(item, pytest.Function) and "docker" in item.fixturenames
        if uses_engine and place_of(item.nodeid) != ENGINE:
            raise pytest.UsageError(
                f"{item.nodeid} needs the Docker engine: name its file in TOGETHER of suite_cut.py"
            )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> "Scheduling | None":
    """Hand out whole files (``--dist loadfile``), and together those that share something."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class ByPlace(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return place_of(nodeid)

    return ByPlace(config, log)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return a real browser's path; without one, CI fails and a user's machine skips."""
    found = str(_CHROMIUM) if _CHROMIUM.exists() else shutil.which("chromium")
    if found is None:
        _unavailable("this test opens a page in a browser: apt install chromium")
    return found


@pytest.fixture(scope="session")
def aws_cli() -> str:
    """Return the path of an AWS CLI v2; without one, CI fails and a user's machine skips."""
    directories = os.environ.get("PATH", os.defpath).split(os.pathsep)
    candidates = (shutil.which("aws", path=directory) for directory in directories)
    found = next(
        (aws for aws in candidates if aws and _version_of(aws).startswith("aws-cli/2")), ""
    )
    if not found:
        _unavailable("this test calls the endpoint with the AWS CLI v2: apt install awscli")
    return found


@pytest.fixture(scope="session")
def docker() -> Iterator[Docker]:
    """The one engine of all tests; without one, CI fails and a user's machine skips."""
    missing = why_no_engine()
    if missing:
        _unavailable(f"{missing} (on Debian, as root: apt install docker.io mmdebstrap iptables)")
    with docker_engine() as variables:
        yield Docker(variables)


@pytest.fixture(scope="session")
def docker_base(docker: Docker) -> str:
    """The tag of a base image with Python, in that engine."""
    return base_image(docker.variables)


@pytest.fixture(scope="session")
def example_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    The reference example as its user has it before anything was packed.

    Tests that change it copy it first.
    """
    import joblib
    from sklearn.linear_model import LinearRegression

    project = tmp_path_factory.mktemp("project")
    for name in ("service.py", "locustfile.py", "tonnage.toml"):
        shutil.copy(EXAMPLE / name, project)
    with (EXAMPLE / "data" / "real_estate.csv").open(encoding="utf-8") as lines:
        sales = list(csv.DictReader(lines))
    distances = np.array([[float(sale[_DISTANCE])] for sale in sales])
    prices = np.array([float(sale[_PRICE]) for sale in sales])
    joblib.dump(LinearRegression().fit(np.log(distances), prices), project / "model.joblib")
    return project


@pytest.fixture(scope="session")
def packing(example_project: Path) -> dict[str, Any]:
    """What ``tonnage pack … --json`` says about the example, packed beside its settings."""
    finished = subprocess.run(
        [
            TONNAGE,
            *("pack", "model.joblib", "--service", "service:RealEstate"),
            *("-o", "artefact", "--json"),
        ],
        cwd=example_project,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    described: dict[str, Any] = json.loads(finished.stdout)
    return described


@pytest.fixture(scope="session")
def packed_artefact(example_project: Path, packing: dict[str, Any]) -> Path:
    """The example's artefact: read it, do not change it."""
    return example_project / packing["artefact"]


@pytest.fixture(scope="session")
def probe_artefact(packed_artefact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model behind a service that tells its process, and misbehaves when asked to."""
    probe = tmp_path_factory.mktemp("probe") / "artefact"
    shutil.copytree(packed_artefact, probe)
    manifest = Manifest.read(probe)
    code = (probe / "code" / "service.py").read_bytes() + _PROBE.encode()
    (probe / "code" / "service.py").write_bytes(code)
    manifest = replace(
        manifest,
        handler="service:Probe",
        files={**manifest.files, "code/service.py": FileEntry.of(code)},
    )
    (probe / "manifest.json").write_bytes(manifest.to_bytes())
    return probe


_DISTANCE = "mrt_distance"
_PRICE = "unit_price"
_PROBE = """

import os
import time


class Where(BaseModel):
    cost: float
    process_id: int


class Probe(Service[House, Where]):
    def features(self, rows):
        distances = [row.distance for row in rows]
        if 666 in distances:
            raise ValueError("a row that the model cannot take")
        if 777 in distances:
            time.sleep(0.3)
        return np.log([[distance] for distance in distances])

    def results(self, predictions):
        return [Where(cost=round(float(p), 2), process_id=os.getpid()) for p in predictions]
"""


def _version_of(aws: str) -> str:
    finished = subprocess.run(
        [aws, "--version"], capture_output=True, text=True, timeout=60, check=False
    )
    return finished.stdout


def _unavailable(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
