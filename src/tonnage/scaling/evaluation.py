"""
One evaluation of a lone target tracking policy: datapoint → alarms → what it asks for → decision.

``evaluate`` is for a caller whose scalable targets have one policy each, with bounds that it keeps
itself; a target with more policies, steps or schedules takes ``evaluate_target``, which asks each
policy by the same functions. ``decide`` is the second half, to try again between two datapoints.
"""

import numpy as np

from .alarms import TARGET_TRACKING, AlarmRule, AlarmState, alarm_states
from .arrays import BoolArray, CodeArray, FloatArray
from .asks import Moment, reason_without_alarm, tracking_ask
from .cooldowns import start_scaling
from .decisions import Decision, Reason
from .policies import TargetTrackingPolicy
from .state import Observation, ScalingState, record_datapoint
from .targets import ScalableTarget

__all__ = ["decide", "evaluate", "reason_to_act"]


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
    alarms = high, low = alarm_states(policy.target_value, state.datapoints, rule)
    before = observation.desired_instance_count
    current = np.minimum(np.maximum(before, target.min_capacity), target.max_capacity)
    alarmed = (high == AlarmState.ALARM.value) | (low == AlarmState.ALARM.value)
    if not (alarmed | (current != before)).any():
        # The usual minute: nothing asks for anything. It halves the cost of a lone policy.
        return state, Decision(
            desired_instance_count=before,
            reason=reason_without_alarm(high, low),
            high_alarm=high,
            low_alarm=low,
        )
    moment = Moment(
        target=target,
        cooldowns=state,
        current=current,
        in_service=observation.in_service_instance_count,
        now_seconds=now_seconds,
    )
    ask = tracking_ask(policy, state.datapoints, alarms, rule, moment)
    wanted = current.copy()
    np.copyto(wanted, ask.out, where=ask.reason == Reason.SCALED_OUT.value)
    np.copyto(wanted, ask.into, where=ask.reason == Reason.SCALED_IN.value)
    decision = Decision(
        desired_instance_count=np.where(observation.is_updating, before, wanted),
        reason=reason_to_act(ask.reason, wanted != before, observation.is_updating),
        high_alarm=high,
        low_alarm=low,
    )
    if decision.acts.any():
        state = start_scaling(state, decision, base=current - ask.added)
    return state, decision


def reason_to_act(reason: CodeArray, changes: BoolArray, is_updating: BoolArray) -> CodeArray:
    """Return the reasons after all: bounds act without an alarm, and a busy endpoint acts never."""
    by_policy = (reason == Reason.SCALED_OUT.value) | (reason == Reason.SCALED_IN.value)
    final = reason.copy()
    np.putmask(final, changes & ~by_policy, Reason.BROUGHT_WITHIN_BOUNDS.value)
    busy = changes & is_updating
    np.putmask(final, busy, Reason.TARGET_SERVICE_PUT_RESOURCE_AS_UNSCALABLE.value)
    return final
