"""
What was tried, made into options with a price.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tonnage.domain import ConfigurationError, Objective, RateProfile

from .costs import CallShape, Front, MonthlyCost, Usage, monthly_cost
from .limits import SERVERLESS_MEMORY_MB, Limits, check_serverless
from .lines import LoadLine
from .options import Option
from .plans import Traffic
from .policies import Policies, PolicySettings
from .prices import PriceBook
from .searched import Searched, Trial
from .serverless import ServerlessAssumptions, ServerlessSettings, try_serverless
from .space import SearchSpace

__all__ = ["OptionMaker"]

_RUNNERS_UP: Final = 3
_CONCURRENCIES: Final = (5, 10, 20, 50, 100, 200)


@dataclass(frozen=True, kw_only=True, slots=True)
class OptionMaker:
    """
    Prices what was tried.

    Attributes:
        traffic: What it was tried on.
        objective: What it had to meet.
        book: The prices.
        calls: What one request is.
        fronts: What may stand before it; the cheapest is taken.
        failed_share: How much of the allowed failures one that keeps the margin may use up.
    """

    traffic: Traffic
    objective: Objective
    book: PriceBook
    calls: CallShape
    fronts: Sequence[Front]
    failed_share: float

    def from_search(self, line: LoadLine, searched: Searched) -> list[Option]:
        """Return what a search chose, and the best of other kinds."""
        chosen = [] if searched.chosen is None else [self.at(line, searched, searched.chosen, "")]
        return [*chosen, *self.alternatives(line, searched)]

    def at(self, line: LoadLine, searched: Searched, row: int, what: str) -> Option:
        """Return one row of a search."""
        policy = searched.policies.row(row)
        raised = float(searched.failed_with_margin[row])
        outcomes = searched.outcomes
        return self._instances(
            line,
            policy,
            what or ("scaled" if policy.scales else "fixed"),
            offered=float(outcomes.offered[row]),
            failed=float(outcomes.failed[row]),
            raised=None if np.isnan(raised) else raised,
            instance_seconds=float(outcomes.instance_seconds[row]),
        )

    def of_policy(
        self, line: LoadLine, policy: PolicySettings, trial: Trial, what: str, margin: float
    ) -> Option:
        """Return one policy, tried now."""
        table = Policies.of([policy])
        outcomes = trial(table)
        return self._instances(
            line,
            policy,
            what,
            offered=float(outcomes.offered[0]),
            failed=float(outcomes.failed[0]),
            raised=float(trial(table, raised_by=margin).failed_fraction[0]),
            instance_seconds=float(outcomes.instance_seconds[0]),
        )

    def alternatives(self, line: LoadLine, searched: Searched) -> list[Option]:
        """Return the best policies of other kinds, on a measured line."""
        if line.is_assumed:
            return []
        return [
            replace(
                self.at(line, searched, each.row, each.what),
                assumed=each.assumed,
                held_out_failed_fraction=each.held_out_failed_fraction,
            )
            for each in searched.alternatives
        ]

    def runners_up(self, line: LoadLine, searched: Searched) -> list[Option]:
        """Return the cheapest fixed fleet that holds, and the next best of other bounds."""
        holding = np.flatnonzero(searched.holds & searched.policies.is_plain)
        order = holding[np.argsort(searched.outcomes.instance_seconds[holding], kind="stable")]
        shapes: dict[tuple[int, int], int] = {}
        for row in order:
            policy = searched.policies.row(int(row))
            shapes.setdefault((policy.min_capacity, policy.max_capacity), int(row))
        if searched.chosen is not None:
            taken = searched.policies.row(searched.chosen)
            shapes.pop((taken.min_capacity, taken.max_capacity), None)
        fixed = next((row for (low, high), row in shapes.items() if low == high), None)
        rows = list(shapes.values())[:_RUNNERS_UP]
        if fixed is not None and fixed not in rows:
            rows.append(fixed)
        return [self.at(line, searched, row, "") for row in rows]

    def other_fronts(self, best: Option) -> list[Option]:
        """Return the best with each of the other fronts."""
        usage = self._usage_of(best)
        return [
            replace(best, what=f"front {front}", front=front, cost=self._cost(usage, front))
            for front in self.fronts
            if front is not best.front
        ]

    def serverless(
        self,
        traffic: RateProfile,
        line: LoadLine,
        limits: Limits,
        assumed: ServerlessAssumptions,
        refused: list[str],
        space: SearchSpace,
    ) -> Iterator[Option]:
        """Return, for each memory size, the least concurrency that holds with the margin."""
        for memory_mb in SERVERLESS_MEMORY_MB:
            last: Option | None = None
            for concurrency in _CONCURRENCIES:
                try:
                    check_serverless(memory_mb, concurrency, self.calls, limits)
                except ConfigurationError as error:
                    refused.append(f"serverless {memory_mb} MB: {error.message}")
                    break
                last = self._serverless(
                    traffic,
                    line,
                    ServerlessSettings(memory_mb=memory_mb, max_concurrency=concurrency),
                    assumed,
                    space,
                )
                if last.meets and last.keeps_margin:
                    break
            if last is not None:
                yield last

    def _serverless(
        self,
        traffic: RateProfile,
        line: LoadLine,
        settings: ServerlessSettings,
        assumed: ServerlessAssumptions,
        space: SearchSpace,
    ) -> Option:
        came = try_serverless(traffic, line, settings, assumed)
        slow_allowed = 1 - self.objective.latency.percentile
        meets = self._allows(came.failed_fraction) and came.cold_fraction < slow_allowed
        raised = (
            try_serverless(traffic, line, settings, assumed, raised_by=space.margin)
            if meets
            else None
        )
        usage = Usage(
            duration_seconds=self.traffic.duration_seconds,
            offered=came.offered,
            served=came.offered - came.failed,
            serverless_memory_mb=settings.memory_mb,
            serverless_seconds=came.billed_seconds,
        )
        front, cost = self._cheapest(usage)
        return Option(
            what="serverless",
            line=line,
            policy=None,
            serverless=settings,
            front=front,
            offered=came.offered,
            failed=came.failed,
            failed_fraction_with_margin=None if raised is None else raised.failed_fraction,
            slow_fraction=came.cold_fraction,
            instance_seconds=0.0,
            serverless_seconds=came.billed_seconds,
            cost=cost,
            is_vouched=space.allow_serverless,
            meets=meets,
            keeps_margin=raised is not None
            and self._allows(raised.failed_fraction)
            and self._spares(came.failed_fraction),
        )

    def _instances(
        self,
        line: LoadLine,
        policy: PolicySettings,
        what: str,
        *,
        offered: float,
        failed: float,
        raised: float | None,
        instance_seconds: float,
    ) -> Option:
        usage = Usage(
            duration_seconds=self.traffic.duration_seconds,
            offered=offered,
            served=offered - failed,
            instance_type=line.kind,
            instance_seconds=instance_seconds,
        )
        front, cost = self._cheapest(usage)
        return Option(
            what=what,
            line=line,
            policy=policy,
            serverless=None,
            front=front,
            offered=offered,
            failed=failed,
            failed_fraction_with_margin=raised,
            slow_fraction=0.0,
            instance_seconds=instance_seconds,
            cost=cost,
            meets=self._allows(failed / offered if offered else 0.0),
            keeps_margin=raised is not None
            and self._allows(raised)
            and self._spares(failed / offered if offered else 0.0),
        )

    def _allows(self, failed_fraction: float) -> bool:
        return failed_fraction < self.objective.errors.max_fraction

    def _spares(self, failed_fraction: float) -> bool:
        return failed_fraction < self.objective.errors.max_fraction * self.failed_share

    def _cheapest(self, usage: Usage) -> tuple[Front, MonthlyCost]:
        priced = [(front, self._cost(usage, front)) for front in self.fronts]
        return min(priced, key=lambda pair: pair[1].total)

    def _cost(self, usage: Usage, front: Front) -> MonthlyCost:
        return monthly_cost(usage, front, self.book, self.calls)

    def _usage_of(self, option: Option) -> Usage:
        return Usage(
            duration_seconds=self.traffic.duration_seconds,
            offered=option.offered,
            served=option.offered - option.failed,
            instance_type=None if option.serverless else option.line.kind,
            instance_seconds=option.instance_seconds,
            serverless_memory_mb=option.serverless.memory_mb if option.serverless else None,
            serverless_seconds=option.serverless_seconds,
        )
