"""
One sample: wrk against one server for some seconds, and what the machine did meanwhile.
"""

import json
import os
import resource
import subprocess
from typing import Any, Final

from catalogue import HERE, MODELS, Ask
from instances import Instance
from machine import Reading, processor_seconds

MAX_STEAL_CORES: Final = 0.4
"""A sample during which the hypervisor took more than this is dropped, whosever it is."""


def sample(
    instance: Instance, ask: Ask, *, connections: int, seconds: int, cores: str
) -> dict[str, Any]:
    """Run wrk on ``cores`` and return its numbers and the machine's."""
    processes = instance.processes()
    served = processor_seconds(processes)
    generated = _children_seconds()
    before = Reading.take()
    summary = _wrk(instance, ask, connections, seconds, cores)
    after = Reading.take()
    elapsed = after.at_seconds - before.at_seconds
    generator = _children_seconds() - generated
    server = processor_seconds(processes) - served
    instance.wait_until_drained(ask)
    foreign = after.busy_seconds - before.busy_seconds - generator - server
    steal_cores = (after.steal_seconds - before.steal_seconds) / elapsed
    failed = sum(summary["errors"].values())
    return {
        **summary,
        "requests_per_second": summary["requests"] / summary["seconds"],
        "server_cores": server / elapsed,
        "generator_cores": generator / elapsed,
        "foreign_cores": max(0.0, foreign / elapsed),
        "steal_cores": steal_cores,
        "server_us_per_request": server / max(1, summary["requests"]) * 1e6,
        "dropped": _why_dropped(steal_cores, failed, summary["requests"]),
    }


def warm_up(instance: Instance, ask: Ask, *, connections: int, seconds: int, cores: str) -> None:
    """Run wrk and forget what it says."""
    _wrk(instance, ask, connections, seconds, cores)
    instance.wait_until_drained(ask)


def _why_dropped(steal_cores: float, failed: int, requests: int) -> str | None:
    if steal_cores > MAX_STEAL_CORES:
        return f"the hypervisor took {steal_cores:.2f} cores"
    if failed > requests * 0.001:
        return f"{failed} of {requests} requests failed"
    return None


def _wrk(
    instance: Instance, ask: Ask, connections: int, seconds: int, cores: str
) -> dict[str, Any]:
    ended = subprocess.run(
        [
            *("taskset", "-c", cores, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s"),
            *("--latency", "--timeout", "30s", "-s", str(HERE / "post.lua")),
            f"http://127.0.0.1:{instance.start.port}{ask.path}",
        ],
        env={
            **os.environ,
            "BENCH_BODY": str(MODELS / ask.body),
            "BENCH_CONTENT_TYPE": ask.content_type,
        },
        check=True,
        capture_output=True,
        text=True,
    )
    line = next(line for line in ended.stdout.splitlines() if line.startswith("BENCH "))
    summary: dict[str, Any] = json.loads(line.removeprefix("BENCH "))
    return summary


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
