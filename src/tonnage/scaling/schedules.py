"""
Schedules: AWS's expressions of when something is to happen.

Here and in ``scheduled_actions`` alone times are of the calendar: seconds since 1970 UTC. A caller
whose clock runs otherwise maps the moments onto it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from tonnage.domain import ConfigurationError

from .cron import Cron, parse_cron

__all__ = ["Schedule", "time_zone"]

_UNITS: Final = {"minute": 60, "hour": 3600, "day": 86_400}
_FORM = re.compile(r"(at|rate|cron)\((.*)\)", re.DOTALL)
_AT = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})T(\d{1,2}):(\d{2}):(\d{2})")
_RATE = re.compile(r"([1-9]\d{0,8})\s+(minute|hour|day)s?")
_UTC_NAMES: Final = frozenset({"UTC", "Etc/UTC", "GMT", "Etc/GMT", "Z"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """
    When something is to happen: once, at an interval, or as a calendar says.

    Attributes:
        expression: As AWS writes it: ``at(…)``, ``rate(…)`` or ``cron(…)``.
        timezone: The time zone of ``at`` and ``cron``, a name of the IANA database.
        once_at_seconds: Of ``at``, in seconds since 1970 UTC.
        interval_seconds: Of ``rate``.
        cron: Of ``cron``.
        zone: The time zone itself.
    """

    expression: str
    timezone: str
    zone: tzinfo
    once_at_seconds: float | None = None
    interval_seconds: float | None = None
    cron: Cron | None = None

    @classmethod
    def parse(cls, expression: str, timezone: str = "UTC") -> Self:
        """
        Return the schedule of an expression.

        Raises:
            ConfigurationError: If the expression or the time zone is not one that AWS knows.
        """
        zone = time_zone(timezone)
        form = _FORM.fullmatch(expression.strip())
        kind, inner = (form[1], form[2].strip()) if form else ("", "")
        if kind == "cron":
            return cls(expression=expression, timezone=timezone, zone=zone, cron=parse_cron(inner))
        if kind == "at" and (once := _once(inner, zone)) is not None:
            return cls(expression=expression, timezone=timezone, zone=zone, once_at_seconds=once)
        if kind == "rate" and (rate := _RATE.fullmatch(inner)):
            interval = float(int(rate[1]) * _UNITS[rate[2]])
            return cls(
                expression=expression, timezone=timezone, zone=zone, interval_seconds=interval
            )
        raise ConfigurationError(
            f"{expression!r} is no schedule",
            hint="write at(yyyy-mm-ddThh:mm:ss), rate(5 minutes) or cron(0 8 ? * MON-FRI *)",
        )

    def moments(self, after_seconds: float, anchor_seconds: float) -> Iterator[float]:
        """
        Yield the moments after one, without an end but for ``at``.

        Args:
            after_seconds: Only later ones.
            anchor_seconds: What intervals are counted from.
        """
        if self.once_at_seconds is not None:
            if self.once_at_seconds > after_seconds:
                yield self.once_at_seconds
        elif self.interval_seconds is not None:
            done = np.floor((after_seconds - anchor_seconds) / self.interval_seconds)
            count = max(0, int(done)) + 1
            while True:
                yield anchor_seconds + count * self.interval_seconds
                count += 1
        elif self.cron is not None:
            yield from self.cron.moments(after_seconds, self.zone)


def time_zone(name: str) -> tzinfo:
    """
    Return a time zone by its name in the IANA database.

    Raises:
        ConfigurationError: If there is none of this name.
    """
    if name in _UTC_NAMES:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigurationError(
            f"{name!r} is no time zone", hint="give a name such as UTC or Europe/Berlin"
        ) from error


def _once(text: str, zone: tzinfo) -> float | None:
    form = _AT.fullmatch(text)
    if form is None:
        return None
    year, month, day, hour, minute, second = map(int, form.groups())
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=zone).timestamp()
    except (ValueError, OverflowError):
        return None
