"""
The moments of a trial that a plan is explained by: the first new instance, and where it fails.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from tonnage.simulation import Timeline

from .money import long_duration
from .options import Option
from .policies import Policies
from .trials import FleetTrial

__all__ = ["Rise", "first_rise", "where_it_fails"]

_AT_PEAK: Final = 0.95


@dataclass(frozen=True, kw_only=True, slots=True)
class Rise:
    """
    When the first new instance came.

    Attributes:
        ordered_seconds: When it was asked for.
        answers_seconds: When it was in service.
        reached_per_second: What the traffic had risen to by then.
    """

    ordered_seconds: float
    answers_seconds: float
    reached_per_second: float


def first_rise(best: Option, trial: FleetTrial) -> Rise | None:
    """Return when the first new instance was ordered and answered, and what had come by then."""
    line = _timeline_of(best, trial)
    desired, serving = line.desired[:, 0], line.in_service[:, 0]
    ordered = np.flatnonzero(desired > desired[0])
    answers = np.flatnonzero(serving > serving[0])
    if len(ordered) == 0 or len(answers) == 0:
        return None
    first = int(answers[0])
    before = line.offered[: max(1, first)] / trial.tick_seconds
    return Rise(
        ordered_seconds=float(line.seconds[ordered[0]]),
        answers_seconds=float(line.seconds[first]),
        reached_per_second=float(before.max()),
    )


def where_it_fails(option: Option, trial: FleetTrial) -> str:
    """Return when an option fails, in words that end a sentence; nothing if it does not."""
    if option.policy is None or option.failed <= 0:
        return ""
    line = _timeline_of(option, trial)
    failed = line.failed[:, 0]
    at = np.flatnonzero(failed > 0)
    rates = line.offered / trial.tick_seconds
    start, end = float(line.seconds[at[0]]), float(line.seconds[at[-1]]) + trial.tick_seconds
    span = f" (from {long_duration(start)} to {long_duration(end)})"
    at_peak = float(np.sum(failed[rates >= _AT_PEAK * rates.max()])) / float(failed.sum())
    carried = line.in_service[:, 0].max() >= option.policy.max_capacity
    rising = np.gradient(rates)[at] > 0
    share_rising = float(np.sum(failed[at][rising])) / float(failed.sum())
    if at_peak > 0.5 and carried:  # noqa: PLR2004 (most of it)
        return f" at the peak{span}"
    if share_rising > 0.5:  # noqa: PLR2004 (most of it)
        return f" in the ramp{span}"
    return span


def _timeline_of(option: Option, trial: FleetTrial) -> Timeline:
    assert option.policy is not None
    timeline = trial.with_timeline(Policies.of([option.policy])).timeline
    assert timeline is not None
    return timeline
