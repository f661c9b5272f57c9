"""
A user's directory, and services to call.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import tonnage


@pytest.fixture
def project(example_project: Path, packed_artefact: Path, tmp_path: Path) -> Path:
    """The example, packed, as a directory of the test's own."""
    return Path(shutil.copytree(example_project, tmp_path / "project"))


@pytest.fixture(scope="module")
def instance(packed_artefact: Path) -> Iterator[str]:
    """The URL of one running instance's invocations."""
    arguments = ("serve", packed_artefact, "--host", "127.0.0.1", "--port", "0", "--workers", "1")
    with tonnage(*arguments) as command:
        address = command.until_line("serving ").rpartition(" on ")[2].strip()
        yield f"http://{address}/invocations"
