"""
What the measurements of the emulator share: the example packed, cores, the machine, a spread.
"""

import contextlib
import os
import platform
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import numpy as np
from botocore.client import BaseClient
from botocore.config import Config

from tonnage.artefact import pack
from tonnage.emulator import EndpointOptions, LocalOptions, UpOptions

EXAMPLE = Path(__file__).parents[2] / "examples" / "real_estate"
NAME = "bench"
VARIANT = "AllTraffic"
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def packed_example() -> Iterator[Path]:
    """Pack the reference service and give its artefact."""
    with tempfile.TemporaryDirectory() as directory:
        artefact = Path(directory) / "artefact"
        pack(EXAMPLE / "model.joblib", service="service:RealEstate", output=artefact, code=EXAMPLE)
        yield artefact


def up_options(artefact: Path, count: int, **local: object) -> UpOptions:
    """Return an endpoint of so many instances, without a provisioning delay."""
    return UpOptions(
        artefact=artefact,
        endpoint=EndpointOptions(
            endpoint_name=NAME, variant_name=VARIANT, initial_instance_count=count
        ),
        local=replace(LocalOptions(provisioning_delay_seconds=0.0), **local),
        port=0,
    )


def control_plane(url: str) -> BaseClient:
    """Return boto3's client of the control plane at a URL."""
    return boto3.client(
        "sagemaker",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )


def children_of(process_id: int) -> list[int]:
    """Return a process's children."""
    text = Path(f"/proc/{process_id}/task/{process_id}/children").read_text()
    return [int(child) for child in text.split()]


def descendants_of(process_id: int) -> list[int]:
    """Return a process's children, theirs, and so on."""
    children = children_of(process_id)
    return [*children, *(one for child in children for one in descendants_of(child))]


def pin(process_id: int, core: int) -> None:
    """Keep every thread of a process on one core."""
    for thread in Path(f"/proc/{process_id}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})


def cpu_seconds(process_id: int) -> float:
    """Return the processor time that a process has had."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def resident_mib(process_id: int) -> float:
    """Return a process's resident memory."""
    pages = int(Path(f"/proc/{process_id}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def descriptors(process_id: int) -> int:
    """Return how many descriptors a process has open."""
    return sum(1 for _ in Path(f"/proc/{process_id}/fd").iterdir())


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return the least, the median and the greatest."""
    return {
        "min": float(min(values)),
        "median": float(np.median(values)),
        "max": float(max(values)),
    }


def machine() -> dict[str, Any]:
    """Describe the machine, and what else it did."""
    model = "unknown"
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if "model name" in line)
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": model,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "load_average_before": os.getloadavg()[0],
    }


def version_of(command: str) -> str:
    """Return the first line of what a tool says of its version."""
    said = subprocess.run([command, "-v"], capture_output=True, text=True, check=False)
    return (said.stdout + said.stderr).splitlines()[0].strip()
