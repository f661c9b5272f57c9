"""
The metrics that a simulation knows: what each policy's datapoints are under given traffic.

All are expected values. Any instance is like any other, so that for concurrent requests an average,
a minimum and a maximum over instances are the same number.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import ConfigurationError
from tonnage.scaling import AttachedPolicy, Statistic, StepScaling

from ._changes import Changes
from ._periods import Periods
from .fleet_model import FleetModel
from .queueing import InstanceQueue

__all__ = ["Metrics"]

_Floats = NDArray[np.float64]
_Counts = NDArray[np.int64]
_Indices = NDArray[np.intp]

_SUM = frozenset({Statistic.SUM})
_ANY = frozenset({Statistic.AVERAGE, Statistic.MINIMUM, Statistic.MAXIMUM})
_STATISTICS: Final = {
    "InvocationsPerInstance": _SUM,
    "Invocations": _SUM,
    "ConcurrentRequestsPerModel": _ANY,
}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Metrics:
    """
    Each policy's metric.

    Attributes:
        fleet: What the instances are like.
        line: ``(n,) float64``, what one of them carries.
        periods: k, each policy's.
        names: k, each policy's CloudWatch metric.
    """

    fleet: FleetModel
    line: _Floats
    periods: tuple[Periods, ...]
    names: tuple[str, ...]

    @classmethod
    def of(
        cls,
        policies: Sequence[AttachedPolicy],
        fleet: FleetModel,
        line: _Floats,
        make_periods: Callable[[float], Periods],
    ) -> "Metrics":
        """
        Return the metrics of some policies.

        Raises:
            ConfigurationError: If one has a metric or a statistic that is not simulated.
        """
        for policy in policies:
            _check(policy)
        seconds = {policy.period_seconds for policy in policies}
        by_length = {each: make_periods(each) for each in seconds}
        return cls(
            fleet=fleet,
            line=line,
            periods=tuple(by_length[policy.period_seconds] for policy in policies),
            names=tuple(policy.metric_name for policy in policies),
        )

    def values(
        self, policy: int, changes: Changes, count: _Counts, active: _Indices, period: _Counts
    ) -> _Floats:
        """
        Return the datapoints of some periods of a policy's metric, NaN where the traffic has gaps.

        Args:
            policy: Whose metric.
            changes: How the in-service counts changed.
            count: ``(n,)``, the counts as they are.
            active: ``(a,)``, which fleets.
            period: ``(a, b)``, which periods of each.
        """
        periods = self.periods[policy]
        low, high = periods.arrivals[period], periods.arrivals[period + 1]
        if self.names[policy] == "Invocations":
            values = high - low
        else:
            values = changes.per_instance(active, low, high)
        if self.names[policy] == "ConcurrentRequestsPerModel":
            rate = values / periods.period_seconds
            values = self._concurrency(rate, self.line[active], count[active])
        return np.where(periods.is_missing[period], np.nan, values)

    def _concurrency(self, rate: _Floats, line: _Floats, count: _Counts) -> _Floats:
        """Return the requests at an instance: Little's law, by the queue or the measured curve."""
        result = np.empty(rate.shape)
        _, kind = np.unique(np.stack((line, count)), axis=1, return_inverse=True)
        for each in np.unique(kind):
            rows = np.flatnonzero(kind == each)
            result[rows] = self._at_one(rate[rows], float(line[rows[0]]), int(count[rows[0]]))
        return result

    def _at_one(self, rate: _Floats, line: float, count: int) -> _Floats:
        utilisation = rate / line
        queue = InstanceQueue.of(
            line_per_second=line,
            queue_seconds=self.fleet.queue_seconds,
            instance_count=count,
            arrivals=self.fleet.arrivals,
        )
        served = utilisation * (1 - queue.loss_at(utilisation))
        if self.fleet.latency_curve is not None:
            loads, seconds = np.asarray(self.fleet.latency_curve, dtype=np.float64).T
            measured: _Floats = served * line * np.interp(served, loads, seconds)
            return measured
        # Light traffic by Pollaczek and Khinchine, whose formula knows no bound to the wait; near
        # and above the line by the bounded queue, which leaves half of the one in service out.
        below = np.minimum(utilisation, 1 - 1e-9)
        light = below + (1 - queue.share) * below**2 / (2 * (1 - below))
        light = np.where(utilisation < 1, light, np.inf)
        heavy = queue.backlog(queue.tail_at(utilisation)) + served / 2
        return np.minimum(np.maximum(np.minimum(light, heavy), served), queue.room)


def _check(policy: AttachedPolicy) -> None:
    name = policy.metric_name
    statistic = (
        policy.alarm.statistic if isinstance(policy, StepScaling) else policy.metric.statistic
    )
    if name not in _STATISTICS:
        raise ConfigurationError(
            f"the metric {name} of the policy {policy.name!r} is not simulated",
            hint=f"simulated are {', '.join(_STATISTICS)}",
        )
    if statistic not in _STATISTICS[name]:
        allowed = " or ".join(sorted(_STATISTICS[name]))
        raise ConfigurationError(
            f"the statistic of {name} is {allowed}, not {statistic}",
            hint=f"change the statistic of the policy {policy.name!r}",
        )
