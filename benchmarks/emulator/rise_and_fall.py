"""
Load that rises and falls, on the emulator in compressed time: when it scales out, and when in.

    python benchmarks/emulator/rise_and_fall.py [--output FILE] [--picture FILE]

Real instances and real requests, at a time scale of 60: a CloudWatch minute lasts one second. It is
run with datapoints that come at once, and with datapoints that come two minutes late, as on AWS.
Each is compared with what a public report of a Locust test on SageMaker saw: more than 5 minutes
from load to scale-out, more than 25 to scale-in (re:Post, "SageMaker autoscaling delay").
"""

import argparse
import json
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import fixtures

from tonnage.domain import PiecewiseRate, RunRecord
from tonnage.emulator import ScalingOptions, UpOptions, up_in_background
from tonnage.loadtest import OpenLoopPlan, Payload, load
from tonnage.reporting import report

TIME_SCALE = 60.0
QUIET_PER_SECOND, BUSY_PER_SECOND = 20.0, 200.0
BEFORE_SECONDS, BUSY_SECONDS, AFTER_SECONDS = 8.0, 20.0, 34.0
PROVISIONING_SECONDS = 300.0
METRIC_DELAYS_SECONDS = (0.0, 120.0)
POLICY = ScalingOptions(
    policy_name="tracking",
    min_capacity=1,
    max_capacity=10,
    target_value=3000.0,
    scale_in_cooldown_seconds=300.0,
    scale_out_cooldown_seconds=300.0,
)
SEEN_BY_OTHERS = {"out_minutes_more_than": 5, "in_minutes_more_than": 25}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).with_suffix(".json"))
    parser.add_argument("--picture", type=Path, help="where to draw the runs")
    arguments = parser.parse_args()
    at = fixtures.machine()
    with fixtures.packed_example() as artefact:
        records = [run(artefact, delay) for delay in METRIC_DELAYS_SECONDS]
    told = {
        "what": "from the load's rise to the scale-out, and from its fall to the scale-in",
        "machine": at,
        "settings": {
            "time_scale": TIME_SCALE,
            "quiet_per_second": QUIET_PER_SECOND,
            "busy_per_second": BUSY_PER_SECOND,
            "provisioning_minutes": PROVISIONING_SECONDS / 60,
            "target_per_minute": POLICY.target_value,
        },
        "seen_by_others": SEEN_BY_OTHERS,
        "runs": [
            {"metric_delay_minutes": delay / 60, **minutes(record)}
            for delay, record in zip(METRIC_DELAYS_SECONDS, records, strict=True)
        ],
    }
    arguments.output.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(told, indent=1))
    if arguments.picture:
        with tempfile.TemporaryDirectory() as directory:
            files = report(records, Path(directory), title="Load that rises and falls")
            shutil.copy(files.overview, arguments.picture)


def run(artefact: Path, metric_delay_seconds: float) -> RunRecord:
    """Return what was sent and what the fleet did."""
    options: UpOptions = replace(
        fixtures.up_options(
            artefact,
            1,
            time_scale=TIME_SCALE,
            provisioning_delay_seconds=PROVISIONING_SECONDS,
            metric_delay_seconds=metric_delay_seconds,
        ),
        scaling=POLICY,
    )
    profile = (
        PiecewiseRate.constant(QUIET_PER_SECOND, BEFORE_SECONDS)
        .then(PiecewiseRate.constant(BUSY_PER_SECOND, BUSY_SECONDS))
        .then(PiecewiseRate.constant(QUIET_PER_SECOND, AFTER_SECONDS))
    )
    with up_in_background(options) as endpoint:
        start = endpoint.next_period_monotonic_seconds(time.monotonic(), after_seconds=2.0)
        record = load(
            OpenLoopPlan(
                profile=profile,
                url=f"{endpoint.url}/evaluate",
                payload=Payload(body={"distance": 150}),
                start_at_monotonic_seconds=start,
                title=f"Datapoints {metric_delay_seconds / 60:g} minutes late",
                name=f"late-{metric_delay_seconds:g}",
            )
        )
        offset = time.time() - time.monotonic()
        timeline = endpoint.timeline(record.started_at_epoch_seconds - offset)
    return replace(record, fleet=timeline)


def minutes(record: RunRecord) -> dict[str, Any]:
    """Return the moments of interest, in AWS minutes."""
    assert record.fleet is not None
    scale = TIME_SCALE / 60
    rise, fall = BEFORE_SECONDS, BEFORE_SECONDS + BUSY_SECONDS
    out = next(each for each in record.fleet.activities if each.to_count > each.from_count)
    back = [each for each in record.fleet.activities if each.to_count < each.from_count]
    assert out.in_service_at_seconds is not None
    return {
        "out": {
            "from_count": out.from_count,
            "to_count": out.to_count,
            "decided_minutes_after_rise": round((out.at_seconds - rise) * scale, 2),
            "in_service_minutes_after_rise": round((out.in_service_at_seconds - rise) * scale, 2),
        },
        "in": [
            {
                "from_count": each.from_count,
                "to_count": each.to_count,
                "decided_minutes_after_fall": round((each.at_seconds - fall) * scale, 2),
            }
            for each in back
        ],
        "requests": len(record.samples),
        "failed": int(record.samples.failed.sum()),
    }


if __name__ == "__main__":
    main()
