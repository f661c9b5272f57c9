"""
What a load test showed, as JSON values and in words.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tonnage.domain import (
    PERCENTILES,
    Check,
    LoadSummary,
    Objective,
    RunRecord,
    format_duration,
    format_fraction,
    percentile,
    summarise,
)

from ._faults import INTERRUPTED, MEASUREMENT_INVALID, OBJECTIVE_MISSED
from ._gate import shown, told

__all__ = ["figures_told", "load_exit_code", "load_outcome", "load_told"]


def load_exit_code(record: RunRecord, *, met: bool) -> int:
    """Return how the command ends."""
    if record.generator["interrupted_by"]:
        return INTERRUPTED
    verdict = record.generator["verdict"]
    if verdict == "INVALID" or (verdict == "DOUBTFUL" and not met):
        return MEASUREMENT_INVALID  # a generator that was late must not blame the service
    return 0 if met else OBJECTIVE_MISSED


def figures_told(outcome: dict[str, Any]) -> dict[str, str]:
    """Return the numbers of an outcome, name by name, in words."""
    return {
        "requests": str(outcome["requests"]),
        "offered": f"{outcome['offered']:.1f}/s",
        "throughput": f"{outcome['throughput']:.1f}/s",
        "errors": format_fraction(outcome["error_fraction"]),
        **{
            name: "none" if math.isnan(seconds) else format_duration(seconds)
            for name, seconds in outcome["latency"].items()
        },
        "record": outcome["record"],
    }


def load_outcome(
    record: RunRecord, goal: Objective, directory: Path, *, met: bool, checks: Sequence[Check]
) -> dict[str, Any]:
    """Return what a load test showed, as plain JSON values."""
    whole = _summary(record, goal)
    return {
        "verdict": record.generator["verdict"],
        "reason": record.generator["reason"],
        "objective": str(goal),
        "objective_met": met,
        "requirements": shown(checks),
        "requests": whole.requests,
        "failed": whole.failed,
        "offered": whole.offered_per_second,
        "throughput": whole.throughput_per_second,
        "goodput": whole.goodput_per_second,
        "error_fraction": whole.error_fraction,
        "latency": whole.latency_seconds,
        "latency_from_send": _from_send(record),
        "arrivals": record.generator["arrivals"],
        "unanswered": record.generator.get("unanswered", {}),
        "window_seconds": whole.window_seconds,
        "send_spread_seconds": record.generator["send_spread_seconds"],
        "record": str(directory),
    }


def _summary(record: RunRecord, goal: Objective) -> LoadSummary:
    return summarise(
        record.samples,
        start_seconds=0.0,
        end_seconds=max(record.duration_seconds, 1e-9),
        latency_threshold_seconds=goal.latency.threshold_seconds,
    )


def _from_send(record: RunRecord) -> dict[str, float]:
    samples = record.samples
    answered = samples.service_seconds[samples.status > 0]
    return {f"p{fraction * 100:g}": percentile(answered, fraction) for fraction in PERCENTILES}


def load_told(record: RunRecord, outcome: dict[str, Any], checks: Sequence[Check]) -> str:
    """Return what a load test showed, in words."""
    latency = ", ".join(
        f"{name} {'none' if math.isnan(seconds) else format_duration(seconds)}"
        for name, seconds in outcome["latency"].items()
    )
    is_open_loop = record.generator["model"] == "open loop"
    window = f"{outcome['arrivals']} arrivals" if is_open_loop else "ramp included"
    spread = None if is_open_loop else outcome["send_spread_seconds"]
    lines = [
        (
            f"{outcome['requests']} requests in {outcome['window_seconds']:.1f} s"
            f" ({window}):"
            f" {outcome['offered']:.1f}/s offered, {outcome['throughput']:.1f}/s answered,"
            f" {outcome['failed']} failed ({format_fraction(outcome['error_fraction'])})"
        ),
        f"latency from the intended send: {latency}",
        f"objective {outcome['objective']}: {'met' if outcome['objective_met'] else 'missed'}",
        *told(checks),
        f"generator {outcome['verdict']}: {outcome['reason']}",
    ]
    if spread is not None:
        lines.insert(
            3,
            f"sends within a second: 90 % of them in {spread:.2f} s"
            " (0.90 s when evenly spread, near 0 in lockstep)",
        )
    return "\n".join([*lines, *record.notes, f"record: {outcome['record']}"])
