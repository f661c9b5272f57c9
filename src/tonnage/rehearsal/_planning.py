"""
The plan for the rehearsed traffic: the simulator plans on the ramp as it was ordered.
"""

from datetime import date

from tonnage.domain import Objective, PiecewiseRate, RateProfile
from tonnage.emulator import ScalingOptions
from tonnage.planning import Front, Option, Plan, PolicySettings, SearchSpace, plan
from tonnage.simulation import FleetModel

from .plan import RehearsalPlan

__all__ = ["as_planned", "plan_rehearsal"]


def plan_rehearsal(rehearsal: RehearsalPlan, objective: Objective, today: date) -> Plan | None:
    """
    Return the plan for the rehearsed ramp; None when nobody knows what an instance carries.

    Args:
        rehearsal: What is rehearsed; the instances' cap is their load line.
        objective: What the plan must meet.
        today: For the age of prices.
    """
    local, scaling = rehearsal.up.local, rehearsal.up.scaling
    assert scaling is not None
    if local.capacity is None:
        return None
    kind = rehearsal.up.endpoint.instance_type
    return plan(
        _traffic(rehearsal),
        {kind: local.capacity.rate_per_second},
        objective=objective,
        fleet=FleetModel(
            line_per_second=local.capacity.rate_per_second,
            queue_seconds=min(local.capacity.queue_seconds, objective.latency.threshold_seconds),
            provisioning_delay_seconds=local.provisioning_delay_seconds,
            metric_delay_seconds=local.metric_delay_seconds,
        ),
        # A rehearsal runs target tracking on invocations, and its ramp has no calendar.
        space=SearchSpace(max_capacity=scaling.max_capacity, alternatives=()),
        fronts=(Front.NONE,),
        types=(),
        current=(kind, _policy(scaling)),
        today=today,
    )


def as_planned(best: Option, scaling: ScalingOptions) -> ScalingOptions | None:
    """Return the scaling that a plan chose, under the settings' policy name; None for a fixed."""
    policy = best.policy
    if policy is None or not policy.scales:
        return None
    return ScalingOptions(
        policy_name=scaling.policy_name,
        min_capacity=policy.min_capacity,
        max_capacity=policy.max_capacity,
        target_value=policy.target_value,
        scale_in_cooldown_seconds=policy.scale_in_cooldown_seconds,
        scale_out_cooldown_seconds=policy.scale_out_cooldown_seconds,
    )


def _traffic(rehearsal: RehearsalPlan) -> RateProfile:
    """Return the ramp on the uncompressed clock, held as long as its rehearsal holds it."""
    load, scale = rehearsal.load, rehearsal.up.local.time_scale
    peak = load.users / load.pacing_seconds
    ramp = PiecewiseRate.ramp(0.0, peak, load.users / load.spawn_rate_per_second)
    return ramp.then(PiecewiseRate.constant(peak, rehearsal.planned_hold_seconds * scale))


def _policy(scaling: ScalingOptions) -> PolicySettings:
    return PolicySettings(
        min_capacity=scaling.min_capacity,
        max_capacity=scaling.max_capacity,
        target_value=scaling.target_value,
        scale_in_cooldown_seconds=scaling.scale_in_cooldown_seconds,
        scale_out_cooldown_seconds=scaling.scale_out_cooldown_seconds,
    )
