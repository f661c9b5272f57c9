"""
The tutorial's record is of the tutorial that there is, and its reader does what the pages say.

The container itself is ``make fresh-machine``'s: it takes minutes.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from doc_pages import blocks_of, chapters, not_run
from fresh_machine import HARNESS, ROOT, lay_out
from tutorial_reader import REASONS, RUN_HERE

if TYPE_CHECKING:
    from types import ModuleType

SCRIPT = ROOT / "scripts" / "record_fresh_machine.py"
INDEX = """\
# Tutorial

| chapter | minutes |
| --- | --- |
| 1. [One](one.md) | 1 |
| 2. [Two](two.md) | 1 |
"""
ONE = """\
# 1. One

<!-- begins with: the clone -->

<!-- file: greeting.txt -->
```json
{"hello": "world"}
```

```console
$ cat greeting.txt
{"hello": "world"}
$ cd examples/real_estate
```

```console
$ deploy
```
"""
TWO = """\
# 2. Two

```console
$ basename "$PWD"
real_estate
$ export GREETING=hello
```

<!-- a measurement -->
```console
$ echo "$GREETING"; echo 5 requests; (exit 3)
...
9 requests
```
"""
NOT_RUN = """\
[[block]]
page = "tutorial/one.md"
first_line = "$ deploy"
reason = "it asks an account"
"""


class Told(NamedTuple):
    """How the reader ended."""

    exit_code: int
    objects: list[dict[str, Any]]
    words: str


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location(SCRIPT.stem, SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(place: Path, **pages: str) -> Told:
    """Send the reader through a small tutorial, in an empty directory."""
    for name in HARNESS:
        (place / "tests" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "tests" / name, place / "tests" / name)
    (place / "tests" / "docs" / "not_run.toml").write_text(NOT_RUN)
    (place / "examples" / "real_estate").mkdir(parents=True)
    (place / "examples" / "real_estate" / "report.html").write_text("<p>all is well</p>")
    (place / "docs" / "tutorial").mkdir(parents=True)
    for name, text in pages.items():
        (place / "docs" / "tutorial" / f"{name}.md").write_text(text)
    (place / "home").mkdir()
    finished = subprocess.run(
        [sys.executable, "-I", place / "tests" / "tutorial_reader.py"],
        cwd=place / "home",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    objects = [json.loads(line) for line in finished.stdout.splitlines()]
    return Told(finished.returncode, objects, finished.stderr)


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    recorded: dict[str, Any] = json.loads(script().RECORD.read_text(encoding="utf-8"))
    return recorded


def test_the_page_says_what_the_record_has(record: dict[str, Any]):
    module = script()
    assert module.PAGE.read_text(encoding="utf-8") == module.page(record), "make fresh-machine"


def test_the_record_has_every_chapter_of_the_tutorial_in_order(record: dict[str, Any]):
    recorded = [(chapter["page"], chapter["title"]) for chapter in record["chapters"]]
    there = [(chapter.page, chapter.title) for chapter in chapters()]
    assert recorded == there, "the tutorial has changed since: make fresh-machine"


def test_every_block_of_the_record_was_run_or_has_a_reason(record: dict[str, Any]):
    for chapter in record["chapters"]:
        blocks = chapter["blocks"]
        assert blocks, chapter["title"]
        assert all(bool(block.get("not_run")) != ("seconds" in block) for block in blocks)
        taken = sum(block.get("seconds", 0) for block in blocks)
        assert taken <= chapter["seconds"]


def test_what_is_left_out_otherwise_than_by_the_docs_tests_is_on_their_list():
    """Else a reason, or that there is none, would stand for a block that is there no more."""
    assert {*REASONS, *RUN_HERE} <= set(not_run())


def test_the_container_gets_the_pages_what_runs_them_and_the_examples_only(tmp_path: Path):
    lay_out(tmp_path)
    given = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    beside = {path for path in given if path.parts[0] not in {"docs", "examples"}}
    assert beside == {Path("tests", name) for name in HARNESS}
    assert Path("examples", "real_estate", "train.py") in given
    assert all(Path("docs", chapter.page) in given for chapter in chapters())
    assert not [path for path in given if path.suffix in {".joblib", ".pyc"}]


def test_the_tutorial_has_a_chapter_for_each_page_but_the_record():
    pages = {f"tutorial/{path.name}" for path in (ROOT / "docs" / "tutorial").glob("*.md")}
    assert {chapter.page for chapter in chapters()} == pages - {"tutorial/fresh-machine.md"}
    assert all(blocks_of(chapter.page) for chapter in chapters())


def test_the_reader_tells_of_each_chapter_how_long_its_blocks_took(tmp_path: Path):
    told = read(tmp_path, index=INDEX, one=ONE, two=TWO)
    assert told.exit_code == 0, told.words
    machine, index, one, two, end = told.objects
    assert machine["versions"]["Python"] == ".".join(map(str, sys.version_info[:3]))
    assert index["blocks"] == []
    written, shown, left_out = one["blocks"]
    assert (written["file"], shown["measured"]) == ("greeting.txt", None)
    assert left_out["not_run"] == "it asks an account"
    assert "seconds" not in left_out
    first, measured = two["blocks"]
    assert measured["measured"] == "hello\n5 requests"
    assert first["seconds"] + measured["seconds"] <= two["seconds"]
    assert end == {"report": "tonnage/examples/real_estate/report.html", "report_bytes": 18}


def test_the_reader_ends_where_a_page_does_not_say_what_is_printed(tmp_path: Path):
    told = read(tmp_path, index=INDEX, one=ONE, two=TWO.replace("real_estate", "forest"))
    assert told.exit_code != 0
    assert "docs/tutorial/two.md:3: `basename" in told.words
    assert [told_of.get("title") for told_of in told.objects] == [None, "Tutorial", "1. One"]
