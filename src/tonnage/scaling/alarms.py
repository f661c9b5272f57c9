"""
The two CloudWatch alarms that a target-tracking policy owns.

AWS creates them with the policy and allows no change, so their numbers are one ``AlarmRule`` for
all policies on a metric, not settings of each. An alarm of a user's own is ``metric_alarms``.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from tonnage.domain import ConfigurationError

from .arrays import BoolArray, CodeArray, FloatArray, mean_there

__all__ = ["HIGH_RESOLUTION", "TARGET_TRACKING", "AlarmRule", "AlarmState", "alarm_states"]


class AlarmState(IntEnum):
    """A CloudWatch alarm's state; the names are CloudWatch's values."""

    OK = 0
    ALARM = 1
    INSUFFICIENT_DATA = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class AlarmRule:
    """
    When the alarms of a policy fire, and which datapoints its new capacity comes from.

    Attributes:
        period_seconds: What one datapoint covers, and how often a policy is evaluated. 60 for
            everything but the high-resolution metrics (AAS).
        high_datapoints: AlarmHigh fires when the last so many are all above the target. 3 of 3
            (re:Post "SageMaker autoscaling delay"; CDK #34472).
        low_datapoints: AlarmLow fires when the last so many are all below ``low_ratio`` of the
            target. 15 of 15 (same sources).
        low_ratio: 0.9 (same sources; Aurora labs issue #3: a target of 1500 alarms at 1350).
        capacity_datapoints: The new capacity is computed from the mean of the newest so many.
            AWS does not say which it uses; 1 is a choice (``docs/decisions/0010``). At most
            ``high_datapoints`` and ``low_datapoints``, so that an alarm has seen each of them.
        low_periods_per_datapoint: AlarmLow looks at means over so many periods. 1 but for
            high-resolution metrics, whose scale-in is no quicker than others'
            (``docs/decisions/0016``).

    Raises:
        ConfigurationError: If the numbers do not fit together.
    """

    period_seconds: float = 60.0
    high_datapoints: int = 3
    low_datapoints: int = 15
    low_ratio: float = 0.9
    capacity_datapoints: int = 1
    low_periods_per_datapoint: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.capacity_datapoints <= min(self.high_datapoints, self.low_datapoints):
            raise ConfigurationError(
                f"capacity_datapoints must be between 1 and both alarms' datapoints "
                f"({self.high_datapoints}, {self.low_datapoints}), not {self.capacity_datapoints}"
            )
        if not 0 < self.low_ratio < 1:
            raise ConfigurationError(f"low_ratio must be between 0 and 1, not {self.low_ratio}")
        if not self.period_seconds > 0:
            raise ConfigurationError(f"period_seconds must be above 0, not {self.period_seconds}")
        if self.low_periods_per_datapoint < 1:
            raise ConfigurationError(
                f"low_periods_per_datapoint must be at least 1,"
                f" not {self.low_periods_per_datapoint}"
            )

    @property
    def kept_datapoints(self) -> int:
        """How many datapoints a state must keep."""
        return max(self.high_datapoints, self.low_datapoints * self.low_periods_per_datapoint)


TARGET_TRACKING: Final = AlarmRule()
"""The rule of every metric with one-minute datapoints."""

HIGH_RESOLUTION: Final = AlarmRule(period_seconds=10.0, low_periods_per_datapoint=6)
"""The rule of metrics emitted every 10 s: out after 30 s, in at ordinary speed."""


def alarm_states(
    target_value: FloatArray, datapoints: FloatArray, rule: AlarmRule = TARGET_TRACKING
) -> tuple[CodeArray, CodeArray]:
    """
    Return the states of AlarmHigh and AlarmLow.

    An alarm fires when every datapoint of its window is there and breaches. One that is there and
    does not breach makes it OK; otherwise too many are missing to tell.

    Args:
        target_value: ``(n,) float64``.
        datapoints: ``(kept, n) float64``, oldest first, NaN where missing.
        rule: How many datapoints each alarm looks at, and AlarmLow's threshold.

    Returns:
        Two ``(n,) int8`` arrays of ``AlarmState``.
    """
    high = datapoints[-rule.high_datapoints :]
    low = _low_datapoints(datapoints, rule)
    threshold = rule.low_ratio * target_value
    # min and max hand a NaN on, fmin and fmax pass it over: the first pair asks about every
    # datapoint, the second about those that are there.
    return (
        _states(high.min(axis=0) > target_value, np.fmin.reduce(high) <= target_value),
        _states(low.max(axis=0) < threshold, np.fmax.reduce(low) >= threshold),
    )


def _low_datapoints(datapoints: FloatArray, rule: AlarmRule) -> FloatArray:
    """Return what AlarmLow looks at: means over some periods each, of those that are there."""
    span = rule.low_periods_per_datapoint
    newest = datapoints[-rule.low_datapoints * span :]
    if span == 1:
        return newest
    return mean_there(newest.reshape(rule.low_datapoints, span, -1), axis=1)


def _states(all_breach: BoolArray, one_does_not: BoolArray) -> CodeArray:
    states = np.full(all_breach.shape, AlarmState.INSUFFICIENT_DATA.value, dtype=np.int8)
    np.putmask(states, one_does_not, AlarmState.OK.value)
    np.putmask(states, all_breach, AlarmState.ALARM.value)
    return states
