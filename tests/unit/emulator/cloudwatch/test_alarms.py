"""
Alarms of a user's own.
"""

import logging
from typing import Any

import pytest

from aws_world import EPOCH, World
from tonnage.emulator.aws import AwsError

ALARM: dict[str, Any] = {
    "AlarmName": "busy",
    "MetricName": "Invocations",
    "Namespace": "AWS/SageMaker",
    "Dimensions": [
        {"Name": "EndpointName", "Value": "prices"},
        {"Name": "VariantName", "Value": "linear"},
    ],
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 2,
    "Threshold": 100.0,
    "ComparisonOperator": "GreaterThanThreshold",
}
MATHS = {
    **{name: ALARM[name] for name in ("AlarmName", "EvaluationPeriods", "ComparisonOperator")},
    "Threshold": 1.5,
    "Metrics": [
        {
            "Id": "m",
            "MetricStat": {
                "Metric": {name: ALARM[name] for name in ("Namespace", "MetricName", "Dimensions")},
                "Period": 60,
                "Stat": "Sum",
            },
            "ReturnData": False,
        },
        {"Id": "rate", "Expression": "m / 60"},
    ],
}


def put(world: World, **changed: object) -> None:
    world.call("PutMetricAlarm", {**ALARM, **changed})


def described(world: World, **given: object) -> dict[str, Any]:
    (alarm,) = world.call("DescribeAlarms", given)["MetricAlarms"]
    return dict(alarm)


def test_a_new_alarm_has_no_state_yet():
    world = World()
    put(world)
    alarm = described(world)
    assert alarm["StateValue"] == "INSUFFICIENT_DATA"
    assert alarm["StateReason"] == "Unchecked: Initial alarm creation"
    assert alarm["AlarmArn"] == "arn:aws:cloudwatch:us-east-1:000000000000:alarm:busy"
    assert {name: alarm[name] for name in ALARM} == ALARM


@pytest.mark.parametrize(
    "given", [ALARM, MATHS, {**ALARM, "Statistic": None, "ExtendedStatistic": "p50"}]
)
def test_it_is_in_alarm_when_enough_datapoints_breach(given: dict[str, Any]):
    world = World()
    watched = dict(given)
    if given.get("ExtendedStatistic"):
        watched |= {"MetricName": "ModelLatency", "Threshold": 9000.0}
    world.call("PutMetricAlarm", watched)
    world.minutes(2, 150)
    alarm = described(world)
    assert alarm["StateValue"] == "ALARM"
    assert alarm["StateReason"].startswith("Threshold Crossed: 2 out of the last 2 datapoints [")
    assert alarm["StateReason"].endswith("(minimum 2 datapoints for OK -> ALARM transition).")
    assert alarm["StateTransitionedTimestamp"] == EPOCH + 120


def test_one_datapoint_that_does_not_breach_makes_it_ok():
    world = World()
    put(world)
    world.minutes(2, 150)
    world.minutes(1, 99)
    alarm = described(world)
    assert alarm["StateValue"] == "OK"
    assert "[99 (" in alarm["StateReason"]
    assert "was not greater than the threshold (100.0)" in alarm["StateReason"]


def test_a_metric_that_goes_missing_leaves_too_little_to_tell():
    world = World()
    put(world, MetricName="ModelLatency", Statistic="Average", Threshold=9000.0)
    world.minutes(3, 5)
    assert described(world)["StateValue"] == "ALARM"
    world.minutes(5, 0)
    alarm = described(world)
    assert alarm["StateValue"] == "INSUFFICIENT_DATA"
    assert alarm["StateReason"] == "Insufficient Data: 2 datapoints were unknown."


def test_what_happened_to_it_is_kept():
    world = World()
    put(world)
    world.minutes(2, 150)
    world.call("DeleteAlarms", {"AlarmNames": ["busy"]})
    items = world.call("DescribeAlarmHistory", {"AlarmName": "busy"})["AlarmHistoryItems"]
    assert [item["HistorySummary"] for item in items] == [
        'Alarm "busy" deleted',
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
        'Alarm "busy" created',
    ]
    first = world.call("DescribeAlarmHistory", {"ScanBy": "TimestampAscending", "MaxRecords": 1})
    assert first["AlarmHistoryItems"] == items[-1:]
    changes = world.call("DescribeAlarmHistory", {"HistoryItemType": "StateUpdate"})
    assert {item["HistoryItemType"] for item in changes["AlarmHistoryItems"]} == {"StateUpdate"}
    assert world.call("DescribeAlarmHistory", {"EndDate": EPOCH - 1})["AlarmHistoryItems"] == []


def test_alarms_are_found_by_name_prefix_state_action_and_metric():
    world = World()
    put(world, AlarmActions=["arn:aws:sns:us-east-1:1:topic"])
    put(world, AlarmName="other", Period=300)
    world.call("SetAlarmState", {"AlarmName": "busy", "StateValue": "ALARM", "StateReason": "test"})
    for given in (
        {"AlarmNames": ["busy"]},
        {"AlarmNamePrefix": "bus"},
        {"StateValue": "ALARM"},
        {"ActionPrefix": "arn:aws:sns"},
        {"MaxRecords": 1},
    ):
        assert described(world, **given)["AlarmName"] == "busy"
    assert world.call("DescribeAlarms", {"AlarmTypes": ["CompositeAlarm"]})["MetricAlarms"] == []
    metric = {name: ALARM[name] for name in ("MetricName", "Namespace", "Dimensions")}
    on_metric = world.call("DescribeAlarmsForMetric", metric)["MetricAlarms"]
    assert [alarm["AlarmName"] for alarm in on_metric] == ["busy", "other"]
    longer = world.call("DescribeAlarmsForMetric", {**metric, "Period": 300})["MetricAlarms"]
    assert [alarm["AlarmName"] for alarm in longer] == ["other"]


def test_a_state_that_was_set_lasts_until_the_next_evaluation():
    world = World()
    put(world, EvaluationPeriods=1)
    world.minutes(1, 0)
    world.call("SetAlarmState", {"AlarmName": "busy", "StateValue": "ALARM", "StateReason": "test"})
    assert described(world)["StateReason"] == "test"
    world.minutes(1, 0)
    assert described(world)["StateValue"] == "OK"


def test_actions_are_switched_off_and_on():
    world = World()
    put(world)
    world.call("DisableAlarmActions", {"AlarmNames": ["busy", "nothing"]})
    assert described(world)["ActionsEnabled"] is False
    world.call("EnableAlarmActions", {"AlarmNames": ["busy"]})
    assert described(world)["ActionsEnabled"] is True


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"Period": 45}, "Period"),
        ({"Period": None}, "Period is required"),
        ({"Threshold": None}, "Threshold is required"),
        ({"EvaluationPeriods": 2000}, "2000 periods"),
        ({"DatapointsToAlarm": 3}, "datapoints_to_alarm"),
        ({"TreatMissingData": "guess"}, "Option guess"),
        ({"ComparisonOperator": "LessThanLowerThreshold"}, "not emulated"),
        ({"ThresholdMetricId": "x"}, "ThresholdMetricId is not emulated"),
        ({"ExtendedStatistic": "p50"}, "Exactly one of Statistic"),
        ({"Statistic": None}, "Exactly one of Statistic"),
        ({"Metrics": MATHS["Metrics"]}, "may not both"),
    ],
)
def test_an_alarm_that_cannot_be_is_refused(changed: dict[str, Any], named: str):
    with pytest.raises(AwsError, match=named) as raised:
        put(World(), **changed)
    assert raised.value.code in {"ValidationException", "InvalidParameterValueException"}


def test_there_is_a_limit(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tonnage.emulator.cloudwatch._alarm_operations._MOST_ALARMS", 1)
    world = World()
    put(world)
    with pytest.raises(AwsError) as raised:
        put(world, AlarmName="one more")
    assert raised.value.code == "LimitExceededFault"


def test_alarms_that_are_not_there_are_refused():
    world = World()
    put(world)
    for operation, given in (
        ("DeleteAlarms", {"AlarmNames": ["busy", "nothing"]}),
        ("SetAlarmState", {"AlarmName": "nothing", "StateValue": "OK", "StateReason": "r"}),
    ):
        with pytest.raises(AwsError, match="Unknown: nothing") as raised:
            world.call(operation, given)
        assert raised.value.code == "ResourceNotFound"
    assert described(world)["AlarmName"] == "busy"


def test_a_fault_in_one_alarm_keeps_no_other_from_its_turn(caplog: pytest.LogCaptureFixture):
    world = World()
    put(world, AlarmName="a", EvaluationPeriods=1)
    put(world, AlarmName="b", EvaluationPeriods=1)
    alarm = world.control.cloudwatch.alarms.get("a")
    assert alarm is not None
    alarm.members = {"AlarmName": "a"}  # what no operation lets happen
    with caplog.at_level(logging.ERROR):
        world.minutes(1, 150)
    broken, sound = (world.control.cloudwatch.alarms.get(name) for name in "ab")
    assert broken is not None
    assert sound is not None
    assert (broken.state, sound.state) == ("INSUFFICIENT_DATA", "ALARM")
    assert "could not be evaluated" in caplog.text
