"""
Kill -9 of one of N instances at 70 % of the line: what fails, and when the line is back.

    python benchmarks/emulator/recovery.py [--output FILE] [--repetitions 5]

Five instances, each capped to a rate, under constant arrivals at 70 % of what they carry together;
one is killed, provisioning takes no time. A request *failed that another could answer* is one that
ended without an HTTP answer, or with a status other than 200 and 503; a 503 is an instance's own,
above its cap. The line is back when all instances are in service again.
"""

import argparse
import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import fixtures

from tonnage.domain import PiecewiseRate
from tonnage.emulator import up_in_background
from tonnage.loadtest import OpenLoopSession, Payload
from tonnage.serving import InstanceCapacity

INSTANCES = 5
LINE_PER_SECOND = 100.0
SHARE = 0.7
SECONDS = 8.0
KILLED_AT_SECONDS = 3.0


def repetition(artefact: Path) -> dict[str, Any]:
    capacity = InstanceCapacity(rate_per_second=LINE_PER_SECOND, queue_seconds=0.42)
    options = fixtures.up_options(artefact, INSTANCES, capacity=capacity)
    with (
        up_in_background(options) as endpoint,
        OpenLoopSession.start(f"{endpoint.url}/evaluate", Payload(body={"distance": 150})) as load,
    ):
        victim = endpoint.state()["instances"][0]["process_id"]
        begin = time.monotonic() + 0.5
        killed: list[float] = []

        def kill() -> None:
            os.kill(victim, signal.SIGKILL)
            killed.append(time.monotonic())

        timer = threading.Timer(begin + KILLED_AT_SECONDS - time.monotonic(), kill)
        timer.start()
        trial = load.trial(
            PiecewiseRate.constant(SHARE * LINE_PER_SECOND * INSTANCES, SECONDS),
            start_at_monotonic_seconds=begin,
            drain_seconds=2.0,
        )
        timer.join()
        changes = endpoint.timeline(killed[0]).instances
    lost = next((at for at, _, count in changes if count < INSTANCES), 0.0)
    back = next(at for at, _, count in changes if at > lost and count == INSTANCES)
    status = trial.samples.status
    return {
        "requests": len(status),
        "failed_that_another_could_answer": int(((status != 200) & (status != 503)).sum()),
        "refused_above_the_cap": int((status == 503).sum()),
        "noticed_seconds": lost,
        "back_at_the_line_seconds": back,
        "generator": str(trial.verdict.word),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).with_suffix(".json"))
    parser.add_argument("--repetitions", type=int, default=5)
    arguments = parser.parse_args()
    at = fixtures.machine()
    with fixtures.packed_example() as artefact:
        rows = [repetition(artefact) for _ in range(arguments.repetitions)]
    record = {
        "what": "kill -9 of one of the instances at 70 % of the line",
        "machine": at,
        "settings": {
            "instances": INSTANCES,
            "line_per_second": LINE_PER_SECOND,
            "share_of_the_line": SHARE,
            "repetitions": arguments.repetitions,
        },
        "failed_that_another_could_answer": sum(
            row["failed_that_another_could_answer"] for row in rows
        ),
        "back_at_the_line_seconds": fixtures.spread(
            [row["back_at_the_line_seconds"] for row in rows]
        ),
        "rows": rows,
    }
    arguments.output.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({key: value for key, value in record.items() if key != "rows"}, indent=1))


if __name__ == "__main__":
    main()
