"""
What scalable targets with any number of policies remember, and what they are shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from tonnage.domain import ConfigurationError

from .alarms import AlarmState
from .arrays import BoolArray, CodeArray, CountArray, FloatArray, columns, spread, whole
from .attached import AttachedPolicy
from .state import Cooldowns
from .suspension import SuspendedState
from .targets import ScalableTarget

__all__ = [
    "PolicyMemory",
    "TargetObservation",
    "TargetState",
    "change_policies",
    "record_datapoints",
]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PolicyMemory:
    """
    What n targets remember of one policy's metric.

    Attributes:
        datapoints: ``(kept, n) float64``, oldest first, NaN where missing.
        alarm: ``(n,) int8`` of ``AlarmState``, a step policy's alarm as it last was.
    """

    datapoints: FloatArray
    alarm: CodeArray

    @classmethod
    def of(cls, policy: AttachedPolicy, count: int = 1, datapoints: Sequence[float] = ()) -> Self:
        """
        Return the memory of a policy that has just been put on ``count`` targets.

        Args:
            policy: The policy.
            count: How many targets.
            datapoints: What its metric was in the periods before, oldest first: a new alarm reads
                them too (CloudWatch User Guide).
        """
        kept = np.full((policy.kept_datapoints, count), np.nan)
        known = np.asarray(datapoints, dtype=np.float64)[-policy.kept_datapoints :]
        if known.size:
            kept[-known.size :] = known[:, np.newaxis]
        return cls(
            datapoints=kept, alarm=np.full(count, AlarmState.INSUFFICIENT_DATA, dtype=np.int8)
        )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TargetState:
    """
    The memory of n scalable targets with the same k policies; a new one is made at each step.

    Attributes:
        target: The bounds now in force, which scheduled actions change.
        suspended: What of scaling is suspended now.
        cooldowns: Of the targets' last activities.
        memories: Of each policy's metric, in the order of the policies.
    """

    target: ScalableTarget
    suspended: SuspendedState
    cooldowns: Cooldowns
    memories: tuple[PolicyMemory, ...]

    @classmethod
    def initial(
        cls,
        target: ScalableTarget,
        policies: Sequence[AttachedPolicy] = (),
        *,
        suspended: SuspendedState | None = None,
    ) -> Self:
        """Return the memory of targets that have just been registered, policies just put."""
        count = len(target.min_capacity)
        return cls(
            target=target,
            suspended=spread(suspended or SuspendedState.of(), count),
            cooldowns=Cooldowns.none(count),
            memories=tuple(PolicyMemory.of(policy, count) for policy in policies),
        )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TargetObservation:
    """
    What n scalable targets with k policies are shown at one moment.

    Attributes:
        metric_values: k of ``(n,) float64``: the datapoint of the policy's period that has just
            ended, NaN when missing; None where no period of it has ended.
        desired_instance_count: ``(n,) int64``, what the variant was last asked to have.
        in_service_instance_count: ``(n,) int64``, what takes invocations now.
        is_updating: ``(n,) bool``, whether the endpoint is busy, so that nothing can start.
    """

    metric_values: tuple[FloatArray | None, ...]
    desired_instance_count: CountArray
    in_service_instance_count: CountArray
    is_updating: BoolArray

    @classmethod
    def of(
        cls,
        *,
        metric_values: Sequence[ArrayLike | None] = (),
        desired_instance_count: ArrayLike,
        in_service_instance_count: ArrayLike | None = None,
        is_updating: ArrayLike = False,
    ) -> Self:
        """Return an observation from plain numbers, in service what is desired unless given."""
        in_service = (
            desired_instance_count
            if in_service_instance_count is None
            else in_service_instance_count
        )
        given = [value for value in metric_values if value is not None]
        desired, serving, updating, *fitted = columns(
            desired_instance_count, in_service, is_updating, *given
        )
        datapoints = iter(fitted)
        return cls(
            metric_values=tuple(
                None if value is None else next(datapoints).astype(np.float64)
                for value in metric_values
            ),
            desired_instance_count=whole(desired, "desired_instance_count"),
            in_service_instance_count=whole(serving, "in_service_instance_count"),
            is_updating=updating.astype(np.bool_),
        )


def record_datapoints(
    state: TargetState, metric_values: Sequence[FloatArray | None]
) -> TargetState:
    """
    Return the state with one more datapoint of each policy that has one.

    Raises:
        ConfigurationError: If there is not one value, or None, for each policy.
    """
    if len(metric_values) != len(state.memories):
        raise ConfigurationError(
            f"{len(state.memories)} policies need as many metric values, not {len(metric_values)}",
            hint="give None for a policy whose period has not ended",
        )
    memories = tuple(
        memory
        if value is None
        else replace(memory, datapoints=np.concatenate((memory.datapoints[1:], value[np.newaxis])))
        for memory, value in zip(state.memories, metric_values, strict=True)
    )
    return replace(state, memories=memories)


def change_policies(
    state: TargetState, before: Sequence[AttachedPolicy], after: Sequence[AttachedPolicy]
) -> TargetState:
    """
    Return the state of targets whose policies were put, changed or deleted.

    A policy of the same name and metric goes on with the datapoints it has.
    """
    known = {
        (policy.name, policy.metric_name): memory
        for policy, memory in zip(before, state.memories, strict=True)
    }
    count = len(state.target.min_capacity)
    memories = []
    for policy in after:
        memory = known.get((policy.name, policy.metric_name))
        if memory is None or len(memory.datapoints) != policy.kept_datapoints:
            memory = PolicyMemory.of(policy, count)
        memories.append(memory)
    return replace(state, memories=tuple(memories))
