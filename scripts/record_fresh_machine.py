"""
Writes ``docs/tutorial/fresh-machine.md``: the tutorial in an empty container, with its times.

It needs a Docker engine, or root to start one; see ``tests/docker_engine.py``. ``make
fresh-machine`` runs it.
"""

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(_ROOT / "tests"))

from docker_engine import base_image, docker_engine, why_no_engine  # noqa: E402 (found just now)
from fresh_machine import (  # noqa: E402
    PROGRAMS,
    TUTORIAL_EXTRAS,
    build_wheel,
    tutorial_in_a_container,
)

__all__ = ["PAGE", "RECORD", "page"]

PAGE = _ROOT / "docs" / "tutorial" / "fresh-machine.md"
RECORD = _ROOT / "docs" / "tutorial" / "fresh-machine.json"
FORMAT = "tonnage.fresh-machine/2"
_SHOWN_CHARACTERS = 90
_HEAD = """\
# A fresh machine

<!-- Written by `make fresh-machine` from fresh-machine.json: run that. -->

From nothing to the report of the last rehearsal, the whole tutorial took **{total}** in an empty container: {install} to install, {chapters} for the chapters.
That is what the commands take; reading and typing come on top.

## What was there

A container of {system} with Python {python}, pip and certificates; curl, grep and the AWS CLI from Debian; no compiler, no `make`, no tool of the developers'.

The tutorial begins with `git clone` and `make setup`.
Here a reader has the wheel only, so it was `pip install` that brought `tonnage[{extras}]`, and beside it Node.js for chapter 8 and pandas, which the example's `train.py` imports.
What the chapters take from the clone is the folder `examples`: a copy of it was there, and nothing else of the source tree.

The installation had a network.
The chapters ran in a second container that had none but its own loopback.
Each command ran as its page has it, in the pages' order, each chapter in the folder where the one before ended, and what it printed was compared with the page; only the ports were exchanged for free ones.
Of a measurement the last line is compared, since the figures are the machine's.

It was {date}, on {cores} cores ({processor}, {memory:.1f} GiB, {platform}), with a load average of {load_average:.1f} at the start{caveat}.

{versions}

## Chapter by chapter

| chapter | run | not run | seconds |
| --- | --- | --- | --- |
{rows}

The last report is `{report}`, {report_kib:,.0f} KiB in one file.
"""  # noqa: E501 (a sentence a line, as on every page)
_NOT_RUN = """\
## What was not run

| page | block | why |
| --- | --- | --- |
{rows}
"""


def page(record: Mapping[str, Any]) -> str:
    """Return the page of a recorded run."""
    chapters: Sequence[Mapping[str, Any]] = record["chapters"]
    parts = [_head(record), _not_run(chapters), *(_chapter(chapter) for chapter in chapters)]
    return "\n".join(parts)


def _head(record: Mapping[str, Any]) -> str:
    chapters: Sequence[Mapping[str, Any]] = record["chapters"]
    machine = record["machine"]
    busy = machine["load_average"] > machine["cores"] / 2
    reading = sum(chapter["seconds"] for chapter in chapters)
    rows = [f"| pip install | | | {record['install_seconds']:.1f} |", *map(_row, chapters)]
    return _HEAD.format(
        total=_spoken(record["install_seconds"] + reading),
        install=_spoken(record["install_seconds"]),
        chapters=_spoken(reading),
        python=machine["versions"]["Python"],
        versions=_versions(machine["versions"]),
        memory=machine["memory_bytes"] / 1024**3,
        caveat=": it was busy with other things, so the times are upper bounds" if busy else "",
        rows="\n".join(rows),
        report_kib=record["report_bytes"] / 1024,
        **{name: record[name] for name in ("date", "extras", "report")},
        **{name: machine[name] for name in _OF_THE_MACHINE},
    )


_OF_THE_MACHINE = ("system", "cores", "processor", "platform", "load_average")


def _row(chapter: Mapping[str, Any]) -> str:
    left_out = sum("not_run" in block for block in chapter["blocks"])
    run = len(chapter["blocks"]) - left_out
    return f"| {_link(chapter)} | {run} | {left_out or ''} | {chapter['seconds']:.1f} |"


def _link(chapter: Mapping[str, Any]) -> str:
    return f"[{chapter['title']}]({Path(chapter['page']).name})"


def _versions(versions: Mapping[str, str]) -> str:
    names, numbers = " | ".join(versions), " | ".join(versions.values())
    return f"| {names} |\n|{' --- |' * len(versions)}\n| {numbers} |"


def _not_run(chapters: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        f"| {_link(chapter)} | {_shown(block)} | {block['not_run']} |"
        for chapter in chapters
        for block in chapter["blocks"]
        if "not_run" in block
    ]
    return _NOT_RUN.format(rows="\n".join(rows))


def _chapter(chapter: Mapping[str, Any]) -> str:
    run = [block for block in chapter["blocks"] if "not_run" not in block]
    rows = "\n".join(f"| {_shown(block)} | {block['seconds']:.2f} |" for block in run)
    table = f"## {chapter['title']}\n\n| block | seconds |\n| --- | --- |\n{rows}\n"
    return "\n".join([table, *_measurements(run)])


def _measurements(blocks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for block in blocks:
        if block["measured"]:
            yield f"{_shown(block)} printed:\n\n```text\n{block['measured']}\n```\n"


def _shown(block: Mapping[str, Any]) -> str:
    """Return a block as a table's cell has it: its first command, and how many follow."""
    if block["file"]:
        return f"write `{block['file']}`"
    first, *rest = block["text"].splitlines()
    command = first.removeprefix("$ ").removesuffix("\\").strip()
    if len(command) > _SHOWN_CHARACTERS:
        command = f"{command[:_SHOWN_CHARACTERS].rstrip()} …"
    code = f"`{command}`".replace("|", "\\|")
    if block["language"] == "python":
        return f"Python: {code}"
    more = sum(line.startswith("$ ") for line in rest)
    return f"{code} and {more} more" if more else code


def _spoken(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _recorded() -> dict[str, Any]:
    missing = why_no_engine()
    if missing:
        sys.exit(missing)
    with tempfile.TemporaryDirectory() as directory, docker_engine() as variables:
        wheel = build_wheel(Path(directory))
        base = base_image(variables, PROGRAMS)
        installed, machine, *chapters, end = tutorial_in_a_container(wheel, variables, base)
    return {
        "format": FORMAT,
        "date": datetime.now(tz=UTC).date().isoformat(),
        "extras": TUTORIAL_EXTRAS,
        "machine": machine,
        "install_seconds": installed["seconds"],
        "chapters": chapters,
        **end,
    }


def _main() -> None:
    RECORD.write_text(json.dumps(_recorded(), indent=1, ensure_ascii=False) + "\n")
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    PAGE.write_text(page(record), encoding="utf-8")
    seconds = sum(chapter["seconds"] for chapter in record["chapters"]) + record["install_seconds"]
    sys.stderr.write(f"the whole tutorial: {_spoken(seconds)}; see {PAGE.relative_to(_ROOT)}\n")


if __name__ == "__main__":
    _main()
