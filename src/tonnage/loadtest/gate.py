"""
A gate: requirements held against what a load test saw, or a search for the load line found.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from tonnage.domain import (
    Check,
    ConfigurationError,
    Objective,
    Requirement,
    RunRecord,
    Samples,
    percentile,
)

from .compare.blocks import Blocks

if TYPE_CHECKING:
    from .line.result import LoadLine

__all__ = [
    "check_line",
    "check_load",
    "judged_part",
    "objective_requirements",
    "refuse_what_no_load_measures",
]

_SHORTEST_SECONDS: Final = 1e-9


def objective_requirements(objective: Objective) -> tuple[Requirement, Requirement]:
    """Return an objective's two terms as requirements, so that a gate reports them as well."""
    latency = objective.latency
    return (
        Requirement(
            name=f"p{latency.percentile * 100:g}",
            sign="<",
            threshold=latency.threshold_seconds,
            unit="seconds",
        ),
        Requirement(
            name="errors", sign="<", threshold=objective.errors.max_fraction, unit="fraction"
        ),
    )


def check_load(
    record: RunRecord, requirements: Sequence[Requirement], *, threshold_seconds: float
) -> tuple[Check, ...]:
    """
    Hold requirements against a whole load test.

    A request without an answer counts as slow in a percentile, as it does for the objective.

    Args:
        record: What was seen.
        requirements: What is asked of it.
        threshold_seconds: Up to which latency an answer is *good*, for ``goodput``.

    Raises:
        ConfigurationError: If one asks for what a load test does not measure.
    """
    refuse_what_no_load_measures(requirements)
    samples, seconds = judged_part(record)
    return tuple(
        _check(requirement, samples, seconds, threshold_seconds)
        for requirement in dict.fromkeys(requirements)
    )


def refuse_what_no_load_measures(requirements: Sequence[Requirement]) -> None:
    """
    Refuse a requirement that no load test can meet, before one is run for it.

    Raises:
        ConfigurationError: If there is one.
    """
    if any(requirement.name == "line" for requirement in requirements):
        raise ConfigurationError(
            "a load test finds no load line", hint="require it of `tonnage line`"
        )


def judged_part(record: RunRecord) -> tuple[Samples, float]:
    """
    Return the samples that a gate judges, and the seconds they were offered in.

    It is the whole run, or the blocks of one side of an interleaved comparison: its throughput
    counts only the time in which it was that side's turn.
    """
    blocks = Blocks.of(record.settings)
    if blocks is None:
        end = max(record.duration_seconds, _SHORTEST_SECONDS)
        return record.samples.between(0.0, end), end
    windows = [window for unit in blocks.units for window in unit]
    samples = record.samples
    inside = np.zeros(len(samples), dtype=bool)
    for start, end in windows:
        inside |= (samples.intended_seconds >= start) & (samples.intended_seconds < end)
    chosen = Samples(
        intended_seconds=samples.intended_seconds[inside],
        sent_seconds=samples.sent_seconds[inside],
        done_seconds=samples.done_seconds[inside],
        status=samples.status[inside],
    )
    return chosen, max(sum(end - start for start, end in windows), _SHORTEST_SECONDS)


def check_line(found: "LoadLine", requirement: Requirement) -> Check:
    """
    Hold a requirement against a load line: its interval decides, at the end that is the worse one.

    ``line >= 1000/s`` is met when the whole interval lies there, so a line of 1,020/s that may as
    well be 980/s does not pass by luck. ``line < 1000/s`` is decided by the upper end.

    Raises:
        ConfigurationError: If it asks for anything but the line.
    """
    if requirement.name != "line":
        raise ConfigurationError(
            f"a search for the load line does not measure {requirement.name}",
            hint="make it an --objective, or require it of `tonnage load`",
        )
    low, high = found.interval_per_second
    decides = low if requirement.sign in {">", ">="} else high
    return requirement.judge(decides, seen=_line_seen(found, decides))


def _line_seen(found: "LoadLine", decides: float | None) -> str:
    low, high = found.interval_per_second
    if found.line_per_second is None or decides is None:
        return f"no line: {found.verdict}, {found.reason}"
    if high is None:
        return f"line >= {found.line_per_second:.1f}/s ({found.verdict})"
    return (
        f"line {found.line_per_second:.1f}/s, {found.level:.0%} interval {low or 0.0:.1f} to"
        f" {high:.1f}/s; {decides:.1f}/s decides"
    )


def _check(
    requirement: Requirement, samples: Samples, seconds: float, threshold_seconds: float
) -> Check:
    if len(samples) == 0:
        return requirement.judge(None, seen="no request was made")
    answered = samples.status > 0
    if requirement.percentile is not None:
        if not answered.any():
            return requirement.judge(None, seen="no request was answered")
        latency = np.where(answered, samples.latency_seconds, np.inf)
        return requirement.judge(percentile(latency, requirement.percentile))
    if requirement.name == "errors":
        return requirement.judge(float(samples.failed.mean()))
    good = ~samples.failed & (samples.latency_seconds < threshold_seconds)
    counted = {"offered": len(samples), "throughput": answered.sum(), "goodput": good.sum()}
    whole = len(samples) if requirement.unit == "fraction" else seconds
    return requirement.judge(float(counted[requirement.name]) / whole)
