"""
The wheel is all that a user needs: no source tree, nothing of the developers'.
"""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import pytest

from fresh_machine import (
    QUICK_START,
    ROOT,
    build_wheel,
    in_a_container,
    installed_here,
    run,
    without_the_project,
)

if TYPE_CHECKING:
    from pathlib import Path

    from docker_engine import Docker

pytestmark = pytest.mark.timeout(900)

STEPS = [
    "fit a model",
    "tonnage init",
    "tonnage pack",
    "tonnage serve artefact",
    "POST /invocations",
    "tonnage load --users",
    "tonnage load --rate",
    "tonnage line",
    "tonnage plan",
    "tonnage report",
]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


def test_the_wheel_holds_every_file_of_the_package_and_no_other(wheel: Path):
    """Data files, templates and locks as well: what is missing there is missed only by users."""
    package = ROOT / "src"
    there = {
        path.relative_to(package).as_posix()
        for path in (package / "tonnage").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == there


def test_the_quick_start_runs_in_an_empty_environment(wheel: Path, tmp_path: Path):
    """Outside the tree, in isolated mode, so that nothing of the project can be imported."""
    python = installed_here(wheel, tmp_path / "environment")
    empty = tmp_path / "empty"
    empty.mkdir()
    script = empty.parent / "quick_start.py"
    script.write_bytes(QUICK_START.read_bytes())
    place = run(
        [python, "-I", "-c", "import tonnage; print(tonnage.__file__)"],
        cwd=empty,
        env=without_the_project(),
    )
    assert str(ROOT) not in place
    printed = run([python, "-I", script], cwd=empty, env=without_the_project(), seconds=240)
    steps = [json.loads(line) for line in printed.splitlines()]
    assert [step["step"] for step in steps] == STEPS


def test_the_quick_start_runs_in_a_container_without_the_source_tree(
    wheel: Path, docker: Docker, docker_base: str
):
    steps = in_a_container(wheel, docker.variables, docker_base)
    assert [step["step"] for step in steps] == ["pip install", *STEPS]
