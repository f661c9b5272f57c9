"""
What is remembered of activities, and what a lone policy remembers and is shown besides.
"""

from dataclasses import dataclass, fields, replace
from enum import IntEnum
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from .alarms import TARGET_TRACKING, AlarmRule
from .arrays import BoolArray, CodeArray, CountArray, FloatArray, columns, whole

__all__ = ["Cooldowns", "Observation", "Pending", "ScalingState", "record_datapoint"]


class Pending(IntEnum):
    """Which way the policy's own activity under way goes."""

    IN = -1
    NONE = 0
    OUT = 1


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Cooldowns:
    """
    The memory of n last activities; a new one is made at each step, arrays are shared, not written.

    They are one policy's that is alone on its target, or else the target's, whichever policy asked
    for them: how long each policy waits after them is its own (``docs/decisions/0018``). Times are
    on the caller's clock, -inf where there is nothing to remember.

    Attributes:
        scale_out_succeeded_at_seconds: ``(n,) float64``, when the last scale-out was in service:
            its cooldown starts there.
        scale_out_base: ``(n,) int64``, the capacity that scale-out started from.
        scale_out_size: ``(n,) int64``, how many instances it added to that.
        scale_in_succeeded_at_seconds: ``(n,) float64``, when the last scale-in was done, unless a
            scale-out has interrupted its cooldown since.
        pending: ``(n,) int8`` of ``Pending``: started, and neither succeeded nor failed yet.
        pending_base: ``(n,) int64``, what becomes ``scale_out_base`` on success.
        pending_size: ``(n,) int64``, what becomes ``scale_out_size`` on success.
    """

    scale_out_succeeded_at_seconds: FloatArray
    scale_out_base: CountArray
    scale_out_size: CountArray
    scale_in_succeeded_at_seconds: FloatArray
    pending: CodeArray
    pending_base: CountArray
    pending_size: CountArray

    @classmethod
    def none(cls, count: int = 1) -> "Cooldowns":
        """Return the memory of ``count`` targets that have done nothing yet."""
        nothing = np.zeros(count, dtype=np.int64)
        never = np.full(count, -np.inf)
        return Cooldowns(
            scale_out_succeeded_at_seconds=never,
            scale_out_base=nothing,
            scale_out_size=nothing,
            scale_in_succeeded_at_seconds=never,
            pending=np.full(count, Pending.NONE, dtype=np.int8),
            pending_base=nothing,
            pending_size=nothing,
        )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ScalingState(Cooldowns):
    """
    The memory of n lone policies: of their activities, and of their metric.

    Attributes:
        datapoints: ``(kept, n) float64``, the metric, oldest first, NaN where missing.
    """

    datapoints: FloatArray

    @classmethod
    def initial(cls, count: int = 1, rule: AlarmRule = TARGET_TRACKING) -> Self:
        """Return the memory of ``count`` policies that have just been put."""
        nothing = Cooldowns.none(count)
        return cls(
            datapoints=np.full((rule.kept_datapoints, count), np.nan),
            **{item.name: getattr(nothing, item.name) for item in fields(Cooldowns)},
        )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Observation:
    """
    What n policies are shown at the end of a period.

    Attributes:
        metric_value: ``(n,) float64``, the period's datapoint, finite, or NaN when missing.
        desired_instance_count: ``(n,) int64``, what the variant was last asked to have.
        in_service_instance_count: ``(n,) int64``, what takes invocations now.
        is_updating: ``(n,) bool``, whether the endpoint is busy, so that nothing can start.
    """

    metric_value: FloatArray
    desired_instance_count: CountArray
    in_service_instance_count: CountArray
    is_updating: BoolArray

    @classmethod
    def of(
        cls,
        *,
        metric_value: ArrayLike,
        desired_instance_count: ArrayLike,
        in_service_instance_count: ArrayLike | None = None,
        is_updating: ArrayLike = False,
    ) -> Self:
        """Return an observation from plain numbers, in service what is desired unless given."""
        metric, desired, in_service, updating = columns(
            metric_value,
            desired_instance_count,
            desired_instance_count
            if in_service_instance_count is None
            else in_service_instance_count,
            is_updating,
        )
        return cls(
            metric_value=metric.astype(np.float64),
            desired_instance_count=whole(desired, "desired_instance_count"),
            in_service_instance_count=whole(in_service, "in_service_instance_count"),
            is_updating=updating.astype(np.bool_),
        )


def record_datapoint(state: ScalingState, metric_value: FloatArray) -> ScalingState:
    """Return the state with one more datapoint, the oldest forgotten."""
    return replace(
        state, datapoints=np.concatenate((state.datapoints[1:], metric_value[np.newaxis]))
    )
