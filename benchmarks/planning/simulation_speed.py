"""
How long 30 days of one-second traffic take, for one policy and for 500, and how much memory; and
for fleets with three policies each, one of them of ten-second datapoints, and a schedule.

Caveats first: times move from machine to machine; the traffic is a daily swing with noise and
bursts, so that policies act often, which is what costs. One core: every numpy call here runs on
one, and the thread counts of its libraries are set to 1. Each case runs in a process of its own,
whose peak memory is what is reported, the interpreter included; the time is of ``simulate`` alone,
without importing or making the traffic.

    .venv/bin/python benchmarks/planning/simulation_speed.py -o benchmarks/planning/speed.json
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

DAYS = 30
SECONDS = DAYS * 86_400
REPETITIONS = 5
LIMITS = {
    ("plain", 1): (2.0, 1024.0),
    ("plain", 500): (30.0, 1024.0),
    ("several", 1): (None, 1024.0),
    ("several", 50): (None, 1024.0),
}


def traffic(seed: int = 0) -> Any:  # noqa: ANN401 (imported in the child, after its limits are set)
    """Return a month of seconds: a daily swing, noise, and a burst now and then."""
    from tonnage.domain import PiecewiseRate

    generator = np.random.default_rng(seed)
    seconds = np.arange(SECONDS, dtype=np.float64)
    swing = 1500 - 1200 * np.cos(2 * np.pi * seconds / 86_400)
    noise = generator.gamma(40, 1 / 40, SECONDS // 60).repeat(60)
    bursts = np.ones(SECONDS)
    for start in generator.integers(0, SECONDS - 1800, 60):
        bursts[start : start + 1800] = generator.uniform(1.5, 3)
    return PiecewiseRate.held(np.arange(SECONDS + 1, dtype=np.float64), swing * noise * bursts)


def three_policies(plain: Any) -> tuple[Any, ...]:  # noqa: ANN401 (imported in the child)
    """Return target tracking on invocations, and on concurrency, and steps on an own alarm."""
    from tonnage.scaling import (
        CONCURRENT_REQUESTS_PER_MODEL,
        AdjustmentType,
        MetricAlarm,
        StepAdjustment,
        StepScaling,
        StepScalingPolicy,
        TargetTracking,
        TargetTrackingPolicy,
    )

    steps = StepScalingPolicy.of(
        adjustment_type=AdjustmentType.CHANGE_IN_CAPACITY,
        steps=[
            StepAdjustment(lower_bound=0, upper_bound=6000, scaling_adjustment=1),
            StepAdjustment(lower_bound=6000, scaling_adjustment=3),
        ],
    )
    return (
        TargetTracking(policy=plain),
        TargetTracking(
            policy=TargetTrackingPolicy.of(target_value=5.0),
            metric=CONCURRENT_REQUESTS_PER_MODEL,
            name="concurrency",
        ),
        StepScaling(policy=steps, alarm=MetricAlarm.of(threshold=30_000)),
    )


def one_case(kind: str, policies: int) -> dict[str, float]:
    """Simulate once and say what it took; run in a process of its own."""
    from tonnage.scaling import ScheduledAction
    from tonnage.simulation import FleetModel, ScalableTarget, TargetTrackingPolicy, simulate

    profile = traffic()
    generator = np.random.default_rng(1)
    policy = TargetTrackingPolicy.of(
        target_value=generator.uniform(3000, 34_000, policies),
        scale_in_cooldown_seconds=generator.choice([0, 60, 300, 900], policies),
        scale_out_cooldown_seconds=generator.choice([0, 60, 300], policies),
    )
    low = generator.integers(1, 4, policies)
    target = ScalableTarget.of(min_capacity=low, max_capacity=low + 16)
    lines = np.array([400.0, 600.0, 900.0])[generator.integers(0, 3, policies)]
    fleet = FleetModel(line_per_second=lines, metric_delay_seconds=60, initial_instance_count=low)
    actions = (
        ScheduledAction.of("day", "cron(0 8 ? * MON-FRI *)", min_capacity=4, max_capacity=20),
        ScheduledAction.of("night", "cron(0 20 ? * MON-FRI *)", min_capacity=1, max_capacity=20),
    )
    started, cpu_started = time.perf_counter(), time.process_time()
    if kind == "plain":
        result = simulate(profile, policy, target, fleet, keep_timeline=False)
    else:
        result = simulate(
            profile,
            three_policies(policy),
            target,
            fleet,
            keep_timeline=False,
            scheduled_actions=actions,
        )
    return {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - cpu_started,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "activities": len(result.activities),
        "failed_fraction_median": float(np.median(result.failed_fraction)),
    }


def in_a_child(kind: str, policies: int) -> dict[str, float]:
    """Run one case on one core in a process of its own."""
    single = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    answer = subprocess.run(
        [sys.executable, __file__, "--case", str(policies), "--kind", kind],
        env={**os.environ, **single},
        capture_output=True,
        text=True,
        check=True,
    )
    result: dict[str, float] = json.loads(answer.stdout)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--case", type=int)
    parser.add_argument("--kind", choices=["plain", "several"], default="plain")
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    arguments = parser.parse_args()
    if arguments.case:
        print(json.dumps(one_case(arguments.kind, arguments.case)))
        return
    cases, load_before = [], os.getloadavg()[0]
    for (kind, policies), (limit_seconds, limit_mib) in LIMITS.items():
        runs = [in_a_child(kind, policies) for _ in range(arguments.repetitions)]
        seconds = sorted(run["seconds"] for run in runs)
        cases.append(
            {
                "kind": kind,
                "policies": policies,
                "seconds_median": statistics.median(seconds),
                "seconds_range": [seconds[0], seconds[-1]],
                "cpu_seconds_median": statistics.median(run["cpu_seconds"] for run in runs),
                "peak_mib": max(run["peak_mib"] for run in runs),
                "activities": runs[0]["activities"],
                "limit_seconds": limit_seconds,
                "limit_mib": limit_mib,
                "is_met": (limit_seconds is None or seconds[-1] <= limit_seconds)
                and max(run["peak_mib"] for run in runs) <= limit_mib,
                "runs": runs,
            }
        )
        print(json.dumps({name: cases[-1][name] for name in list(cases[-1])[:-1]}))
    report = {
        "what": f"{DAYS} days of one-second traffic, simulate() without a timeline",
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "numpy": np.__version__,
            "platform": f"{platform.system()} {platform.machine()}",
        },
        "repetitions": arguments.repetitions,
        "load_average_before": load_before,
        "cases": cases,
    }
    if arguments.output:
        arguments.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
