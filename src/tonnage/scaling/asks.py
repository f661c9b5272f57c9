"""
What one policy asks for at one moment, before other policies and a busy endpoint have their say.

Array operations take an enum's ``.value``: numpy needs microseconds more for an ``IntEnum``.
"""

from dataclasses import dataclass

import numpy as np

from .alarms import AlarmRule, AlarmState
from .arrays import RELATIVE_TOLERANCE, BoolArray, CodeArray, CountArray, FloatArray
from .attached import StepScaling
from .cooldowns import in_cooldown
from .decisions import Reason
from .policies import TargetTrackingPolicy
from .state import Cooldowns
from .step_policies import AdjustmentType
from .targets import ScalableTarget

__all__ = ["Ask", "Moment", "reason_without_alarm", "step_ask", "tracking_ask"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Moment:
    """
    What every policy of a target is asked on.

    Attributes:
        target: The bounds.
        cooldowns: The last activities.
        current: ``(n,) int64``, the desired count, within the bounds.
        in_service: ``(n,) int64``, what takes invocations.
        now_seconds: The time.
    """

    target: ScalableTarget
    cooldowns: Cooldowns
    current: CountArray
    in_service: CountArray
    now_seconds: float | FloatArray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Ask:
    """
    What a policy asks for.

    Attributes:
        reason: ``(n,) int8`` of ``Reason``, ``SCALED_OUT`` and ``SCALED_IN`` where it asks.
        out: ``(n,) int64``, the count where it asks for more.
        into: ``(n,) int64``, the count where it asks for less.
        added: ``(n,) int64``, of what is there, what the last scale-out has added, if this policy
            is in its cooldown.
    """

    reason: CodeArray
    out: CountArray
    into: CountArray
    added: CountArray


def tracking_ask(
    policy: TargetTrackingPolicy,
    datapoints: FloatArray,
    alarms: tuple[CodeArray, CodeArray],
    rule: AlarmRule,
    moment: Moment,
) -> Ask:
    """Return what a target tracking policy asks for, its alarms being as they are."""
    high, low = (states == AlarmState.ALARM.value for states in alarms)
    target, current = moment.target, moment.current
    needed = np.where(high | low, _needed_instances(policy, datapoints, rule, moment), current)
    # An alarm on means over several periods may fire while the newest datapoint is missing.
    is_unknown = np.isnan(needed)
    needed = np.where(is_unknown, current, needed)
    added, is_cooling = _added(policy.scale_out_cooldown_seconds, moment)
    # Inside the cooldown only what would add more than the last scale-out did may start, and what
    # that has added counts as part of it.
    is_held = is_cooling & (needed - current <= moment.cooldowns.scale_out_size)
    resting = in_cooldown(
        moment.cooldowns.scale_in_succeeded_at_seconds,
        policy.scale_in_cooldown_seconds,
        moment.now_seconds,
    )
    reason = _first(
        reason_without_alarm(*alarms),
        (is_unknown, Reason.INSUFFICIENT_DATA),
        (high & (current >= target.max_capacity), Reason.ALREADY_AT_MAX_CAPACITY),
        (high & (needed <= current), Reason.ALREADY_AT_DESIRED_CAPACITY),
        (high & is_held, Reason.IN_SCALE_OUT_COOLDOWN),
        (high, Reason.SCALED_OUT),
        (low & policy.disable_scale_in, Reason.SCALE_IN_DISABLED),
        (low & (current <= target.min_capacity), Reason.ALREADY_AT_MIN_CAPACITY),
        (low & (needed >= current), Reason.AUTO_SCALING_ANTICIPATED_FLAPPING),
        (low & resting, Reason.IN_SCALE_IN_COOLDOWN),
        (low, Reason.SCALED_IN),
    )
    return Ask(
        reason=reason,
        out=np.minimum(needed - added, target.max_capacity).astype(np.int64),
        into=np.minimum(np.maximum(needed, target.min_capacity), current).astype(np.int64),
        added=added,
    )


def step_ask(
    attached: StepScaling, datapoints: FloatArray, states: CodeArray, moment: Moment
) -> Ask:
    """Return what a step scaling policy asks for, its alarm being as it is."""
    policy, target, current = attached.policy, moment.target, moment.current
    metric = policy.aggregated(attached.alarm, datapoints)
    change, is_covered = policy.change(attached.alarm, metric, current)
    alarmed = states == AlarmState.ALARM.value
    added, is_cooling = _added(policy.cooldown_seconds, moment)
    if policy.adjustment_type == AdjustmentType.EXACT_CAPACITY:
        # It asks for a count, not for more: what was added is in that count already.
        added, is_held = np.zeros_like(added), np.zeros_like(is_cooling)
    else:
        is_held = is_cooling & (change <= moment.cooldowns.scale_out_size)
    resting = in_cooldown(
        moment.cooldowns.scale_in_succeeded_at_seconds,
        policy.cooldown_seconds,
        moment.now_seconds,
    )
    more, less = alarmed & (change > 0), alarmed & (change < 0)
    reason = _first(
        reason_without_alarm(states),
        (alarmed & np.isnan(metric), Reason.INSUFFICIENT_DATA),
        (alarmed & ~is_covered, Reason.NO_STEP_ADJUSTMENT),
        (alarmed & (change == 0), Reason.ALREADY_AT_DESIRED_CAPACITY),
        (more & (current >= target.max_capacity), Reason.ALREADY_AT_MAX_CAPACITY),
        (more & is_held, Reason.IN_SCALE_OUT_COOLDOWN),
        (more, Reason.SCALED_OUT),
        (less & (current <= target.min_capacity), Reason.ALREADY_AT_MIN_CAPACITY),
        (less & resting, Reason.IN_SCALE_IN_COOLDOWN),
        (less, Reason.SCALED_IN),
    )
    wanted = current + change
    return Ask(
        reason=reason,
        out=np.minimum(wanted - added, target.max_capacity),
        into=np.maximum(wanted, target.min_capacity),
        added=added,
    )


def reason_without_alarm(*alarms: CodeArray) -> CodeArray:
    """Return why nothing is asked for where no alarm is in ALARM."""
    reason = np.zeros(alarms[0].shape, dtype=np.int8)  # NO_ALARM
    for states in alarms:
        missing = states == AlarmState.INSUFFICIENT_DATA.value
        np.putmask(reason, missing, Reason.INSUFFICIENT_DATA.value)
    return reason


def _needed_instances(
    policy: TargetTrackingPolicy, datapoints: FloatArray, rule: AlarmRule, moment: Moment
) -> FloatArray:
    """
    Return the least instance count whose metric is at or below the target.

    The metric times the instances in service is the whole load, which more instances share:
    metric * in service / n <= target. Whole numbers as ``(n,) float64``, not yet within bounds;
    NaN where the metric is missing.
    """
    newest = datapoints[-rule.capacity_datapoints :]
    metric = np.add.reduce(newest) / rule.capacity_datapoints
    ratio = metric * moment.in_service / policy.target_value
    # A load of exactly k targets must not need k + 1 instances because a sum of thirds rounds up.
    needed: FloatArray = np.ceil(ratio * (1 - RELATIVE_TOLERANCE))
    return needed


def _added(cooldown_seconds: FloatArray, moment: Moment) -> tuple[CountArray, BoolArray]:
    """Return what is still there of the last scale-out where its cooldown lasts, and where."""
    last = moment.cooldowns
    cooling = in_cooldown(last.scale_out_succeeded_at_seconds, cooldown_seconds, moment.now_seconds)
    kept = np.minimum(np.maximum(moment.current - last.scale_out_base, 0), last.scale_out_size)
    return np.where(cooling, kept, 0), cooling


def _first(reason: CodeArray, *cases: tuple[BoolArray, Reason]) -> CodeArray:
    """Return the first reason that holds, or the one there is."""
    for holds, case in reversed(cases):
        np.putmask(reason, holds, case.value)
    return reason
