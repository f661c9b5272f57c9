"""
The state of a search beside the plain one: what was tried, what holds, what is worth its rule.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from .kinds import PolicyKind
from .policies import Policies
from .search import tried
from .searched import SAME_COST, Alternative, Searched, keeps_margin
from .space import SearchSpace
from .trials import FleetTrial

__all__ = ["WORTH", "AlternativeSearch", "stacked"]

WORTH: Final = 0.03
"""What an alternative must save of the plain choice's instance-hours to be worth its rule."""

_SHAPES: Final = 4
_CHECKED: Final = 3


@dataclass(kw_only=True, eq=False)
class AlternativeSearch:
    """
    Tries policies of other kinds and keeps what comes of it.

    Attributes:
        searched: All that was tried, the plain policies first.
        trial: What runs them.
        line_per_second: What one instance carries.
        space: Where to look.
    """

    searched: Searched
    trial: FleetTrial
    line_per_second: float
    space: SearchSpace

    @property
    def plain(self) -> int | None:
        """The plain row that was chosen."""
        return self.searched.chosen

    def attempt(self, policies: Policies) -> None:
        """Try policies and put them below what was tried."""
        if len(policies) == 0:
            return
        searched, space = self.searched, self.space
        plain = searched.chosen
        outcomes, raised = tried(
            self.trial,
            policies,
            allowed=searched.max_failed_fraction,
            space=space,
            cheapest_seconds=np.inf
            if plain is None
            else float(searched.outcomes.instance_seconds[plain]),
        )
        holds = keeps_margin(outcomes.failed_fraction, raised, searched.max_failed_fraction, space)
        self.searched = replace(
            searched,
            policies=searched.policies.joined(policies),
            outcomes=searched.outcomes.joined(outcomes),
            failed_with_margin=np.concatenate((searched.failed_with_margin, raised)),
            holds=np.concatenate((searched.holds, holds)),
        )

    def holding(self, first: int) -> Iterator[int]:
        """Yield the rows from ``first`` on that hold, one of a kind, the cheapest first."""
        searched = self.searched
        rows = first + np.flatnonzero(searched.holds[first:])
        cost = searched.outcomes.instance_seconds
        by_kind: dict[PolicyKind, int] = {}
        for row in rows[np.argsort(cost[rows], kind="stable")].tolist():
            kind = searched.policies.row(row).kind
            best = by_kind.setdefault(kind, row)
            # Of those that cost the same, what fails least on more traffic.
            if cost[row] <= cost[best] * (1 + SAME_COST):
                raised = searched.failed_with_margin
                by_kind[kind] = row if raised[row] < raised[best] else best
        yield from list(by_kind.values())[:_CHECKED]

    def take_best(self, first: int, what: str, said: str, assumed: str = "") -> None:
        """Take the best of the rows from ``first`` on, if it holds and is worth it."""
        for row in self.holding(first):
            if self.is_worth(row, said):
                self.add(Alternative(row=row, what=what, assumed=assumed))
            return

    def is_worth(self, row: int, said: str) -> bool:
        """Say whether a row saves enough, or is here to be compared with; say so if not."""
        plain = self.plain
        if plain is None or not self.searched.keeps_margin:
            return True
        seconds = self.searched.outcomes.instance_seconds
        saved = 1 - float(seconds[row] / seconds[plain])
        if 0 < saved < WORTH:
            self.leave_out(f"{said} would save {saved:.1%} of the instance-hours: left out.")
        return not 0 < saved < WORTH

    def is_cheaper(self, row: int) -> bool:
        """Say whether a row costs less than the plain choice."""
        seconds = self.searched.outcomes.instance_seconds
        return self.plain is None or bool(seconds[row] < seconds[self.plain])

    def add(self, alternative: Alternative) -> None:
        """Keep an alternative."""
        self.searched = replace(
            self.searched, alternatives=(*self.searched.alternatives, alternative)
        )

    def leave_out(self, sentence: str) -> None:
        """Keep why something was not considered further."""
        if sentence not in self.searched.left_out:
            self.searched = replace(self.searched, left_out=(*self.searched.left_out, sentence))

    def shaped(self, targets: Sequence[float], kind: PolicyKind) -> Policies:
        """Return the bounds of the cheapest plain policies with other targets, and one less."""
        searched = self.searched
        plain = np.flatnonzero(searched.policies.is_plain & searched.holds)
        scaling = searched.policies.max_capacity > searched.policies.min_capacity
        cheapest = plain[np.argsort(searched.outcomes.instance_seconds[plain], kind="stable")]
        rows = [int(row) for row in cheapest if scaling[row]] or [searched.nearest]
        shapes: dict[tuple[int, int], None] = {}
        for row in rows:
            low, high = (
                int(searched.policies.min_capacity[row]),
                int(searched.policies.max_capacity[row]),
            )
            shapes.setdefault((low, high))
            shapes.setdefault((max(self.space.min_capacity, low - 1), high))
            if len(shapes) >= _SHAPES:
                break
        tables = [
            Policies.grid(
                min_capacity=[low],
                max_capacity=[high],
                target_value=list(targets),
                cooldowns_seconds=self.space.cooldowns_seconds[-1:],
            )
            for low, high in shapes
            if high > low
        ]
        return stacked([Policies.columns([], [], [], [], []), *tables]).of_kind(kind)


def stacked(tables: Sequence[Policies]) -> Policies:
    """Return tables below each other."""
    result = tables[0]
    for table in tables[1:]:
        result = result.joined(table)
    return result
