"""
Every code block of the documentation is executed, or stands on a list with the reason why not.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from doc_pages import READABLE, RUNNABLE, blocks_of, pages, start_of
from doc_session import Session
from support import EXAMPLE

if TYPE_CHECKING:
    from doc_pages import Block

pytestmark = pytest.mark.timeout(600)

NEEDED_PROGRAMS = {"aws ": "aws", "curl ": "curl", "tonnage synth": "node"}


class Listed(NamedTuple):
    page: str
    first_line: str


def not_run() -> dict[Listed, str]:
    """The blocks that are not executed, and why."""
    text = Path(__file__).with_name("not_run.toml").read_text(encoding="utf-8")
    entries = tomllib.loads(text)["block"]
    return {Listed(entry["page"], entry["first_line"]): entry["reason"] for entry in entries}


def is_listed(block: Block) -> bool:
    return Listed(block.page, block.first_line) in NOT_RUN


def run_blocks(page: str) -> list[Block]:
    return [block for block in blocks_of(page) if block.is_code and not is_listed(block)]


NOT_RUN = not_run()
PAGES = [page for page in pages() if run_blocks(page)]


@pytest.fixture
def directory(
    request: pytest.FixtureRequest, example_project: Path, packed_artefact: Path, tmp_path: Path
) -> Path:
    """The directory in which a page's reader is."""
    place = tmp_path / "page"
    match start_of(request.getfixturevalue("page")):
        case "the clone":
            left_out = shutil.ignore_patterns("runs", "artefact*", "model.joblib", "__pycache__")
            shutil.copytree(EXAMPLE, place / "examples" / "real_estate", ignore=left_out)
        case "the packed example":
            shutil.copytree(example_project, place)
        case unknown:
            raise AssertionError(f"there is no start {unknown!r}")
    return place


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The reader's: Tonnage on the path, no settings and no credentials of this machine."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "TONNAGE_")) and "proxy" not in name.lower()
    }
    bin_directory = Path(sys.executable).parent
    return {
        **kept,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
        "NO_COLOR": "1",
        "PATH": os.pathsep.join([str(bin_directory), kept.get("PATH", os.defpath)]),
        "VIRTUAL_ENV": str(bin_directory.parent),
    }


@pytest.mark.parametrize("page", PAGES)
def test_a_page_does_what_it_says(
    page: str, directory: Path, environment: dict[str, str], request: pytest.FixtureRequest
):
    blocks = run_blocks(page)
    missing = missing_programs(blocks, environment, request)
    if missing:
        reason = f"docs/{page} runs {', '.join(missing)}, which this machine lacks"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with Session(directory, environment) as session:
        for block in blocks:
            if block.language in READABLE and "file" not in block.orders:
                read(block)
            else:
                assert block.language in (*RUNNABLE, *READABLE), f"{block}: {block.language}?"
                session.run(block)


def missing_programs(
    blocks: list[Block], environment: dict[str, str], request: pytest.FixtureRequest
) -> list[str]:
    """Return the programs that a page's commands need and the machine does not have."""
    commands = "\n".join(block.text for block in blocks if block.language == "console")
    needed = [name for start, name in NEEDED_PROGRAMS.items() if f"$ {start}" in commands]
    if "aws" in needed:  # the environment of Python may have version 1, so this one comes first
        version_2 = Path(request.getfixturevalue("aws_cli"))
        environment["PATH"] = os.pathsep.join([str(version_2.parent), environment["PATH"]])
    return [name for name in needed if shutil.which(name, path=environment["PATH"]) is None]


def read(block: Block) -> None:
    """Read what is no command by what reads such text."""
    match block.language:
        case "toml":
            tomllib.loads(block.text)
        case "json":
            json.loads(block.text)
        case "yaml":
            import yaml

            yaml.safe_load(block.text)


def test_what_is_not_run_is_listed_with_a_reason():
    """The list holds blocks that are there, and nothing else; so it cannot grow in silence."""
    there = {
        Listed(block.page, block.first_line)
        for page in pages()
        for block in blocks_of(page)
        if block.is_code
    }
    assert set(NOT_RUN) <= there, "listed, but on no page any more"
    assert all(reason.strip() for reason in NOT_RUN.values())


@pytest.mark.parametrize("page", pages())
def test_commands_are_not_hidden_in_blocks_without_a_language(page: str):
    for block in blocks_of(page):
        if not block.is_code:
            assert not block.first_line.startswith(("$ ", "tonnage ")), block
