"""
Blocks: the stretches of load that are compared, and one number a metric from each.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import RecordError, Samples, percentile

__all__ = ["METRICS", "PERCENTILES_COMPARED", "Blocks", "Window", "block_values", "even_blocks"]

Floats = NDArray[np.float64]
Window = tuple[float, float]
"""A block's window: from, to, in seconds since the run began."""

PERCENTILES_COMPARED: Final = {"p50": 0.5, "p99": 0.99}
METRICS: Final = (*PERCENTILES_COMPARED, "errors", "throughput")
"""What is compared of two loads."""

_BY_UNIT: Final = ("p50",)
_BY_BLOCK: Final = ("p99", "errors", "throughput")

BLOCK_REQUESTS: Final = 500
"""So many make a 99th percentile that is not just the largest value."""

LEAST_BLOCKS: Final = 16
"""With fewer, ranks could not tell a difference as surely as is asked for, or only a huge one."""

EVEN_BLOCKS: Final = 16
"""Into so many stretches a record is cut when its pairs were not made by a coin."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Blocks:
    """
    The windows of one side of an interleaved run, unit by unit.

    Attributes:
        run: What the records of both sides have in common, and no others.
        side: ``base`` or ``head``.
        units: For each unit (a coin's toss) the side's windows in it, in seconds since the run
            began.
    """

    run: str
    side: str
    units: Sequence[Sequence[Window]]

    def shown(self) -> dict[str, Any]:
        """Return it as plain JSON values, for a record's settings."""
        return {
            "run": self.run,
            "side": self.side,
            "units": [[list(window) for window in unit] for unit in self.units],
        }

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self | None:
        """
        Read what ``shown`` wrote into a record's settings; None where there is nothing.

        Raises:
            RecordError: If it is damaged.
        """
        shown = settings.get("comparison")
        if shown is None:
            return None
        try:
            units = [[(float(a), float(b)) for a, b in unit] for unit in shown["units"]]
            return cls(run=str(shown["run"]), side=str(shown["side"]), units=units)
        except (KeyError, TypeError, ValueError) as error:
            raise RecordError(f"the blocks of a comparison are damaged: {error}") from error


def even_blocks(duration_seconds: float) -> list[list[Window]]:
    """Return a record's duration cut into even stretches, one window a unit."""
    edges = np.linspace(0.0, max(duration_seconds, 1e-9), EVEN_BLOCKS + 1).tolist()
    return [[window] for window in itertools.pairwise(edges)]


def block_values(samples: Samples, units: Sequence[Sequence[Window]]) -> dict[str, Floats]:
    """
    Return one number a block of each metric, NaN without data.

    The median has a block for each unit. What is rare, the 99th percentile and errors, needs more
    requests in a block, so several units are taken together, as long as enough blocks are left;
    a run of units whose coins were all tossed the other way would have been as likely.

    Latencies and throughput are logarithms, so that their differences are ratios. Latency is of
    the answered requests, from the intended send; errors are requests without a 2xx answer ÷
    requests; throughput is answers ÷ the windows' length.
    """
    order = np.argsort(samples.intended_seconds, kind="stable")
    moments = samples.intended_seconds[order]
    parts = [
        [slice(*np.searchsorted(moments, window).tolist()) for window in unit] for unit in units
    ]
    lengths = [sum(end - start for start, end in unit) for unit in units]
    columns = (samples.latency_seconds[order], samples.status[order], samples.failed[order])
    found: dict[str, list[float]] = {name: [] for name in METRICS}
    for group, names in _groups(parts):
        slices = [part for unit in group for part in parts[unit]]
        latency, status, failed = (np.concatenate([c[s] for s in slices]) for c in columns)
        seconds = sum(lengths[unit] for unit in group)
        values = _values(latency, status, failed, seconds)
        for name in names:
            found[name].append(values[name])
    return {name: np.array(values) for name, values in found.items()}


def _groups(parts: Sequence[Sequence[slice]]) -> Iterator[tuple[Sequence[int], Sequence[str]]]:
    """Give the units of each block, and the metrics it is a block of."""
    units = range(len(parts))
    for unit in units:
        yield [unit], _BY_UNIT
    if not parts:
        return
    requests = np.array([sum(part.stop - part.start for part in unit) for unit in parts])
    wanted = math.ceil(BLOCK_REQUESTS / max(1.0, float(np.median(requests))))
    count = max(min(LEAST_BLOCKS, len(parts)), len(parts) // wanted)
    for group in np.array_split(np.arange(len(parts)), count):
        yield group.tolist(), _BY_BLOCK


def _values(
    latency: Floats, status: NDArray[np.uint16], failed: NDArray[np.bool_], seconds: float
) -> dict[str, float]:
    answered = status > 0
    count = int(answered.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        values = {
            name: float(np.log(percentile(latency[answered], fraction)))
            for name, fraction in PERCENTILES_COMPARED.items()
        }
    values["errors"] = float(failed.mean()) if len(failed) else float("nan")
    values["throughput"] = float(np.log(count / seconds)) if count else float("nan")
    return values
