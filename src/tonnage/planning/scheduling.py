"""
Schedules that the traffic suggests, tried where they were not made.

A schedule must hold on what it has not seen: its recipe makes one from every other day, and what
fails on the days between must stay within the objective, and the other way round. One with dates
must hold when the traffic comes ten minutes early or late.
"""

from dataclasses import replace
from datetime import date
from typing import Final

import numpy as np

from .alternative_search import AlternativeSearch, stacked
from .calendars import Calendar, DayLoads
from .dated_timetables import dated_timetable
from .kinds import PolicyKind
from .policies import Policies
from .searched import Alternative, Outcomes
from .space import nice
from .timetables import Timetable, Timetables

__all__ = ["UNKNOWN_BEGIN", "try_schedules"]

UNKNOWN_BEGIN: Final = "nobody has said that the traffic begins at midnight UTC"

_SHARES: Final = (0.66, 0.82, 1.0)
_DATED_STRETCHES: Final = (2, 4, 8)
_SHIFT_SECONDS: Final = 600.0
_LEAD_STEP_SECONDS: Final = 300.0


def try_schedules(search: AlternativeSearch, calendar: Calendar, today: date) -> None:
    """Try schedules that the traffic suggests."""
    maker = Timetables(
        days=DayLoads.of(search.trial.traffic, calendar),
        calendar=calendar,
        line_per_second=search.line_per_second,
        lead_seconds=_lead_seconds(search),
        least=search.space.min_capacity,
        most=search.space.max_capacity,
    )
    made = [maker.fit(recipe) for recipe in maker.recipes(search.space.margin)]
    if not made and calendar.is_ahead_of(today):
        made = [_dated(search, calendar, stretches) for stretches in _DATED_STRETCHES]
    tables = {each.kind: each for each in made if each is not None}
    if not tables:
        return
    first = len(search.searched.policies)
    search.attempt(stacked([_under(search, each) for each in tables.values()]))
    for row in search.holding(first):
        if search.is_worth(row, "A schedule"):
            table = tables[search.searched.policies.row(row).kind]
            if _is_robust(search, row, table, maker):
                return


def _lead_seconds(search: AlternativeSearch) -> float:
    """Return what a new instance takes, and a minute, in whole steps of five minutes."""
    delay = search.trial.fleet.provisioning_delay_seconds
    sample = getattr(delay, "sample", None)
    longest = (
        float(np.quantile(sample(np.random.default_rng(search.trial.seed), 1000), 0.95))
        if sample
        else float(np.max(np.asarray(delay, dtype=np.float64)))
    )
    return float(np.ceil((longest + 60.0) / _LEAD_STEP_SECONDS)) * _LEAD_STEP_SECONDS


def _dated(search: AlternativeSearch, calendar: Calendar, stretches: int) -> Timetable | None:
    return dated_timetable(
        search.trial.traffic,
        calendar,
        line_per_second=search.line_per_second,
        lead_seconds=_lead_seconds(search),
        bounds=(search.space.min_capacity, search.space.max_capacity),
        raised_by=search.space.margin,
        stretches=stretches,
    )


def _under(search: AlternativeSearch, table: Timetable) -> Policies:
    """Return policies to run under a schedule: its lowest is their minimum."""
    targets = [nice(share * search.line_per_second * 60) for share in _SHARES]
    most = {search.space.max_capacity, table.highest}
    if search.plain is not None:
        plain = search.searched.policies.row(search.plain)
        targets.append(plain.target_value)
        most = {table.highest, max(table.highest, plain.max_capacity)}
    grid = Policies.grid(
        min_capacity=[table.lowest],
        max_capacity=sorted(most),
        target_value=sorted(set(targets)),
        cooldowns_seconds=search.space.cooldowns_seconds[:1],
    )
    return grid.of_kind(table.kind)


def _is_robust(search: AlternativeSearch, row: int, table: Timetable, maker: Timetables) -> bool:
    """Take a schedule if it holds on what it was not made from; say whether it was taken."""
    fraction: float | None = None
    if table.recipe is not None:
        fraction = _held_out(search, row, table, maker)
        where = "on days that it was not made from"
    else:
        fraction = _shifted(search, row)
        where = "when the traffic comes ten minutes early or late"
    if fraction >= search.searched.max_failed_fraction:
        count = len(table.kind.scheduled)
        if search.is_cheaper(row):
            search.leave_out(
                f"A schedule of {count} actions would be cheaper, but fails {fraction:.2%} {where}:"
                " left out."
            )
        return False
    assumed = "" if maker.calendar.is_known else UNKNOWN_BEGIN
    search.add(
        Alternative(row=row, what="scheduled", assumed=assumed, held_out_failed_fraction=fraction)
    )
    return True


def _held_out(search: AlternativeSearch, row: int, table: Timetable, maker: Timetables) -> float:
    """Return what fails on the days that a schedule by the same recipe was not made from."""
    assert table.recipe is not None
    policy = search.searched.policies.row(row)
    failed = offered = 0.0
    folds = maker.folds(table.recipe)
    for made_from, told_by in (folds, folds[::-1]):
        made = maker.fit(table.recipe, made_from)
        kind = made.kind if made else PolicyKind()
        low = made.lowest if made else policy.min_capacity
        high = max(policy.max_capacity, made.highest if made else low)
        tested = replace(policy, kind=kind, min_capacity=low, max_capacity=high)
        line = search.trial.with_timeline(Policies.of([tested])).timeline
        assert line is not None
        minute = np.minimum(line.seconds // 60, len(maker.days.day_of_minute) - 1)
        told = told_by[maker.days.day_of_minute[minute.astype(np.int64)]]
        failed += float(line.failed[told, 0].sum())
        offered += float(line.offered[told].sum())
    return failed / offered if offered else 0.0


def _shifted(search: AlternativeSearch, row: int) -> float:
    """Return the most that fails with the traffic early or late."""
    policy = Policies.of([search.searched.policies.row(row)])
    shifted: list[Outcomes] = [
        replace(search.trial, starts_at_seconds=search.trial.starts_at_seconds + by)(policy)
        for by in (-_SHIFT_SECONDS, _SHIFT_SECONDS)
    ]
    return max(float(each.failed_fraction[0]) for each in shifted)
