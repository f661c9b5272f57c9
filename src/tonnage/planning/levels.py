"""
The least instances over a day, in few steps.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["Stretch", "few_levels", "needed_instances"]

_Floats = NDArray[np.float64]
_Counts = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """
    Bins in a row with one level.

    Attributes:
        start: The first bin.
        end: The first that is not in it.
        level: Instances.
    """

    start: int
    end: int
    level: int

    @property
    def bins(self) -> int:
        """How many."""
        return self.end - self.start


def needed_instances(
    rate_per_second: _Floats, line_per_second: float, *, least: int, most: int
) -> _Counts:
    """Return how many instances carry each rate, within bounds."""
    needed = np.ceil(rate_per_second / line_per_second * (1 - 1e-9))
    return np.clip(needed, least, most).astype(np.int64)


def few_levels(needed: _Counts, *, stretches: int, shortest_dip: int) -> list[Stretch]:
    """
    Return levels that are never below what is needed, in so many stretches at most.

    Neighbours are joined at the higher level, those first that cost the fewest instance-bins.

    Args:
        needed: ``(bins,) int64``.
        stretches: How many are left.
        shortest_dip: A dip of no more bins is filled in any case: it ends before what comes
            after it could be ordered.
    """
    edges = [0, *(np.flatnonzero(np.diff(needed)) + 1).tolist(), len(needed)]
    parts = [
        Stretch(start=start, end=end, level=int(needed[start])) for start, end in pairwise(edges)
    ]
    while (at := _dip(parts, shortest_dip)) is not None:
        lower = min(parts[at - 1].level, parts[at + 1].level)
        parts[at] = Stretch(start=parts[at].start, end=parts[at].end, level=lower)
        parts = _joined_alike(parts)
    while len(parts) > stretches:
        prices = [
            abs(left.level - right.level) * (left if left.level < right.level else right).bins
            for left, right in pairwise(parts)
        ]
        at = int(np.argmin(prices))
        parts[at : at + 2] = [_joined(parts[at], parts[at + 1])]
        parts = _joined_alike(parts)
    return parts


def _dip(parts: list[Stretch], shortest: int) -> int | None:
    for at in range(1, len(parts) - 1):
        before, here, after = parts[at - 1 : at + 2]
        if here.level < min(before.level, after.level) and here.bins <= shortest:
            return at
    return None


def _joined(left: Stretch, right: Stretch) -> Stretch:
    return Stretch(start=left.start, end=right.end, level=max(left.level, right.level))


def _joined_alike(parts: list[Stretch]) -> list[Stretch]:
    done: list[Stretch] = []
    for part in parts:
        if done and done[-1].level == part.level:
            done[-1] = _joined(done[-1], part)
        else:
            done.append(part)
    return done
