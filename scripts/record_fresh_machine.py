"""
Writes ``docs/tutorial/fresh-machine.md``: the quick start in an empty container, with its times.

It needs a Docker engine, or root to start one; see ``tests/docker_engine.py``.
"""

import json
import os
import platform
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(_ROOT / "tests"))

from docker_engine import base_image, docker_engine, why_no_engine  # noqa: E402 (found just now)
from fresh_machine import EXTRAS, build_wheel, in_a_container  # noqa: E402

__all__ = ["PAGE", "RECORD", "page"]

PAGE = _ROOT / "docs" / "tutorial" / "fresh-machine.md"
RECORD = _ROOT / "docs" / "tutorial" / "fresh-machine.json"
_SHOWN_CHARACTERS = 2500
_HEAD = """\
# A fresh machine

<!-- Written by scripts/record_fresh_machine.py from fresh-machine.json: run that. -->

The wheel was built, and installed into a container that held Python and pip, and nothing else: no source tree, no tool of the developers'.
There the quick start ran from a model to a plan and a report.
The same script is a test, `tests/install`, in a container and in a virtual environment.

It was {date}; the machine has {cores} cores ({platform}), and its load average was {load_average:.1f} at the start, so the times are upper bounds.
What was installed is `tonnage[{extras}]`; most of that time is downloading.

| step | seconds |
| --- | --- |
{rows}
| together | {total:.1f} |
"""  # noqa: E501 (a sentence a line, as on every page)


def page(record: Mapping[str, Any]) -> str:
    """Return the page of a recorded run."""
    steps: Sequence[Mapping[str, Any]] = record["steps"]
    rows = [f"| {step['step']} | {step['seconds']:.1f} |" for step in steps]
    total = sum(step["seconds"] for step in steps)
    printed = [
        f"## {step['step']}\n\n```text\n{step['printed'][:_SHOWN_CHARACTERS].strip()}\n```\n"
        for step in steps
        if step["printed"]
    ]
    head = _HEAD.format_map({**record, "rows": "\n".join(rows), "total": total})
    return "\n".join([head, *printed])


def _recorded() -> dict[str, Any]:
    missing = why_no_engine()
    if missing:
        sys.exit(missing)
    load_average = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as directory, docker_engine() as variables:
        steps = in_a_container(build_wheel(Path(directory)), variables, base_image(variables))
    return {
        "format": "tonnage.fresh-machine/1",
        "date": datetime.now(tz=UTC).date().isoformat(),
        "cores": len(os.sched_getaffinity(0)),
        "platform": f"{platform.system()} {platform.machine()}",
        "load_average": load_average,
        "extras": EXTRAS,
        "steps": steps,
    }


if __name__ == "__main__":
    RECORD.write_text(json.dumps(_recorded(), indent=1, ensure_ascii=False) + "\n")
    PAGE.write_text(page(json.loads(RECORD.read_text())), encoding="utf-8")
