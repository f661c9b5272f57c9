"""
How good a plan is: its cost against brute force, and whether it holds on weeks it has not seen.

For each of 20 seeded traces, and others reported apart (see ``traffic.py``), a plan is made on one
week, for an instance that carries 600 requests per second and an objective of less than 0.1 %
failed. Then:

regret on the week
    the plan's instance-hours ÷ those of the cheapest policy of a finer, exhaustive grid that holds
    the same margin on the same week.
regret in hindsight
    both tried on the four held-out weeks; the policy of the grid is the cheapest that holds on all
    of them, chosen with knowledge that no plan can have.
held out
    the share of (trace, week) pairs in which less than 0.1 % fails.
scheduled
    whether the plan has a schedule, which brute force does not: its regret may be below 1.
saving
    1 - the plan's instance-hours ÷ those of AWS's recipe (target = 600 x 0.5 x 60, AWS's own
    cooldowns) with the least min_capacity that holds the same margin: equal attainment.

All weeks begin on a Monday at midnight, and the plan knows it.

    python benchmarks/planning/regret.py [--margins 0,0.05,0.1,0.15] [--output regret.json]
    python benchmarks/planning/regret.py --family weekly --output part.json       # a part of it
    python benchmarks/planning/regret.py --trace mine.csv --starts-at 2026-11-02T00:00 -o mine.json

The last is for traffic of your own, two weeks of it or more in the columns of ``tonnage plan``: it
plans on the first and holds out the others. ``--line`` is what one of your instances carries.
"""

import argparse
import json
import math
import platform
import sys
import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from traffic import FAMILIES, HELD_OUT_WEEKS, MINUTES, UNFORESEEABLE, Trace, traces

from tonnage.domain import PiecewiseRate, read_trace
from tonnage.planning import (
    DEFAULT_FAILED_SHARE,
    DEFAULT_MARGIN,
    Calendar,
    FleetTrial,
    Outcomes,
    Policies,
    SearchSpace,
    peak_rate_per_second,
    search_policies,
    with_alternatives,
)
from tonnage.simulation import FleetModel

LINE = 600.0
ALLOWED = 0.001
TICK_SECONDS = 30.0
WEEK_SECONDS = 7 * 86_400.0
TODAY = date(2026, 11, 22)
COOLDOWNS = ((300.0, 300.0), (60.0, 60.0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--margins", default=f"{DEFAULT_MARGIN}")
    parser.add_argument("--family", choices=list(FAMILIES), help="only this one")
    parser.add_argument("--trace", type=Path, help="traffic of your own, of two weeks or more")
    parser.add_argument("--starts-at", help="when it begins, in UTC", default="2026-11-02T00:00")
    parser.add_argument("--line", type=float, default=LINE, help="what one instance carries")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path(__file__).with_name("regret.json")
    )
    arguments = parser.parse_args()
    margins = [float(margin) for margin in arguments.margins.split(",")]
    results: list[dict[str, Any]] = []
    of_mine = arguments.trace is not None
    chosen = [own_trace(arguments.trace, arguments.line)] if of_mine else traces()
    for trace in chosen:
        if arguments.family not in (None, trace.family):
            continue
        results += of_trace(trace, margins, Calendar.parse(arguments.starts_at))
        print(trace.name, results[-1]["held_out_holds"], file=sys.stderr, flush=True)
    summary = [summarised(results, margin) for margin in margins]
    document = {
        "what": __doc__.strip().splitlines()[0],
        "traffic": "the user's own, lines scaled to 600 per second" if of_mine else "synthetic",
        "machine": {"python": platform.python_version(), "system": platform.system()},
        "families": list(FAMILIES),
        "held_out_weeks": HELD_OUT_WEEKS,
        "line_per_second": LINE,
        "max_failed_fraction": ALLOWED,
        "summary": summary,
        "traces": results,
    }
    arguments.output.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    for line in summary:
        print(json.dumps(line))


def own_trace(file: Path, line_per_second: float) -> Trace:
    """Return a file's weeks: the first to plan on, the others held out."""
    whole = read_trace(file)
    weeks = int(whole.duration_seconds // WEEK_SECONDS)
    if weeks < 2:
        raise SystemExit(f"{file} lasts less than two weeks: nothing can be held out")
    edges = np.arange(MINUTES + 1) * 60.0
    parts = []
    for week in range(weeks):
        arrivals = np.diff(whole.arrivals_by(edges + week * WEEK_SECONDS))
        parts.append(PiecewiseRate.held(edges, arrivals / 60.0 * LINE / line_per_second))
    return Trace(family="own", seed=0, planned_on=parts[0], held_out=tuple(parts[1:]))


def of_trace(trace: Trace, margins: list[float], calendar: Calendar) -> list[dict[str, Any]]:
    trial = trial_on(trace.planned_on)
    peak = peak_rate_per_second(trace.planned_on, tick_seconds=TICK_SECONDS)
    limit = math.ceil(1.6 * peak / LINE) + 2
    grid = exhaustive(peak, limit)
    started = time.perf_counter()
    on_week = trial(grid)
    # What costs far more on the week is not the cheapest on the weeks after it.
    holds = on_week.failed_fraction < ALLOWED
    near = on_week.instance_seconds <= 1.3 * cheapest(on_week, holds)
    later = [trial_on(week)(grid.take(near)) for week in trace.held_out]
    brute_seconds = time.perf_counter() - started
    return [
        of_margin(trace, margin, trial, peak, limit, grid, on_week, later, brute_seconds, calendar)
        for margin in margins
    ]


def of_margin(
    trace: Trace,
    margin: float,
    trial: FleetTrial,
    peak: float,
    limit: int,
    grid: Policies,
    on_week: Outcomes,
    later: list[Outcomes],
    brute_seconds: float,
    calendar: Calendar,
) -> dict[str, Any]:
    started = time.perf_counter()
    space = SearchSpace(max_capacity=limit, margin=margin)
    searched = search_policies(
        trial,
        line_per_second=LINE,
        peak_per_second=peak,
        max_failed_fraction=ALLOWED,
        space=space,
    )
    assert searched.chosen is not None
    plain_seconds = float(searched.outcomes.instance_seconds[searched.chosen])
    searched = with_alternatives(
        searched,
        trial,
        line_per_second=LINE,
        space=space,
        calendar=calendar,
        today=TODAY,
    )
    seconds = time.perf_counter() - started
    rows = [searched.chosen, *(each.row for each in searched.alternatives if not each.assumed)]
    row = min(rows, key=lambda each: searched.outcomes.instance_seconds[each])
    chosen = searched.policies.take(np.array([row]))
    cost = float(searched.outcomes.instance_seconds[row])
    weeks = [
        replace(trial_on(week), starts_at_seconds=calendar.starts_at_seconds + at * WEEK_SECONDS)(
            chosen
        )
        for at, week in enumerate(trace.held_out, start=1)
    ]
    held = [float(week.failed_fraction[0]) for week in weeks]
    best = cheapest(on_week, holding(trial, grid, on_week, margin))
    unmargined = cheapest(on_week, on_week.failed_fraction < ALLOWED)
    hindsight_holds = np.all([week.failed_fraction < ALLOWED for week in later], axis=0)
    hindsight_cost = np.sum([week.instance_seconds for week in later], axis=0)
    hindsight = float(hindsight_cost[hindsight_holds].min()) if hindsight_holds.any() else None
    recipe = recipe_cost(trial, limit, margin)
    plain = trial(Policies.columns([1], [limit], [LINE * 30], [300], [300]))
    policy = searched.policies.row(row)
    return {
        "trace": trace.name,
        "family": trace.family,
        "margin": margin,
        "peak_per_second": round(peak, 1),
        "policy": {
            "min_capacity": policy.min_capacity,
            "max_capacity": policy.max_capacity,
            "target_value": policy.target_value,
            "scale_in_cooldown_seconds": policy.scale_in_cooldown_seconds,
            "scale_out_cooldown_seconds": policy.scale_out_cooldown_seconds,
            **{
                name: value
                for name, value in policy.kind.settings().items()
                if name in ("step", "scheduled")
            },
        },
        "kind": next((each.what for each in searched.alternatives if each.row == row), "plain"),
        "of_the_plain_plan": cost / plain_seconds,
        "keeps_margin": searched.keeps_margin,
        "tried": len(searched.policies),
        "seconds": round(seconds, 2),
        "brute_force_policies": len(grid),
        "brute_force_seconds": round(brute_seconds, 1),
        "instance_hours": round(cost / 3600, 2),
        "failed_fraction": float(searched.outcomes.failed_fraction[row]),
        "held_out_failed_fraction": held,
        "held_out_holds": [failed < ALLOWED for failed in held],
        "regret_on_week": cost / best,
        "price_of_margin": best / unmargined,
        "regret_in_hindsight": sum(float(week.instance_seconds[0]) for week in weeks) / hindsight
        if hindsight
        else None,
        "saving_against_recipe": 1 - cost / recipe if recipe else None,
        "recipe_as_it_is": {
            "failed_fraction": float(plain.failed_fraction[0]),
            "instance_hours": round(float(plain.instance_seconds[0]) / 3600, 2),
        },
    }


def trial_on(week: PiecewiseRate) -> FleetTrial:
    return FleetTrial(
        traffic=week, fleet=FleetModel(line_per_second=LINE), tick_seconds=TICK_SECONDS
    )


def exhaustive(peak: float, limit: int) -> Policies:
    needed = math.ceil(peak / LINE)
    least = {1, *range(max(1, needed - 4), needed + 2)}
    grid = Policies.grid(
        min_capacity=sorted(least),
        max_capacity=sorted({needed, needed + 1, limit, *least}),
        target_value=np.round(np.arange(0.4, 1.01, 0.05) * LINE * 60, -2),
        cooldowns_seconds=COOLDOWNS,
    )
    return grid.take((grid.max_capacity >= needed) | (grid.max_capacity == grid.min_capacity))


def holding(trial: FleetTrial, grid: Policies, on_week: Outcomes, margin: float) -> np.ndarray:
    holds = on_week.failed_fraction < ALLOWED * DEFAULT_FAILED_SHARE
    if not margin:
        return holds
    rows = np.flatnonzero(holds)
    raised = trial(grid.take(rows), raised_by=margin).failed_fraction
    holds[rows[raised >= ALLOWED]] = False
    return holds


def cheapest(outcomes: Outcomes, holds: np.ndarray) -> float:
    return float(outcomes.instance_seconds[holds].min())


def recipe_cost(trial: FleetTrial, limit: int, margin: float) -> float | None:
    least = np.arange(1, limit + 1)
    recipe = Policies.columns(
        least, np.full(limit, limit), np.full(limit, LINE * 30), *([np.full(limit, 300.0)] * 2)
    )
    outcomes = trial(recipe)
    holds = holding(trial, recipe, outcomes, margin)
    return float(outcomes.instance_seconds[holds][0]) if holds.any() else None


def summarised(results: list[dict[str, Any]], margin: float) -> dict[str, Any]:
    mine = [result for result in results if result["margin"] == margin]
    foreseeable = [result for result in mine if result["family"] != UNFORESEEABLE]
    apart = [result for result in mine if result["family"] == UNFORESEEABLE]
    return {
        "margin": margin,
        "traces": len(foreseeable),
        "held_out_cases": len(held(foreseeable)),
        "held_out_holds": share(held(foreseeable)),
        "held_out_holds_by_family": {
            family: share(held([r for r in mine if r["family"] == family])) for family in FAMILIES
        },
        **{
            name: spread([result[name] for result in foreseeable if result[name] is not None])
            for name in (
                *("regret_on_week", "price_of_margin", "regret_in_hindsight"),
                *("saving_against_recipe", "seconds"),
            )
        },
        "of_the_plain_plan": spread([result["of_the_plain_plan"] for result in foreseeable]),
        "kinds": {
            kind: sum(result["kind"] == kind for result in foreseeable)
            for kind in ("plain", "scheduled", "steps")
        },
        "recipe_as_it_is_holds": sum(
            result["recipe_as_it_is"]["failed_fraction"] < ALLOWED for result in foreseeable
        ),
        "reported_apart": {
            "family": UNFORESEEABLE,
            "traces": len(apart),
            "held_out_holds": share(held(apart)),
        },
    }


def held(results: list[dict[str, Any]]) -> list[bool]:
    return [holds for result in results for holds in result["held_out_holds"]]


def share(holds: list[bool]) -> float | None:
    return round(float(np.mean(holds)), 4) if holds else None


def spread(values: list[float]) -> dict[str, float]:
    names = ("least", "median", "p90", "most")
    points = np.quantile(values, [0, 0.5, 0.9, 1])
    return {name: round(float(point), 4) for name, point in zip(names, points, strict=True)}


if __name__ == "__main__":
    main()
