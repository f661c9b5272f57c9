r"""
Paired differences without a model of their noise.

The estimate is Hodges and Lehmann's: the median of all pairwise means (Walsh averages) of the
differences :math:`d_1 \dots d_n`. Its interval are two of those averages, counted in from both ends
by the distribution of Wilcoxon's signed-rank statistic :math:`T = \sum_i i \cdot s_i`, where each
:math:`s_i` is 0 or 1 with probability one half. That distribution is exact when a coin decided
which of the two came first in each pair: whatever the machine did, it did to either with equal
chance, so nothing has to be assumed of the noise, neither its shape nor its memory.

Ties and zeros only make the interval wider. One wild pair in ten moves it little.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["PairedDifference", "least_pairs", "paired_difference"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PairedDifference:
    """
    What some pairs say of a difference.

    Attributes:
        walsh: The pairwise means, ascending.
        pairs: How many pairs there were.
    """

    walsh: Floats
    pairs: int

    @property
    def estimate(self) -> float:
        """The difference, as Hodges and Lehmann estimate it; NaN without pairs."""
        return float(np.median(self.walsh)) if self.pairs else float("nan")

    def interval(self, level: float) -> tuple[float, float]:
        """Return where the difference lies with probability ``level``; endless with few pairs."""
        left_out = _left_out(self.pairs, (1 - level) / 2)
        if left_out < 0:
            return -np.inf, np.inf
        return float(self.walsh[left_out]), float(self.walsh[len(self.walsh) - 1 - left_out])


def paired_difference(differences: Floats) -> PairedDifference:
    """Return what ``(n,)`` paired differences say; those that are not finite are left out."""
    known = differences[np.isfinite(differences)]
    first, second = np.triu_indices(len(known))
    return PairedDifference(walsh=np.sort((known[first] + known[second]) / 2), pairs=len(known))


def least_pairs(level: float) -> int:
    """Return how many pairs it takes for an interval of this level to have ends."""
    pairs = 1
    while _left_out(pairs, (1 - level) / 2) < 0:
        pairs += 1
    return pairs


@cache
def _left_out(pairs: int, tail: float) -> int:
    """Return how many Walsh averages to leave out at each end: the k with P(T <= k) <= tail."""
    probability = np.ones(1)
    for rank in range(1, pairs + 1):
        padded = np.zeros(len(probability) + rank)
        padded[: len(probability)] += probability / 2
        padded[rank:] += probability / 2
        probability = padded
    # P(T <= k) must not exceed the tail: T <= k is what lies below the k-th average counted from 0.
    return int(np.searchsorted(np.cumsum(probability), tail * (1 + 1e-12), side="right")) - 1
