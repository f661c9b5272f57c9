"""
One evaluation of whole scalable targets: each policy asks, and one decision comes out.

AWS's rules for several policies on one target (AAS, "Considerations" of target tracking;
application-autoscaling API, ``PutScalingPolicy``):

- out if any policy asks for it, to the largest capacity asked for;
- in by target tracking only if all such policies with scale-in enabled are ready to scale in;
- in by a step policy whether the target tracking policies are ready or not;
- in to the largest capacity of those that ask.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .alarms import AlarmState, alarm_states
from .arrays import BoolArray, CodeArray, CountArray, FloatArray
from .asks import Ask, Moment, reason_without_alarm, step_ask, tracking_ask
from .attached import AttachedPolicy, StepScaling, TargetTracking
from .cooldowns import start_scaling
from .decisions import Reason, TargetDecision
from .evaluation import reason_to_act
from .metric_alarms import metric_alarm_states
from .target_state import PolicyMemory, TargetObservation, TargetState, record_datapoints

__all__ = ["decide_target", "evaluate_target"]

_Due = Sequence[bool | BoolArray]
_Alarms = tuple[CodeArray, CodeArray]

_NOBODY = -1


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
        quiet = [_masked(reason_without_alarm(*both), each) for both, each in _with(alarms, is_due)]
        reason, who = _telling(quiet, before)
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
    wanted, who, reasons, added = _agreed(policies, asks, is_due, state, current)
    telling, of_whom = _telling(reasons, before)
    by_policy = np.where(who == _NOBODY, telling, _direction(wanted, current))
    busy = observation.is_updating
    reason = reason_to_act(by_policy, wanted != before, busy)
    decision = TargetDecision(
        desired_instance_count=np.where(busy, before, wanted),
        reason=reason,
        policy=np.where(who == _NOBODY, np.where(wanted != before, _NOBODY, of_whom), who),
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


def _agreed(
    policies: Sequence[AttachedPolicy],
    asks: Sequence[Ask],
    is_due: Sequence[BoolArray],
    state: TargetState,
    current: CountArray,
) -> tuple[CountArray, CountArray, list[CodeArray], CountArray]:
    """Return the count agreed on, whose it is, what each policy asked, and what counts as added."""
    in_agrees = _tracking_agrees(policies, asks, is_due)
    wanted, added = current.copy(), np.zeros_like(current)
    who = np.full(current.shape, _NOBODY, dtype=np.int64)
    largest_in = np.zeros_like(current)
    reasons = []
    for index, (policy, ask, due) in enumerate(zip(policies, asks, is_due, strict=True)):
        reason = _masked(ask.reason, due)
        out = reason == Reason.SCALED_OUT.value
        into = ask.reason == Reason.SCALED_IN.value
        if isinstance(policy, TargetTracking):
            # One that is ready has its say when another one's period ends.
            np.putmask(
                reason,
                into & due & np.logical_not(in_agrees),
                Reason.OTHER_POLICIES_NOT_READY.value,
            )
            into = into & in_agrees
        else:
            into = into & due
        out_is_off = state.suspended.dynamic_scaling_out_suspended
        in_is_off = state.suspended.dynamic_scaling_in_suspended
        np.putmask(reason, out & out_is_off, Reason.SCALE_OUT_SUSPENDED.value)
        np.putmask(reason, into & in_is_off, Reason.SCALE_IN_SUSPENDED.value)
        out, into = out & ~out_is_off, into & ~in_is_off
        is_larger = (out & (ask.out > np.maximum(wanted, current))) | (
            into & (wanted <= current) & (ask.into > largest_in)
        )
        np.copyto(largest_in, ask.into, where=into & is_larger)
        np.copyto(wanted, np.where(out, ask.out, ask.into), where=is_larger)
        np.copyto(added, ask.added, where=is_larger)
        np.putmask(who, is_larger, index)
        reasons.append(reason)
    return wanted, who, reasons, added


def _tracking_agrees(
    policies: Sequence[AttachedPolicy], asks: Sequence[Ask], is_due: Sequence[BoolArray]
) -> bool | BoolArray:
    """Say where every target tracking policy with scale-in enabled is ready, and one is due."""
    votes = [
        (ask.reason == Reason.SCALED_IN.value, policy.policy.disable_scale_in, due)
        for policy, ask, due in zip(policies, asks, is_due, strict=True)
        if isinstance(policy, TargetTracking)
    ]
    if not votes:
        return False
    all_ready = np.logical_and.reduce([is_ready | has_none for is_ready, has_none, _ in votes])
    now: BoolArray = all_ready & np.logical_or.reduce(
        [is_ready & due for is_ready, _, due in votes]
    )
    return now


def _masked(reason: CodeArray, due: BoolArray) -> CodeArray:
    masked = reason.copy()
    np.putmask(masked, ~due, Reason.NOT_DUE.value)
    return masked


def _direction(wanted: CountArray, current: CountArray) -> CodeArray:
    out, into = np.int8(Reason.SCALED_OUT), np.int8(Reason.SCALED_IN)
    return np.where(wanted > current, out, into)


def _telling(reasons: Sequence[CodeArray], like: CountArray) -> tuple[CodeArray, CountArray]:
    """Return the most telling reason of all policies, and whose it is."""
    if not reasons:
        nobody = np.full(like.shape, _NOBODY, dtype=np.int64)
        return np.zeros(like.shape, dtype=np.int8), nobody
    chosen, who = reasons[0].copy(), np.zeros(like.shape, dtype=np.int64)
    rank = _RANK[chosen]
    for index, reason in enumerate(reasons[1:], start=1):
        higher = _RANK[reason] > rank
        np.copyto(chosen, reason, where=higher)
        np.putmask(who, higher, index)
        rank = np.maximum(rank, _RANK[reason])
    return chosen, who


_RANK = np.full(len(Reason), 3, dtype=np.int8)
_RANK[[Reason.NOT_DUE, Reason.NO_ALARM, Reason.INSUFFICIENT_DATA]] = (0, 1, 2)
