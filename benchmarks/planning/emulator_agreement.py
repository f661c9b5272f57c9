"""
The simulator against the emulator: random scenarios, really run, in compressed time.

Each scenario is a policy, a fleet and a rise and fall of traffic drawn from its number. The
emulator runs it with real instances, each capped, under real requests sent open loop; the
simulator is asked for the same beforehand and sees nothing of the run. Compared are the instances
in service at each tick (one second of the emulator's clock) and the requests that failed.

Rates are never compressed, so a compressed run is, on the emulator's own clock, a service whose
rates are all ``TIME_SCALE`` times lower and whose queue is as much longer; that is what is
simulated. Caveat: a datapoint of a compressed minute counts few requests, a hundred or so, so one
request more or less can move a decision by a period where a metric meets a threshold. And a timer
that a busy machine fires 50 ms late is 5 s late on that clock: whether the emulator kept its own
time is judged without a look at the comparison, and a run that did not is repeated, twice at most.

    .venv/bin/python benchmarks/planning/emulator_agreement.py -o benchmarks/planning/agreement.json
"""

import argparse
import json
import os
import platform
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tonnage.artefact import pack
from tonnage.domain import FleetTimeline, PiecewiseRate, join_profiles
from tonnage.emulator import (
    EndpointOptions,
    LocalOptions,
    ScalingOptions,
    UpOptions,
    up_in_background,
)
from tonnage.loadtest import OpenLoopSession, Payload
from tonnage.serving import InstanceCapacity
from tonnage.simulation import FleetModel, ScalableTarget, TargetTrackingPolicy, simulate

EXAMPLE = Path(__file__).parents[2] / "examples" / "real_estate"
TIME_SCALE = 100.0
WAITING_ROOM = 42
"""Requests that wait at an instance at most: the reference's, 70 ms at 600 per second."""
DRAIN_SECONDS = 5.0
"""An instance's process ends within about 50 ms of its SIGTERM: 5 s of the emulator's clock."""
LATEST_SECONDS = 0.05
"""A timer of the emulator that is later than this has lost 5 s of its clock to other work."""
ATTEMPTS = 3
AGREED_TICKS = 0.99
FAILED_WITHIN = (0.10, 20.0)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """
    One policy, fleet and traffic; rates in real seconds, times on the emulator's clock.

    Attributes:
        number: What it was drawn from.
        line_per_second: What an instance is capped to.
        target_value: Invocations per instance and minute.
        min_capacity: The least instances, and those at the start.
        max_capacity: The most.
        scale_in_cooldown_seconds: As in the policy.
        scale_out_cooldown_seconds: As in the policy.
        provisioning_delay_seconds: From a decision to the instances in service.
        metric_delay_seconds: From the end of a period to its datapoint.
        knots: ``(seconds, rate)`` of the traffic, which is straight between them.
    """

    number: int
    line_per_second: float
    target_value: float
    min_capacity: int
    max_capacity: int
    scale_in_cooldown_seconds: float
    scale_out_cooldown_seconds: float
    provisioning_delay_seconds: float
    metric_delay_seconds: float
    knots: tuple[tuple[float, float], ...]

    @property
    def queue_seconds(self) -> float:
        """The longest a request waits at an instance."""
        return WAITING_ROOM / self.line_per_second

    @classmethod
    def drawn(cls, number: int) -> "Scenario":
        """Return the scenario of a number: it rises past the fleet's start and falls again."""
        draw = np.random.default_rng(number)
        line = float(draw.uniform(80, 160))
        low = int(draw.integers(1, 3))
        high = low + int(draw.integers(1, 4))
        base = float(draw.uniform(0.1, 0.5)) * line * low
        peak = min(float(draw.uniform(0.6, 1.15)) * line * high, 450.0)
        spans = draw.uniform([120, 120, 240, 60, 1020], [240, 420, 480, 240, 1200])
        moments = np.concatenate(([0.0], np.cumsum(spans)))
        rates = (base, base, peak, peak, base, base)
        return cls(
            number=number,
            line_per_second=line,
            target_value=float(line * 60 * draw.uniform(0.3, 0.8)),
            min_capacity=low,
            max_capacity=high,
            scale_in_cooldown_seconds=float(draw.choice([0, 60, 300])),
            scale_out_cooldown_seconds=float(draw.choice([0, 60, 300])),
            provisioning_delay_seconds=float(draw.uniform(70, 400)),
            metric_delay_seconds=float(draw.choice([0, 20, 40])),
            knots=tuple(zip(moments.tolist(), rates, strict=True)),
        )

    def profile(self, *, seconds: float = 1.0, rate: float = 1.0) -> PiecewiseRate:
        """Return the traffic with its times and rates multiplied."""
        moments, rates = np.array(self.knots).T
        return PiecewiseRate(
            knots_seconds=moments * seconds,
            start_per_second=rates[:-1] * rate,
            end_per_second=rates[1:] * rate,
        )


def simulated(scenario: Scenario, idle_seconds: float) -> tuple[np.ndarray, float]:
    """Return the instances in service at each tick, and the requests that fail."""
    traffic = scenario.profile(rate=1 / TIME_SCALE)
    waiting = PiecewiseRate.constant(0, idle_seconds) if idle_seconds > 0 else None
    result = simulate(
        join_profiles(waiting, traffic) if waiting else traffic,
        TargetTrackingPolicy.of(
            target_value=scenario.target_value / TIME_SCALE,
            scale_in_cooldown_seconds=scenario.scale_in_cooldown_seconds,
            scale_out_cooldown_seconds=scenario.scale_out_cooldown_seconds,
        ),
        ScalableTarget.of(min_capacity=scenario.min_capacity, max_capacity=scenario.max_capacity),
        FleetModel(
            line_per_second=scenario.line_per_second / TIME_SCALE,
            queue_seconds=scenario.queue_seconds * TIME_SCALE,
            provisioning_delay_seconds=scenario.provisioning_delay_seconds,
            metric_delay_seconds=scenario.metric_delay_seconds,
            drain_seconds=DRAIN_SECONDS,
            initial_instance_count=scenario.min_capacity,
        ),
    )
    assert result.timeline is not None
    ticks = round(idle_seconds)
    return result.timeline.in_service[ticks:, 0], float(result.failed[0])


def emulated(scenario: Scenario, artefact: Path) -> tuple[FleetTimeline, Any, float]:
    """Run it and return what the fleet did, what the load test saw, and the idle time before."""
    options = UpOptions(
        artefact=artefact,
        endpoint=EndpointOptions(
            endpoint_name="agreement", initial_instance_count=scenario.min_capacity
        ),
        scaling=ScalingOptions(
            policy_name="agreement",
            min_capacity=scenario.min_capacity,
            max_capacity=scenario.max_capacity,
            target_value=scenario.target_value,
            scale_in_cooldown_seconds=scenario.scale_in_cooldown_seconds,
            scale_out_cooldown_seconds=scenario.scale_out_cooldown_seconds,
        ),
        local=LocalOptions(
            capacity=InstanceCapacity(
                rate_per_second=scenario.line_per_second, queue_seconds=scenario.queue_seconds
            ),
            provisioning_delay_seconds=scenario.provisioning_delay_seconds,
            metric_delay_seconds=scenario.metric_delay_seconds,
            time_scale=TIME_SCALE,
            seed=scenario.number,
        ),
        port=0,
    )
    payload = Payload(body={"distance": 150})
    with (
        up_in_background(options) as endpoint,
        OpenLoopSession.start(f"{endpoint.url}/evaluate", payload) as session,
    ):
        origin = float(endpoint.state()["period_origin_monotonic_seconds"])
        begin = endpoint.next_period_monotonic_seconds(time.monotonic(), after_seconds=0.3)
        trial = session.trial(
            scenario.profile(seconds=1 / TIME_SCALE),
            start_at_monotonic_seconds=begin,
            drain_seconds=1.0,
        )
        timeline = endpoint.timeline(begin)
    idle = round((begin - origin) * TIME_SCALE / 60) * 60.0
    return timeline, trial, idle


def lateness_seconds(scenario: Scenario, timeline: FleetTimeline) -> float:
    """Return how late the emulator's own timers were at worst, in real seconds."""
    due = scenario.metric_delay_seconds
    # A moment that rounding puts just before its minute is not almost a minute late.
    periods = [(at * TIME_SCALE - due + 5) % 60 - 5 for at, _ in timeline.invocations_per_instance]
    launches = [
        activity.in_service_at_seconds
        - activity.at_seconds
        - scenario.provisioning_delay_seconds / TIME_SCALE
        for activity in timeline.activities
        if activity.to_count > activity.from_count and activity.in_service_at_seconds is not None
    ]
    return max([phase / TIME_SCALE for phase in periods] + launches, default=0.0)


def valid_run(scenario: Scenario, artefact: Path) -> tuple[FleetTimeline, Any, float, list[float]]:
    """Run it until the emulator kept its own time, at most ``ATTEMPTS`` times."""
    late: list[float] = []
    while True:
        timeline, trial, idle = emulated(scenario, artefact)
        late.append(round(lateness_seconds(scenario, timeline), 4))
        if late[-1] <= LATEST_SECONDS or len(late) == ATTEMPTS:
            return timeline, trial, idle, late


def compare(scenario: Scenario, artefact: Path) -> dict[str, Any]:
    """Run one scenario both ways and return what was seen."""
    timeline, trial, idle, late = valid_run(scenario, artefact)
    expected, expected_failed = simulated(scenario, idle)
    at = np.array([change[0] for change in timeline.instances]) * TIME_SCALE
    counts = np.array([change[2] for change in timeline.instances])
    ticks = np.arange(len(expected), dtype=np.float64)
    seen = counts[np.maximum(np.searchsorted(at, ticks, side="right") - 1, 0)]
    failed = int(trial.samples.failed.sum())
    share, least = FAILED_WITHIN
    return {
        "scenario": asdict(scenario),
        "idle_seconds": idle,
        "ticks": len(ticks),
        "ticks_equal": float((seen == expected).mean()),
        "requests": len(trial.samples),
        "failed_emulated": failed,
        "failed_simulated": round(expected_failed, 1),
        "failed_agrees": abs(failed - expected_failed) <= max(share * failed, least),
        "largest_count": int(seen.max()),
        "scaled_in": bool((np.diff(seen) < 0).any()),
        "timers_late_seconds": late,
        "is_valid": late[-1] <= LATEST_SECONDS and str(trial.verdict.word) == "VALID",
        "generator": trial.verdict.reason,
        "unanswered": dict(trial.unanswered),
        "emulated": [[float(a), int(b)] for a, b in zip(at, counts, strict=True)],
        "simulated": [
            [int(tick), int(expected[tick])]
            for tick in np.flatnonzero(np.diff(expected, prepend=-1))
        ],
    }


def summary(results: list[dict[str, Any]], seconds: float, at_once: int) -> dict[str, Any]:
    """Return all results under what they come to."""
    valid = [result for result in results if result["is_valid"]] or results
    equal = np.array([result["ticks_equal"] for result in valid])
    weights = np.array([result["ticks"] for result in valid])
    return {
        "what": "instances in service at each tick and failed requests, emulated and simulated;"
        " sums are over valid scenarios",
        "time_scale": TIME_SCALE,
        "scenarios": len(results),
        "scenarios_valid": sum(result["is_valid"] for result in results),
        "repeated_runs": sum(len(result["timers_late_seconds"]) - 1 for result in results),
        "ticks_equal": float(np.average(equal, weights=weights)),
        "ticks_equal_least": float(equal.min()),
        "scenarios_with_99_percent_of_ticks": int((equal >= AGREED_TICKS).sum()),
        "scenarios_whose_failures_agree": sum(result["failed_agrees"] for result in valid),
        "scenarios_that_scaled_in": sum(result["scaled_in"] for result in valid),
        "failed_emulated": sum(result["failed_emulated"] for result in valid),
        "failed_simulated": round(sum(result["failed_simulated"] for result in valid), 1),
        "seconds": round(seconds, 1),
        "machine": {
            "cores": os.cpu_count(),
            "at_once": at_once,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "platform": f"{platform.system()} {platform.machine()}",
        },
        "results": results,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("-n", "--scenarios", type=int, default=50)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--at-once", type=int, default=2, help="how many run side by side")
    parser.add_argument("--budget", type=float, default=900, help="seconds; the rest is left out")
    parser.add_argument("--add-to", type=Path, help="earlier results, kept unless run again")
    arguments = parser.parse_args()
    began = time.monotonic()
    results: dict[int, dict[str, Any]] = {}
    if arguments.add_to:
        earlier = json.loads(arguments.add_to.read_text(encoding="utf-8"))
        results = {result["scenario"]["number"]: result for result in earlier["results"]}
    with tempfile.TemporaryDirectory() as directory:
        artefact = pack(
            EXAMPLE / "model.joblib",
            service="service:RealEstate",
            output=Path(directory) / "artefact",
            code=EXAMPLE,
        ).directory

        def one(number: int) -> None:
            if time.monotonic() - began > arguments.budget:
                return
            result = compare(Scenario.drawn(number), artefact)
            results[number] = result
            print(
                number,
                f"{result['ticks_equal']:.4f} of ticks,",
                f"failed {result['failed_emulated']} and {result['failed_simulated']},",
                f"of {result['requests']}, late {result['timers_late_seconds']}",
                flush=True,
            )

        numbers = range(arguments.first, arguments.first + arguments.scenarios)
        with ThreadPoolExecutor(arguments.at_once) as pool:
            list(pool.map(one, numbers))
    report = summary(
        [results[number] for number in sorted(results)],
        time.monotonic() - began,
        arguments.at_once,
    )
    print(json.dumps({name: value for name, value in report.items() if name != "results"}))
    if arguments.output:
        arguments.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
