"""
Noise as it is: latencies of real requests, recorded for A/A comparisons in virtual time.

Usage, beside a model that `python examples/real_estate/train.py` fitted and `tonnage pack` packed:
python record_noise.py [--seconds 240] [-o results/noise.npz]

One instance (`tonnage serve`) is asked open loop, constant arrivals, under three conditions: as the
machine is, beside a neighbour that computes in bursts, and at a higher rate. Nothing is left out:
whatever else ran on the machine is in the noise, too.
"""

import argparse
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from described import RESULTS, machine

from tonnage.domain import PiecewiseRate
from tonnage.loadtest import OpenLoopSession, Payload

EXAMPLE = Path(__file__).parents[2] / "examples" / "real_estate"
TONNAGE = Path(sys.executable).with_name("tonnage")
STEP_SECONDS = 2e-6
"""Latencies are kept in steps of 2 µs, up to 131 ms."""

CONDITIONS = {
    "as it is, 300/s": (300.0, False),
    "a bursty neighbour, 300/s": (300.0, True),
    "as it is, 800/s": (800.0, False),
}
NEIGHBOUR = """
import random, time
draw = random.Random(5)
while True:
    until = time.monotonic() + draw.lognormvariate(-1.5, 1.0)
    while time.monotonic() < until:
        sum(range(2000))
    time.sleep(draw.expovariate(2.0))
"""


@contextmanager
def instance() -> Iterator[str]:
    """Serve the example's artefact; give its URL."""
    command = [TONNAGE, "serve", "artefact", "--host", "127.0.0.1", "--port", "0", "--workers", "1"]
    served = subprocess.Popen(command, cwd=EXAMPLE, stderr=subprocess.PIPE, text=True)
    try:
        line = next(line for line in served.stderr if line.startswith("serving "))
        yield f"http://{line.rpartition(' on ')[2].strip()}/invocations"
    finally:
        served.send_signal(signal.SIGTERM)
        served.stderr.close()
        served.wait()


@contextmanager
def neighbour(is_there: bool) -> Iterator[None]:
    """Compute beside it, in bursts."""
    if not is_there:
        yield
        return
    process = subprocess.Popen([sys.executable, "-c", NEIGHBOUR])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=240.0)
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "noise.npz")
    arguments = parser.parse_args()
    at, columns, told = machine(), {}, []
    with instance() as url, OpenLoopSession.start(url, Payload(body={"distance": 150})) as session:
        for number, (name, (rate, noisy)) in enumerate(CONDITIONS.items()):
            with neighbour(noisy):
                time.sleep(1.0)
                trial = session.trial(PiecewiseRate.constant(rate, arguments.seconds))
            samples = trial.samples
            order = np.argsort(samples.intended_seconds)
            steps = np.round(samples.latency_seconds[order] / STEP_SECONDS)
            columns[f"latency_{number}"] = np.minimum(steps, np.iinfo(np.uint16).max).astype(
                np.uint16
            )
            columns[f"failed_{number}"] = np.flatnonzero(samples.failed[order]).astype(np.int32)
            told.append(
                {
                    "condition": name,
                    "rate_per_second": rate,
                    "seconds": arguments.seconds,
                    "step_seconds": STEP_SECONDS,
                    "verdict": trial.verdict.word,
                    "reason": trial.verdict.reason,
                    "machine_busy_fraction": trial.health.machine_busy_fraction,
                }
            )
            print(told[-1], flush=True)
    arguments.output.parent.mkdir(exist_ok=True)
    np.savez_compressed(arguments.output, **columns)
    command = "python benchmarks/loadtest/record_noise.py"
    described = {"machine": at, "command": command, "rows": told}
    arguments.output.with_suffix(".json").write_text(json.dumps(described, indent=1) + "\n")


if __name__ == "__main__":
    main()
