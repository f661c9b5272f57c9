"""
The goals, and what a record says of each.
"""

from dataclasses import dataclass

from figures import (
    Cell,
    Record,
    Spread,
    cost_ratio,
    first_worker_mib,
    further_worker_mib,
    ratio,
    ready_ratio,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Goal:
    """
    One goal and what was seen.

    Attributes:
        what: The goal in words.
        bound: The number to reach.
        is_most: Whether the bound is the most it may be, or else the least.
        seen: What was seen; None when the run did not measure it.
        by_cost: The same ratio by processor time a request, which a busy machine moves less.
    """

    what: str
    bound: float
    is_most: bool = False
    seen: Spread | None
    by_cost: float | None = None

    @property
    def verdict(self) -> str:
        """Whether the median reaches the bound, in a word."""
        if self.seen is None:
            return "not measured"
        met = self.seen.median <= self.bound if self.is_most else self.seen.median >= self.bound
        return "met" if met else "**missed**"


def goals(record: Record) -> list[Goal]:
    """Return every goal with what the record says of it."""

    def throughput(what: str, bound: float, above: Cell, below: Cell) -> Goal:
        seen = ratio(record, above, below)
        # One server beside itself costs the same for each request.
        by_cost = None if above.server == below.server else cost_ratio(record, above, below)
        return Goal(what=what, bound=bound, seen=seen, by_cost=by_cost)

    def one(name: str) -> Cell:
        return Cell(phase="linear", server=name, case="linear")

    def two(name: str) -> Cell:
        return Cell(phase="linear-two", server=name, case="linear", workers=2)

    def forest(name: str) -> Cell:
        return Cell(phase="forest", server=name, case="forest-1")

    def slow(workers: int) -> Cell:
        return Cell(phase="slow", server="tonnage", case="slow", workers=workers)

    return [
        throughput("compiled ÷ nginx", 0.4, one("tonnage"), one("nginx")),
        throughput("compiled ÷ toolkit", 60, one("tonnage"), one("toolkit")),
        throughput("compiled ÷ FastAPI", 15, one("tonnage"), one("fastapi")),
        throughput("plain scikit-learn ÷ toolkit", 40, one("tonnage-sklearn"), one("toolkit")),
        throughput("plain scikit-learn ÷ FastAPI", 10, one("tonnage-sklearn"), one("fastapi")),
        throughput("two workers: compiled ÷ toolkit", 25, two("tonnage"), two("toolkit")),
        throughput(
            "forest, one row: compiled ÷ FastAPI", 100, forest("tonnage"), forest("fastapi")
        ),
        throughput("1 ms a row: two workers ÷ one", 1.7, slow(2), slow(1)),
        Goal(what="ready ÷ bare imports", bound=1.5, is_most=True, seen=ready_ratio(record)),
        _mib("first worker, MiB resident", 110, first_worker_mib(record)),
        _mib("each of two workers, MiB of its own", 15, further_worker_mib(record)),
    ]


def _mib(what: str, bound: float, seen: float | None) -> Goal:
    return Goal(what=what, bound=bound, is_most=True, seen=Spread.of([seen] if seen else []))
