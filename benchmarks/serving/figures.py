"""
Numbers derived from a record's samples; every one of them can be derived again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

Record = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """Which samples: those of one server under one load."""

    phase: str
    server: str
    case: str
    connections: int = 64
    workers: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """A median with the lowest and the highest, and how many there were."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: list[float]) -> "Spread | None":
        """Return the spread of values, None without any."""
        if not values:
            return None
        return cls(median=median(values), low=min(values), high=max(values), count=len(values))


def kept(record: Record, cell: Cell) -> dict[int, Record]:
    """Return a cell's sample of each round, without the dropped ones."""
    return {
        sample["round"]: sample
        for sample in record["samples"]
        if not sample["dropped"]
        and (sample["phase"], sample["server"], sample["case"])
        == (cell.phase, cell.server, cell.case)
        and (sample["connections"], sample["workers"]) == (cell.connections, cell.workers)
    }


def spread(record: Record, cell: Cell, name: str) -> Spread | None:
    """Return the spread over the rounds of one measured value."""
    return Spread.of([sample[name] for sample in kept(record, cell).values()])


def ratio(record: Record, above: Cell, below: Cell) -> Spread | None:
    """Return throughput over throughput, round by round: what both rounds shared cancels."""
    tops, bottoms = kept(record, above), kept(record, below)
    return Spread.of(
        [
            tops[number]["requests_per_second"] / bottoms[number]["requests_per_second"]
            for number in sorted(tops.keys() & bottoms.keys())
        ]
    )


def cost_ratio(record: Record, above: Cell, below: Cell) -> float | None:
    """Return how many times less processor time of its server a request takes than another's."""
    ours = spread(record, above, "server_us_per_request")
    theirs = spread(record, below, "server_us_per_request")
    return theirs.median / ours.median if ours and theirs and ours.median else None


def start(record: Record, phase: str, server: str, workers: int = 1) -> Record | None:
    """Return how a server started in a phase."""
    for one in record["starts"]:
        if (one["phase"], one["server"], one["workers"]) == (phase, server, workers):
            found: Record = one
            return found
    return None


def ready_ratio(record: Record) -> Spread | None:
    """Return time to ready over the time of the bare imports, repetition by repetition."""
    return Spread.of([row["tonnage_seconds"] / row["imports_seconds"] for row in record["ready"]])


def first_worker_mib(record: Record) -> float | None:
    """Return the resident memory of the only worker after load."""
    one = start(record, "linear", "tonnage")
    workers = one["processes_after_load"][1:] if one else []
    return max((process["resident_mib"] for process in workers), default=None)


def further_worker_mib(record: Record) -> float | None:
    """Return the most that one of two workers has of its own after load."""
    two = start(record, "linear-two", "tonnage", workers=2)
    workers = two["processes_after_load"][1:] if two else []
    return max((process["own_mib"] for process in workers), default=None)
