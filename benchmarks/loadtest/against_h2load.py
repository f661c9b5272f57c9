"""
Do the latencies agree with an independent tool's, for the same arrivals on the same target?

    apt-get install nghttp2-client
    python benchmarks/loadtest/against_h2load.py [--repetitions 5]

h2load's clients send in step: 50 clients at 10/s each are 50 requests every 100 ms. The same
arrivals are given to Tonnage as a profile. The target is one first-come-first-served server of
1,000/s, so a burst's k-th answer takes k ms, and 25.5 ms are the mean. Both tools run in turn; as
root, both and the target are scheduled in real time, so that they are compared and not what else
the machine does.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import described
import numpy as np

from tonnage.domain import PiecewiseRate, percentile
from tonnage.loadtest import OpenLoopSession, Payload, constant_target

SERVICE_RATE = 1000.0
CLIENTS = 50
PER_CLIENT = 10
SECONDS = 6
BURST_SECONDS = 100e-6
BODY = '{"distance": 150}'
FIGURES = ("mean", "p50", "p90", "p99")


def bursts() -> PiecewiseRate:
    """Return what h2load's clients offer: all of them at once, ten times a second."""
    period = 1 / PER_CLIENT
    starts = np.arange(SECONDS * PER_CLIENT) * period
    knots = np.append(np.ravel(np.column_stack([starts, starts + BURST_SECONDS])), SECONDS)
    rates = np.tile([CLIENTS / BURST_SECONDS, 0.0], len(starts))
    return PiecewiseRate.held(knots, rates)


def told(latency: np.ndarray, requests: int) -> dict[str, float]:
    return {
        "mean": float(latency.mean()),
        **{f"p{f * 100:g}": percentile(latency, f) for f in (0.5, 0.9, 0.99)},
        "requests_per_second": requests / SECONDS,
    }


def by_h2load(url: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as directory:
        body, log = Path(directory) / "body.json", Path(directory) / "log.tsv"
        body.write_text(BODY)
        precedence = ["chrt", "-r", "1"] if os.geteuid() == 0 else []
        subprocess.run(
            [
                *precedence,
                *("h2load", "--h1", "-c", str(CLIENTS), f"--rps={PER_CLIENT}", "-D", str(SECONDS)),
                *("-d", body, "-H", "Content-Type: application/json", f"--log-file={log}", url),
            ],
            check=True,
            capture_output=True,
        )
        rows = np.loadtxt(log, dtype=np.int64)
    return told(rows[:, 2] / 1e6, len(rows))


def by_tonnage(url: str) -> dict[str, float]:
    with OpenLoopSession.start(url, Payload(body={"distance": 150})) as session:
        trial = session.trial(bursts())
    return {
        **told(trial.samples.service_seconds, len(trial.samples)),
        "from_intended_mean": float(trial.samples.latency_seconds.mean()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=5)
    arguments = parser.parse_args()
    if shutil.which("h2load") is None:
        sys.exit("h2load is not installed: apt-get install nghttp2-client")
    at, rows = described.machine(), []
    for _ in range(arguments.repetitions):
        with constant_target(SERVICE_RATE) as target:
            described.take_precedence(target.process_id)
            row: dict[str, Any] = {
                "h2load": by_h2load(target.url),
                "tonnage": by_tonnage(target.url),
            }
        row["ratio"] = {f: row["tonnage"][f] / row["h2load"][f] for f in row["h2load"]}
        rows.append(row)
        print("  ".join(f"{f} {row['ratio'][f]:.4f}" for f in row["ratio"]), flush=True)
    figures = (*FIGURES, "requests_per_second")
    median = {f: statistics.median(row["ratio"][f] for row in rows) for f in figures}
    worst = {f: max(abs(row["ratio"][f] - 1) for row in rows) for f in figures}
    print(f"median ratios {median}; worst deviation {worst}")
    described.write(
        "against_h2load",
        command="python benchmarks/loadtest/against_h2load.py",
        at=at,
        rows=rows,
        h2load=subprocess.run(
            ["h2load", "--version"], check=True, capture_output=True, text=True
        ).stdout.strip(),
        median_ratio=median,
        worst_deviation=worst,
    )


if __name__ == "__main__":
    main()
