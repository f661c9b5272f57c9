"""
When traffic comes, by the clock on the wall: what a schedule is written in.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import ConfigurationError, RateProfile
from tonnage.scaling import time_zone
from tonnage.simulation import tick_edges

__all__ = ["BINS_A_DAY", "BIN_SECONDS", "UNKNOWN_CALENDAR", "Calendar", "DayLoads"]

_Floats = NDArray[np.float64]
_Counts = NDArray[np.int64]

BIN_SECONDS: Final = 900
BINS_A_DAY: Final = 96
_MINUTE: Final = 60
_FIRST_MONDAY: Final = 4 * 86_400.0
_WHOLE: Final = 0.9


@dataclass(frozen=True, kw_only=True, slots=True)
class Calendar:
    """
    When traffic begins.

    Attributes:
        starts_at_seconds: In seconds since 1970 UTC.
        timezone: Whose hours its days go by, a name of the IANA database.
        is_known: Whether anybody has said so.
    """

    starts_at_seconds: float
    timezone: str = "UTC"
    is_known: bool = True

    @classmethod
    def parse(cls, text: str, timezone: str = "UTC") -> Self:
        """
        Return the calendar of traffic that begins at a local time such as ``2026-11-23T08:00``.

        Raises:
            ConfigurationError: If the text is no time, or the zone is none.
        """
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise ConfigurationError(
                f"{text!r} is not a date and time", hint="write 2026-11-23T08:00"
            ) from error
        zone = time_zone(timezone)
        local = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        return cls(starts_at_seconds=local.timestamp(), timezone=timezone)

    @property
    def zone(self) -> tzinfo:
        """The time zone itself."""
        return time_zone(self.timezone)

    @property
    def named_zone(self) -> str | None:
        """The time zone as settings name it: None for UTC, which is what they take without one."""
        return None if self.timezone == "UTC" else self.timezone

    def local(self, seconds: float) -> datetime:
        """Return the local time, so long after the traffic began."""
        return datetime.fromtimestamp(self.starts_at_seconds + seconds, self.zone)

    def is_ahead_of(self, today: date) -> bool:
        """Say whether the traffic is yet to come on a day: a forecast, not a recording."""
        return self.is_known and self.starts_at_seconds >= _midnight(today)


UNKNOWN_CALENDAR: Final = Calendar(starts_at_seconds=_FIRST_MONDAY, is_known=False)
"""Of a trace that does not say when it begins: a midnight, of a Monday, UTC."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DayLoads:
    """
    Traffic folded by the local day, in quarters of an hour.

    Attributes:
        peak_per_second: ``(days, 96) float64``, the busiest minute of each quarter; NaN where
            nothing is known.
        weekday: ``(days,) int64``, 0 for Monday.
        day_of_minute: ``(m,) int64``, which day each minute of the traffic belongs to.
    """

    peak_per_second: _Floats
    weekday: _Counts
    day_of_minute: _Counts

    @classmethod
    def of(cls, traffic: RateProfile, calendar: Calendar) -> Self:
        """Return a traffic's days."""
        edges = tick_edges(traffic.duration_seconds, _MINUTE)
        rate = np.diff(traffic.arrivals_by(edges)) / np.diff(edges)
        for start, end in traffic.gaps_seconds:
            rate[(edges[1:] > start) & (edges[:-1] < end)] = np.nan
        zone = calendar.zone
        moments = [
            datetime.fromtimestamp(calendar.starts_at_seconds + second, zone)
            for second in edges[:-1].tolist()
        ]
        ordinal = np.array([moment.toordinal() for moment in moments], dtype=np.int64)
        quarter = np.array(
            [(moment.hour * 60 + moment.minute) * _MINUTE // BIN_SECONDS for moment in moments]
        )
        day = ordinal - ordinal[0]
        peak = np.full((int(day[-1]) + 1, BINS_A_DAY), np.nan)
        np.fmax.at(peak, (day, quarter), rate)
        return cls(
            peak_per_second=peak,
            weekday=(ordinal[0] - 1 + np.arange(len(peak))) % 7,
            day_of_minute=day,
        )

    @property
    def whole(self) -> NDArray[np.bool_]:
        """Which days are known for the most part, ``(days,)``."""
        return np.asarray(np.isfinite(self.peak_per_second).mean(axis=1) >= _WHOLE)

    def envelope(self, days: NDArray[np.bool_]) -> _Floats:
        """Return ``(96,) float64``, the most of some days in each quarter; 0 where unknown."""
        most: _Floats = np.fmax.reduce(self.peak_per_second[days], axis=0)
        return np.where(np.isnan(most), 0.0, most)


def _midnight(day: date) -> float:
    return datetime.combine(day, time(), UTC).timestamp()
