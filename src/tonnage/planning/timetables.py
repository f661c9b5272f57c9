"""
Schedules that follow from traffic: the least instances raised before a peak that comes again.

Days are folded by the clock, all alike or working days apart from weekends; each quarter of an hour
needs what the busiest of its days needs, the margin included. That curve is put into few steps
(``levels``), and each step up is taken as much earlier as a new instance takes. Traffic that comes
once and is known beforehand gets dates instead of hours (``dated_timetables``).

A recipe, not a schedule, is what is tried on days it has not seen: ``fit`` makes a schedule from
some of the days, so that the others can tell.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import ScheduledAction

from .calendars import BIN_SECONDS, Calendar, DayLoads
from .kinds import PolicyKind
from .levels import Stretch, few_levels, needed_instances

__all__ = ["DIP_MINUTES", "DayRecipe", "Timetable", "Timetables"]

_Floats = NDArray[np.float64]
_Days = NDArray[np.bool_]

_LEAST_DAYS: Final = 2
_WEEKEND: Final = 5
_DAY_MINUTES: Final = 1440
_BIN_MINUTES: Final = BIN_SECONDS // 60
DIP_MINUTES: Final = 30
"""A dip so much longer than a lead is worth two steps."""


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
            dip = int((self.lead_seconds / 60 + DIP_MINUTES) // _BIN_MINUTES)
            plans.append((kind, few_levels(needed, stretches=recipe.stretches, shortest_dip=dip)))
        levels = [part.level for _, parts in plans for part in parts]
        if min(levels) == max(levels):
            return None
        lasts = [parts[-1].level for _, parts in plans]
        actions = [action for kind, parts in plans for action in self._actions(kind, parts, lasts)]
        return Timetable(
            kind=PolicyKind(
                scheduled=tuple(
                    ScheduledAction(
                        name=f"{kind.name}-{minute // 60:02}{minute % 60:02}-{level}",
                        schedule=f"cron({minute % 60} {minute // 60} {days})",
                        timezone=self.calendar.named_zone,
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
