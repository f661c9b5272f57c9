"""
``simulate``: the room's one function.
"""

from collections.abc import Sequence
from functools import partial
from typing import TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tonnage.domain import ConfigurationError, RateProfile
from tonnage.scaling import (
    AttachedPolicy,
    ScalableTarget,
    ScheduledAction,
    SuspendedState,
    TargetTracking,
    TargetTrackingPolicy,
    lengths,
    spread,
)

from ._fleets import Fleets
from ._metrics import Metrics
from ._moments import Scheduled
from ._periods import Periods
from ._service import Service
from ._stretches import Stretches
from ._ticks import Ticks
from ._timeline import make_timeline
from ._walk import Walk
from .activities import Activities
from .fleet_model import FleetModel
from .provisioning import Launches, ProvisioningDelay
from .results import Simulation

__all__ = ["simulate"]

_T = TypeVar("_T", bound=np.generic)

_ENOUGH = 2**31
_LONGEST_TICKS = 50_000_000
_MINUTE = 60.0


def simulate(
    profile: RateProfile,
    policy: TargetTrackingPolicy | Sequence[AttachedPolicy] | None,
    target: ScalableTarget,
    fleet: FleetModel,
    *,
    tick_seconds: float = 1.0,
    seed: int = 0,
    keep_timeline: bool = True,
    scheduled_actions: Sequence[ScheduledAction] = (),
    suspended: SuspendedState | None = None,
    starts_at_seconds: float = 0.0,
) -> Simulation:
    """
    Return what a fleet would have made of some traffic under a scaling policy, or under each of n.

    Policies are evaluated at the end of each period of their metric by the functions that the
    emulator calls. A metric counts the traffic exactly; what is refused is summed over ticks.

    Args:
        profile: The traffic. In a gap nothing is offered, the metric of every period that it
            touches is missing, and by AWS's rules nothing scales for want of data.
        policy: A target tracking policy on invocations per instance, or n of them in arrays; or
            the policies of one scalable target, each with its arrays over n: target tracking on
            ``InvocationsPerInstance`` or ``ConcurrentRequestsPerModel``, steps on these or on
            ``Invocations``; None, and none, leave the instance count to the schedule.
        target: The bounds, for one policy or for each.
        fleet: What the instances are like, for all policies or for each.
        tick_seconds: The resolution of what is offered, refused and shown.
        seed: Of what is drawn: provisioning delays and failed launches.
        keep_timeline: Whether to keep every tick of every policy.
        scheduled_actions: What moves the bounds while the traffic lasts.
        suspended: What of scaling is suspended, all the time.
        starts_at_seconds: When the traffic begins, in seconds since 1970 UTC: what a schedule's
            calendar is read by. 0 is midnight of a Thursday.

    Returns:
        Totals for each policy, its activities, and its timeline if kept.

    Raises:
        ConfigurationError: If the arrays' lengths do not fit together, the tick is not above 0, the
            timeline does not fit into memory, or a policy's metric is not simulated.
    """
    if not 0 < tick_seconds < np.inf:
        raise ConfigurationError(f"tick_seconds must be above 0, not {tick_seconds:g}")
    if profile.duration_seconds / tick_seconds > _LONGEST_TICKS:
        raise ConfigurationError(
            f"{profile.duration_seconds:g} s are too many ticks of {tick_seconds:g} s",
            hint="give a longer tick_seconds",
        )
    given = _attached(policy)
    switches = suspended or SuspendedState.of()
    count = _count((target, switches, given, tuple(scheduled_actions)), fleet)
    policies = tuple(spread(each, count) for each in given)
    bounds = ScalableTarget(
        min_capacity=_full(target.min_capacity, count),
        max_capacity=_full(target.max_capacity, count),
    )
    line = _full(np.atleast_1d(np.asarray(fleet.line_per_second, dtype=np.float64)), count)
    walk = Walk(
        policies=policies,
        scheduled=Scheduled.of(
            bounds,
            switches,
            scheduled_actions,
            starts_at_seconds=starts_at_seconds,
            duration_seconds=profile.duration_seconds,
        ),
        suspended=switches,
        fleets=_fleets(fleet, count, seed),
        metrics=Metrics.of(policies, fleet, line, partial(Periods.of, profile)),
        periods=Periods.of(profile, policies[0].period_seconds if policies else _MINUTE),
        keep_history=keep_timeline,
    )
    activities = walk.run() if policies or scheduled_actions else Activities.empty()
    stretches = Stretches.of(walk.fleets.initial, walk.steps, profile.duration_seconds)
    service = Service(
        fleet=fleet,
        line=line,
        ticks=Ticks.of(profile, tick_seconds),
        is_slow=fleet.queue_seconds > tick_seconds,
    )
    timeline = make_timeline(service, walk, stretches) if keep_timeline else None
    failed = service.failures(stretches) if timeline is None else timeline.failed.sum(axis=0)
    offered = np.full(count, service.ticks.offered.sum())
    largest = np.zeros(count, dtype=np.int64)
    np.maximum.at(largest, stretches.policy, stretches.count)
    return Simulation(
        duration_seconds=profile.duration_seconds,
        offered=offered,
        served=offered - failed,
        failed=failed,
        instance_seconds=stretches.instance_seconds(count),
        largest_count=largest,
        activities=activities,
        target=bounds,
        timeline=timeline,
        stretches=stretches,
        history=walk.history,
        policies=policies,
        has_own_names=not isinstance(policy, TargetTrackingPolicy),
    )


def _attached(
    policy: TargetTrackingPolicy | Sequence[AttachedPolicy] | None,
) -> tuple[AttachedPolicy, ...]:
    if policy is None:
        return ()
    if isinstance(policy, TargetTrackingPolicy):
        return (TargetTracking(policy=policy),)
    return tuple(policy)


def _count(settings: tuple[object, ...], fleet: FleetModel) -> int:
    """Return how many policies there are: the one length that is not 1."""
    columns: list[ArrayLike] = [fleet.line_per_second, fleet.initial_instance_count]
    if fleet.max_available_instances is not None:
        columns.append(fleet.max_available_instances)
    if not hasattr(fleet.provisioning_delay_seconds, "sample"):
        columns.append(fleet.provisioning_delay_seconds)
    found = ({int(np.size(column)) for column in columns} | lengths(settings)) - {1}
    if len(found) > 1 or 0 in found:
        raise ConfigurationError(
            f"policy, target and fleet are arrays of the lengths {sorted(found)}",
            hint="give all the same length, or 1",
        )
    return found.pop() if found else 1


def _fleets(fleet: FleetModel, count: int, seed: int) -> Fleets:
    available = _ENOUGH if fleet.max_available_instances is None else fleet.max_available_instances
    delay = fleet.provisioning_delay_seconds
    return Fleets(
        launches=Launches(
            delay=cast("ProvisioningDelay", delay)
            if hasattr(delay, "sample")
            else _full(np.asarray(delay, dtype=np.float64), count),
            failure_fraction=fleet.launch_failure_fraction,
            seed=seed,
        ),
        initial=_full(np.asarray(fleet.initial_instance_count).astype(np.int64), count),
        available=_full(np.asarray(available).astype(np.int64), count),
        metric_delay_seconds=fleet.metric_delay_seconds,
        drain_seconds=fleet.drain_seconds,
    )


def _full(values: NDArray[_T], count: int) -> NDArray[_T]:
    return np.broadcast_to(values.ravel() if values.size == 1 else values, count).copy()
