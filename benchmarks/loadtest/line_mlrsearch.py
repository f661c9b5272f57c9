"""
MLRsearch on the campaign's targets: how long are its trials for the same error?

Usage: pip install --target PEER -r requirements-mlrsearch.in
       PYTHONPATH=PEER python line_mlrsearch.py [--searches 6] [-o results/line_mlrsearch.json]

MLRsearch searches the highest load whose loss ratio stays within a goal. Here a trial that meets
the objective lost nothing, and one that misses it lost what was not answered well and in time. It
starts at the highest load allowed, 4,000/s, where the other searches start at a random low rate,
and gets the same windows, warm-ups and rests. Truths are those of `line_campaign.json`.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
from described import RESULTS, machine
from line_targets import CASES, TERMS, Case
from MLRsearch import (
    AbstractMeasurer,
    Config,
    MeasurementResult,
    MultipleLossRatioSearch,
    SearchGoal,
)

from tonnage.loadtest.line import LinePlan, Trial, read_trial

MOST_PER_SECOND = 4_000.0
LEAST_PER_SECOND = 10.0
THRESHOLD_SECONDS = 0.25
MOST_REST_SECONDS = 6.0
WINDOW_SECONDS = 4.0
FIRST_SEED = 7_000_000
GOALS = ((0.08, 1), (0.04, 1), (0.04, 3), (0.02, 3), (0.02, 5), (0.01, 5), (0.005, 9))
"""Relative width, and how many full windows decide about a load."""


class Measurer(AbstractMeasurer):
    """Runs MLRsearch's trials against a virtual target, and counts their time."""

    def __init__(self, case: Case, plan: LinePlan, seed: int) -> None:
        self.target = case.target(seed, plan.patience_seconds)
        self.seed, self.count, self.rest = seed, 0, 0.15
        self.seconds = 0.0

    def measure(self, intended_duration: float, intended_load: float) -> MeasurementResult:
        """Run one trial; what it left to do is waited for before the next."""
        trial = Trial(
            purpose="refine",
            rate_per_second=intended_load,
            settle_seconds=self.rest,
            warm_up_seconds=max(0.05 * intended_duration, 0.2),
            window_seconds=intended_duration,
        )
        run = self.target.run(trial, seed=self.seed * 10_007 + self.count)
        outcome = read_trial(trial, run, TERMS)
        self.count += 1
        self.seconds += trial.total_seconds
        self.rest = 0.15 + min(outcome.backlog_seconds, MOST_REST_SECONDS)
        window = run.samples.between(trial.warm_up_seconds, trial.load_seconds)
        good = int((~window.failed & (window.latency_seconds < THRESHOLD_SECONDS)).sum())
        carried = len(window) if outcome.met else min(good, len(window) - 1)
        return MeasurementResult(
            intended_duration=intended_duration,
            intended_load=intended_load,
            offered_count=len(window),
            loss_count=len(window) - carried,
        )


def search(case: Case, seed: int, width: float, windows: int) -> dict:
    plan = LinePlan(terms=TERMS, arrivals=case.arrivals)
    measurer = Measurer(case, plan, seed)
    config = Config()
    config.goals = [
        SearchGoal(
            loss_ratio=0.0,
            exceed_ratio=0.5,
            relative_width=width,
            initial_trial_duration=1.0,
            final_trial_duration=WINDOW_SECONDS,
            duration_sum=WINDOW_SECONDS * windows,
            preceding_targets=2,
            fail_fast=False,
        )
    ]
    config.min_load, config.max_load = LEAST_PER_SECOND, MOST_PER_SECOND
    config.warmup_duration = 0.0
    config.search_duration_max = 60.0
    found = next(
        iter(MultipleLossRatioSearch(config).search(measurer, lambda _said: None).values())
    )
    ends = [
        None if bound is None else float(bound)
        for bound in (found.relevant_lower_bound, found.relevant_upper_bound)
    ]
    known = [end for end in ends if end]
    return {
        "seed": seed,
        "line": float(np.sqrt(ends[0] * ends[1])) if len(known) == 2 else None,
        "bounds": ends,
        "search_seconds": measurer.seconds,
        "trials": measurer.count,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--searches", type=int, default=6, help="a case and goal")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "line_mlrsearch.json")
    arguments = parser.parse_args()
    began, at = time.monotonic(), machine()
    campaign = json.loads((RESULTS / "line_campaign.json").read_text())
    rows = []
    for width, windows in GOALS:
        found = []
        for number, (case, known) in enumerate(zip(CASES, campaign["cases"], strict=True)):
            assert (case.name, case.arrivals) == (known["name"], known["arrivals"])
            for n in range(arguments.searches):
                each = search(case, FIRST_SEED + 10_000 * number + n, width, windows)
                found.append({"truth": known["truth"], **each})
        lines = [each for each in found if each["line"]]
        errors = [abs(each["line"] / each["truth"] - 1) for each in lines]
        rows.append(
            {
                "relative_width": width,
                "windows": windows,
                "searches": len(found),
                "found": len(lines),
                "median_error": float(np.median(errors)),
                "p95_error": float(np.quantile(errors, 0.95)),
                "mean_search_seconds": float(np.mean([each["search_seconds"] for each in found])),
                "mean_trials": float(np.mean([each["trials"] for each in found])),
            }
        )
        print(json.dumps(rows[-1]), flush=True)
    points = sorted((row["median_error"], row["mean_search_seconds"]) for row in rows)
    error = campaign["summary"]["median_error"]
    seconds = float(np.interp(error, [e for e, _ in points], [s for _, s in points]))
    summary = {
        "tonnage_median_error": error,
        "tonnage_mean_search_seconds": campaign["summary"]["mean_search_seconds"],
        "mlrsearch_mean_seconds_at_same_error": seconds,
        "time_ratio": campaign["summary"]["mean_search_seconds"] / seconds,
        "least_median_error": points[0][0],
    }
    print(json.dumps(summary, indent=1))
    described = {
        "command": "python benchmarks/loadtest/line_mlrsearch.py",
        "machine": at,
        "mlrsearch": "1.2.1",
        "seconds": time.monotonic() - began,
        "summary": summary,
        "rows": rows,
    }
    arguments.output.write_text(json.dumps(described, indent=1) + "\n")


if __name__ == "__main__":
    main()
