"""
What a search for the load line found, as JSON values, in words and as a picture.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click

from tonnage.domain import Check, format_duration, format_rate
from tonnage.loadtest.line import LineMeasurement, LoadLine, TrialOutcome

from ._faults import INTERRUPTED, MEASUREMENT_INVALID, OBJECTIVE_MISSED
from ._gate import shown, told
from ._plain import without_nan

__all__ = [
    "NOT_THE_SERVICES",
    "draw",
    "line_exit_code",
    "line_outcome",
    "line_told",
    "trial_told",
]

NOT_THE_SERVICES: Final = frozenset({"GENERATOR_LIMITED", "MACHINE_LIMITED", "UNDECIDED"})
"""The verdicts in which something else than the service was the limit."""


def line_outcome(
    measured: LineMeasurement, directory: Path, checks: Sequence[Check] = ()
) -> dict[str, Any]:
    """Return the answer as plain JSON values, rates per second and times in seconds."""
    found = measured.line
    outcome = {
        "verdict": found.verdict,
        "line": found.line_per_second,
        "interval": list(found.interval_per_second),
        "here": None if found.here_per_second is None else list(found.here_per_second),
        "level": found.level,
        "reason": found.reason,
        "gave_way_first": found.gave_way_first,
        "objective": found.objective,
        "arrivals": found.arrivals,
        "threshold_seconds": found.threshold_seconds,
        "window_seconds": found.window_seconds,
        "elapsed_seconds": found.elapsed_seconds,
        "knee": None if found.knee is None else asdict(found.knee),
        "curve": [asdict(point) for point in found.curve],
        "trials": [asdict(outcome) for outcome in found.trials],
        "generator": dict(measured.record.generator),
        "notes": list(found.notes),
        "requirements": shown(checks),
        "record": str(directory),
    }
    return {name: without_nan(value) for name, value in outcome.items()}


def line_exit_code(measured: LineMeasurement, checks: Sequence[Check]) -> int:
    """
    Return how the command ends.

    A requirement that is met settles it. One that is not is nobody's fault but the generator's, or
    the machine's, when that was the limit, or said of itself that it may have been.
    """
    found = measured.line
    if found.interrupted_by is not None:
        return INTERRUPTED
    if checks and all(check.holds for check in checks):
        return 0
    if found.verdict in NOT_THE_SERVICES:
        return MEASUREMENT_INVALID
    if checks or found.verdict == "BELOW":
        doubtful = measured.record.generator["verdict"] != "VALID"
        return MEASUREMENT_INVALID if doubtful else OBJECTIVE_MISSED
    return 0


def draw(measured: LineMeasurement, file: Path) -> None:
    """Draw latency against load, with the line, into a PNG."""
    found = measured.line
    from tonnage.reporting.line_figure import LineCurve, LinePoint, line_picture

    curve = LineCurve(
        title=measured.record.title,
        points=[
            LinePoint(
                rate_per_second=point.rate_per_second,
                p50_seconds=point.p50_seconds,
                p99_seconds=point.p99_seconds,
                met=point.met,
            )
            for point in found.curve
        ],
        line_per_second=found.line_per_second,
        interval_per_second=found.interval_per_second,
        knee_per_second=found.knee.rate_per_second if found.knee else None,
        threshold_seconds=found.threshold_seconds,
        notes=[
            f"{found.verdict}: {found.objective}; {found.arrivals} arrivals",
            f"{found.level:.0%} interval; each mark is the p99 of one trial",
        ],
    )
    if not curve.points:
        click.echo("no picture: no trial was answered", err=True)
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(line_picture(curve))


def trial_told(outcome: TrialOutcome) -> str:
    """Return one trial in words, one line."""
    trial = outcome.trial
    if not outcome.is_evidence:
        seen = f"not counted: {outcome.generator_reason}"
    elif outcome.met:
        seen = f"met     p99 {format_duration(outcome.latency_seconds['p99'])}"
    else:
        seen = "missed  " + ", ".join(result.seen for result in outcome.missed_terms)
    rate = format_rate(round(trial.rate_per_second, 1))
    return (
        f"{outcome.ended_seconds:5.1f} s  {trial.purpose:<8}  {rate:>10}"
        f"  for {format_duration(trial.window_seconds):>6}  {seen}"
    )


def line_told(found: LoadLine, directory: Path, checks: Sequence[Check] = ()) -> str:
    """Return what was found, in words."""
    low, high = (None if end is None else f"{end:.1f}" for end in found.interval_per_second)
    lines = [f"{found.verdict}: {found.reason}"]
    if found.line_per_second is not None and found.verdict == "FOUND":
        lines.insert(
            0,
            f"load line {found.line_per_second:.1f}/s, {found.level:.0%} interval"
            f" {low} to {high}/s, {found.arrivals} arrivals",
        )
    else:
        lines.append(f"arrivals: {found.arrivals}")
    lines.append(f"objective: {found.objective}, in windows of {found.window_seconds:.1f} s")
    if found.gave_way_first:
        lines.append(f"gave way first: {found.gave_way_first}")
    if found.knee is not None:
        knee = found.knee
        lines.append(
            f"knee of p99 at {knee.rate_per_second:.0f}/s ({format_duration(knee.p99_seconds)})"
        )
    lines.append(f"{len(found.trials)} trials in {found.elapsed_seconds:.1f} s")
    return "\n".join([*lines, *found.notes, *told(checks), f"record: {directory}"])
