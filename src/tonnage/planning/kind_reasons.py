"""
Why a plan has a schedule, steps or another metric, in sentences with numbers.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

import numpy as np

from tonnage.domain import ScheduledAction
from tonnage.scaling import scheduled_runs

from .money import dollars, requests_failed
from .options import Option
from .policies import Policies
from .trials import FleetTrial

__all__ = ["kind_reasons", "schedule_reasons"]

_SHOWN: Final = 4
_DEARER: Final = 1.005
_DAYS: Final = {
    "* * ? *": "every day",
    "? * MON-FRI *": "on working days",
    "? * SAT,SUN *": "on weekends",
    "? * SUN-THU *": "on the eve of working days",
    "? * FRI,SAT *": "on the eve of weekends",
}
_KINDS: Final = {
    "scheduled": ("a schedule", "the schedule"),
    "steps": ("a step policy", "the step policy"),
    "10 s metric": ("the metric of 10 s", "the metric of 10 s"),
}
"""What other options than target tracking on invocations have, when it is first named and then."""

_CRON: Final = re.compile(r"cron\((\d+) (\d+) (.*)\)")
_AT: Final = re.compile(r"at\((.*)\)")


def schedule_reasons(best: Option, trial: FleetTrial) -> Iterator[str]:
    """Yield why each action of a schedule that adds instances is there."""
    policy = best.policy
    assert policy is not None
    carries = best.line.rate_per_second
    rising = [
        (action, action.min_capacity)
        for before, action in zip(
            (None, *policy.kind.scheduled), policy.kind.scheduled, strict=False
        )
        if action.min_capacity is not None
        and action.min_capacity > (policy.min_capacity if before is None else _least(before))
    ]
    reached_under = _reached(best, trial)
    for action, count in rising[:_SHOWN]:
        reached = reached_under.get(action.name, 0.0)
        peak = f"{reached:,.0f} requests per second" if reached else "little"
        zone = f" {action.timezone}" if action.timezone else " UTC"
        yield (
            f"{count} {_when(action)}{zone} because {peak} come until the next step, and"
            f" {count} carry {count * carries:,.0f}."
        )
    if len(rising) > _SHOWN:
        yield f"{len(rising) - _SHOWN} more steps up are in the settings."
    yield (
        f"{policy.min_capacity} at rest, and {policy.max_capacity} at most, for what the schedule"
        " does not foresee."
    )
    if best.held_out_failed_fraction is not None:
        where = (
            "ten minutes early or late"
            if any(_AT.fullmatch(action.schedule) for action in policy.kind.scheduled)
            else "on days that its schedule was not made from"
        )
        yield f"It fails {requests_failed(best.held_out_failed_fraction)} {where}."


def kind_reasons(best: Option, candidates: Sequence[Option]) -> Iterator[str]:
    """Yield what a policy of another kind saves, or would cost."""
    for option in candidates:
        if option is best or option.policy is None or option.is_assumed or not option.meets:
            continue
        if option.what in _KINDS:
            if option.instance_seconds > best.instance_seconds * _DEARER:
                yield (
                    f"With {_KINDS[option.what][0]} it would cost {_instances(option)} a month for"
                    f" instances instead of {_instances(best)}."
                )
        elif option.what == "scaled" and best.policy is not None and _is_rival(option, best):
            yield (
                f"Without {_KINDS[best.what][1]}, {option.name} at a target of"
                f" {option.policy.target_value:,.6g} would cost {_instances(option)} a month for"
                f" instances instead of {_instances(best)}."
            )
            return


def _is_rival(option: Option, best: Option) -> bool:
    """Say whether an option is the plain policy that another kind stands in for."""
    assert best.policy is not None
    return best.what in _KINDS and option.line.kind.name == best.line.kind.name


def _instances(option: Option) -> str:
    return dollars(float(option.cost.instances))


def _least(action: ScheduledAction) -> int:
    return 0 if action.min_capacity is None else action.min_capacity


def _when(action: ScheduledAction) -> str:
    if cron := _CRON.fullmatch(action.schedule):
        minute, hour, days = int(cron[1]), int(cron[2]), cron[3]
        return f"from {hour:02}:{minute:02} {_DAYS.get(days, days)}"
    if at := _AT.fullmatch(action.schedule):
        return f"from {datetime.fromisoformat(at[1]):%Y-%m-%d %H:%M}"
    return f"at {action.schedule}"


def _reached(best: Option, trial: FleetTrial) -> dict[str, float]:
    """Return, for each action, the highest rate between its runs and the schedule's next."""
    assert best.policy is not None
    line = trial.with_timeline(Policies.of([best.policy])).timeline
    assert line is not None
    start = trial.starts_at_seconds
    end = start + trial.traffic.duration_seconds
    runs = scheduled_runs(best.policy.kind.actions(), start - 7 * 86_400.0, end)
    rates = line.offered / trial.tick_seconds
    most: dict[str, float] = {}
    for at, (moment, run) in enumerate(runs):
        until = runs[at + 1][0] if at + 1 < len(runs) else end
        inside = (line.seconds >= moment - start) & (line.seconds < until - start)
        rate = float(np.max(rates[inside], initial=0.0))
        most[run.name] = max(most.get(run.name, 0.0), rate)
    return most
