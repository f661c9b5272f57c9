"""
1,000 seeded searches for the load line in virtual time: is the interval honest, and the search
short?

Usage: python line_campaign.py [--searches 1000] [-o line_campaign.json]

Each search starts at a random rate between a thirtieth and a half of the line. Coverage is the
share of searches whose 95 % interval holds the truth of ``line_targets``. The peer is
``line_bisection`` with four tolerances; its time at the search's own median error is interpolated.
"""

import argparse
import json
import os
import platform
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from line_bisection import Bisection
from line_targets import CASES, TERMS, Case, true_line

from tonnage.loadtest.line import LinePlan, find_line

FIRST_SEED = 7_000_000
"""Not among the seeds on which the search's constants were chosen."""

RESULTS = Path(__file__).with_name("results")
TOLERANCES = (0.01, 0.02, 0.04, 0.08)
SEARCHING = frozenset({"warm-up", "bracket", "refine"})


def search(case: Case, seed: int, start: float) -> dict:
    plan = LinePlan(terms=TERMS, arrivals=case.arrivals, start_per_second=start, seed=seed)
    line = find_line(plan, case.target(seed, plan.patience_seconds))
    spent = sum(o.trial.total_seconds for o in line.trials if o.trial.purpose in SEARCHING)
    low, high = line.interval_per_second
    return {
        "seed": seed,
        "start": start,
        "verdict": line.verdict,
        "line": line.line_per_second,
        "low": low,
        "high": high,
        "search_seconds": spent,
        "elapsed_seconds": line.elapsed_seconds,
        "trials": len(line.trials),
    }


def peer(case: Case, seed: int, start: float, tolerance: float) -> dict:
    plan = LinePlan(terms=TERMS, arrivals=case.arrivals, start_per_second=start, seed=seed)
    target = case.target(seed + 500_000, plan.patience_seconds)
    line, seconds, trials = Bisection(plan=plan, trials=target, seed=seed).find(tolerance)
    return {"tolerance": tolerance, "line": line, "search_seconds": seconds, "trials": trials}


def run_case(
    case: Case, number: int, searches: int, peers: int, known: tuple[float, float] | None
) -> dict:
    plan = LinePlan(terms=TERMS, arrivals=case.arrivals)
    truth, error = known or true_line(case, plan)
    draw = np.random.default_rng((number, FIRST_SEED))
    starts = truth * np.exp(draw.uniform(np.log(1 / 30), np.log(1 / 2), searches))
    return {
        "name": case.name,
        "family": case.family,
        "arrivals": case.arrivals,
        "capacity": case.shape.rate_per_second,
        "truth": truth,
        "truth_log_error": error,
        "searches": [
            search(case, FIRST_SEED + 10_000 * number + n, float(start))
            for n, start in enumerate(starts)
        ],
        "peer": [
            peer(case, FIRST_SEED + 10_000 * number + n, float(starts[n]), tolerance)
            for tolerance in TOLERANCES
            for n in range(min(peers, searches))
        ],
    }


def figures(cases: list[dict]) -> dict:
    """Return the figures over some cases."""
    rows = [
        (case["truth"], each)
        for case in cases
        for each in case["searches"]
        if each["line"] is not None
    ]
    total = sum(len(case["searches"]) for case in cases)
    held = [each["low"] <= truth <= each["high"] for truth, each in rows if each["high"]]
    errors = [abs(each["line"] / truth - 1) for truth, each in rows]
    halves = [(each["high"] - each["low"]) / 2 / each["line"] for _, each in rows if each["high"]]
    seconds = [each["search_seconds"] for _, each in rows]
    error = float(np.median(errors))
    peer_seconds = _peer_seconds(cases, error)
    return {
        "searches": total,
        "found": sum(each["verdict"] == "FOUND" for _, each in rows),
        "coverage": float(np.sum(held)) / total,
        "median_half_width": float(np.median(halves)),
        "median_error": error,
        "p95_error": float(np.quantile(errors, 0.95)),
        "median_search_seconds": float(np.median(seconds)),
        "mean_search_seconds": float(np.mean(seconds)),
        "longest_elapsed_seconds": max(each["elapsed_seconds"] for _, each in rows),
        "peer_mean_seconds_at_same_error": peer_seconds,
        "time_ratio": float(np.mean(seconds)) / peer_seconds if peer_seconds else None,
    }


def _peer_seconds(cases: list[dict], error: float) -> float | None:
    """Return the peer's mean time at a median error, between (or at the nearest of) tolerances."""
    by_tolerance = defaultdict(list)
    for case in cases:
        for each in case["peer"]:
            by_tolerance[each["tolerance"]].append(
                (abs(each["line"] / case["truth"] - 1), each["search_seconds"])
            )
    if not by_tolerance:
        return None
    points = sorted(
        (float(np.median([e for e, _ in rows])), float(np.mean([s for _, s in rows])))
        for rows in by_tolerance.values()
    )
    return float(np.interp(error, [e for e, _ in points], [s for _, s in points]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--searches", type=int, default=1000)
    parser.add_argument("--peers", type=int, default=12, help="peer searches a case and tolerance")
    parser.add_argument("--truths", type=Path, help="an earlier output, for its true lines")
    parser.add_argument(
        "-o", "--output", type=Path, default=RESULTS / Path(__file__).with_suffix(".json").name
    )
    arguments = parser.parse_args()
    began = time.monotonic()
    shares = np.full(len(CASES), arguments.searches // len(CASES))
    shares[: arguments.searches % len(CASES)] += 1
    earlier = json.loads(arguments.truths.read_text())["cases"] if arguments.truths else []
    truths = {
        (each["family"], each["name"], each["arrivals"], each["capacity"]): (
            each["truth"],
            each["truth_log_error"],
        )
        for each in earlier
    }
    results = []
    for number, (case, searches) in enumerate(zip(CASES, shares.tolist(), strict=True)):
        known = truths.get((case.family, case.name, case.arrivals, case.shape.rate_per_second))
        results.append(run_case(case, number, searches, arguments.peers, known))
        seen = figures(results[-1:])
        print(
            f"{case.family:18} {case.name:26} {case.arrivals:9}"
            f" truth {results[-1]['truth']:7.1f} ±{results[-1]['truth_log_error']:.2%}"
            f" coverage {seen['coverage']:.3f} half {seen['median_half_width']:.2%}"
            f" error {seen['median_error']:.2%} {seen['mean_search_seconds']:.0f} s,"
            f" ratio {seen['time_ratio'] or 0:.2f} found {seen['found']}/{searches}",
            flush=True,
        )
    summary = figures(results)
    print(json.dumps(summary, indent=1))
    arguments.output.write_text(
        json.dumps(
            {
                "what": __doc__.strip().splitlines()[0],
                "machine": {
                    "cores": os.cpu_count(),
                    "python": platform.python_version(),
                    "numpy": np.__version__,
                    "platform": platform.platform(),
                },
                "seconds": time.monotonic() - began,
                "summary": summary,
                "by_family": {
                    family: figures([case for case in results if case["family"] == family])
                    for family in dict.fromkeys(case["family"] for case in results)
                },
                "cases": results,
            },
            indent=1,
        )
        + "\n"
    )


if __name__ == "__main__":
    main()
