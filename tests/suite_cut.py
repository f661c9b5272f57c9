"""
How the suite is cut: what runs alone, what stays together, and what `make test-fast` leaves out.

`make test` runs it in two parts. First two workers share all files, a file at a time; then comes
what ``alone.txt`` lists, one test after another with nothing beside it. Files that share something
scarce, or dear to make, go to the same worker.
"""

from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Final

import pytest

TESTS: Final = Path(__file__).parent
ALONE: Final = TESTS / "alone.txt"
SLOW: Final = TESTS / "unit" / "slow.txt"

ENGINE: Final = "the Docker engine and Locust's port"
TOGETHER: Final = {
    # Two engines would fight for the bridge, two swarms on the host's network for port 5557.
    ENGINE: (
        "tests/install/",
        "tests/integration/deployment/test_image.py",
        "tests/integration/deployment/test_swarm.py",
        "tests/integration/deployment/test_swarm_verb.py",
    ),
    "the unit tests' stacks": ("tests/unit/deployment/",),  # synthesised once, in half a minute
}
"""Files and folders that go to one worker, by what they share."""


def entries(listing: Path) -> list[str]:
    """Return what a list names: folders (``a/``), modules (``a/b.py``), tests (``a/b.py::c``)."""
    lines = listing.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def is_listed(item: pytest.Item, listed: AbstractSet[str], root: Path) -> bool:
    """Say whether a list names a test, its module or a folder of it, relative to ``root``."""
    if not isinstance(item, pytest.Function) or not item.path.is_relative_to(root):
        return False
    module = item.path.relative_to(root)
    names = {module.as_posix(), f"{module.as_posix()}::{item.originalname}"}
    folders = {f"{folder.as_posix()}/" for folder in module.parents}
    return not listed.isdisjoint(names | folders)


def place_of(node_id: str) -> str:
    """Return what a test is handed out with: its file, or what its file shares with others."""
    file = node_id.partition("::")[0]
    shared = (what for what, places in TOGETHER.items() if file.startswith(places))
    return next(shared, file)
