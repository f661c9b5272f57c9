"""
AWS's cron expressions: six fields, minutes first, one of the two day fields a question mark.

The fields and wildcards are those of the EventBridge User Guide, "Cron expressions reference", to
which Application Auto Scaling's guide refers (``docs/decisions/0020`` says why they are read here
and what of them is a choice)::

    field          values            wildcards
    minutes        0-59              , - * /
    hours          0-23              , - * /
    day of month   1-31              , - * ? / L W
    month          1-12 or JAN-DEC   , - * /
    day of week    1-7 or SUN-SAT    , - * ? L #
    year           1970-2199         , - * /
"""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from tonnage.domain import ConfigurationError

__all__ = ["Cron", "parse_cron"]

_MONTHS: Final = (
    "JAN",
    "FEB",
    "MAR",
    "APR",
    "MAY",
    "JUN",
    "JUL",
    "AUG",
    "SEP",
    "OCT",
    "NOV",
    "DEC",
)
_WEEKDAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIRST_YEAR, _LAST_YEAR = 1970, 2199
_FIELDS: Final = 6
_SATURDAY, _SUNDAY = 5, 6  # as Python counts weekdays
_MOST_WEEKS: Final = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Cron:
    """
    When a cron expression runs.

    Attributes:
        minutes: Of each hour.
        hours: Of each day.
        days: The day-of-month field's items, such as ``1``, ``L``, ``15W``; empty for ``?``.
        months: 1 to 12.
        weekdays: The day-of-week field's items, such as ``2``, ``L``, ``6L``, ``3#2``; empty for
            ``?``; 1 is Sunday.
        years: From 1970 to 2199.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[str]
    months: frozenset[int]
    weekdays: frozenset[str]
    years: frozenset[int]

    def runs_on(self, day: date) -> bool:
        """Say whether it runs on a day."""
        if day.year not in self.years or day.month not in self.months:
            return False
        if self.days:
            return any(_is_day(item, day) for item in self.days)
        return any(_is_weekday(item, day) for item in self.weekdays)

    def moments(self, after_seconds: float, zone: tzinfo) -> Iterator[float]:
        """
        Yield the moments after one, in seconds since 1970 UTC, until the last year is over.

        A local time that a change of the clocks skips is no moment, one that comes twice is its
        first.
        """
        first = datetime.fromtimestamp(after_seconds, zone).date()
        times = [timedelta(hours=h, minutes=m) for h in self.hours for m in self.minutes]
        for ordinal in range(first.toordinal(), date(_LAST_YEAR, 12, 31).toordinal() + 1):
            day = date.fromordinal(ordinal)
            if not self.runs_on(day):
                continue
            midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 (local, no zone yet)
            moments = (_moment(midnight + time, zone) for time in sorted(times))
            yield from sorted(at for at in moments if at is not None and at > after_seconds)


def parse_cron(fields: str) -> Cron:
    """
    Return what stands between the brackets of ``cron(…)``.

    Raises:
        ConfigurationError: If it is no cron expression as AWS takes it.
    """
    parts = fields.upper().split()
    if len(parts) != _FIELDS:
        raise _fault(fields, f"it has {len(parts)} fields and not 6")
    minutes, hours, days, months, weekdays, years = parts
    if (days == "?") == (weekdays == "?"):
        raise _fault(fields, "one of day of month and day of week must be ?, and only one")
    try:
        return Cron(
            minutes=_numbers(minutes, 0, 59),
            hours=_numbers(hours, 0, 23),
            days=_days(days),
            months=_numbers(months, 1, 12, _MONTHS),
            weekdays=_weekdays(weekdays),
            years=_numbers(years, _FIRST_YEAR, _LAST_YEAR),
        )
    except ValueError as error:
        raise _fault(fields, str(error)) from error


def _fault(fields: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"cron({fields}) is no schedule: {why}",
        hint="write cron(minutes hours day-of-month month day-of-week year),"
        " such as cron(0 8 ? * MON-FRI *)",
    )


def _numbers(field: str, low: int, high: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    """Return the values of a field of ``,``, ``-``, ``*`` and ``/``."""
    values: set[int] = set()
    for item in field.split(","):
        span, slash, step = item.partition("/")
        if slash and not (step.isdecimal() and int(step) >= 1):
            raise ValueError(f"{item} has no step of 1 or more")
        if span == "*":
            first, last = low, high
        else:
            start, dash, end = span.partition("-")
            first = _number(start, low, high, names)
            last = _number(end, low, high, names) if dash else (high if slash else first)
        if last < first:
            raise ValueError(f"{span} ends before it begins")
        values.update(range(first, last + 1, int(step) if slash else 1))
    return frozenset(values)


def _number(text: str, low: int, high: int, names: tuple[str, ...]) -> int:
    if text in names:
        return names.index(text) + low
    if not (text.isdecimal() and text.isascii()) or not low <= int(text) <= high:
        allowed = f"{low} to {high}" + (f" or {names[0]} to {names[-1]}" if names else "")
        raise ValueError(f"{text or 'nothing'} is not {allowed}")
    return int(text)


def _days(field: str) -> frozenset[str]:
    if field == "?":
        return frozenset()
    items: set[str] = set()
    for item in field.split(","):
        if item == "L":
            items.add(item)
        elif item.endswith("W"):
            items.add(f"{_number(item[:-1], 1, 31, ())}W")
        else:
            items.update(map(str, _numbers(item, 1, 31)))
    return frozenset(items)


def _weekdays(field: str) -> frozenset[str]:
    if field == "?":
        return frozenset()
    if "#" in field:
        weekday, _, week = field.partition("#")
        return frozenset(
            {f"{_number(weekday, 1, 7, _WEEKDAYS)}#{_number(week, 1, _MOST_WEEKS, ())}"}
        )
    items: set[str] = set()
    for item in field.split(","):
        if item == "L":
            items.add("7")
        elif item.endswith("L"):
            items.add(f"{_number(item[:-1], 1, 7, _WEEKDAYS)}L")
        else:
            if "/" in item:
                raise ValueError("/ is for the other fields, not for day of week")
            items.update(map(str, _numbers(item, 1, 7, _WEEKDAYS)))
    return frozenset(items)


def _is_day(item: str, day: date) -> bool:
    length = calendar.monthrange(day.year, day.month)[1]
    if item == "L":
        return day.day == length
    if item.endswith("W"):
        return day.day == _nearest_working_day(day.replace(day=1), int(item[:-1]), length)
    return day.day == int(item)


def _nearest_working_day(first: date, wanted: int, length: int) -> int | None:
    """Return the day of Monday to Friday that is nearest, within the month; None if no such day."""
    if wanted > length:
        return None
    weekday = first.replace(day=wanted).weekday()
    if weekday == _SATURDAY:
        return wanted - 1 if wanted > 1 else wanted + 2
    if weekday == _SUNDAY:
        return wanted + 1 if wanted < length else wanted - 2
    return wanted


def _is_weekday(item: str, day: date) -> bool:
    number = str(day.isoweekday() % 7 + 1)
    if item.endswith("L"):
        length = calendar.monthrange(day.year, day.month)[1]
        return item[:-1] == number and day.day + 7 > length
    weekday, hash_sign, week = item.partition("#")
    return weekday == number and (not hash_sign or (day.day - 1) // 7 + 1 == int(week))


def _moment(local: datetime, zone: tzinfo) -> float | None:
    """Return when it is that local time, the first if it comes twice; None if it never comes."""
    moment = local.replace(tzinfo=zone).timestamp()
    is_real = datetime.fromtimestamp(moment, zone).replace(tzinfo=None, fold=0) == local
    return moment if is_real else None
