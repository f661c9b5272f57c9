"""
The searches of one plan: one for each load line that is considered.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from tonnage.domain import ConfigurationError, Objective, RateProfile
from tonnage.simulation import FleetModel

from .alternatives import with_alternatives
from .calendars import UNKNOWN_CALENDAR, Calendar
from .costs import CallShape
from .limits import Limits, check_capacity
from .lines import LoadLine
from .plans import Traffic
from .prices import PriceBook
from .search import search_policies
from .searched import Searched
from .space import SearchSpace
from .trials import FleetTrial

__all__ = ["Work", "search_all", "tick_seconds_of"]

_FINE_TICKS: Final = 100_000
_COARSEST_TICK_SECONDS: Final = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """
    What stays the same while one plan is made.

    Attributes:
        traffic: What is offered.
        objective: What had to be met.
        book: The prices.
        fleet: How instances behave; its line is not read.
        space: Where to look.
        calls: What one request is.
        limits: The account's quotas.
        tick_seconds: How finely traffic and queues are looked at.
        calendar: When the traffic begins; None where nobody has said.
        today: What tells a forecast from a recording.
    """

    traffic: RateProfile
    objective: Objective
    book: PriceBook
    fleet: FleetModel
    space: SearchSpace
    calls: CallShape
    limits: Limits
    tick_seconds: float
    calendar: Calendar | None
    today: date

    def trial(self, line: LoadLine) -> FleetTrial:
        """Return what tries policies on instances of one line."""
        return FleetTrial(
            traffic=self.traffic,
            fleet=replace(self.fleet, line_per_second=line.rate_per_second),
            tick_seconds=self.tick_seconds,
            starts_at_seconds=(self.calendar or UNKNOWN_CALENDAR).starts_at_seconds,
        )


def tick_seconds_of(traffic: RateProfile) -> float:
    """Return a second, or more where there would be very many; at most ten."""
    return float(min(_COARSEST_TICK_SECONDS, max(1.0, traffic.duration_seconds // _FINE_TICKS)))


def search_all(
    work: Work, known: Sequence[LoadLine], traffic: Traffic, refused: list[str]
) -> list[tuple[LoadLine, Searched]]:
    """Search once for each different load line: types that carry the same behave the same."""
    found: dict[tuple[float, bool], Searched] = {}
    searches = []
    for line in known:
        scales = True
        try:
            check_capacity(
                line.kind,
                min_capacity=work.space.min_capacity,
                max_capacity=work.space.max_capacity,
                scales=work.space.max_capacity > work.space.min_capacity,
                limits=work.limits,
            )
        except ConfigurationError as error:
            if not line.kind.burstable:
                raise
            refused.append(error.message)
            scales = False
        key = (line.rate_per_second, scales)
        if key not in found:
            found[key] = _searched(work, line, traffic, replace(work.space, scales=scales))
        searches.append((line, found[key]))
    return searches


def _searched(work: Work, line: LoadLine, traffic: Traffic, space: SearchSpace) -> Searched:
    """Return what is found for one line; what is beside target tracking for a measured one."""
    searched = search_policies(
        work.trial(line),
        line_per_second=line.rate_per_second,
        peak_per_second=traffic.peak_per_second,
        max_failed_fraction=work.objective.errors.max_fraction,
        space=space,
    )
    if line.is_assumed:
        return searched
    return with_alternatives(
        searched,
        work.trial(line),
        line_per_second=line.rate_per_second,
        space=space,
        calendar=work.calendar,
        today=work.today,
    )
