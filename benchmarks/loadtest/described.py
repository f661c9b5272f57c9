"""
Where a measurement ran, for its results.
"""

import importlib.metadata
import json
import os
import platform
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def machine() -> dict[str, Any]:
    """Return the machine, its versions, and how busy others kept it."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "uvloop": importlib.metadata.version("uvloop"),
        "load_average_at_start": os.getloadavg()[0],
        "date": time.strftime("%Y-%m-%d"),
    }


def take_precedence(process_id: int) -> str:
    """
    Let a target run before the rest of the machine, where allowed; return how it is scheduled.

    A target of known behaviour must not wait for a core that something else has.
    """
    try:
        os.sched_setscheduler(process_id, os.SCHED_RR, os.sched_param(1))
    except PermissionError:
        return "ordinary"
    return "real time"


def write(
    name: str, *, command: str, at: Mapping[str, Any], rows: Sequence[Any], **more: object
) -> None:
    """Write a result file and say where."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{name}.json"
    described = {"command": command, "machine": dict(at), **more, "rows": list(rows)}
    file.write_text(json.dumps(described, indent=1) + "\n")
    print(f"wrote {file.name}")


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
