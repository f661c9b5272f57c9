"""
The totals' makings, tick by tick.
"""

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import ConfigurationError

from ._service import Service
from ._stretches import Stretches
from ._walk import Walk
from .results import Timeline

__all__ = ["make_timeline"]

_Floats = NDArray[np.float64]

_MOST_CELLS = 8_000_000
"""Ticks times policies that are kept: about half a gibibyte."""
_PERCENTILE = 0.99


def make_timeline(service: Service, walk: Walk, stretches: Stretches) -> Timeline:
    """
    Return every tick of every policy.

    Raises:
        ConfigurationError: If that would not fit into memory.
    """
    policies, ticks = len(service.line), service.ticks
    if policies * len(ticks.offered) > _MOST_CELLS:
        raise ConfigurationError(
            f"a timeline of {len(ticks.offered)} ticks for {policies} policies is too large",
            hint="give keep_timeline=False, a longer tick_seconds, or fewer policies",
        )
    assert walk.history is not None
    duration = float(ticks.edges[-1])
    in_service = stretches.by_tick(range(policies), ticks.edges)
    initial = walk.fleets.initial
    desired = Stretches.of(initial, walk.desires, duration).by_tick(range(policies), ticks.edges)
    failed, tail = _outcome(service, in_service)
    served = ticks.offered[:, np.newaxis] - failed
    spans = np.diff(ticks.edges)[:, np.newaxis]
    # More is let in than served while a queue fills.
    utilisation = np.minimum(served / (spans * in_service * service.line), 1.0)
    queued, latency = _queues(service, in_service, tail)
    if service.fleet.latency_curve is not None:
        loads, seconds = np.asarray(service.fleet.latency_curve, dtype=np.float64).T
        latency = np.interp(utilisation, loads, seconds)
    ends = np.arange(1.0, len(walk.periods) + 1) * walk.periods.period_seconds
    return Timeline(
        seconds=ticks.edges[:-1],
        offered=ticks.offered,
        served=served,
        failed=failed,
        queued=queued,
        utilisation=utilisation,
        latency_seconds=latency,
        desired=desired,
        in_service=in_service,
        pending=np.maximum(desired - in_service, 0),
        period_end_seconds=ends,
        metric_value=walk.history.metric_value,
        high_alarm=walk.history.high,
        low_alarm=walk.history.low,
    )


def _outcome(service: Service, in_service: NDArray[np.int32]) -> tuple[_Floats, _Floats]:
    if not service.is_slow:
        return service.steady(in_service)
    failed, tail = np.empty(in_service.shape), np.empty(in_service.shape)
    for policy in range(in_service.shape[1]):
        failed[:, policy], tail[:, policy] = service.carried(policy, in_service[:, policy])
    return failed, tail


def _queues(
    service: Service, in_service: NDArray[np.int32], tail: _Floats
) -> tuple[_Floats, _Floats]:
    """Return requests at the instances and the latency's percentile, by their formulas."""
    queued, latency = np.empty(tail.shape), np.empty(tail.shape)
    for policy, line in enumerate(service.line):
        queue = service.queue(policy, 2)  # room and line are the same for any count
        queued[:, policy] = queue.backlog(tail[:, policy]) * in_service[:, policy]
        latency[:, policy] = queue.wait_seconds(tail[:, policy], _PERCENTILE) + 1 / line
    return queued, latency
