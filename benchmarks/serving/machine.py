"""
What the machine did meanwhile, from ``/proc``: processor time of process trees, steal, memory.
"""

import os
import platform
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024
_STEAL, _IDLE, _IOWAIT = 7, 3, 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """
    The machine's counters at one moment.

    Attributes:
        at_seconds: When, on the monotonic clock.
        busy_seconds: Processor time all processes have had, over all cores.
        steal_seconds: Processor time the hypervisor gave to others.
    """

    at_seconds: float
    busy_seconds: float
    steal_seconds: float

    @classmethod
    def take(cls) -> "Reading":
        """Read ``/proc/stat`` now."""
        with Path("/proc/stat").open() as lines:
            ticks = [int(value) for value in lines.readline().split()[1:9]]
        idle = ticks[_IDLE] + ticks[_IOWAIT] + ticks[_STEAL]
        return cls(
            at_seconds=time.monotonic(),
            busy_seconds=(sum(ticks) - idle) / TICKS_PER_SECOND,
            steal_seconds=ticks[_STEAL] / TICKS_PER_SECOND,
        )


def tree(root: int) -> list[int]:
    """Return the living processes that descend from ``root`` or are of its session, it included."""
    children: dict[int, list[int]] = {}
    found = [root]
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            process, parent, session = int(entry.name), int(fields[1]), int(fields[3])
            children.setdefault(parent, []).append(process)
            # Java's launcher ends and leaves Java to the first process of the machine.
            if session == root != process:
                found.append(process)
    for process in found:
        found += [child for child in children.get(process, []) if child not in found]
    return [process for process in found if _stat(process)]


def processor_seconds(processes: Iterable[int]) -> float:
    """Return the processor time that processes, and their children that ended, have had."""
    total = 0.0
    for process in processes:
        if fields := _stat(process):
            total += sum(int(value) for value in fields[11:15]) / TICKS_PER_SECOND
    return total


def memory(processes: Iterable[int]) -> list[dict[str, Any]]:
    """
    Return each process's memory in MiB.

    ``resident`` is what it maps, ``proportional`` splits what is shared among its users (it can be
    summed over a tree), ``own`` is what nobody else maps.
    """
    found = []
    for process in processes:
        try:
            text = Path(f"/proc/{process}/smaps_rollup").read_text()
            command = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        kib = {
            line.split(":")[0]: int(line.split()[1])
            for line in text.splitlines()[1:]
            if line.endswith("kB")
        }
        found.append(
            {
                "command": Path(command[0].decode(errors="replace")).name,
                "resident_mib": kib["Rss"] / 1024,
                "proportional_mib": kib["Pss"] / 1024,
                "own_mib": (kib["Private_Clean"] + kib["Private_Dirty"]) / 1024,
            }
        )
    return found


def describe() -> dict[str, Any]:
    """Return what a reader needs to know of the machine: nothing that names it."""
    cpu = Path("/proc/cpuinfo").read_text()
    model = next(line.split(":")[1].strip() for line in cpu.splitlines() if "model name" in line)
    kib = int(Path("/proc/meminfo").read_text().split()[1])
    return {
        "processor": model,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(kib / 1024**2, 1),
        "kernel": platform.release(),
        "load_average": [round(value, 2) for value in os.getloadavg()],
    }


def tool_versions() -> Mapping[str, str]:
    """Return the versions of what is not Python."""
    return {
        "wrk": _first_line(["wrk", "-v"]),
        "nginx": _first_line(["nginx", "-v"]),
        "java": _first_line(["java", "-version"]),
    }


def _first_line(command: list[str]) -> str:
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "missing"
    return (ended.stdout + ended.stderr).strip().splitlines()[0].partition("  Copyright")[0]


def _stat(process: int) -> list[str]:
    """Return the fields of ``/proc/PID/stat`` from the state on; none for what has ended."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return []
    fields = text.rpartition(")")[2].split()
    return [] if fields[0] == "Z" else fields
