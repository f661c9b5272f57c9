"""
One evaluation of whole scalable targets: each policy asks, and one decision comes out.

How several policies agree on it is ``agreeing``.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .agreeing import NOBODY, agreed, direction, masked, telling
from .alarms import AlarmState, alarm_states
from .arrays import BoolArray, CodeArray, FloatArray
from .asks import Ask, Moment, reason_without_alarm, step_ask, tracking_ask
from .attached import AttachedPolicy, StepScaling, TargetTracking
from .cooldowns import start_scaling
from .decisions import TargetDecision
from .evaluation import reason_to_act
from .metric_alarms import metric_alarm_states
from .target_state import PolicyMemory, TargetObservation, TargetState, record_datapoints

__all__ = ["decide_target", "evaluate_target"]

_Due = Sequence[bool | BoolArray]
_Alarms = tuple[CodeArray, CodeArray]


def evaluate_target(
    policies: Sequence[AttachedPolicy],
    state: TargetState,
    observation: TargetObservation,
    now_seconds: float | FloatArray,
) -> tuple[TargetState, TargetDecision]:
    """
    Return what n scalable targets with the same k policies decide, and what they remember.

    A policy is due where its period has just ended, that is, where the observation has a metric
    value of it, NaN included; only a policy that is due asks for anything. With no metric value at
    all, capacity is still brought within bounds that have moved: that is how a scheduled action or
    a changed registration takes effect at once.

    Where ``decision.acts``, the caller starts the change, shows ``is_updating`` until it is done,
    and then reports ``target_scaling_succeeded`` or ``target_scaling_failed``.

    Args:
        policies: The policies, each for n targets.
        state: From ``TargetState.initial`` with the same policies, or the last evaluation.
        observation: The datapoints and the fleets as they are now.
        now_seconds: The time, on any clock that does not go back.
    """
    seen = record_datapoints(state, observation.metric_values)
    due = tuple(value is not None for value in observation.metric_values)
    return decide_target(policies, seen, observation, now_seconds, due=due)


def decide_target(
    policies: Sequence[AttachedPolicy],
    state: TargetState,
    observation: TargetObservation,
    now_seconds: float | FloatArray,
    *,
    due: _Due | None = None,
) -> tuple[TargetState, TargetDecision]:
    """
    Return what n scalable targets decide on the datapoints they have; see ``evaluate_target``.

    Args:
        policies: The policies.
        state: What they remember.
        observation: The fleets as they are now; its metric values are not read.
        now_seconds: The time.
        due: Which policies ask, for all targets or for each; all when not given, as on trying
            again between two datapoints.
    """
    alarms = tuple(
        _alarms(policy, memory) for policy, memory in zip(policies, state.memories, strict=True)
    )
    state = replace(state, memories=_with_alarms(policies, state.memories, alarms))
    before, target = observation.desired_instance_count, state.target
    current = np.minimum(np.maximum(before, target.min_capacity), target.max_capacity)
    is_due = [np.broadcast_to(np.asarray(each), before.shape) for each in due or _all(policies)]
    if not _is_worth_asking(alarms, is_due, current != before):
        # The usual minute: nothing asks for anything. It halves the cost of a lone target.
        quiet = [masked(reason_without_alarm(*both), each) for both, each in _with(alarms, is_due)]
        reason, who = telling(quiet, before)
        return state, TargetDecision(
            desired_instance_count=before,
            reason=reason,
            policy=who,
            policy_reasons=tuple(quiet),
            alarms=alarms,
        )
    moment = Moment(
        target=target,
        cooldowns=state.cooldowns,
        current=current,
        in_service=observation.in_service_instance_count,
        now_seconds=now_seconds,
    )
    asks = [
        _ask(policy, memory, both, moment)
        for policy, memory, both in zip(policies, state.memories, alarms, strict=True)
    ]
    wanted, who, reasons, added = agreed(policies, asks, is_due, state.suspended, current)
    unmoved, of_whom = telling(reasons, before)
    by_policy = np.where(who == NOBODY, unmoved, direction(wanted, current))
    busy = observation.is_updating
    reason = reason_to_act(by_policy, wanted != before, busy)
    decision = TargetDecision(
        desired_instance_count=np.where(busy, before, wanted),
        reason=reason,
        policy=np.where(who == NOBODY, np.where(wanted != before, NOBODY, of_whom), who),
        policy_reasons=tuple(reasons),
        alarms=alarms,
    )
    if decision.acts.any():
        started = start_scaling(state.cooldowns, decision, base=current - added)
        state = replace(state, cooldowns=started)
    return state, decision


def _alarms(policy: AttachedPolicy, memory: PolicyMemory) -> _Alarms:
    if isinstance(policy, TargetTracking):
        return alarm_states(policy.policy.target_value, memory.datapoints, policy.metric.rule)
    states = metric_alarm_states(policy.alarm, memory.datapoints, memory.alarm)
    return states, np.full(states.shape, AlarmState.OK.value, dtype=np.int8)


def _with_alarms(
    policies: Sequence[AttachedPolicy],
    memories: Sequence[PolicyMemory],
    alarms: Sequence[_Alarms],
) -> tuple[PolicyMemory, ...]:
    return tuple(
        replace(memory, alarm=own) if isinstance(policy, StepScaling) else memory
        for policy, memory, (own, _) in zip(policies, memories, alarms, strict=True)
    )


def _all(policies: Sequence[AttachedPolicy]) -> _Due:
    return (True,) * len(policies)


def _with(
    alarms: Sequence[_Alarms], is_due: Sequence[BoolArray]
) -> "zip[tuple[_Alarms, BoolArray]]":
    return zip(alarms, is_due, strict=True)


def _is_worth_asking(
    alarms: Sequence[_Alarms], is_due: Sequence[BoolArray], is_outside: BoolArray
) -> bool:
    if is_outside.any():
        return True
    return any(
        ((states == AlarmState.ALARM.value) & due).any()
        for both, due in _with(alarms, is_due)
        for states in both
    )


def _ask(policy: AttachedPolicy, memory: PolicyMemory, alarms: _Alarms, moment: Moment) -> Ask:
    if isinstance(policy, TargetTracking):
        rule = policy.metric.rule
        return tracking_ask(policy.policy, memory.datapoints, alarms, rule, moment)
    return step_ask(policy, memory.datapoints, alarms[0], moment)
