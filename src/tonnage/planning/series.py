"""
A plan as arrays, for pictures and notebooks.
"""

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .costs import HOURS_A_MONTH
from .lines import LoadLine
from .plans import Plan
from .policies import Policies, PolicySettings
from .trials import FleetTrial

__all__ = [
    "Knob",
    "PolicyTimeline",
    "WhatIfSeries",
    "instance_dollars",
    "policy_timeline",
    "what_if",
]

_Floats = NDArray[np.float64]

Knob = Literal[
    "min_capacity",
    "max_capacity",
    "target_value",
    "scale_in_cooldown_seconds",
    "scale_out_cooldown_seconds",
]
"""A setting that ``what_if`` can move."""

_VALUES: Final = 41


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PolicyTimeline:
    """
    What one policy does, tick by tick; every array is ``(t,) float64``.

    Attributes:
        seconds: Where each tick begins.
        offered_per_second: Arrivals.
        failed_per_second: Those that are refused.
        capacity_per_second: What the instances in service carry together.
        desired: Instances asked for.
        in_service: Instances that take requests.
    """

    seconds: _Floats
    offered_per_second: _Floats
    failed_per_second: _Floats
    capacity_per_second: _Floats
    desired: _Floats
    in_service: _Floats


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class WhatIfSeries:
    """
    One setting moved, the others held; every array is ``(n,) float64``.

    Attributes:
        knob: The setting.
        values: What it was set to, rising.
        failed_fraction: What that fails.
        usd_month: What the instances cost a month.
    """

    knob: Knob
    values: _Floats
    failed_fraction: _Floats
    usd_month: _Floats


def policy_timeline(trial: FleetTrial, line: LoadLine, policy: PolicySettings) -> PolicyTimeline:
    """Return what a policy does on the trial's traffic, tick by tick."""
    timeline = trial.with_timeline(Policies.of([policy])).timeline
    assert timeline is not None
    serving = timeline.in_service[:, 0].astype(np.float64)
    return PolicyTimeline(
        seconds=timeline.seconds,
        offered_per_second=timeline.offered / trial.tick_seconds,
        failed_per_second=timeline.failed[:, 0] / trial.tick_seconds,
        capacity_per_second=serving * line.rate_per_second,
        desired=timeline.desired[:, 0].astype(np.float64),
        in_service=serving,
    )


def what_if(
    plan: Plan, knob: Knob = "target_value", values: ArrayLike | None = None
) -> WhatIfSeries:
    """
    Return what one setting of the best does, the others held.

    Args:
        plan: A plan with a best that runs on instances.
        knob: The setting.
        values: What to set it to; for the target, from a hundredth of the line to all of it.
    """
    assert plan.best is not None
    policy = plan.best.policy
    assert policy is not None
    moved = np.unique(
        np.asarray(_values(plan, policy) if values is None else values, dtype=np.float64)
    )
    columns = {
        name: np.full(len(moved), getattr(policy, name), dtype=np.float64)
        for name in get_args(Knob)
    }
    outcomes = plan.trial(Policies.columns(**{**columns, knob: moved}, kind=policy.kind))
    return WhatIfSeries(
        knob=knob,
        values=moved,
        failed_fraction=outcomes.failed_fraction,
        usd_month=instance_dollars(plan, outcomes.instance_seconds),
    )


def instance_dollars(plan: Plan, instance_seconds: _Floats) -> _Floats:
    """Return what instance-seconds of the plan's type on its traffic cost a month, for display."""
    hours = instance_seconds / plan.traffic.duration_seconds * HOURS_A_MONTH
    return hours * float(plan.line.kind.price.usd)


def _values(plan: Plan, policy: PolicySettings) -> _Floats:
    if policy.kind.is_high_resolution:
        least, most = policy.target_value / 8, policy.target_value * 8
    else:
        most = plan.line.rate_per_second * 60
        least = min(most / 100, policy.target_value / 2)
    around = np.geomspace(least, most, _VALUES)
    return np.append(around, policy.target_value)
