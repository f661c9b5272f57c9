"""
Scheduled actions, on the wall clock.
"""

from datetime import UTC, datetime
from typing import Any

import pytest

from aws_world import EPOCH, NAMED, World
from tonnage.emulator.aws import AwsError


@pytest.fixture
def world() -> World:
    world = World()
    world.call("RegisterScalableTarget", {**NAMED, "MinCapacity": 1, "MaxCapacity": 4})
    return world


def at(seconds: float) -> str:
    return f"at({datetime.fromtimestamp(EPOCH + seconds, UTC):%Y-%m-%dT%H:%M:%S})"


def put(world: World, name: str = "evening", **given: object) -> None:
    whole = {"Schedule": at(90), "ScalableTargetAction": {"MinCapacity": 2, "MaxCapacity": 3}}
    world.call("PutScheduledAction", {**NAMED, "ScheduledActionName": name, **whole, **given})


def actions(world: World, **given: object) -> list[dict[str, Any]]:
    found = world.call("DescribeScheduledActions", {"ServiceNamespace": "sagemaker", **given})
    listed: list[dict[str, Any]] = found["ScheduledActions"]
    return listed


def run(world: World, seconds: float) -> None:
    world.advance(seconds)
    world.control.loop.run_schedules()


def test_an_action_is_described_as_it_was_put(world: World):
    put(world, Timezone="Europe/Berlin", StartTime=EPOCH)
    (action,) = actions(world)
    assert action["Schedule"] == at(90)
    assert action["ScalableTargetAction"] == {"MinCapacity": 2, "MaxCapacity": 3}
    assert (action["Timezone"], action["StartTime"]) == ("Europe/Berlin", EPOCH)
    assert action["ScheduledActionARN"].endswith(":scheduledActionName/evening")
    assert actions(world, ScheduledActionNames=["other"]) == []


def test_putting_it_again_keeps_what_is_not_given(world: World):
    put(world)
    named = {**NAMED, "ScheduledActionName": "evening"}
    world.call("PutScheduledAction", {**named, "Schedule": "rate(5 minutes)"})
    (action,) = actions(world)
    assert action["Schedule"] == "rate(5 minutes)"
    assert action["ScalableTargetAction"] == {"MinCapacity": 2, "MaxCapacity": 3}


def test_it_moves_the_bounds_and_capacity_with_them(world: World):
    put(world)
    run(world, 89.0)
    assert world.activities() == []
    run(world, 1.0)
    assert world.variant.desired_instance_count == 2
    scaled, moved = world.activities()
    assert moved["Cause"] == "scheduled action name evening was triggered"
    assert moved["Description"] == "Setting min capacity to 2 and max capacity to 3"
    assert moved["StatusCode"] == "Successful"
    assert scaled["Cause"] == "minimum capacity was set to 2"
    (target,) = world.call("DescribeScalableTargets", {"ServiceNamespace": "sagemaker"})[
        "ScalableTargets"
    ]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 3)
    assert actions(world) == [], "what is to happen once is forgotten"


def test_it_recurs(world: World):
    put(world, Schedule="rate(1 minute)")
    for _ in range(3):
        run(world, 60.0)
    moved = [one for one in world.activities() if "scheduled" in one["Cause"]]
    assert len(moved) == 3
    assert len(actions(world)) == 1


def test_suspended_it_does_not_run_and_is_not_made_up_for(world: World):
    suspended = {"SuspendedState": {"ScheduledScalingSuspended": True}}
    world.call("RegisterScalableTarget", {**NAMED, **suspended})
    put(world, Schedule="rate(1 minute)")
    run(world, 60.0)
    assert world.activities() == []


def test_bounds_that_contradict_are_a_failed_activity(world: World):
    put(world, ScalableTargetAction={"MinCapacity": 9})
    run(world, 90.0)
    (failed,) = world.activities()
    assert failed["StatusCode"] == "Failed"
    assert failed["StatusMessage"].endswith("Maximum capacity cannot be less than minimum capacity")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"Schedule": "tomorrow"}, "no schedule"),
        ({"Schedule": None}, "Schedule is required"),
        ({"ScalableTargetAction": None}, "neither minimum nor maximum"),
        ({"ScalableTargetAction": {"MinCapacity": 0}}, "cannot be less than 1"),
        ({"ScalableTargetAction": {"MinCapacity": 3, "MaxCapacity": 2}}, "Maximum capacity cannot"),
        ({"Timezone": "Mars/Olympus"}, "no time zone"),
    ],
)
def test_an_action_that_cannot_be_is_refused(world: World, given: dict[str, Any], message: str):
    with pytest.raises(AwsError, match=message) as raised:
        put(world, **given)
    assert raised.value.code == "ValidationException"


def test_a_deleted_action_is_gone_and_an_unknown_one_not_found(world: World):
    put(world)
    named = {**NAMED, "ScheduledActionName": "evening"}
    world.call("DeleteScheduledAction", named)
    with pytest.raises(AwsError, match="No scheduled action evening found") as raised:
        world.call("DeleteScheduledAction", named)
    assert raised.value.code == "ObjectNotFoundException"
