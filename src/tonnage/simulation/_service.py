"""
What becomes of the traffic, given how many instances take it.

Two ways to the same formulas. When a queue fills and drains within a tick, each tick is in its
steady state, so that a policy's failures are sums over stretches of one table for each instance
count: hundreds of policies cost little more than one. When it is slower, its backlog is carried
from tick to tick.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ._carried import carry
from ._stretches import Stretches
from ._ticks import Ticks
from .fleet_model import FleetModel
from .queueing import InstanceQueue

__all__ = ["Service"]

_Floats = NDArray[np.float64]
_Counts = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Service:
    """
    The instances of all policies, at work.

    Attributes:
        fleet: What they are like.
        line: ``(n,) float64``, what one carries.
        ticks: The traffic.
        is_slow: Whether a queue takes longer than a tick to fill.
    """

    fleet: FleetModel
    line: _Floats
    ticks: Ticks
    is_slow: bool

    def queue(self, policy: int, count: int) -> InstanceQueue:
        """Return what an instance's queue is like when ``count`` of a policy are in service."""
        return InstanceQueue.of(
            line_per_second=float(self.line[policy]),
            queue_seconds=self.fleet.queue_seconds,
            instance_count=count,
            arrivals=self.fleet.arrivals,
        )

    def failures(self, stretches: Stretches) -> _Floats:
        """Return ``(n,) float64``, the requests refused under each policy."""
        if self.is_slow:
            return self._carried_failures(stretches)
        first = np.searchsorted(self.ticks.edges[:-1], stretches.start_seconds)
        last = np.searchsorted(self.ticks.edges[:-1], stretches.end_seconds)
        failed = np.zeros(len(first))
        # One line and one count make one table, whoever's they are.
        _, line = np.unique(self.line, return_inverse=True)
        members = line[stretches.policy] * (stretches.count.max(initial=0) + 1) + stretches.count
        by_kind = np.argsort(members, kind="stable")
        for rows in np.split(by_kind, np.flatnonzero(np.diff(members[by_kind])) + 1):
            queue = self.queue(int(stretches.policy[rows[0]]), int(stretches.count[rows[0]]))
            failed[rows] = self._between(
                queue, int(stretches.count[rows[0]]), first[rows], last[rows]
            )
        total = np.bincount(stretches.policy, weights=failed, minlength=len(self.line))
        return total.astype(np.float64)

    def _between(
        self, queue: InstanceQueue, count: int, first: NDArray[np.intp], last: NDArray[np.intp]
    ) -> _Floats:
        """Return what ``count`` such instances refuse in some ranges of ticks."""
        capacity = count * queue.line_per_second
        lengths = last - first
        if lengths.sum() < len(self.ticks.rate):
            # Few of all ticks: gather them, one range after the other.
            ends = np.cumsum(lengths)
            ticks = np.repeat(first - (ends - lengths), lengths) + np.arange(lengths.sum())
            first, last = ends - lengths, ends
        else:
            ticks = np.arange(len(self.ticks.rate))
        rate = self.ticks.rate[ticks]
        hot = np.flatnonzero(rate > queue.lossless_utilisation * capacity)
        loss = queue.loss_at(rate[hot] / capacity)
        refused = np.concatenate(([0.0], np.cumsum(self.ticks.offered[ticks[hot]] * loss)))
        result: _Floats = refused[np.searchsorted(hot, last)] - refused[np.searchsorted(hot, first)]
        return result

    def _carried_failures(self, stretches: Stretches) -> _Floats:
        return np.array(
            [
                self.carried(policy, self._counts(stretches, policy))[0].sum()
                for policy in range(len(self.line))
            ]
        )

    def _counts(self, stretches: Stretches, policy: int) -> NDArray[np.int32]:
        mine = stretches.of_policy(policy)
        return mine.by_tick([policy], self.ticks.edges)[:, 0]

    def steady(self, counts: NDArray[np.int32]) -> tuple[_Floats, _Floats]:
        """
        Return what is refused in each tick, and the tail z b of the queues, both ``(t, n)``.

        Args:
            counts: ``(t, n)``, instances in service in each tick.
        """
        refused, tail = np.zeros(counts.shape), np.zeros(counts.shape)
        for policy in range(counts.shape[1]):
            for count in np.unique(counts[:, policy]):
                rows = counts[:, policy] == count
                queue = self.queue(policy, int(count))
                rho = self.ticks.rate[rows] / (count * self.line[policy])
                refused[rows, policy] = self.ticks.offered[rows] * queue.loss_at(rho)
                tail[rows, policy] = queue.tail_at(rho)
        return refused, tail

    def carried(self, policy: int, counts: NDArray[np.int32]) -> tuple[_Floats, _Floats]:
        """
        Return what is refused in each tick, and the tail z b of the queues, both ``(t,)``.

        Args:
            policy: Under which policy.
            counts: ``(t,)``, its instances in service in each tick.
        """
        refused, tail = carry(
            self.ticks.rate.tolist(),
            np.diff(self.ticks.edges).tolist(),
            counts.tolist(),
            line_per_second=float(self.line[policy]),
            queue_seconds=self.fleet.queue_seconds,
            is_even=self.fleet.arrivals == "constant",
        )
        return np.array(refused), np.array(tail)
