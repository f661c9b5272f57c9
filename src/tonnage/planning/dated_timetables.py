"""
Schedules with dates, for traffic that comes once and is known beforehand.
"""

from datetime import timedelta
from typing import Final

import numpy as np

from tonnage.domain import RateProfile, ScheduledAction
from tonnage.simulation import tick_edges

from .calendars import Calendar
from .kinds import PolicyKind
from .levels import few_levels, needed_instances
from .timetables import DIP_MINUTES, Timetable

__all__ = ["dated_timetable"]

_BIN_SECONDS: Final = 300.0
_EARLY_BINS: Final = 2
"""What comes once may come ten minutes early, or late."""


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
    edges = tick_edges(end, _BIN_SECONDS)
    fine = np.linspace(edges[:-1], edges[1:], 31, axis=1)
    rate = (np.diff(traffic.arrivals_by(fine), axis=1) / np.diff(fine, axis=1)).max(axis=1)
    needed = needed_instances(
        rate * (1 + raised_by), line_per_second, least=bounds[0], most=bounds[1]
    )
    around = np.pad(needed, _EARLY_BINS, mode="edge")
    needed = np.lib.stride_tricks.sliding_window_view(around, 2 * _EARLY_BINS + 1).max(axis=1)
    dip = int((lead_seconds + DIP_MINUTES * 60) // _BIN_SECONDS)
    parts = few_levels(needed, stretches=stretches, shortest_dip=dip)
    levels = [part.level for part in parts]
    if min(levels) == max(levels):
        return None
    actions = []
    level = min(levels)
    for part in parts:
        if part.level != level:
            early = lead_seconds if part.level > level else 0.0
            at = calendar.local(float(edges[part.start]) - early).replace(microsecond=0)
            at -= timedelta(seconds=at.second)
            actions.append(
                ScheduledAction(
                    name=f"once-{at:%Y%m%d-%H%M}-{part.level}",
                    schedule=f"at({at:%Y-%m-%dT%H:%M:%S})",
                    timezone=calendar.named_zone,
                    min_capacity=part.level,
                )
            )
            level = part.level
    if level > min(levels):
        over = calendar.local(end).replace(second=0, microsecond=0) + timedelta(minutes=1)
        actions.append(
            ScheduledAction(
                name=f"once-{over:%Y%m%d-%H%M}-{min(levels)}",
                schedule=f"at({over:%Y-%m-%dT%H:%M:%S})",
                timezone=calendar.named_zone,
                min_capacity=min(levels),
            )
        )
    return Timetable(
        kind=PolicyKind(scheduled=tuple(actions)), lowest=min(levels), highest=max(levels)
    )
