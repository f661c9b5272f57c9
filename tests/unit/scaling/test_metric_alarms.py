"""
CloudWatch alarms of the user's own; CW is the CloudWatch User Guide, BC botocore's models.
"""

import numpy as np
import pytest

from tonnage.domain import ConfigurationError
from tonnage.scaling import (
    AlarmState,
    ComparisonOperator,
    MetricAlarm,
    TreatMissingData,
    metric_alarm_states,
)

OK, ALARM, NO_DATA = AlarmState.OK, AlarmState.ALARM, AlarmState.INSUFFICIENT_DATA
KEEP = None
"""The state that the alarm had before."""

ORDER = (
    TreatMissingData.MISSING,
    TreatMissingData.IGNORE,
    TreatMissingData.BREACHING,
    TreatMissingData.NOT_BREACHING,
)
THREE_OF_THREE = {
    "0 - X - X": (OK, OK, OK, OK),
    "0 - - - -": (OK, OK, OK, OK),
    "- - - - -": (NO_DATA, KEEP, ALARM, OK),
    "0 X X - X": (ALARM, ALARM, ALARM, ALARM),
    "- - X - -": (ALARM, KEEP, ALARM, OK),
    "X - - - -": (ALARM, KEEP, ALARM, OK),
    "- - - - X": (NO_DATA, KEEP, ALARM, OK),
    "- - - X -": (NO_DATA, KEEP, ALARM, OK),
}
TWO_OF_THREE = {
    "0 - X - X": (ALARM, ALARM, ALARM, ALARM),
    "0 0 X 0 X": (ALARM, ALARM, ALARM, ALARM),
    "0 - X - -": (OK, OK, ALARM, OK),
    "- - - - 0": (OK, OK, ALARM, OK),
    "- - - X -": (ALARM, KEEP, ALARM, OK),
}
ROWS = [
    pytest.param(needed, data, treatment, state, id=f"{needed} of 3, {data}, {treatment}")
    for needed, table in ((3, THREE_OF_THREE), (2, TWO_OF_THREE))
    for data, states in table.items()
    for treatment, state in zip(ORDER, states, strict=True)
]


def state_of(alarm: MetricAlarm, datapoints: list[float], before: AlarmState = OK) -> AlarmState:
    column = np.array(datapoints, dtype=np.float64)[:, np.newaxis]
    return AlarmState(metric_alarm_states(alarm, column, np.array([before], dtype=np.int8))[0])


@pytest.mark.parametrize("before", list(AlarmState))
@pytest.mark.parametrize(("needed", "data", "treatment", "state"), ROWS)
def test_missing_data_are_treated_as_cloudwatchs_tables_say(
    needed: int,
    data: str,
    treatment: TreatMissingData,
    state: AlarmState | None,
    before: AlarmState,
):
    """CW, "Configuring how CloudWatch alarms treat missing data": its two tables of examples."""
    alarm = MetricAlarm.of(
        threshold=50,
        evaluation_periods=3,
        datapoints_to_alarm=needed,
        treat_missing_data=treatment,
    )
    values = {"0": 10.0, "X": 90.0, "-": np.nan}
    expected = before if state is KEEP else state
    assert state_of(alarm, [values[point] for point in data.split()], before) == expected


@pytest.mark.parametrize(
    ("comparison", "below", "equal", "above"),
    [
        (ComparisonOperator.GREATER_THAN_THRESHOLD, OK, OK, ALARM),
        (ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD, OK, ALARM, ALARM),
        (ComparisonOperator.LESS_THAN_THRESHOLD, ALARM, OK, OK),
        (ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD, ALARM, ALARM, OK),
    ],
)
def test_a_datapoint_breaches_as_the_operator_says(
    comparison: ComparisonOperator, below: AlarmState, equal: AlarmState, above: AlarmState
):
    """``ComparisonOperator`` of PutMetricAlarm, the datapoint being the first operand (BC)."""
    alarm = MetricAlarm.of(threshold=50, comparison_operator=comparison)
    assert [state_of(alarm, [value]) for value in (49, 50, 51)] == [below, equal, above]


def test_m_breaching_datapoints_out_of_n_need_not_follow_each_other():
    """ "M out of N": DatapointsToAlarm of EvaluationPeriods (BC, CW)."""
    alarm = MetricAlarm.of(threshold=50, evaluation_periods=4, datapoints_to_alarm=2)
    assert state_of(alarm, [0, 0, 90, 0, 0, 90]) == ALARM
    assert state_of(alarm, [90, 90, 0, 0, 0, 90]) == OK


def test_thresholds_are_one_for_each_target():
    alarm = MetricAlarm.of(threshold=[50, 100])
    states = metric_alarm_states(alarm, np.array([[60.0, 60.0]]), np.zeros(2, dtype=np.int8))
    assert states.tolist() == [ALARM, OK]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"evaluation_periods": 0}, "evaluation_periods must be at least 1"),
        ({"evaluation_periods": 2, "datapoints_to_alarm": 3}, "between 1 and evaluation_periods"),
        ({"datapoints_to_alarm": 0}, "datapoints_to_alarm must be between 1"),
        ({"period_seconds": 45}, "10, 20, 30 or a multiple of 60, not 45"),
        ({"period_seconds": 0}, "10, 20, 30 or a multiple of 60, not 0"),
        ({"period_seconds": 60, "evaluation_periods": 1441}, "more than an alarm may look at"),
        ({"period_seconds": 3600, "evaluation_periods": 169}, "more than an alarm may look at"),
        ({"threshold": np.nan}, "threshold must be finite"),
        ({"extra_periods": -1}, "extra_periods must be 0 or more"),
    ],
)
def test_alarms_that_cloudwatch_would_refuse_are_refused(wrong: dict[str, float], message: str):
    """Period, EvaluationPeriods and DatapointsToAlarm of PutMetricAlarm (BC, CW)."""
    with pytest.raises(ConfigurationError, match=message):
        MetricAlarm.of(**({"threshold": 50} | wrong))
