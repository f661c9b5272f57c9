"""
Step scaling: how much to add or remove, by how far an alarm's metric is from its threshold.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

import numpy as np
from numpy.typing import ArrayLike

from tonnage.domain import ConfigurationError

from .arrays import BoolArray, CountArray, FloatArray, columns, mean_there, require, whole
from .metric_alarms import MetricAlarm
from .policies import DEFAULT_COOLDOWN_SECONDS

__all__ = ["AdjustmentType", "MetricAggregationType", "StepAdjustment", "StepScalingPolicy"]

MOST_STEPS: Final = 20
"""Application Auto Scaling's quota for one policy."""


class AdjustmentType(StrEnum):
    """What a step's number means, as AWS spells it."""

    CHANGE_IN_CAPACITY = "ChangeInCapacity"
    EXACT_CAPACITY = "ExactCapacity"
    PERCENT_CHANGE_IN_CAPACITY = "PercentChangeInCapacity"


class MetricAggregationType(StrEnum):
    """What the newest datapoints are put together to, as AWS spells it."""

    AVERAGE = "Average"
    MINIMUM = "Minimum"
    MAXIMUM = "Maximum"


@dataclass(frozen=True, kw_only=True, slots=True)
class StepAdjustment:
    """
    One step: what happens while the metric is so far from the threshold.

    Attributes:
        scaling_adjustment: Instances, percent or an exact count: a scalar or one for each policy.
        lower_bound: ``MetricIntervalLowerBound``, relative to the threshold; None for no bound.
        upper_bound: ``MetricIntervalUpperBound``, likewise.
    """

    scaling_adjustment: ArrayLike
    lower_bound: ArrayLike | None = None
    upper_bound: ArrayLike | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class StepScalingPolicy:
    """
    Add or remove capacity by steps while an alarm is in ALARM.

    Attributes:
        lower_bound: ``(s, n) float64``, of each step, -inf for none.
        upper_bound: ``(s, n) float64``, inf for none.
        scaling_adjustment: ``(s, n) int64``.
        cooldown_seconds: ``(n,) float64``, after an activity, until the next that is not larger.
        min_adjustment_magnitude: ``(n,) int64``, the least change of a percentage; 0 for none.
        adjustment_type: What an adjustment means.
        metric_aggregation_type: What the newest datapoints are put together to.
        aggregated_datapoints: How many; None for the alarm's evaluation periods. AWS says "the
            most recent" (``docs/decisions/0017``).

    Raises:
        ConfigurationError: If AWS would refuse it.
    """

    lower_bound: FloatArray
    upper_bound: FloatArray
    scaling_adjustment: CountArray
    cooldown_seconds: FloatArray
    min_adjustment_magnitude: CountArray
    adjustment_type: AdjustmentType
    metric_aggregation_type: MetricAggregationType = MetricAggregationType.AVERAGE
    aggregated_datapoints: int | None = None

    def __post_init__(self) -> None:
        _check_steps(self.lower_bound, self.upper_bound)
        seconds = self.cooldown_seconds
        require(
            (seconds >= 0) & np.isfinite(seconds), seconds, "cooldown_seconds must be 0 or more"
        )
        if self.adjustment_type == AdjustmentType.EXACT_CAPACITY:
            exact = self.scaling_adjustment
            require(exact >= 0, exact, "scaling_adjustment of ExactCapacity must be 0 or more")
        least = self.min_adjustment_magnitude
        require(least >= 0, least, "min_adjustment_magnitude must be 0 or more")
        if least.any() and self.adjustment_type != AdjustmentType.PERCENT_CHANGE_IN_CAPACITY:
            raise ConfigurationError(
                "min_adjustment_magnitude is for the adjustment type PercentChangeInCapacity,"
                f" not {self.adjustment_type}"
            )
        if self.aggregated_datapoints is not None and self.aggregated_datapoints < 1:
            raise ConfigurationError(
                f"aggregated_datapoints must be at least 1, not {self.aggregated_datapoints}"
            )

    @classmethod
    def of(
        cls,
        *,
        adjustment_type: AdjustmentType,
        steps: Sequence[StepAdjustment],
        cooldown_seconds: ArrayLike = DEFAULT_COOLDOWN_SECONDS,
        min_adjustment_magnitude: ArrayLike = 0,
        metric_aggregation_type: MetricAggregationType = MetricAggregationType.AVERAGE,
        aggregated_datapoints: int | None = None,
    ) -> Self:
        """Return a policy from plain numbers, or many from sequences of them."""
        if not 1 <= len(steps) <= MOST_STEPS:
            raise ConfigurationError(
                f"a step scaling policy has 1 to {MOST_STEPS} step adjustments, not {len(steps)}"
            )
        lower = [-np.inf if step.lower_bound is None else step.lower_bound for step in steps]
        upper = [np.inf if step.upper_bound is None else step.upper_bound for step in steps]
        fitted = columns(
            cooldown_seconds,
            min_adjustment_magnitude,
            *lower,
            *upper,
            *(step.scaling_adjustment for step in steps),
        )
        rows = np.array([column.astype(np.float64) for column in fitted[2:]])
        lower_bound, upper_bound, adjustment = rows.reshape(3, len(steps), -1)
        return cls(
            lower_bound=lower_bound,
            upper_bound=upper_bound,
            scaling_adjustment=whole(adjustment, "scaling_adjustment"),
            cooldown_seconds=fitted[0].astype(np.float64),
            min_adjustment_magnitude=whole(fitted[1], "min_adjustment_magnitude"),
            adjustment_type=adjustment_type,
            metric_aggregation_type=metric_aggregation_type,
            aggregated_datapoints=aggregated_datapoints,
        )

    def aggregated(self, alarm: MetricAlarm, datapoints: FloatArray) -> FloatArray:
        """Return ``(n,) float64``, the newest datapoints put together; NaN where there are none."""
        count = self.aggregated_datapoints or alarm.evaluation_periods
        newest = datapoints[-count:]
        match self.metric_aggregation_type:
            case MetricAggregationType.MINIMUM:
                return np.asarray(np.fmin.reduce(newest))
            case MetricAggregationType.MAXIMUM:
                return np.asarray(np.fmax.reduce(newest))
            case MetricAggregationType.AVERAGE:
                return mean_there(newest, axis=0)

    def change(
        self, alarm: MetricAlarm, metric_value: FloatArray, capacity: CountArray
    ) -> tuple[CountArray, BoolArray]:
        """
        Return by how many instances to change, and where a step covers the metric at all.

        Above the threshold a step's lower bound is part of it and its upper bound is not; below,
        it is the other way round (AAS). At the threshold the alarm's direction decides.
        """
        is_above = metric_value > alarm.threshold
        if alarm.comparison_operator.is_upper:
            is_above |= metric_value == alarm.threshold
        low, high = alarm.threshold + self.lower_bound, alarm.threshold + self.upper_bound
        covers = np.where(
            is_above,
            (metric_value >= low) & (metric_value < high),
            (metric_value > low) & (metric_value <= high),
        )
        adjustment = np.where(covers, self.scaling_adjustment, 0).sum(axis=0)
        is_covered = np.asarray(covers.any(axis=0))
        change = np.where(is_covered, self._change(adjustment, capacity), 0)
        return change.astype(np.int64), is_covered

    def _change(self, adjustment: CountArray, capacity: CountArray) -> CountArray:
        match self.adjustment_type:
            case AdjustmentType.CHANGE_IN_CAPACITY:
                return adjustment
            case AdjustmentType.EXACT_CAPACITY:
                return adjustment - capacity
            case AdjustmentType.PERCENT_CHANGE_IN_CAPACITY:
                return self._percentage(adjustment, capacity)

    def _percentage(self, percent: CountArray, capacity: CountArray) -> CountArray:
        # Toward zero, but by one instance at least: 12.7 is 12, 0.67 is 1, -6.67 is -6 (AAS).
        exact = capacity * percent / 100
        least = np.maximum(1, self.min_adjustment_magnitude)
        size = np.maximum(np.floor(np.abs(exact)), least)
        return (np.sign(exact) * size).astype(np.int64)


def _check_steps(lower: FloatArray, upper: FloatArray) -> None:
    """Refuse steps with gaps or overlaps, or ones that miss the open end AWS asks for."""
    unbounded = np.isinf(lower) & np.isinf(upper)
    require(~unbounded, lower, "a step's bounds must not both be null")
    require(lower < upper, upper, "an upper bound must be greater than its lower bound")
    order = np.argsort(lower, axis=0, kind="stable")
    low = np.take_along_axis(lower, order, axis=0)
    high = np.take_along_axis(upper, order, axis=0)
    require(low[1:] == high[:-1], low[1:], "a step must begin where the one below it ends")
    first, last = low[0], high[-1]
    require(
        (first >= 0) | np.isneginf(first),
        first,
        "where a lower bound is negative, the lowest must be null",
    )
    require(
        (last <= 0) | np.isposinf(last),
        last,
        "where an upper bound is positive, the highest must be null",
    )
