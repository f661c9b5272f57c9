"""
Is a frozen target seen by every request that was due while it was frozen?

    python benchmarks/loadtest/freeze.py [--freeze 6] [--repetitions 5]

A target that is one first-come-first-served server of 1,000/s is stopped (SIGSTOP) for 6 s in the
middle of a run of 10 s at 200/s, and let go again. The percentiles of the latency from the intended
send are held against the analytic ones: for the k-th arrival at t_k, with service time s and the
freeze from a to b,

    start_k  = max(t_k, end_{k-1});  start_k = b if a <= start_k < b;  end_k = start_k + s
    latency_k = end_k - t_k

where a and b are when the signals were sent. A closed loop of one user is shown beside it, from the
same recursion: it sends again only when it has its answer.
"""

import argparse
import os
import signal
import threading
import time
from typing import Any

import described
import numpy as np
from numpy.typing import NDArray

from tonnage.domain import PiecewiseRate, percentile
from tonnage.loadtest import OpenLoopSession, Payload, constant_target

SERVICE_RATE = 1000.0
RATE = 200.0
FRACTIONS = (0.5, 0.9, 0.95, 0.99, 0.999)


def analytic(
    arrivals: NDArray[np.float64], frozen_at: float, thawed_at: float
) -> NDArray[np.float64]:
    """Return each arrival's latency at the target, as the module's equations say."""
    free_at, latency = 0.0, np.empty(len(arrivals))
    for k, arrival in enumerate(arrivals):
        start = max(arrival, free_at)
        if frozen_at <= start < thawed_at:
            start = thawed_at
        free_at = start + 1 / SERVICE_RATE
        latency[k] = free_at - arrival
    return latency


def freeze(seconds: float) -> dict[str, Any]:
    duration, signals = seconds * 5 / 3, []
    over = threading.Event()
    with (
        constant_target(SERVICE_RATE) as target,
        OpenLoopSession.start(target.url, Payload(body={"distance": 150})) as session,
    ):
        scheduling = described.take_precedence(target.process_id)
        start = time.monotonic() + 1.0

        def stop_and_go() -> None:
            over.wait(start + seconds / 4 - time.monotonic())
            os.kill(target.process_id, signal.SIGSTOP)
            signals.append(time.monotonic() - start)
            over.wait(start + signals[0] + seconds - time.monotonic())
            os.kill(target.process_id, signal.SIGCONT)
            signals.append(time.monotonic() - start)

        thread = threading.Thread(target=stop_and_go)
        thread.start()
        trial = session.trial(
            PiecewiseRate.constant(RATE, duration), start_at_monotonic_seconds=start
        )
        thread.join()
    samples = trial.samples
    measured = {f: percentile(samples.latency_seconds, f) for f in FRACTIONS}
    expected_latency = analytic(np.sort(samples.intended_seconds), signals[0], signals[1])
    expected = {f: percentile(expected_latency, f) for f in FRACTIONS}
    return {
        "frozen_from_seconds": signals[0],
        "frozen_to_seconds": signals[1],
        "requests": len(samples),
        "unanswered": dict(trial.unanswered),
        "target_scheduling": scheduling,
        "verdict": trial.verdict.word,
        "measured": {f"p{f * 100:g}": measured[f] for f in FRACTIONS},
        "analytic": {f"p{f * 100:g}": expected[f] for f in FRACTIONS},
        "worst_relative_error": max(abs(measured[f] / expected[f] - 1) for f in FRACTIONS),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--freeze", type=float, default=6.0)
    parser.add_argument("--repetitions", type=int, default=5)
    arguments = parser.parse_args()
    at, rows = described.machine(), []
    for _ in range(arguments.repetitions):
        rows.append(freeze(arguments.freeze))
        row = rows[-1]
        print(
            f"worst error {row['worst_relative_error']:.2%}  {row['verdict']}  "
            + "  ".join(
                f"{p} {row['measured'][p]:.3f}/{row['analytic'][p]:.3f}" for p in row["measured"]
            ),
            flush=True,
        )
    described.write(
        "freeze",
        command="python benchmarks/loadtest/freeze.py",
        at=at,
        rows=rows,
        worst_relative_error=max(row["worst_relative_error"] for row in rows),
    )


if __name__ == "__main__":
    main()
