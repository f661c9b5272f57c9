"""
One evaluation of target tracking: datapoint → alarms → capacity needed → bounds and cooldowns.

``evaluate`` is what the emulator calls once a period on its clock, the simulator on a virtual one.
``decide`` is its second half, for a caller that tries again between two datapoints.

Array operations take an enum's ``.value``: numpy needs microseconds more for an ``IntEnum``.
"""

from dataclasses import dataclass

import numpy as np

from .alarms import TARGET_TRACKING, AlarmRule, AlarmState, alarm_states
from .arrays import RELATIVE_TOLERANCE, BoolArray, CodeArray, CountArray, FloatArray
from .cooldowns import in_cooldown, start_scaling
from .decisions import Decision, Reason
from .policies import TargetTrackingPolicy
from .state import Observation, ScalingState, record_datapoint
from .targets import ScalableTarget

__all__ = ["decide", "evaluate"]


def evaluate(
    policy: TargetTrackingPolicy,
    target: ScalableTarget,
    state: ScalingState,
    observation: Observation,
    now_seconds: float | FloatArray,
    rule: AlarmRule = TARGET_TRACKING,
) -> tuple[ScalingState, Decision]:
    """
    Return what n policies decide at the end of a metric period, and what they remember.

    Where ``decision.acts``, the caller starts the change, shows ``is_updating`` until it is done,
    and then reports ``scaling_succeeded`` or ``scaling_failed``.

    Args:
        policy: The policies.
        target: Their bounds.
        state: What they remember, from ``ScalingState.initial`` or the last evaluation.
        observation: The period's datapoint and the fleet as it is now.
        now_seconds: The time, on any clock that does not go back.
        rule: The alarms' numbers.
    """
    seen = record_datapoint(state, observation.metric_value)
    return decide(policy, target, seen, observation, now_seconds, rule)


def decide(
    policy: TargetTrackingPolicy,
    target: ScalableTarget,
    state: ScalingState,
    observation: Observation,
    now_seconds: float | FloatArray,
    rule: AlarmRule = TARGET_TRACKING,
) -> tuple[ScalingState, Decision]:
    """
    Return what n policies decide on the datapoints they have; see ``evaluate``.

    The observation's ``metric_value`` is not read.
    """
    high, low = alarm_states(policy.target_value, state.datapoints, rule)
    before = observation.desired_instance_count
    current = np.minimum(np.maximum(before, target.min_capacity), target.max_capacity)
    alarmed = (high == AlarmState.ALARM.value) | (low == AlarmState.ALARM.value)
    if not (alarmed | (current != before)).any():
        # The usual minute: nothing asks for anything. It halves the cost of a lone policy.
        return state, Decision(
            desired_instance_count=before,
            reason=_reason_without_alarm(high, low),
            high_alarm=high,
            low_alarm=low,
        )

    needed = np.where(alarmed, _needed_instances(policy, state, observation, rule), current)
    out = _scale_out(policy, target, state, needed, current, now_seconds)
    reason = _reason(policy, target, state, (high, low), needed, current, out.is_held, now_seconds)
    scale_in = np.minimum(np.maximum(needed, target.min_capacity), current).astype(np.int64)
    wanted = current.copy()
    np.copyto(wanted, out.desired, where=reason == Reason.SCALED_OUT.value)
    np.copyto(wanted, scale_in, where=reason == Reason.SCALED_IN.value)

    decision = Decision(
        desired_instance_count=np.where(observation.is_updating, before, wanted),
        reason=_reason_to_act(reason, wanted != before, observation.is_updating),
        high_alarm=high,
        low_alarm=low,
    )
    if decision.acts.any():
        state = start_scaling(state, decision, base=current - out.added)
    return state, decision


def _needed_instances(
    policy: TargetTrackingPolicy, state: ScalingState, observation: Observation, rule: AlarmRule
) -> FloatArray:
    """
    Return the least instance count whose metric is at or below the target.

    The metric times the instances in service is the whole load, which more instances share:
    metric * in service / n <= target. Whole numbers as ``(n,) float64``, not yet within bounds;
    NaN where the metric is missing.
    """
    newest = state.datapoints[-rule.capacity_datapoints :]
    metric = np.add.reduce(newest) / rule.capacity_datapoints
    ratio = metric * observation.in_service_instance_count / policy.target_value
    # A load of exactly k targets must not need k + 1 instances because a sum of thirds rounds up.
    needed: FloatArray = np.ceil(ratio * (1 - RELATIVE_TOLERANCE))
    return needed


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _ScaleOut:
    """A scale-out under a cooldown: what it gives, what was added before, whether it must wait."""

    desired: CountArray
    added: CountArray
    is_held: BoolArray


def _scale_out(
    policy: TargetTrackingPolicy,
    target: ScalableTarget,
    state: ScalingState,
    needed: FloatArray,
    current: CountArray,
    now_seconds: float | FloatArray,
) -> _ScaleOut:
    """
    Return the scale-out that an AlarmHigh would start.

    Inside the cooldown only one that would add more than the last did may start, and what the
    last has added counts as part of it.
    """
    cooling = in_cooldown(
        state.scale_out_succeeded_at_seconds, policy.scale_out_cooldown_seconds, now_seconds
    )
    kept = np.minimum(np.maximum(current - state.scale_out_base, 0), state.scale_out_size)
    added = np.where(cooling, kept, 0)
    return _ScaleOut(
        desired=np.minimum(needed - added, target.max_capacity).astype(np.int64),
        added=added,
        is_held=cooling & (needed - current <= state.scale_out_size),
    )


def _reason(
    policy: TargetTrackingPolicy,
    target: ScalableTarget,
    state: ScalingState,
    alarms: tuple[CodeArray, CodeArray],
    needed: FloatArray,
    current: CountArray,
    is_held: BoolArray,
    now_seconds: float | FloatArray,
) -> CodeArray:
    """Return the first reason that holds, before bounds that moved and a busy endpoint."""
    high, low = (states == AlarmState.ALARM.value for states in alarms)
    cooling = in_cooldown(
        state.scale_in_succeeded_at_seconds, policy.scale_in_cooldown_seconds, now_seconds
    )
    cases = (
        (high & (current >= target.max_capacity), Reason.ALREADY_AT_MAX_CAPACITY.value),
        (high & (needed <= current), Reason.ALREADY_AT_DESIRED_CAPACITY.value),
        (high & is_held, Reason.IN_SCALE_OUT_COOLDOWN.value),
        (high, Reason.SCALED_OUT.value),
        (low & policy.disable_scale_in, Reason.SCALE_IN_DISABLED.value),
        (low & (current <= target.min_capacity), Reason.ALREADY_AT_MIN_CAPACITY.value),
        (low & (needed >= current), Reason.AUTO_SCALING_ANTICIPATED_FLAPPING.value),
        (low & cooling, Reason.IN_SCALE_IN_COOLDOWN.value),
        (low, Reason.SCALED_IN.value),
    )
    reason = _reason_without_alarm(*alarms)
    for holds, case in reversed(cases):
        np.putmask(reason, holds, case)
    return reason


def _reason_without_alarm(high: CodeArray, low: CodeArray) -> CodeArray:
    reason = np.zeros(high.shape, dtype=np.int8)  # NO_ALARM
    for states in (high, low):
        missing = states == AlarmState.INSUFFICIENT_DATA.value
        np.putmask(reason, missing, Reason.INSUFFICIENT_DATA.value)
    return reason


def _reason_to_act(reason: CodeArray, changes: BoolArray, is_updating: BoolArray) -> CodeArray:
    """Return the reasons after all: bounds act without an alarm, and a busy endpoint acts never."""
    by_policy = (reason == Reason.SCALED_OUT.value) | (reason == Reason.SCALED_IN.value)
    final = reason.copy()
    np.putmask(final, changes & ~by_policy, Reason.BROUGHT_WITHIN_BOUNDS.value)
    busy = changes & is_updating
    np.putmask(final, busy, Reason.TARGET_SERVICE_PUT_RESOURCE_AS_UNSCALABLE.value)
    return final
