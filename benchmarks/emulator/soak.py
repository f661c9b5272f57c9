"""
Eight virtual hours: memory and descriptors of the emulator while load rises and falls.

    python benchmarks/emulator/soak.py [--output FILE] [--hours 8] [--time-scale 160]

Time is compressed, rates are not: eight hours at 160 are three minutes. Each virtual hour is one
wave of traffic that target tracking follows out and in, so that instances come and go all the time.
The emulator is read at the end of each hour, when the wave is at its foot and the fleet at its
least. Flat means: the second half of the hours is within a tenth of the first in memory, and within
a few of it in descriptors. It ends with 1 where they are not.
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import fixtures
import numpy as np

from tonnage.domain import PiecewiseRate
from tonnage.emulator import BackgroundEndpoint, ScalingOptions, up_in_background
from tonnage.loadtest import OpenLoopSession, Payload

FOOT_PER_SECOND, CREST_PER_SECOND = 20.0, 300.0
GROWTH = 1.10
DESCRIPTORS_MORE = 16


def wave(seconds: float) -> PiecewiseRate:
    """Return an hour's traffic: a quarter up, a quarter at the crest, then down to the foot."""
    shares = np.array([0.0, 0.15, 0.35, 0.45, 1.0])
    start = np.array([FOOT_PER_SECOND, CREST_PER_SECOND, CREST_PER_SECOND, FOOT_PER_SECOND])
    end = np.array([CREST_PER_SECOND, CREST_PER_SECOND, FOOT_PER_SECOND, FOOT_PER_SECOND])
    return PiecewiseRate(knots_seconds=shares * seconds, start_per_second=start, end_per_second=end)


def reading(endpoint: BackgroundEndpoint) -> dict[str, Any]:
    process_id = endpoint.process_id
    return {
        "resident_mib": fixtures.resident_mib(process_id),
        "descriptors": fixtures.descriptors(process_id),
        "processes": len(fixtures.descendants_of(process_id)),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).with_suffix(".json"))
    parser.add_argument("--hours", type=int, default=8)
    parser.add_argument("--time-scale", type=float, default=160.0)
    arguments = parser.parse_args()
    at, hours, failed = fixtures.machine(), [], 0
    hour_seconds = 3600.0 / arguments.time_scale
    scaling = ScalingOptions(
        policy_name="soak",
        min_capacity=1,
        max_capacity=6,
        target_value=60.0 * 60.0,
        scale_in_cooldown_seconds=60.0,
        scale_out_cooldown_seconds=60.0,
    )
    with fixtures.packed_example() as artefact:
        options = fixtures.up_options(artefact, 1, time_scale=arguments.time_scale)
        with (
            up_in_background(replace(options, scaling=scaling)) as endpoint,
            OpenLoopSession.start(
                f"{endpoint.url}/evaluate", Payload(body={"distance": 150})
            ) as load,
        ):
            began = time.monotonic()
            for hour in range(arguments.hours):
                trial = load.trial(wave(hour_seconds), drain_seconds=1.0)
                failed += int(trial.samples.failed.sum())
                most = max(count for _, _, count in endpoint.timeline(began).instances)
                hours.append({"hour": hour + 1, "most_instances": most, **reading(endpoint)})
                print(json.dumps(hours[-1]), flush=True)
            activities = len(endpoint.timeline(began).activities)
    half = len(hours) // 2
    first, second = hours[1:half] or hours[:half], hours[half:]
    is_flat = {
        "memory": max(one["resident_mib"] for one in second)
        <= GROWTH * max(one["resident_mib"] for one in first),
        "descriptors": max(one["descriptors"] for one in second)
        <= DESCRIPTORS_MORE + max(one["descriptors"] for one in first),
    }
    record = {
        "what": "the emulator's memory and descriptors over virtual hours of waves of load",
        "machine": at,
        "settings": {"hours": arguments.hours, "time_scale": arguments.time_scale},
        "failed": failed,
        "scaling_activities": activities,
        "is_flat": is_flat,
        "hours": hours,
    }
    arguments.output.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({key: record[key] for key in ("failed", "scaling_activities", "is_flat")}))
    return 0 if all(is_flat.values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
