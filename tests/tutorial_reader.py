"""
A newcomer who goes through the tutorial, chapter by chapter, with nothing but what is installed.

It runs by itself (``python tutorial_reader.py``) in an empty directory, beside a copy of the pages,
of what runs their blocks, and of the examples. It prints one JSON object for what it met, one a
chapter and one for the report at the end, and tells on standard error where it is. It ends at the
first block that fails, or prints what its page does not show.
"""

import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).parents[1]
if str(HERE / "tests") not in sys.path:
    sys.path.insert(0, str(HERE / "tests"))  # it is started with `python -I`, too

from doc_pages import (  # noqa: E402 (found just now)
    READABLE,
    Block,
    Chapter,
    Listed,
    blocks_of,
    chapters,
    not_run,
)
from doc_session import Session  # noqa: E402

PATIENCE_SECONDS = 900.0
INDEX = "tutorial/index.md"

RUN_HERE: Mapping[Listed, Mapping[str, str]] = {
    Listed("tutorial/serve-and-call.md", "$ cd ../examples/real_estate"): {},
    Listed("tutorial/rehearse.md", "$ tonnage rehearse"): {"a measurement": ""},
}
"""What the docs' tests leave out for where they begin, or its time alone → what to do with it."""

REASONS = {
    Listed(INDEX, "$ git clone <this repository> tonnage && cd tonnage"): (
        "the wheel is installed instead, and the folder `examples` is a copy"
    )
}
"""Why a block is left out here, where the docs' tests have another reason."""

PROGRAMS = {"$ curl ": "curl", "$ aws ": "aws", "$ tonnage synth": "node"}
"""How a command begins → the program that it needs beside Tonnage."""

LIBRARIES = ("tonnage", "numpy", "scikit-learn", "onnxruntime", "locust", "boto3", "aws-cdk-lib")


def main() -> None:
    """Go through the whole tutorial, each chapter beginning where the last one ended."""
    home = Path.cwd()
    place = home / "tonnage"
    shutil.copytree(HERE / "examples", place / "examples")
    tell(machine())
    for chapter in chapters():
        recorded, place = read(chapter, place)
        tell(recorded)
    last = max(home.rglob("report.html"), key=lambda report: report.stat().st_mtime)
    tell({"report": str(last.relative_to(home)), "report_bytes": last.stat().st_size})


def read(chapter: Chapter, place: Path) -> tuple[dict[str, Any], Path]:
    """Run a chapter's blocks in terminals of its own; return its record, and where it ended."""
    began = time.monotonic()
    with Session(place, environment(), patience_seconds=PATIENCE_SECONDS) as session:
        try:
            blocks = [entry for block in blocks_of(chapter.page) for entry in _read(block, session)]
        except AssertionError:
            print(*session.logs(), sep="\n", file=sys.stderr)  # noqa: T201 (to find out why)
            raise
        place = session.directory()
    seconds = round(time.monotonic() - began, 2)
    recorded = {"page": chapter.page, "title": chapter.title, "seconds": seconds, "blocks": blocks}
    return recorded, place


def reason_against(block: Block) -> str | None:
    """Say why a block is not run here; None when it is."""
    listed = Listed(block.page, block.first_line)
    return None if listed in RUN_HERE else REASONS.get(listed) or not_run().get(listed)


def environment() -> dict[str, str]:
    """The reader's: Tonnage on the path, and no settings, credentials or proxies of a machine's."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "TONNAGE_", "PIP_")) and "proxy" not in name.lower()
    }
    bin_directory = Path(sys.executable).parent
    path = os.pathsep.join([str(bin_directory), kept.get("PATH", os.defpath)])
    return {**kept, "NO_COLOR": "1", "PATH": path, "VIRTUAL_ENV": str(bin_directory.parent)}


def machine() -> dict[str, Any]:
    """Return what the reader sits at; fail if a program that the tutorial uses is missing."""
    text = "\n".join(block.text for chapter in chapters() for block in blocks_of(chapter.page))
    programs = [name for start, name in PROGRAMS.items() if start in text]
    return {
        "system": platform.freedesktop_os_release()["PRETTY_NAME"],
        "platform": f"{platform.system()} {platform.machine()}",
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "load_average": os.getloadavg()[0],
        "versions": {
            "Python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in LIBRARIES},
            **{name: _version_of(name) for name in programs},
        },
    }


def tell(what: dict[str, Any]) -> None:
    print(json.dumps(what, ensure_ascii=False), flush=True)  # noqa: T201 (what it is for)


def _read(block: Block, session: Session) -> Iterator[dict[str, Any]]:
    """Run a block and give what is recorded of it; nothing of one that is only to be looked at."""
    if not block.is_code or (block.language in READABLE and "file" not in block.orders):
        return
    entry = {
        "page": block.page,
        "language": block.language,
        "text": block.text,
        "file": block.orders.get("file"),
    }
    reason = reason_against(block)
    if reason:
        yield {**entry, "not_run": reason}
        return
    further = RUN_HERE.get(Listed(block.page, block.first_line), {})
    block = replace(block, orders={**block.orders, **further})
    print(f"{block} {block.first_line}", file=sys.stderr, flush=True)  # noqa: T201 (where it is)
    began = time.monotonic()
    printed = session.run(block)
    seconds = round(time.monotonic() - began, 2)
    measured = printed.strip() if "a measurement" in block.orders else None
    yield {**entry, "seconds": seconds, "measured": measured}


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _version_of(program: str) -> str:
    found = shutil.which(program, path=environment()["PATH"])
    assert found is not None, f"the tutorial uses {program}, which is not there"
    printed = subprocess.run(
        [found, "--version"], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    version = re.search(r"\d+(?:\.\d+)+", printed)
    assert version is not None, printed
    return version[0]


if __name__ == "__main__":
    main()
