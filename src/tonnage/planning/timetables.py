"""
Schedules that follow from traffic: the least instances raised before a peak that comes again.

Days are folded by the clock, all alike or working days apart from weekends; each quarter of an hour
needs what the busiest of its days needs, the margin included. That curve is put into few steps
(``levels``), and each step up is taken as much earlier as a new instance takes. Traffic that comes
once and is known beforehand gets dates instead of hours.

A recipe, not a schedule, is what is tried on days it has not seen: ``fit`` makes a schedule from
some of the days, so that the others can tell (``held_out``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import RateProfile

from .calendars import BIN_SECONDS, Calendar, DayLoads
from .kinds import PlannedAction, PolicyKind
from .levels import Stretch, few_levels, needed_instances

__all__ = ["DayRecipe", "Timetable", "Timetables", "dated_timetable"]

_Floats = NDArray[np.float64]
_Days = NDArray[np.bool_]

_LEAST_DAYS: Final = 2
_WEEKEND: Final = 5
_DAY_MINUTES: Final = 1440
_BIN_MINUTES: Final = BIN_SECONDS // 60
_DIP_MINUTES: Final = 30
_DATED_BIN_SECONDS: Final = 300.0
_DATED_EARLY_BINS: Final = 2
"""What comes once may come ten minutes early, or late."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _DayClass:
    """Days that are taken to be alike, and how cron names them and those before them."""

    name: str
    cron: str
    cron_before: str


_EVERY: Final = _DayClass(name="daily", cron="* * ? *", cron_before="* * ? *")
_WORKING: Final = _DayClass(name="weekdays", cron="? * MON-FRI *", cron_before="? * SUN-THU *")
_FREE: Final = _DayClass(name="weekend", cron="? * SAT,SUN *", cron_before="? * FRI,SAT *")


@dataclass(frozen=True, kw_only=True, slots=True)
class DayRecipe:
    """
    How to make a schedule from days.

    Attributes:
        splits_weekend: Whether Saturdays and Sundays are days of their own.
        stretches: Levels a day, at most.
        raised_by: How much more than was seen the least instances must carry; a negative one
            leaves the tips to the policy.
    """

    splits_weekend: bool
    stretches: int
    raised_by: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Timetable:
    """
    A schedule.

    Attributes:
        kind: Target tracking with its actions.
        lowest: Its lowest level: what the policy's own minimum is.
        highest: Its highest.
        recipe: What it was made by; None for one with dates.
    """

    kind: PolicyKind
    lowest: int
    highest: int
    recipe: DayRecipe | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Timetables:
    """
    Makes schedules for instances that carry so much.

    Attributes:
        days: The traffic's days.
        calendar: When they are.
        line_per_second: What one instance carries.
        lead_seconds: From a decision to the instances in service, and a little more.
        least: Instances at least.
        most: At most.
    """

    days: DayLoads
    calendar: Calendar
    line_per_second: float
    lead_seconds: float
    least: int
    most: int

    def recipes(self, margin: float) -> Iterator[DayRecipe]:
        """Yield what is worth a try: none for traffic without two days of each class."""
        for splits in (False, True) if self.calendar.is_known else (False,):
            if all(each.sum() >= _LEAST_DAYS for _, each in self._classes(splits)):
                for stretches in (4, 8):
                    for raised_by in (margin, margin - 0.15):
                        yield DayRecipe(
                            splits_weekend=splits, stretches=stretches, raised_by=raised_by
                        )

    def folds(self, recipe: DayRecipe) -> tuple[_Days, _Days]:
        """Return every other day of each class, and the others: each can tell of the other."""
        even = np.zeros(len(self.days.weekday), dtype=np.bool_)
        odd = even.copy()
        for _, members in self._classes(recipe.splits_weekend):
            which = np.flatnonzero(members)
            even[which[::2]], odd[which[1::2]] = True, True
        return even, odd

    def fit(self, recipe: DayRecipe, only: _Days | None = None) -> Timetable | None:
        """Return the schedule of some days, or of all; None where it would change nothing."""
        plans = []
        for kind, members in self._classes(recipe.splits_weekend):
            chosen = members if only is None else members & only
            most = self.days.envelope(chosen) * (1 + recipe.raised_by)
            needed = needed_instances(most, self.line_per_second, least=self.least, most=self.most)
            # What is needed within a lead of midnight is there at midnight.
            early = int(self.lead_seconds // BIN_SECONDS) + 1
            needed[:early] = needed[: early + 1].max()
            dip = int((self.lead_seconds / 60 + _DIP_MINUTES) // _BIN_MINUTES)
            plans.append((kind, few_levels(needed, stretches=recipe.stretches, shortest_dip=dip)))
        levels = [part.level for _, parts in plans for part in parts]
        if min(levels) == max(levels):
            return None
        lasts = [parts[-1].level for _, parts in plans]
        actions = [action for kind, parts in plans for action in self._actions(kind, parts, lasts)]
        zone = None if self.calendar.timezone == "UTC" else self.calendar.timezone
        return Timetable(
            kind=PolicyKind(
                scheduled=tuple(
                    PlannedAction(
                        name=f"{kind.name}-{minute // 60:02}{minute % 60:02}-{level}",
                        schedule=f"cron({minute % 60} {minute // 60} {days})",
                        timezone=zone,
                        min_capacity=level,
                    )
                    for kind, minute, days, level in actions
                )
            ),
            lowest=min(levels),
            highest=max(levels),
            recipe=recipe,
        )

    def _classes(self, splits_weekend: bool) -> list[tuple[_DayClass, _Days]]:
        whole = self.days.whole
        if not splits_weekend:
            return [(_EVERY, whole)]
        free = self.days.weekday >= _WEEKEND
        return [(_WORKING, whole & ~free), (_FREE, whole & free)]

    def _actions(
        self, kind: _DayClass, parts: Sequence[Stretch], lasts: Sequence[int]
    ) -> Iterator[tuple[_DayClass, int, str, int]]:
        """Yield (class, minute, days, level): up a lead earlier, down when it is time."""
        lead, first = int(self.lead_seconds // 60), parts[0].level
        if first > min(lasts):
            # The evening before may be another class's: hold what it holds until midnight.
            before = max(first, *lasts)
            yield kind, _DAY_MINUTES - lead, kind.cron_before, before
            if before > first:
                yield kind, 0, kind.cron, first
        elif first < max(lasts) or len(lasts) > 1:
            yield kind, 0, kind.cron, first
        level = first
        for part in parts[1:]:
            minute = part.start * _BIN_MINUTES - (lead if part.level > level else 0)
            yield kind, minute, kind.cron, part.level
            level = part.level


def dated_timetable(
    traffic: RateProfile,
    calendar: Calendar,
    *,
    line_per_second: float,
    lead_seconds: float,
    bounds: tuple[int, int],
    raised_by: float,
    stretches: int,
) -> Timetable | None:
    """
    Return a schedule with dates, for traffic that comes once; None where it would change nothing.

    Args:
        traffic: What is to come.
        calendar: When.
        line_per_second: What one instance carries.
        lead_seconds: From a decision to the instances in service, and a little more.
        bounds: Instances at least and at most.
        raised_by: How much more than is foreseen they must carry.
        stretches: Levels at most.
    """
    end = traffic.duration_seconds
    edges = np.append(np.arange(0.0, end, _DATED_BIN_SECONDS), end)
    fine = np.linspace(edges[:-1], edges[1:], 31, axis=1)
    rate = (np.diff(traffic.arrivals_by(fine), axis=1) / np.diff(fine, axis=1)).max(axis=1)
    needed = needed_instances(
        rate * (1 + raised_by), line_per_second, least=bounds[0], most=bounds[1]
    )
    around = np.pad(needed, _DATED_EARLY_BINS, mode="edge")
    needed = np.lib.stride_tricks.sliding_window_view(around, 2 * _DATED_EARLY_BINS + 1).max(axis=1)
    dip = int((lead_seconds + _DIP_MINUTES * 60) // _DATED_BIN_SECONDS)
    parts = few_levels(needed, stretches=stretches, shortest_dip=dip)
    levels = [part.level for part in parts]
    if min(levels) == max(levels):
        return None
    zone = None if calendar.timezone == "UTC" else calendar.timezone
    actions = []
    level = min(levels)
    for part in parts:
        if part.level != level:
            early = lead_seconds if part.level > level else 0.0
            at = calendar.local(float(edges[part.start]) - early).replace(microsecond=0)
            at -= timedelta(seconds=at.second)
            actions.append(
                PlannedAction(
                    name=f"once-{at:%Y%m%d-%H%M}-{part.level}",
                    schedule=f"at({at:%Y-%m-%dT%H:%M:%S})",
                    timezone=zone,
                    min_capacity=part.level,
                )
            )
            level = part.level
    if level > min(levels):
        over = calendar.local(end).replace(second=0, microsecond=0) + timedelta(minutes=1)
        actions.append(
            PlannedAction(
                name=f"once-{over:%Y%m%d-%H%M}-{min(levels)}",
                schedule=f"at({over:%Y-%m-%dT%H:%M:%S})",
                timezone=zone,
                min_capacity=min(levels),
            )
        )
    return Timetable(
        kind=PolicyKind(scheduled=tuple(actions)), lowest=min(levels), highest=max(levels)
    )
