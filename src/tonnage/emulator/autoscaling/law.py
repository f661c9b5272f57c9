"""
The scaling law of one scalable target, with its memory.
"""

import logging
import math
from collections.abc import Sequence
from dataclasses import replace

from tonnage.emulator.aws import AwsError
from tonnage.emulator.cloudwatch import CloudWatch
from tonnage.scaling import (
    AlarmState,
    PolicyMemory,
    ScalableTarget,
    ScheduledAction,
    StepScaling,
    SuspendedState,
    TargetDecision,
    TargetObservation,
    TargetState,
    TargetTracking,
    apply_scheduled_action,
    change_policies,
    evaluate_target,
    policy_cause,
    target_cause,
    target_scaling_failed,
    target_scaling_succeeded,
)

from .attaching import Attached, attached_step, attached_tracking
from .owned_alarms import OwnedAlarms
from .records import Target

__all__ = ["TargetLaw"]

logger = logging.getLogger(__name__)


class TargetLaw:
    """
    What a scalable target's policies decide.

    Args:
        target: The target.
        cloudwatch: Their metrics and alarms.
    """

    def __init__(self, target: Target, cloudwatch: CloudWatch) -> None:
        self.target = target
        self._cloudwatch = cloudwatch
        self._attached: tuple[Attached, ...] = ()
        self._owned = OwnedAlarms(target, cloudwatch)
        self._state = TargetState.initial(_bounds(target), suspended=_suspended(target))

    @property
    def periods(self) -> set[float]:
        """How long the periods of its policies are."""
        return {attached.law.period_seconds for attached in self._attached}

    @property
    def bounds(self) -> ScalableTarget:
        """The bounds in force."""
        return self._state.target

    def reread(self, now_seconds: float) -> None:
        """Take note of bounds, policies and alarms as they are now."""
        before = tuple(attached.law for attached in self._attached)
        self._attached = tuple(self._attach())
        after = tuple(attached.law for attached in self._attached)
        state = change_policies(self._state, before, after)
        old = {(law.name, law.metric_name) for law in before}
        memories = tuple(
            memory
            if (attached.law.name, attached.law.metric_name) in old
            else self._remembered(attached, now_seconds)
            for attached, memory in zip(self._attached, state.memories, strict=True)
        )
        self._state = replace(
            state,
            memories=memories,
            target=_bounds(self.target),
            suspended=_suspended(self.target),
        )
        self._owned.put(self._attached)

    def forget(self) -> None:
        """Delete the alarms that its policies own."""
        self._owned.forget()

    def evaluate(
        self,
        moment_seconds: float | None,
        *,
        desired: int,
        in_service: int,
        is_updating: bool,
        now_seconds: float,
    ) -> TargetDecision:
        """
        Return what is decided at the end of a period.

        Args:
            moment_seconds: The end of the period, which decides whose policies are due; None
                shows no datapoints, so that only the bounds have their say.
            desired: What the variant was last asked to have.
            in_service: What takes invocations.
            is_updating: Whether nothing can start.
            now_seconds: The emulator's clock.
        """
        values = [self._datapoint(attached, moment_seconds) for attached in self._attached]
        observation = TargetObservation.of(
            metric_values=values,
            desired_instance_count=desired,
            in_service_instance_count=max(1, in_service),
            is_updating=is_updating,
        )
        self._state, decision = evaluate_target(self._laws, self._state, observation, now_seconds)
        if moment_seconds is not None:
            self._owned.note(self._attached, self._state.memories, decision)
        return decision

    def run(self, action: ScheduledAction) -> bool:
        """Set the bounds that a scheduled action sets, and say whether it could."""
        self._state, was_run = apply_scheduled_action(self._state, action)
        self.target.min_capacity = int(self._state.target.min_capacity[0])
        self.target.max_capacity = int(self._state.target.max_capacity[0])
        return bool(was_run[0])

    def succeeded(self, now_seconds: float) -> None:
        """Take note that the capacity asked for has settled."""
        self._state = target_scaling_succeeded(self._state, now_seconds)

    def failed(self) -> None:
        """Take note that the last activity failed."""
        self._state = target_scaling_failed(self._state)

    def policy_arn(self, index: int) -> str:
        """Return the ARN of one of the policies that a decision counts."""
        return self._attached[index].policy.arn

    def cause(self, decision: TargetDecision) -> str:
        """Return the cause of a change that was decided."""
        return target_cause(decision, self._laws, self._state.target, self.target.names)

    def causes_not_scaled(self, decision: TargetDecision) -> list[tuple[int, str]]:
        """Return each policy whose alarm is in ALARM and that did not scale, with its cause."""
        found = []
        for index, both in enumerate(decision.alarms):
            if any(states[0] == AlarmState.ALARM for states in both):
                cause = policy_cause(decision, self._laws, index, self.target.names)
                found.append((int(decision.policy_reasons[index][0]), cause))
        return found

    @property
    def _laws(self) -> tuple[TargetTracking | StepScaling, ...]:
        return tuple(attached.law for attached in self._attached)

    def _attach(self) -> Sequence[Attached]:
        store, alarms = self._cloudwatch.store, self._cloudwatch.alarms.all()
        attached: list[Attached] = []
        for policy in self.target.policies.values():
            if policy.kind == "TargetTrackingScaling":
                attached.append(attached_tracking(policy, self.target, store))
            else:
                attached.extend(
                    attached_step(policy, alarm, store)
                    for alarm in alarms
                    if alarm.rule is not None
                    and alarm.members["ActionsEnabled"]
                    and policy.arn in alarm.members["AlarmActions"]
                )
        return attached

    def _remembered(self, attached: Attached, now_seconds: float) -> PolicyMemory:
        """Return the memory of a new policy: its alarms read the past datapoints, too."""
        law = attached.law
        newest = self._cloudwatch.store.newest_period(law.period_seconds, now_seconds)
        first = max(0, newest - law.kept_datapoints + 1)
        series = attached.read(first, newest)
        past = [series.get(number, math.nan) for number in range(first, newest + 1)]
        return PolicyMemory.of(law, datapoints=past)

    def _datapoint(self, attached: Attached, moment_seconds: float | None) -> float | None:
        period = attached.law.period_seconds
        if moment_seconds is None or moment_seconds % period:
            return None
        number = int(moment_seconds // period) - 1
        try:
            return attached.read(number, number).get(number, math.nan)
        except AwsError as error:
            logger.warning("policy %s has no datapoint: %s", attached.law.name, error.message)
            return math.nan


def _bounds(target: Target) -> ScalableTarget:
    return ScalableTarget.of(min_capacity=target.min_capacity, max_capacity=target.max_capacity)


def _suspended(target: Target) -> SuspendedState:
    return SuspendedState.of(
        dynamic_scaling_in_suspended=target.suspended["DynamicScalingInSuspended"],
        dynamic_scaling_out_suspended=target.suspended["DynamicScalingOutSuspended"],
        scheduled_scaling_suspended=target.suspended["ScheduledScalingSuspended"],
    )
