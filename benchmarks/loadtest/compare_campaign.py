"""
Comparisons in virtual time on recorded noise: how often is a version told from itself, and how
often is a slow-down of 10 % caught?

Usage: python compare_campaign.py [--runs 1000] [-o results/compare_campaign.json]

Each virtual run takes a stretch of real latencies (`record_noise.py`) from a random moment on, and
deals it out: interleaved, the run's own coins say which block is the base's and which the head's;
apart, the first half is the base's run and the second the head's. The head's latencies are then
multiplied. What is compared, and how, is the library's own code.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from described import RESULTS, machine

from tonnage.domain import RunRecord, Samples
from tonnage.loadtest.compare import Blocks, ComparePlan, Comparison, Slots, compare_records

FIRST_SEED = 9_000_000
FACTORS = (1.0, 1.05, 1.1, 1.2)
SAME_CORES = {"generators": [0], "services": [1]}
"""The noise is one process's, as that of two on the same cores is."""


def noise(file: Path) -> list[dict]:
    """Return the recorded conditions with their latencies."""
    described = json.loads(file.with_suffix(".json").read_text())
    columns = np.load(file)
    return [
        {
            **row,
            "latency": columns[f"latency_{number}"] * row["step_seconds"],
            "failed": columns[f"failed_{number}"],
        }
        for number, row in enumerate(described["rows"])
    ]


def stretch(condition: dict, start: int, count: int, factor: float) -> Samples:
    """Return recorded requests as samples of a run that begins with them."""
    moments = np.arange(count) / condition["rate_per_second"]
    status = np.full(count, 200, dtype=np.uint16)
    failed = condition["failed"]
    status[failed[(failed >= start) & (failed < start + count)] - start] = 503
    latency = condition["latency"][start : start + count] * factor
    return Samples(
        intended_seconds=moments,
        sent_seconds=moments,
        done_seconds=moments + latency,
        status=status,
    )


def record(samples: Samples, seconds: float, settings: dict) -> RunRecord:
    return RunRecord(
        name="virtual",
        title="virtual",
        started_at_epoch_seconds=0.0,
        duration_seconds=seconds,
        samples=samples,
        settings=settings,
        generator={"model": "open loop", "verdict": "VALID"},
    )


def interleaved(condition: dict, seconds: float, factor: float, seed: int) -> Comparison:
    """Compare one stretch with itself, dealt out by coins; the head's latencies multiplied."""
    rate = condition["rate_per_second"]
    plan = ComparePlan(rate_per_second=rate, duration_seconds=seconds, seed=seed)
    start, count = _start(condition, seconds, seed), int(seconds * rate)
    latency = condition["latency"][start : start + count]
    slots = Slots.dealt(plan, plan.slot_seconds(float(np.median(latency))))
    records = [
        record(
            stretch(condition, start, count, factor if side == "head" else 1.0),
            seconds,
            {
                "comparison": Blocks(run="virtual", side=side, units=slots.windows(side)).shown(),
                "load": {"cores": SAME_CORES},
            },
        )
        for side in ("base", "head")
    ]
    return compare_records(*records)


def apart(condition: dict, seconds: float, factor: float, seed: int) -> Comparison:
    """Compare two stretches, one after the other, as two separate runs."""
    count = int(seconds * condition["rate_per_second"])
    start = _start(condition, 2 * seconds, seed)
    return compare_records(
        record(stretch(condition, start, count, 1.0), seconds, {}),
        record(stretch(condition, start + count, count, factor), seconds, {}),
    )


def _start(condition: dict, seconds: float, seed: int) -> int:
    spare = len(condition["latency"]) - int(seconds * condition["rate_per_second"]) - 1
    return int(np.random.default_rng((seed, FIRST_SEED)).integers(spare))


def campaign(
    conditions: list[dict],
    compare: Callable[..., Comparison],
    seconds: float,
    factor: float,
    runs: int,
) -> dict:
    answers, metrics = Counter(), Counter()
    by_condition: dict[str, Counter] = {each["condition"]: Counter() for each in conditions}
    widths, covered = [], 0
    for run in range(runs):
        condition = conditions[run % len(conditions)]
        found = compare(condition, seconds, factor, FIRST_SEED + run)
        answers[found.answer] += 1
        by_condition[condition["condition"]][found.answer] += 1
        for each in found.differences:
            if each.answer not in ("no difference", "no data"):
                metrics[f"{each.metric} {each.answer}"] += 1
        p50 = found.differences[0]
        covered += p50.interval[0] <= factor - 1 <= p50.interval[1]
        widths.append((p50.interval[1] - p50.interval[0]) / 2)
    return {
        "factor": factor,
        "seconds": seconds,
        "runs": runs,
        "answers": dict(answers),
        "share_worse": answers["worse"] / runs,
        "share_better": answers["better"] / runs,
        "by_metric": dict(metrics),
        "by_condition": {name: dict(each) for name, each in by_condition.items()},
        "p50_interval_holds_truth": covered / runs,
        "p50_median_half_width": float(np.median(widths)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--noise", type=Path, default=RESULTS / "noise.npz")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "compare_campaign.json")
    arguments = parser.parse_args()
    at, conditions = machine(), noise(arguments.noise)
    rows = []
    for method, compare, seconds in (("interleaved", interleaved, 60.0), ("apart", apart, 60.0)):
        for factor in FACTORS:
            found = campaign(conditions, compare, seconds, factor, arguments.runs)
            rows.append({"method": method, **found})
            print(json.dumps(rows[-1]), flush=True)
    described = {
        "command": "python benchmarks/loadtest/compare_campaign.py",
        "machine": at,
        "noise": json.loads(arguments.noise.with_suffix(".json").read_text()),
        "rows": rows,
    }
    arguments.output.write_text(json.dumps(described, indent=1) + "\n")


if __name__ == "__main__":
    main()
