"""
How the in-service counts of all policies change, as far as their datapoints still depend on it.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["Changes"]

_Floats = NDArray[np.float64]
_Counts = NDArray[np.int64]
_Indices = NDArray[np.intp]


@dataclass(slots=True, eq=False)
class Changes:
    """
    Each policy's latest changes, sorted by time and padded with inf.

    Attributes:
        first: ``(n,) int64``, in service before the first of them.
        at: ``(n, m) float64``, when each comes.
        arrivals: ``(n, m) float64``, arrivals by then.
        counts: ``(n, m) int64``, in service after it.
    """

    first: _Counts
    at: _Floats
    arrivals: _Floats
    counts: _Counts

    @classmethod
    def none(cls, first: _Counts) -> Self:
        """Return no changes yet."""
        never = np.full((len(first), 1), np.inf)
        return cls(first.copy(), never, never.copy(), first[:, np.newaxis].copy())

    def per_instance(self, policies: _Indices, low: _Floats, high: _Floats) -> _Floats:
        """
        Return the sum of 1 ÷ in service over the arrivals of some periods.

        Args:
            policies: ``(a,)``, whose counts.
            low: ``(a, b) float64``, arrivals by the start of each period.
            high: ``(a, b) float64``, arrivals by its end.
        """
        total, left = np.zeros(low.shape), low
        count = self.first[policies, np.newaxis]
        for step in range(self.at.shape[1]):
            until = np.clip(self.arrivals[policies, step, np.newaxis], low, high)
            total += (until - left) / count
            left, count = until, self.counts[policies, step, np.newaxis]
        total += (high - left) / count
        return total

    def replace(
        self, rows: _Indices, at: _Floats, arrivals: _Floats, counts: _Counts, *, since: _Floats
    ) -> None:
        """Put new changes in the place of some policies' old ones up to ``since``."""
        is_past = self.at[rows] <= since[:, np.newaxis]
        past = is_past.sum(axis=1)
        last = self.counts[rows, np.maximum(past - 1, 0)]
        self.first[rows] = np.where(past > 0, last, self.first[rows])
        times = np.concatenate((np.where(is_past, np.inf, self.at[rows]), at), axis=1)
        order = np.argsort(times, axis=1, kind="stable")
        width = max(1, int(np.isfinite(times).sum(axis=1).max(initial=0)))
        merged = [
            np.take_along_axis(columns, order, axis=1)[:, :width]
            for columns in (
                times,
                np.concatenate((np.where(is_past, np.inf, self.arrivals[rows]), arrivals), axis=1),
                np.concatenate((self.counts[rows], counts), axis=1),
            )
        ]
        self._fit(width)
        self.at[rows] = np.inf
        self.arrivals[rows] = np.inf
        self.at[rows, :width], self.arrivals[rows, :width], self.counts[rows, :width] = merged

    def _fit(self, width: int) -> None:
        missing = width - self.at.shape[1]
        if missing > 0:
            pad = ((0, 0), (0, missing))
            self.at = np.pad(self.at, pad, constant_values=np.inf)
            self.arrivals = np.pad(self.arrivals, pad, constant_values=np.inf)
            self.counts = np.pad(self.counts, pad, constant_values=1)
