"""
How much can one generator core send, and how late is it on its own account?

    python benchmarks/loadtest/generator_speed.py [--repetitions 5]

One generator process against a target that answers at once, each on a core of its own, 3 s of
constant arrivals at each rate. What is the generator's own at p99 is the p99 latency from the
intended send less the one from the actual send; how late it sent is the slip.
"""

import argparse
import os
import statistics
from typing import Any

import described

from tonnage.domain import PiecewiseRate, percentile
from tonnage.loadtest import OpenLoopSession, Payload, constant_target, measure_generator

RATES = (500.0, 2000.0, 8000.0, 12_000.0, 16_000.0)
SECONDS = 3.0


def speed(rate: float, session: OpenLoopSession) -> dict[str, Any]:
    trial = session.trial(PiecewiseRate.constant(rate, SECONDS), drain_seconds=2.0)
    samples = trial.samples
    latency, service = (
        percentile(values, 0.99) for values in (samples.latency_seconds, samples.service_seconds)
    )
    slip = samples.sent_seconds - samples.intended_seconds
    return {
        "rate": rate,
        "sent_per_second": len(samples) / SECONDS,
        "failed": int(samples.failed.sum()),
        "slip_p50_seconds": percentile(slip, 0.5),
        "slip_p99_seconds": percentile(slip, 0.99),
        "slip_max_seconds": float(slip.max()),
        "own_p99_seconds": latency - service,
        "latency_p50_seconds": percentile(samples.latency_seconds, 0.5),
        "latency_p99_seconds": latency,
        "cpu_seconds_per_request": trial.cpu_seconds / len(samples),
        "cpu_fraction_max": trial.health.cpu_fraction_max,
        "scheduling": trial.scheduling,
        "verdict": trial.verdict.word,
        "reason": trial.verdict.reason,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=5)
    arguments = parser.parse_args()
    at, rows = described.machine(), []
    cores = sorted(os.sched_getaffinity(0))
    for _ in range(arguments.repetitions):
        with (
            constant_target() as target,
            OpenLoopSession.start(target.url, Payload(body={"distance": 150})) as session,
        ):
            os.sched_setaffinity(session.process_ids[0], {cores[0]})
            os.sched_setaffinity(target.process_id, {cores[-1]})
            rows += [speed(rate, session) for rate in RATES]
        for row in rows[-len(RATES) :]:
            print(
                f"{row['rate']:7.0f}/s  slip p99 {row['slip_p99_seconds'] * 1e3:6.3f} ms"
                f"  own at p99 {row['own_p99_seconds'] * 1e3:6.3f} ms"
                f"  {row['cpu_seconds_per_request'] * 1e6:5.1f} us/request  {row['verdict']}"
                f"  {row['failed']} failed",
                flush=True,
            )
    capacity = measure_generator()
    print(capacity)
    summary = [
        {
            "rate": rate,
            "valid": sum(row["verdict"] == "VALID" for row in rows if row["rate"] == rate),
            **{
                f"{name}_median": statistics.median(r[name] for r in rows if r["rate"] == rate)
                for name in ("slip_p99_seconds", "own_p99_seconds", "cpu_seconds_per_request")
            },
            "own_p99_seconds_worst": max(r["own_p99_seconds"] for r in rows if r["rate"] == rate),
        }
        for rate in RATES
    ]
    described.write(
        "generator_speed",
        command="python benchmarks/loadtest/generator_speed.py",
        at=at,
        rows=rows,
        summary=summary,
        measure_generator={
            "requests_per_second": capacity.requests_per_second,
            "cpu_seconds_per_request": capacity.cpu_seconds_per_request,
            "limit": capacity.limit,
        },
    )


if __name__ == "__main__":
    main()
