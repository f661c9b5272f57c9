"""
Instance counts over time, as stretches in which they are constant.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Stretches"]

_Floats = NDArray[np.float64]
_Counts = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Stretches:
    """
    Each policy's counts, one row a stretch, in the order of policies and of time.

    Attributes:
        policy: ``(s,) int64``.
        start_seconds: ``(s,) float64``.
        end_seconds: ``(s,) float64``.
        count: ``(s,) int64``.
    """

    policy: _Counts
    start_seconds: _Floats
    end_seconds: _Floats
    count: _Counts

    @classmethod
    def of(
        cls,
        initial: _Counts,
        steps: Sequence[tuple[_Counts, _Floats, _Counts]],
        duration_seconds: float,
    ) -> "Stretches":
        """Return the stretches that initial counts and steps ``(policy, at, count)`` make."""
        policies = np.arange(len(initial))
        parts = [(policies, np.full(len(initial), -np.inf), initial), *steps]
        policy, at, count = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.lexsort((at, policy))
        policy, at, count = policy[order], at[order], count[order]
        end = np.append(at[1:], np.inf)
        end[np.append(policy[1:] != policy[:-1], True)] = np.inf
        start, end = np.maximum(at, 0.0), np.minimum(end, duration_seconds)
        lasts = end > start
        return cls(
            policy=policy[lasts],
            start_seconds=start[lasts],
            end_seconds=end[lasts],
            count=count[lasts],
        )

    def instance_seconds(self, policies: int) -> _Floats:
        """Return ``(n,) float64``, the time in service summed over each policy's instances."""
        spans = (self.end_seconds - self.start_seconds) * self.count
        return np.bincount(self.policy, weights=spans, minlength=policies).astype(np.float64)

    def of_policy(self, policy: int) -> "Stretches":
        """Return one policy's."""
        first, last = np.searchsorted(self.policy, [policy, policy + 1])
        rows = slice(first, last)
        return Stretches(
            policy=self.policy[rows],
            start_seconds=self.start_seconds[rows],
            end_seconds=self.end_seconds[rows],
            count=self.count[rows],
        )

    def by_tick(self, policies: Sequence[int], edges: _Floats) -> NDArray[np.int32]:
        """Return ``(t, n) int32``, the count at the start of each tick, of policies in a row."""
        counts = np.empty((len(edges) - 1, len(policies)), dtype=np.int32)
        first = np.searchsorted(edges[:-1], self.start_seconds)
        last = np.searchsorted(edges[:-1], self.end_seconds)
        for policy, start, end, count in zip(self.policy, first, last, self.count, strict=True):
            counts[start:end, policy - policies[0]] = count
        return counts
