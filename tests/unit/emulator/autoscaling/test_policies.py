"""
Policies that are put, and what they then do to the fleet.
"""

import logging
from typing import Any

import pytest

from aws_world import EPOCH, NAMED, TRACKING, World
from tonnage.emulator.aws import AwsError

STEP: dict[str, Any] = {
    "AdjustmentType": "ChangeInCapacity",
    "StepAdjustments": [
        {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 100, "ScalingAdjustment": 1},
        {"MetricIntervalLowerBound": 100, "ScalingAdjustment": 2},
    ],
    "Cooldown": 60,
}
WATCHED: dict[str, Any] = {
    "AlarmName": "busy",
    "MetricName": "Invocations",
    "Namespace": "AWS/SageMaker",
    "Dimensions": [
        {"Name": "EndpointName", "Value": "prices"},
        {"Name": "VariantName", "Value": "linear"},
    ],
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 100.0,
    "ComparisonOperator": "GreaterThanThreshold",
}
HIGH = "TargetTracking-endpoint/prices/variant/linear-AlarmHigh"
LOW = "TargetTracking-endpoint/prices/variant/linear-AlarmLow"


@pytest.fixture
def world() -> World:
    world = World()
    world.call("RegisterScalableTarget", {**NAMED, "MinCapacity": 1, "MaxCapacity": 4})
    return world


def track(world: World, name: str = "tracking", **changed: object) -> dict[str, Any]:
    return world.call(
        "PutScalingPolicy",
        {
            **NAMED,
            "PolicyName": name,
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": {**TRACKING, **changed},
        },
    )


def step(world: World, name: str = "step", **changed: object) -> str:
    put = {**NAMED, "PolicyName": name, "PolicyType": "StepScaling"}
    answer = world.call(
        "PutScalingPolicy", {**put, "StepScalingPolicyConfiguration": {**STEP, **changed}}
    )
    assert answer["Alarms"] == []
    return str(answer["PolicyARN"])


def policies(world: World, **given: object) -> list[dict[str, Any]]:
    found = world.call("DescribeScalingPolicies", {"ServiceNamespace": "sagemaker", **given})
    listed: list[dict[str, Any]] = found["ScalingPolicies"]
    return listed


def refusal(world: World, operation: str, **given: object) -> AwsError:
    with pytest.raises(AwsError) as raised:
        world.call(operation, {**NAMED, **given})
    return raised.value


# Putting, describing, deleting.


def test_a_target_tracking_policy_owns_two_alarms(world: World):
    answer = track(world)
    assert sorted(world.alarms()) == [HIGH, LOW]
    assert [alarm["AlarmName"][:-37] for alarm in answer["Alarms"]] == [HIGH, LOW]
    high, low = world.call("DescribeAlarms")["MetricAlarms"]
    assert (high["EvaluationPeriods"], high["Threshold"]) == (3, 60.0)
    assert (low["EvaluationPeriods"], low["Threshold"]) == (15, 54.0)
    assert high["AlarmActions"] == [answer["PolicyARN"]]
    assert (high["MetricName"], high["Statistic"]) == ("InvocationsPerInstance", "Sum")


def test_a_policy_is_described_as_it_was_put(world: World):
    answer = track(world)
    (policy,) = policies(world)
    assert policy == {
        **NAMED,
        **answer,
        "PolicyName": "tracking",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": TRACKING,
        "CreationTime": EPOCH,
    }
    assert policies(world, PolicyNames=["other"]) == []
    assert policies(world, ResourceId="endpoint/prices/variant/other") == []


def test_putting_it_again_changes_it_and_its_alarms(world: World):
    arn = track(world)["PolicyARN"]
    assert track(world, TargetValue=600.0)["PolicyARN"] == arn
    assert len(policies(world)) == 1
    high, _ = world.call("DescribeAlarms")["MetricAlarms"]
    assert high["Threshold"] == 600.0


def test_a_deleted_policy_takes_its_alarms_along(world: World):
    track(world)
    world.call("DeleteScalingPolicy", {**NAMED, "PolicyName": "tracking"})
    assert (policies(world), world.alarms()) == ([], {})
    world.minutes(4, 600)
    assert world.activities() == []


def test_deregistering_takes_policies_and_alarms_along(world: World):
    track(world)
    world.call("DeregisterScalableTarget", NAMED)
    assert (policies(world), world.alarms()) == ([], {})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "TargetTrackingScalingPolicyConfiguration is required"),
        ({"PolicyType": "StepScaling"}, "StepScalingPolicyConfiguration is required"),
        ({"PolicyType": "PredictiveScaling"}, "PredictiveScaling is not emulated"),
        (
            {
                "TargetTrackingScalingPolicyConfiguration": {
                    "TargetValue": 0.0,
                    **{k: v for k, v in TRACKING.items() if k != "TargetValue"},
                }
            },
            "target_value must be above 0",
        ),
        ({"TargetTrackingScalingPolicyConfiguration": {"TargetValue": 1.0}}, "Exactly one of Pre"),
        (
            {
                "TargetTrackingScalingPolicyConfiguration": {
                    "TargetValue": 1.0,
                    "PredefinedMetricSpecification": {
                        "PredefinedMetricType": "ECSServiceAverageCPUUtilization"
                    },
                }
            },
            "Scalable dimension sagemaker:variant:DesiredInstanceCount only supports the following",
        ),
        (
            {
                "TargetTrackingScalingPolicyConfiguration": {
                    "TargetValue": 1.0,
                    "CustomizedMetricSpecification": {"MetricName": "m", "Namespace": "n"},
                }
            },
            "CustomizedMetricSpecification must have Statistic",
        ),
        (
            {"PolicyType": "StepScaling", "StepScalingPolicyConfiguration": {}},
            "AdjustmentType is required",
        ),
        (
            {
                "PolicyType": "StepScaling",
                "StepScalingPolicyConfiguration": {
                    **STEP,
                    "StepAdjustments": [{"ScalingAdjustment": 1}],
                },
            },
            "a step's bounds must not both be null",
        ),
    ],
)
def test_a_policy_that_cannot_be_is_refused(world: World, given: dict[str, Any], message: str):
    whole = {"PolicyName": "p", "PolicyType": "TargetTrackingScaling", **given}
    error = refusal(world, "PutScalingPolicy", **whole)
    assert error.code == "ValidationException"
    assert error.message.startswith(message) or message in error.message
    assert policies(world) == []


def test_a_type_cannot_be_changed_and_a_metric_not_tracked_twice(world: World):
    track(world)
    other = {"PolicyType": "StepScaling", "StepScalingPolicyConfiguration": STEP}
    error = refusal(world, "PutScalingPolicy", PolicyName="tracking", **other)
    assert "cannot be changed" in error.message
    with pytest.raises(AwsError, match="Only one TargetTrackingScaling policy"):
        track(world, "second")


def test_a_policy_for_an_unknown_target_or_of_an_unknown_name_is_not_found(world: World):
    unknown = {**NAMED, "ResourceId": "endpoint/prices/variant/none", "PolicyName": "p"}
    for operation in ("PutScalingPolicy", "DeleteScalingPolicy"):
        error = refusal(world, operation, **unknown)
        assert error.code == "ObjectNotFoundException"
        assert error.message.startswith("No scalable target registered for service namespace: sage")
    error = refusal(world, "DeleteScalingPolicy", PolicyName="p")
    assert error.code == "ObjectNotFoundException"
    assert error.message.startswith("No scaling policy p found for service namespace: sagemaker, ")


def test_there_is_a_limit(world: World):
    for number in range(50):
        step(world, f"step-{number}")
    with pytest.raises(AwsError) as raised:
        step(world, "one-more")
    assert raised.value.code == "LimitExceededException"
    page = world.call(
        "DescribeScalingPolicies", {"ServiceNamespace": "sagemaker", "MaxResults": 50}
    )
    assert len(page["ScalingPolicies"]) == 50


# What they do.


def test_a_scale_out_is_an_activity_from_its_alarm_to_instances_in_service(world: World):
    track(world)
    world.minutes(3, 150)
    assert world.alarms() == {HIGH: "ALARM", LOW: "OK"}
    (activity,) = world.activities()
    assert activity["StatusCode"] == "InProgress"
    assert activity["Description"] == "Setting desired instance count to 3."
    assert activity["Cause"].startswith(f"monitor alarm {HIGH}-")
    assert activity["Cause"].endswith(" in state ALARM triggered policy tracking")
    assert activity["StartTime"] == EPOCH + 180
    assert "EndTime" not in activity
    world.advance(30.0)
    world.variant.settle()
    (activity,) = world.activities()
    assert activity["StatusCode"] == "Successful"
    assert activity["EndTime"] == EPOCH + 210
    assert activity["StatusMessage"] == (
        "Successfully set desired instance count to 3. Change successfully fulfilled by sagemaker."
    )


def test_a_scale_in_follows_fifteen_quiet_minutes(world: World):
    track(world)
    world.variant.set_desired_instance_count(4)
    world.variant.settle()
    world.minutes(14, 0)
    assert world.activities() == []
    world.minutes(1, 0)
    assert world.activities()[0]["Description"] == "Setting desired instance count to 1."
    assert world.alarms()[LOW] == "ALARM"


@pytest.mark.parametrize("time_scale", [1.0, 20.0])
def test_compressed_time_decides_the_same(time_scale: float):
    """150 a minute at scale 1 are 7.5 in the 3 seconds that a minute lasts at scale 20."""
    world = World(time_scale=time_scale)
    world.call("RegisterScalableTarget", {**NAMED, "MinCapacity": 1, "MaxCapacity": 9})
    track(world)
    for _ in range(3):
        world.invoke(int(160 / time_scale))
        world.advance(60.0)
    assert world.variant.desired_instance_count == 3
    assert world.activities()[0]["StartTime"] == EPOCH + 180 / time_scale


def test_what_did_not_scale_is_told_on_asking_once_for_the_same_reason(world: World):
    track(world)
    world.variant.set_desired_instance_count(4)
    world.variant.settle()
    world.minutes(6, 1000)
    assert world.activities() == []
    (activity,) = world.activities(IncludeNotScaledActivities=True)
    assert activity["StatusCode"] == "Failed"
    assert activity["Description"] == "Attempting to scale due to alarm triggered"
    assert activity["NotScaledReasons"] == [{"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 4}]


def test_an_endpoint_that_is_updating_is_tried_again(world: World):
    track(world)
    world.variant.is_held = True
    world.minutes(4, 150)
    assert world.activities() == []
    (activity,) = world.activities(IncludeNotScaledActivities=True)
    assert activity["NotScaledReasons"][0]["Code"] == "TargetServicePutResourceAsUnscalable"
    world.variant.is_held = False
    world.minutes(1, 150)
    assert len(world.activities()) == 1


def test_capacity_that_cannot_be_had_is_a_failed_activity_and_is_asked_for_again(world: World):
    track(world)
    world.variant.refuses = "there is no room for 3 instances"
    world.minutes(4, 150)
    failed = world.activities()
    assert [one["StatusCode"] for one in failed] == ["Failed", "Failed"]
    assert failed[0]["StatusMessage"] == (
        "Failed to set desired instance count to 3. Reason: there is no room for 3 instances"
    )
    world.variant.refuses = ""
    world.minutes(1, 150)
    assert world.activities()[0]["StatusCode"] == "InProgress"


def test_a_count_set_by_hand_meanwhile_overrides(world: World):
    track(world)
    world.minutes(3, 150)
    world.variant.set_desired_instance_count(2)
    assert world.activities()[0]["StatusCode"] == "Overridden"


@pytest.mark.parametrize(
    ("invocations", "count"), [(50, 1), (150, 2), (250, 3)], ids=["below", "first", "second"]
)
def test_a_step_is_chosen_by_how_far_the_alarm_is_breached(
    world: World, invocations: int, count: int
):
    arn = step(world)
    world.call("PutMetricAlarm", {**WATCHED, "AlarmActions": [arn]})
    world.minutes(1, invocations)
    assert world.variant.desired_instance_count == count
    (policy,) = policies(world)
    assert [alarm["AlarmName"] for alarm in policy["Alarms"]] == ["busy"]
    causes = [activity["Cause"] for activity in world.activities()]
    assert causes == ["monitor alarm busy in state ALARM triggered policy step"] * (count > 1)


def test_an_action_of_an_alarm_is_history(world: World):
    arn = step(world)
    world.call("PutMetricAlarm", {**WATCHED, "AlarmActions": [arn]})
    world.minutes(1, 150)
    found = world.call("DescribeAlarmHistory", {"HistoryItemType": "Action"})["AlarmHistoryItems"]
    assert [item["HistorySummary"] for item in found] == [f"Successfully executed action {arn}"]


def test_an_alarm_whose_actions_are_off_or_that_is_deleted_moves_nothing(world: World):
    arn = step(world)
    world.call("PutMetricAlarm", {**WATCHED, "AlarmActions": [arn], "ActionsEnabled": False})
    world.minutes(2, 150)
    world.call("EnableAlarmActions", {"AlarmNames": ["busy"]})
    world.call("DeleteAlarms", {"AlarmNames": ["busy"]})
    world.minutes(2, 150)
    assert world.activities() == []


def test_the_largest_of_several_policies_wins(world: World):
    track(world)
    arn = step(world)
    alarm = {**WATCHED, "AlarmActions": [arn], "EvaluationPeriods": 3}
    world.call("PutMetricAlarm", alarm)
    world.minutes(3, 120)
    assert world.variant.desired_instance_count == 2
    assert len(world.activities()) == 1


def test_invocations_in_flight_scale_out_within_half_a_minute(world: World):
    high_resolution = "SageMakerVariantConcurrentRequestsPerModelHighResolution"
    track(
        world,
        TargetValue=2.0,
        PredefinedMetricSpecification={"PredefinedMetricType": high_resolution},
    )
    for _ in range(6):
        world.variant.metrics.arrived(1)
    world.advance(30.0)
    assert world.variant.desired_instance_count == 3
    assert world.activities()[0]["StartTime"] == EPOCH + 30


def test_a_metric_of_a_users_own_is_tracked(world: World):
    own = {"MetricName": "queue", "Namespace": "Own", "Statistic": "Average"}
    track(
        world,
        TargetValue=10.0,
        PredefinedMetricSpecification=None,
        CustomizedMetricSpecification=own,
    )
    for _ in range(3):
        world.call(
            "PutMetricData",
            {"Namespace": "Own", "MetricData": [{"MetricName": "queue", "Value": 25.0}]},
        )
        world.advance(60.0)
    assert world.variant.desired_instance_count == 3


def test_a_computed_metric_is_tracked(world: World):
    dimensions = WATCHED["Dimensions"]
    stat = {
        "Metric": {
            "Namespace": "AWS/SageMaker",
            "MetricName": "Invocations",
            "Dimensions": dimensions,
        },
        "Stat": "Sum",
    }
    computed = {
        "Metrics": [
            {"Id": "m", "MetricStat": stat, "ReturnData": False},
            {"Id": "e", "Expression": "m / 60"},
        ]
    }
    track(
        world,
        TargetValue=1.0,
        PredefinedMetricSpecification=None,
        CustomizedMetricSpecification=computed,
    )
    world.minutes(3, 120)
    assert world.variant.desired_instance_count == 2
    high, _ = world.call("DescribeAlarms")["MetricAlarms"]
    assert [query["Id"] for query in high["Metrics"]] == ["m", "e"]


def test_a_metric_that_is_missing_moves_nothing(world: World):
    own = {"MetricName": "queue", "Namespace": "Own", "Statistic": "Average"}
    track(world, PredefinedMetricSpecification=None, CustomizedMetricSpecification=own)
    world.minutes(20, 500)
    assert world.activities() == []
    assert set(world.alarms().values()) == {"INSUFFICIENT_DATA"}


def test_a_policy_that_is_put_late_reads_the_past(world: World):
    world.minutes(5, 150)
    track(world)
    world.minutes(1, 150)
    assert world.variant.desired_instance_count == 3


@pytest.mark.parametrize("suspended", [True, False])
def test_suspended_scaling_moves_nothing_until_it_is_resumed(world: World, suspended: bool):
    track(world)
    state = {"SuspendedState": {"DynamicScalingOutSuspended": suspended}}
    world.call("RegisterScalableTarget", {**NAMED, **state})
    world.minutes(4, 150)
    assert (world.variant.desired_instance_count == 1) is suspended
    world.call(
        "RegisterScalableTarget", {**NAMED, "SuspendedState": {"DynamicScalingOutSuspended": False}}
    )
    world.minutes(1, 150)
    assert world.variant.desired_instance_count > 1


def test_a_fault_of_ours_is_logged_and_keeps_no_other_target_from_its_turn(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    track(world)
    other = world.add(variant_name="other")
    named = {**NAMED, "ResourceId": "endpoint/prices/variant/other"}
    world.call("RegisterScalableTarget", {**named, "MinCapacity": 1, "MaxCapacity": 4})

    def broken(_count: int) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(world.variant, "set_desired_instance_count", broken)
    with caplog.at_level(logging.ERROR):
        world.minutes(4, 150)
        world.call("RegisterScalableTarget", {**named, "MinCapacity": 2})
    assert "could not be evaluated" in caplog.text
    assert other.desired_instance_count == 2
