"""
What Application Auto Scaling and CloudWatch would refuse of a variant's policies and schedule.
"""

import itertools
import re
from collections.abc import Iterator
from typing import Final

from tonnage.domain import ConfigurationError, ScheduledAction, StepPolicy
from tonnage.planning.limits import MAX_SCHEDULED_ACTIONS
from tonnage.scaling import Schedule, Statistic

from .settings import Scaling

__all__ = ["scaling_faults"]

_SCHEDULE: Final = re.compile(r"(at|cron|rate)\(.+\)")
_MOST_STEPS: Final = 20
_MOST_POLICIES: Final = 50
_POLICY_NAME: Final = 256
_ALARM_PERIODS: Final = (10, 30)
_MINUTE: Final = 60


def scaling_faults(scaling: Scaling) -> Iterator[ConfigurationError]:
    """Yield what is wrong with a variant's policies and scheduled actions."""
    names = [scaling.policy_name, *(policy.policy_name for policy in scaling.step)]
    for name in names:
        if not 0 < len(name) <= _POLICY_NAME or "|" in name:
            yield ConfigurationError(f"{name!r} is no policy's name: 1 to 256 characters, no |")
    for repeated in sorted({name for name in names if names.count(name) > 1}):
        yield ConfigurationError(f"two scaling policies are named {repeated!r}")
    if len(names) > _MOST_POLICIES:
        yield ConfigurationError(f"{len(names)} scaling policies are more than {_MOST_POLICIES}")
    for step in scaling.step:
        yield from _step(step)
    if len(scaling.scheduled) > MAX_SCHEDULED_ACTIONS:
        yield ConfigurationError(
            f"{len(scaling.scheduled)} scheduled actions are more than {MAX_SCHEDULED_ACTIONS}"
        )
    for action in scaling.scheduled:
        yield from _scheduled(action)


def _step(policy: StepPolicy) -> Iterator[ConfigurationError]:
    who = f"[[scaling.step]] {policy.policy_name}"
    period = policy.period_seconds
    if period not in _ALARM_PERIODS and (period <= 0 or period % _MINUTE):
        yield ConfigurationError(
            f"{who}: period must be 10 s, 30 s or whole minutes, not {period:g} s"
        )
    if policy.statistic not in {*Statistic}:
        yield ConfigurationError(
            f"{who}: the statistic {policy.statistic!r} is none of {', '.join(Statistic)}"
        )
    steps = policy.step_adjustments
    if len(steps) > _MOST_STEPS:
        yield ConfigurationError(f"{who}: {len(steps)} steps are more than {_MOST_STEPS}")
    infinite = float("inf")
    bounds = sorted(
        (
            -infinite if step.metric_interval_lower_bound is None
            else step.metric_interval_lower_bound,
            infinite if step.metric_interval_upper_bound is None
            else step.metric_interval_upper_bound,
        )
        for step in steps
    )  # fmt: skip
    if any(low >= high for low, high in bounds):
        yield ConfigurationError(f"{who}: a step's lower bound must be below its upper bound")
    joints = itertools.pairwise(bounds)
    if any(earlier[1] != later[0] for earlier, later in joints):
        yield ConfigurationError(f"{who}: its steps must follow each other, with no gap or overlap")
    if policy.min_adjustment_magnitude and policy.adjustment_type != "PercentChangeInCapacity":
        yield ConfigurationError(
            f"{who}: min_adjustment_magnitude goes with PercentChangeInCapacity, not with"
            f" {policy.adjustment_type}"
        )


def _scheduled(action: ScheduledAction) -> Iterator[ConfigurationError]:
    who = f"[[scaling.scheduled]] {action.name}"
    low, high = action.min_capacity, action.max_capacity
    if not _SCHEDULE.fullmatch(action.schedule):
        yield ConfigurationError(
            f"{who}: {action.schedule!r} is no schedule: write cron(0 8 ? * MON-FRI *), rate(1"
            " hour) or at(2027-01-01T08:00:00)"
        )
    else:
        try:
            Schedule.parse(action.schedule, action.timezone or "UTC")
        except ConfigurationError as error:
            yield ConfigurationError(f"{who}: {error.message}", hint=error.hint)
    if low is None and high is None:
        yield ConfigurationError(f"{who} changes nothing: give min_capacity or max_capacity")
    if low is not None and high is not None and low > high:
        yield ConfigurationError(f"{who}: min_capacity {low} is above max_capacity {high}")
