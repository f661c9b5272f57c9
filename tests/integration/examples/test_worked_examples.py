"""
Each worked example does what its page says: trained, packed, served by real processes, and asked.
"""

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support import TONNAGE, post, tonnage
from tonnage.config import read_settings

EXAMPLES = Path(__file__).parents[3] / "examples"
WORKED = ["flats", "forest", "inference_script", "iris", "toolkit_archive"]
LEFT_BY_TRAINING = shutil.ignore_patterns(
    "*.joblib", "*.csv", "*.tar.gz", "artefact", "model", "__pycache__", "runs"
)


@dataclass(frozen=True, kw_only=True)
class Page:
    """The commands of an example's page, and what it says the last one answers."""

    before: list[list[str]]
    served_by: list[str]
    route: str
    content_type: str
    body: bytes
    answer: Any


def page_of(example: Path) -> Page:
    text = (example / "README.md").read_text(encoding="utf-8")
    found = re.search(r"```console\n(.*?)```", text, re.DOTALL)
    assert found is not None
    *commands, asked = found[1].replace("\\\n", " ").strip().split("\n$ ")
    request, _, answer = asked.partition("\n")
    _, url, *flags = shlex.split(request)
    options = dict(zip(flags[::2], flags[1::2], strict=True))
    *before, served_by = [shlex.split(command.removeprefix("$ ")) for command in commands]
    return Page(
        before=before,
        served_by=served_by,
        route=url.partition("/")[2],
        content_type=options["-H"].removeprefix("content-type: "),
        body=options["-d"].encode(),
        answer=json.loads(answer),
    )


def run(command: list[str], directory: Path) -> None:
    program, *arguments = command
    known = {"python": [sys.executable, "-W", "error"], "tonnage": [TONNAGE]}
    finished = subprocess.run(
        [*known[program], *arguments],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr


@contextmanager
def served(command: list[str], directory: Path) -> Iterator[str]:
    """Run ``tonnage up`` or ``tonnage serve`` on a free port, and give its address."""
    _, verb, *arguments = command
    arguments = [one for one in arguments if one not in {"--port", "8080"}]
    if verb == "serve":
        arguments += ["--host", "127.0.0.1", "--workers", "1"]
    with tonnage(verb, *arguments, "--port", "0", cwd=directory) as process:
        line = process.until_line("REST API" if verb == "up" else "serving ")
        address = re.search(r"127\.0\.0\.1:\d+", line)
        assert address is not None
        yield f"http://{address[0]}"


@pytest.mark.parametrize("name", WORKED)
def test_an_example_does_what_its_page_says(name: str, tmp_path: Path) -> None:
    example = Path(shutil.copytree(EXAMPLES / name, tmp_path / name, ignore=LEFT_BY_TRAINING))
    page = page_of(example)
    read_settings(example / "tonnage.toml")

    for command in page.before:
        run(command, example)
    with served(page.served_by, example) as url:
        answer = post(f"{url}/{page.route}", page.body, page.content_type)

    assert (answer.status, answer.json) == (200, page.answer)


def test_every_example_is_worked_through() -> None:
    folders = {folder.name for folder in EXAMPLES.iterdir() if (folder / "README.md").is_file()}
    assert folders - {"real_estate"} == set(WORKED)


def test_scripts_that_move_over_unchanged_know_nothing_of_tonnage() -> None:
    for name in ("inference_script", "toolkit_archive"):
        assert "tonnage" not in (EXAMPLES / name / "code" / "inference.py").read_text().lower()
