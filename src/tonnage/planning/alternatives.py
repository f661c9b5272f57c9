"""
Beside target tracking on invocations: schedules, steps of one's own, the metric of 10 seconds.

Each is tried around what the plain search found, and is an alternative where it holds. One that
saves next to nothing is left out: each is a rule more for people to understand.
"""

from dataclasses import replace
from datetime import date
from typing import Final

import numpy as np

from tonnage.domain import ConfigurationError, StepAdjustment, StepPolicy

from .alternative_search import AlternativeSearch
from .calendars import UNKNOWN_CALENDAR, Calendar
from .kinds import CONCURRENCY, PolicyKind
from .policies import Policies
from .scheduling import try_schedules
from .searched import Searched
from .space import SearchSpace, nice
from .trials import FleetTrial

__all__ = ["UNKNOWN_METRIC", "try_high_resolution", "try_steps", "with_alternatives"]

UNKNOWN_METRIC: Final = "AWS does not confirm its metric for CPU instances"

_LOADS: Final = (0.3, 0.4, 0.55, 0.7, 0.82, 0.92)
_AROUND: Final = (0.85, 0.92, 1.08, 1.18)
_STEP_TARGETS: Final = (0.74, 0.86, 1.0)
_STEP_THRESHOLD: Final = 0.8
_GROWTH: Final = ((0.0, 25), (0.25, 75), (0.75, 150), (1.5, 300))
"""From how much above the threshold, as a share of it, to add how many per cent."""


def with_alternatives(
    searched: Searched,
    trial: FleetTrial,
    *,
    line_per_second: float,
    space: SearchSpace,
    calendar: Calendar | None,
    today: date,
) -> Searched:
    """
    Return a search with what was tried beside it.

    Args:
        searched: Target tracking on invocations.
        trial: What runs the policies; it knows when the traffic begins.
        line_per_second: What one instance carries.
        space: Where to look.
        calendar: When the traffic is; None where nobody has said.
        today: What tells a forecast from a recording.
    """
    if not space.scales or not space.alternatives:
        return searched
    when = calendar or UNKNOWN_CALENDAR
    search = AlternativeSearch(
        searched=searched,
        trial=replace(trial, starts_at_seconds=when.starts_at_seconds),
        line_per_second=line_per_second,
        space=space,
    )
    if "schedules" in space.alternatives:
        try_schedules(search, when, today)
    if "steps" in space.alternatives:
        try_steps(search)
    if "high resolution" in space.alternatives:
        try_high_resolution(search)
    return search.searched


def try_steps(search: AlternativeSearch) -> None:
    """Try step policies of one datapoint beside a target tracking policy."""
    threshold = nice(_STEP_THRESHOLD * search.line_per_second * 60)
    targets = [nice(each * search.line_per_second * 60) for each in _STEP_TARGETS]
    first = len(search.searched.policies)
    search.attempt(search.shaped(targets, PolicyKind(steps=(_growing(threshold),))))
    search.take_best(first, "steps", "A step policy")


def try_high_resolution(search: AlternativeSearch) -> None:
    """Try target tracking on requests in flight, every 10 s."""
    kind = PolicyKind(metric=CONCURRENCY)
    targets = [_two_digits(_in_flight(search, load)) for load in _LOADS]
    first = len(search.searched.policies)
    search.attempt(search.shaped(targets, kind))
    for row in [*search.holding(first)][:1] if search.space.allow_high_resolution else ():
        policy = search.searched.policies.row(row)
        near = [
            replace(policy, target_value=_two_digits(policy.target_value * by)) for by in _AROUND
        ]
        search.attempt(Policies.of(near))
    assumed = "" if search.space.allow_high_resolution else UNKNOWN_METRIC
    search.take_best(first, "10 s metric", "The metric of 10 s", assumed)


def _in_flight(search: AlternativeSearch, load: float) -> float:
    """Return the requests at an instance with a share of its line offered to it."""
    curve = search.trial.fleet.latency_curve
    if curve is not None:
        loads, seconds = np.asarray(curve, dtype=np.float64).T
        return load * search.line_per_second * float(np.interp(load, loads, seconds))
    return load + load**2 / (4 * (1 - load))


def _growing(threshold: float) -> StepPolicy:
    """Return a policy that adds what the newest minute asks for, by how far it is above."""
    starts = [threshold * share for share, _ in _GROWTH]
    ends: list[float | None] = [*starts[1:], None]
    return StepPolicy(
        policy_name="out-within-a-minute",
        threshold=threshold,
        adjustment_type="PercentChangeInCapacity",
        cooldown_seconds=60.0,
        step_adjustments=tuple(
            StepAdjustment(
                metric_interval_lower_bound=start,
                metric_interval_upper_bound=end,
                scaling_adjustment=percent,
            )
            for start, end, (_, percent) in zip(starts, ends, _GROWTH, strict=True)
        ),
    )


def _two_digits(value: float) -> float:
    if not value > 0:
        raise ConfigurationError("a latency curve without latency says nothing of requests")
    return float(f"{value:.2g}")
