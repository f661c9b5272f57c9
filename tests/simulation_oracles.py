"""
Two oracles that share no code with the simulator: single requests, and one period after another.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import RateProfile
from tonnage.scaling import (
    AttachedPolicy,
    Observation,
    ScalableTarget,
    ScalingState,
    ScheduledAction,
    SuspendedState,
    TargetObservation,
    TargetState,
    TargetTrackingPolicy,
    apply_scheduled_action,
    evaluate,
    evaluate_target,
    scaling_succeeded,
    scheduled_runs,
    target_scaling_succeeded,
)


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What became of single requests: which were refused, and how long the others waited."""

    refused: NDArray[np.bool_]
    wait_seconds: NDArray[np.float64]

    @property
    def refused_fraction(self) -> float:
        return float(self.refused.mean())


def serve_requests(
    arrivals: NDArray[np.float64],
    *,
    instances: int,
    servers: int = 1,
    service_seconds: NDArray[np.float64] | float,
    queue_seconds: float = np.inf,
    seed: int = 0,
) -> Answers:
    """
    Serve requests one by one, first come first served, at instances picked at random.

    An instance has ``servers`` servers; a request that would wait longer than ``queue_seconds``
    is refused and consumes nothing.
    """
    generator = np.random.default_rng(seed)
    chosen = generator.integers(0, instances, len(arrivals)).tolist()
    needed = np.broadcast_to(service_seconds, arrivals.shape).tolist()
    free_at = [[0.0] * servers for _ in range(instances)]
    waits, refused = [], []
    for now, instance, service in zip(arrivals.tolist(), chosen, needed, strict=True):
        free = free_at[instance]
        first = min(range(servers), key=free.__getitem__)
        start = max(now, free[first])
        refused.append(start - now > queue_seconds)
        if not refused[-1]:
            free[first] = start + service
            waits.append(start - now)
    return Answers(refused=np.array(refused), wait_seconds=np.array(waits))


def arrive(rate: float, count: int, *, poisson: bool = False, seed: int = 0) -> NDArray[np.float64]:
    """Return arrival moments about a rate."""
    if not poisson:
        return np.arange(count) / rate
    return np.cumsum(np.random.default_rng(seed).exponential(1 / rate, count))


def instances_period_by_period(
    profile: RateProfile,
    policy: TargetTrackingPolicy,
    target: ScalableTarget,
    *,
    initial: int,
    delay_seconds: float,
    metric_delay_seconds: float = 0.0,
    drain_seconds: float = 0.0,
) -> list[tuple[float, int]]:
    """Return what one policy does, evaluated each minute as the emulator does."""
    state = ScalingState.initial()
    changes = [(0.0, initial)]
    desired, settled_at = initial, -np.inf
    is_pending = False
    for period in range(int(profile.duration_seconds // 60)):
        now = (period + 1) * 60 + metric_delay_seconds
        if now >= profile.duration_seconds:
            break
        if is_pending and settled_at < now:
            state, is_pending = scaling_succeeded(state, settled_at), False
        observation = Observation.of(
            metric_value=_per_instance(profile, changes, period * 60, period * 60 + 60),
            desired_instance_count=desired,
            in_service_instance_count=[count for at, count in changes if at <= now][-1],
            is_updating=is_pending,
        )
        state, decision = evaluate(policy, target, state, observation, now)
        if decision.acts[0]:
            before, desired = desired, int(decision.desired_instance_count[0])
            is_out = desired > before
            changes.append((now + (delay_seconds if is_out else 0.0), desired))
            settled_at = now + (delay_seconds if is_out else drain_seconds)
            is_pending = True
    return [change for change in changes if change[0] < profile.duration_seconds]


def instances_moment_by_moment(
    profile: RateProfile,
    policies: Sequence[AttachedPolicy],
    target: ScalableTarget,
    *,
    initial: int,
    delay_seconds: float,
    metric_delay_seconds: int = 0,
    drain_seconds: float = 0.0,
    actions: Sequence[ScheduledAction] = (),
    suspended: SuspendedState | None = None,
    starts_at_seconds: float = 0.0,
) -> list[tuple[float, int]]:
    """Return what one target with several policies does, looked at every second as on a clock."""
    state = TargetState.initial(target, policies, suspended=suspended)
    changes = [(0.0, initial)]
    desired, settled_at, is_pending = initial, -np.inf, False
    last = starts_at_seconds + profile.duration_seconds
    runs = scheduled_runs(actions, starts_at_seconds, last)
    for now in range(1, int(np.ceil(profile.duration_seconds))):
        ends = [(now - metric_delay_seconds, policy) for policy in policies]
        is_due = [end > 0 and end % policy.period_seconds == 0 for end, policy in ends]
        due_runs = [action for at, action in runs if at - starts_at_seconds == now]
        is_retry = not policies and now % 60 == 0
        if not (any(is_due) or due_runs or is_retry):
            continue
        for action in due_runs:
            state, _ = apply_scheduled_action(state, action)
        if is_pending and settled_at < now:
            state, is_pending = target_scaling_succeeded(state, settled_at), False
        values = [
            _metric(policy, profile, changes, end) if due else None
            for (end, policy), due in zip(ends, is_due, strict=True)
        ]
        observation = TargetObservation.of(
            metric_values=values,
            desired_instance_count=desired,
            in_service_instance_count=[count for at, count in changes if at <= now][-1],
            is_updating=is_pending,
        )
        state, decision = evaluate_target(policies, state, observation, float(now))
        if decision.acts[0]:
            before, desired = desired, int(decision.desired_instance_count[0])
            is_out = desired > before
            changes.append((now + (delay_seconds if is_out else 0.0), desired))
            settled_at = now + (delay_seconds if is_out else drain_seconds)
            is_pending = True
    return [change for change in changes if change[0] < profile.duration_seconds]


def _metric(
    policy: AttachedPolicy,
    profile: RateProfile,
    changes: Sequence[tuple[float, int]],
    end: float,
) -> float:
    start = end - policy.period_seconds
    if policy.metric_name == "Invocations":
        return _per_instance(profile, [(0.0, 1)], start, end)
    return _per_instance(profile, changes, start, end)


def _per_instance(
    profile: RateProfile, changes: Sequence[tuple[float, int]], start: float, end: float
) -> float:
    if any(first < end and last > start for first, last in profile.gaps_seconds):
        return float("nan")
    total = 0.0
    until = [at for at, _ in changes[1:]] + [np.inf]
    for (at, count), last in zip(changes, until, strict=True):
        span = np.clip([at, last], start, end)
        total += float(np.diff(profile.arrivals_by(span))[0]) / count
    return total
