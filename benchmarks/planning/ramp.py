"""
The original's ramp: 1,000 users at one request per second each, one more every second.

Prints, side by side, the instance-hours and failed requests of the original's settings (1 to 10
instances, target 60), of AWS's own recipe (target = 600 x 0.5 x 60 = 18,000), of a target of 3,000
with 1 to 2 instances, and of the plan; for new instances that take 5 minutes.

    python benchmarks/planning/ramp.py [--output ramp.json]
"""

import argparse
import json
from datetime import date
from pathlib import Path
from typing import Any

from tonnage.domain import ErrorObjective, LatencyObjective, Objective, PiecewiseRate
from tonnage.planning import Policies, PolicySettings, plan

LINE = 600.0
RAMP = PiecewiseRate.ramp(0, 1000, 1000)
OBJECTIVE = Objective(
    latency=LatencyObjective(percentile=0.99, threshold_seconds=0.25),
    errors=ErrorObjective(max_fraction=0.001),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("ramp.json"))
    arguments = parser.parse_args()
    made = plan(RAMP, {"ml.c5.large": LINE}, objective=OBJECTIVE, today=date(2026, 11, 22))
    assert made.best is not None
    assert made.best.policy is not None
    policies = {
        "the original": policy(1, 10, 60.0, 60.0),
        "AWS's recipe": policy(1, 10, LINE * 0.5 * 60, 300.0),
        "target 3,000": policy(1, 2, 3_000.0, 60.0),
        "the plan": made.best.policy,
    }
    outcomes = made.trial(Policies.of(list(policies.values())))
    original = float(outcomes.instance_seconds[0])
    rows: list[dict[str, Any]] = [
        {
            "policy": name,
            "min_capacity": chosen.min_capacity,
            "max_capacity": chosen.max_capacity,
            "target_value": chosen.target_value,
            "instance_hours": round(float(outcomes.instance_seconds[at]) / 3600, 4),
            "of_the_original": round(float(outcomes.instance_seconds[at]) / original, 4),
            "failed": round(float(outcomes.failed[at]), 1),
            "failed_fraction": round(float(outcomes.failed_fraction[at]), 6),
        }
        for at, (name, chosen) in enumerate(policies.items())
    ]
    document = {"line_per_second": LINE, "policies": rows, "why": list(made.why)}
    arguments.output.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    for row in rows:
        print(
            f"{row['policy']:14} {row['min_capacity']} to {row['max_capacity']:2},"
            f" target {row['target_value']:8,.0f}: {row['instance_hours']:.3f} instance-hours"
            f" ({row['of_the_original']:.3f} of the original's),"
            f" {row['failed_fraction']:.3%} failed"
        )


def policy(low: int, high: int, target: float, cooldown: float) -> PolicySettings:
    return PolicySettings(
        min_capacity=low,
        max_capacity=high,
        target_value=target,
        scale_in_cooldown_seconds=cooldown,
        scale_out_cooldown_seconds=cooldown,
    )


if __name__ == "__main__":
    main()
