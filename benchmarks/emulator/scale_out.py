"""
How soon a new emulated instance answers, and what a scale-out costs the one already in service.

Two figures, each over several repetitions:

- ``first_answer_seconds``: from the decision, with no provisioning delay, until each of nine new
  instances has answered its first invocation.
- ``disturbance``: the p99 of an instance in service while nine others start, against the p99 of the
  same stretch before.

    python benchmarks/emulator/scale_out.py [--output FILE]
"""

import argparse
import asyncio
import json
import os
import platform
import random
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import uvloop

from tonnage.artefact import pack
from tonnage.domain import ScaledClock
from tonnage.emulator._fleet import Fleet
from tonnage.emulator._zygote import Zygote
from tonnage.http import Client
from tonnage.serving import WorkerOptions
from tonnage.serving.zygote import ZygoteOptions

REPETITIONS = 10
NEW_INSTANCES = 9
PROBE_RATE_PER_SECOND = 200
PROBE_SECONDS = 1.0
BODY = b'{"distance": 150}'
HEADERS = {"content-type": "application/json"}
EXAMPLE = Path(__file__).parents[2] / "examples" / "real_estate"


async def repetition(artefact: Path) -> dict[str, Any]:
    """Scale one fleet from 1 to 10 and return what was seen."""
    changed = asyncio.Event()
    fleet = Fleet(
        clock=ScaledClock(time_scale=1.0, origin_seconds=time.monotonic()),
        provisioning_delay_seconds=0.0,
        on_change=changed.set,
        chance=random.Random(0),
    )
    options = ZygoteOptions(artefact=artefact, worker=WorkerOptions())
    zygote = await Zygote.start(options)
    await fleet.start(zygote, 1)
    first = fleet.in_service[0].client
    assert first is not None
    before = await probe(first)
    probing = asyncio.create_task(probe(first))
    await asyncio.sleep(PROBE_SECONDS / 4)
    decided = time.perf_counter()
    fleet.set_desired(1 + NEW_INSTANCES)
    answered: dict[str, float] = {}
    while len(answered) < NEW_INSTANCES:
        changed.clear()
        for instance in fleet.in_service[1:]:
            if instance.instance_id not in answered and instance.client is not None:
                answer = await instance.client.request(
                    "POST", "/invocations", headers=HEADERS, body=BODY, timeout_seconds=5
                )
                assert answer.status == 200
                answered[instance.instance_id] = time.perf_counter() - decided
        if len(answered) < len(fleet.in_service) - 1 or len(answered) == NEW_INSTANCES:
            continue
        await asyncio.wait_for(changed.wait(), 10)
    during = await probing
    await fleet.close()
    await zygote.close()
    return {
        "first_of_nine_seconds": min(answered.values()),
        "last_of_nine_seconds": max(answered.values()),
        "p99_before_seconds": float(np.quantile(before, 0.99)),
        "p99_during_seconds": float(np.quantile(during, 0.99)),
    }


async def probe(client: Client) -> list[float]:
    """Invoke at a steady rate for a while and return the latencies from the intended sends."""
    loop = asyncio.get_running_loop()
    start = loop.time()

    async def one(due: float) -> float:
        await asyncio.sleep(due - loop.time())
        await client.request("POST", "/invocations", headers=HEADERS, body=BODY, timeout_seconds=5)
        return loop.time() - due

    count = int(PROBE_RATE_PER_SECOND * PROBE_SECONDS)
    return await asyncio.gather(*(one(start + k / PROBE_RATE_PER_SECOND) for k in range(count)))


def main() -> None:
    """Run the repetitions and write them with their spread."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_suffix(".json"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        artefact = Path(directory) / "artefact"
        pack(
            EXAMPLE / "model.joblib",
            service="service:RealEstate",
            output=artefact,
            code=EXAMPLE,
        )
        rows = [uvloop.run(repetition(artefact)) for _ in range(REPETITIONS)]
    summary = {
        name: {
            "min": min(row[name] for row in rows),
            "median": float(np.median([row[name] for row in rows])),
            "max": max(row[name] for row in rows),
        }
        for name in rows[0]
    }
    machine = {
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "platform": platform.platform(),
    }
    record = {"machine": machine, "repetitions": REPETITIONS, "summary": summary, "rows": rows}
    arguments.output.write_text(json.dumps(record, indent=1) + "\n")
    for name, spread in summary.items():
        print(
            f"{name:24} median {spread['median'] * 1000:7.1f} ms"
            f"  ({spread['min'] * 1000:.1f} to {spread['max'] * 1000:.1f})"
        )


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    main()
