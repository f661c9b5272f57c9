"""
A CloudWatch alarm of the user's own, such as a step scaling policy acts on.

The rules are those of the CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing
data" (CW). An alarm looks at more periods than it evaluates, so that it can do with the datapoints
that are there; only when those are too few does it matter how missing ones are treated::

    datapoints there >= evaluation periods      the newest of them decide
    fewer                                       missing ones are filled in as the treatment says
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from tonnage.domain import ConfigurationError

from .alarms import AlarmState
from .arrays import BoolArray, CodeArray, CountArray, FloatArray, columns, require
from .metrics import Statistic

__all__ = ["ComparisonOperator", "MetricAlarm", "TreatMissingData", "metric_alarm_states"]

_HIGH_RESOLUTION_PERIODS = (10, 20, 30)
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


class ComparisonOperator(StrEnum):
    """How a datapoint breaches the threshold, as CloudWatch spells it."""

    GREATER_THAN_OR_EQUAL_TO_THRESHOLD = "GreaterThanOrEqualToThreshold"
    GREATER_THAN_THRESHOLD = "GreaterThanThreshold"
    LESS_THAN_THRESHOLD = "LessThanThreshold"
    LESS_THAN_OR_EQUAL_TO_THRESHOLD = "LessThanOrEqualToThreshold"

    @property
    def is_upper(self) -> bool:
        """Whether a breach is a value that is too high."""
        return self.value.startswith("Greater")


class TreatMissingData(StrEnum):
    """What stands in for a datapoint that is missing, as CloudWatch spells it."""

    MISSING = "missing"
    IGNORE = "ignore"
    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class MetricAlarm:
    """
    One alarm, its threshold for each of n policies.

    Attributes:
        threshold: ``(n,) float64``, finite.
        name: The alarm's name.
        comparison_operator: How a datapoint breaches it.
        metric_name: The CloudWatch metric.
        namespace: The metric's namespace.
        statistic: What a datapoint is of a period's samples.
        period_seconds: 10, 20, 30 or a multiple of 60 (BC).
        evaluation_periods: N of "M out of N".
        datapoints_to_alarm: M of "M out of N"; None for all N.
        treat_missing_data: What stands in for missing datapoints.
        extra_periods: How many periods it looks back beyond N. CloudWatch does not say; in its
            examples N is 3 and it looks at 5 (``docs/decisions/0017``).

    Raises:
        ConfigurationError: If CloudWatch would refuse it.
    """

    threshold: FloatArray
    name: str = "alarm"
    comparison_operator: ComparisonOperator = ComparisonOperator.GREATER_THAN_THRESHOLD
    metric_name: str = "InvocationsPerInstance"
    namespace: str = "AWS/SageMaker"
    statistic: Statistic = Statistic.SUM
    period_seconds: float = 60.0
    evaluation_periods: int = 1
    datapoints_to_alarm: int | None = None
    treat_missing_data: TreatMissingData = TreatMissingData.MISSING
    extra_periods: int = 2

    def __post_init__(self) -> None:
        require(np.isfinite(self.threshold), self.threshold, "threshold must be finite")
        if self.evaluation_periods < 1:
            raise ConfigurationError(
                f"evaluation_periods must be at least 1, not {self.evaluation_periods}"
            )
        if not 1 <= self.needed_datapoints <= self.evaluation_periods:
            raise ConfigurationError(
                f"datapoints_to_alarm must be between 1 and evaluation_periods"
                f" ({self.evaluation_periods}), not {self.datapoints_to_alarm}"
            )
        if self.extra_periods < 0:
            raise ConfigurationError(f"extra_periods must be 0 or more, not {self.extra_periods}")
        self._check_period()

    def _check_period(self) -> None:
        period = self.period_seconds
        if not period > 0 or (period % _MINUTE and period not in _HIGH_RESOLUTION_PERIODS):
            raise ConfigurationError(
                f"period_seconds must be 10, 20, 30 or a multiple of 60, not {period:g}"
            )
        longest = _DAY if period < _HOUR else 7 * _DAY
        if period * self.evaluation_periods > longest:
            raise ConfigurationError(
                f"{self.evaluation_periods} periods of {period:g} s are more than an alarm may"
                f" look at, {longest:g} s"
            )

    @classmethod
    def of(cls, *, threshold: ArrayLike, **settings: object) -> Self:
        """Return an alarm from a plain threshold, or from a sequence of them."""
        (column,) = columns(threshold)
        return cls(threshold=column.astype(np.float64), **settings)  # type: ignore[arg-type]

    @property
    def needed_datapoints(self) -> int:
        """M of "M out of N"."""
        return (
            self.evaluation_periods
            if self.datapoints_to_alarm is None
            else self.datapoints_to_alarm
        )

    @property
    def kept_datapoints(self) -> int:
        """How many datapoints a state must keep."""
        return self.evaluation_periods + self.extra_periods

    def breaches(self, datapoints: FloatArray) -> BoolArray:
        """Say which datapoints breach the threshold; a missing one does not."""
        match self.comparison_operator:
            case ComparisonOperator.GREATER_THAN_THRESHOLD:
                return datapoints > self.threshold
            case ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD:
                return datapoints >= self.threshold
            case ComparisonOperator.LESS_THAN_THRESHOLD:
                return datapoints < self.threshold
            case ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD:
                return datapoints <= self.threshold


def metric_alarm_states(alarm: MetricAlarm, datapoints: FloatArray, before: CodeArray) -> CodeArray:
    """
    Return the alarm's states.

    Args:
        alarm: The alarm.
        datapoints: ``(kept, n) float64``, oldest first, NaN where missing.
        before: ``(n,) int8`` of ``AlarmState``, which an alarm that ignores missing data keeps.
    """
    newest = datapoints[-alarm.kept_datapoints :]
    is_there = ~np.isnan(newest)
    # Counted from the newest: only the last N that are there are evaluated.
    order = is_there[::-1].cumsum(axis=0)[::-1]
    is_evaluated = is_there & (order <= alarm.evaluation_periods)
    breaching = np.asarray((alarm.breaches(newest) & is_evaluated).sum(axis=0))
    there = np.minimum(is_there.sum(axis=0), alarm.evaluation_periods)
    missing = alarm.evaluation_periods - there
    needed = alarm.needed_datapoints
    in_alarm, in_doubt = breaching >= needed, np.zeros(breaching.shape, dtype=np.bool_)
    match alarm.treat_missing_data:
        case TreatMissingData.BREACHING:
            in_alarm = breaching + missing >= needed
        case TreatMissingData.MISSING | TreatMissingData.IGNORE:
            in_doubt = ~in_alarm & (missing > 0) & (breaching == there)
        case TreatMissingData.NOT_BREACHING:
            pass
    states = np.where(in_alarm, np.int8(AlarmState.ALARM), np.int8(AlarmState.OK))
    if in_doubt.any():
        doubtful = before
        if alarm.treat_missing_data == TreatMissingData.MISSING:
            doubtful = _when_all_breach(is_there, needed)
        np.copyto(states, doubtful, where=in_doubt)
    return states


def _when_all_breach(is_there: BoolArray, needed: int) -> CodeArray:
    """Return the states of alarms whose few datapoints all breach: the oldest one's age decides."""
    age: CountArray = np.where(is_there.any(axis=0), len(is_there) - is_there.argmax(axis=0), 0)
    return np.where(age >= needed, np.int8(AlarmState.ALARM), np.int8(AlarmState.INSUFFICIENT_DATA))
