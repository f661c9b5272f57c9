"""
Scalable targets: what may be registered, and what is said of it.
"""

from typing import Any

import pytest

from aws_world import EPOCH, NAMED, World
from tonnage.emulator.aws import AwsError


def register(world: World, **given: object) -> str:
    whole = {**NAMED, "MinCapacity": 1, "MaxCapacity": 4, **given}
    return str(world.call("RegisterScalableTarget", whole)["ScalableTargetARN"])


def target(world: World) -> dict[str, Any]:
    (found,) = world.call("DescribeScalableTargets", {"ServiceNamespace": "sagemaker"})[
        "ScalableTargets"
    ]
    return dict(found)


def refusal(world: World, operation: str, **given: object) -> AwsError:
    with pytest.raises(AwsError) as raised:
        world.call(operation, {**NAMED, **given})
    return raised.value


def test_a_registered_target_is_described():
    world = World()
    world.advance(30.0)
    arn = register(world)
    assert target(world) == {
        **NAMED,
        "MinCapacity": 1,
        "MaxCapacity": 4,
        "RoleARN": "arn:aws:iam::000000000000:role/aws-service-role/sagemaker.application-"
        "autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
        "CreationTime": EPOCH + 30,
        "SuspendedState": {
            "DynamicScalingInSuspended": False,
            "DynamicScalingOutSuspended": False,
            "ScheduledScalingSuspended": False,
        },
        "ScalableTargetARN": arn,
    }


def test_registering_again_changes_what_is_given_and_nothing_else():
    world = World()
    arn = register(world)
    world.advance(60.0)
    given = {"MaxCapacity": 9, "SuspendedState": {"DynamicScalingInSuspended": True}}
    again = world.call("RegisterScalableTarget", {**NAMED, **given})
    assert again["ScalableTargetARN"] == arn
    changed = target(world)
    assert (changed["MinCapacity"], changed["MaxCapacity"]) == (1, 9)
    assert changed["SuspendedState"]["DynamicScalingInSuspended"] is True
    assert changed["SuspendedState"]["ScheduledScalingSuspended"] is False
    assert changed["CreationTime"] == EPOCH


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"MinCapacity": 5, "MaxCapacity": 4}, "Maximum capacity cannot be less than minimum"),
        ({"MinCapacity": 0, "MaxCapacity": 4}, "Minimum capacity cannot be less than 1"),
        ({"MinCapacity": 1, "MaxCapacity": 0}, "Maximum capacity cannot be less than 1"),
        ({"MinCapacity": 1}, "MinCapacity and MaxCapacity are required"),
        (
            {"MinCapacity": 1, "MaxCapacity": 2, "ResourceId": "endpoint/none/variant/linear"},
            "SageMaker variant doesn't exist: endpoint/none/variant/linear",
        ),
        (
            {"MinCapacity": 1, "MaxCapacity": 2, "ResourceId": "endpoint/prices/variant/none"},
            "SageMaker variant doesn't exist: endpoint/prices/variant/none",
        ),
        (
            {"MinCapacity": 1, "MaxCapacity": 2, "ResourceId": "prices"},
            "Unsupported service namespace, resource type or scalable dimension",
        ),
        (
            {"MinCapacity": 1, "MaxCapacity": 2, "ServiceNamespace": "ecs"},
            "Unsupported service namespace, resource type or scalable dimension",
        ),
        (
            {"MinCapacity": 1, "MaxCapacity": 2, "ScalableDimension": "ecs:service:DesiredCount"},
            "Unsupported service namespace, resource type or scalable dimension",
        ),
    ],
)
def test_a_target_that_cannot_be_is_refused(given: dict[str, Any], message: str):
    error = refusal(World(), "RegisterScalableTarget", **given)
    assert (error.code, error.status) == ("ValidationException", 400)
    assert error.message.startswith(message)


@pytest.mark.parametrize(
    ("instance_type", "message"),
    [("ml.t2.medium", "burstable instance type ml.t2.medium"), ("", "is serverless")],
)
def test_burstable_and_serverless_variants_do_not_scale(instance_type: str, message: str):
    world = World()
    world.variant.instance_type = instance_type
    error = refusal(world, "RegisterScalableTarget", MinCapacity=1, MaxCapacity=2)
    assert message in error.message


def test_capacity_outside_the_bounds_is_brought_within_them_at_once():
    world = World()
    register(world, MinCapacity=3)
    assert world.variant.desired_instance_count == 3
    (activity,) = world.activities()
    assert activity["Cause"] == "minimum capacity was set to 3"
    world.variant.settle()
    register(world, MaxCapacity=2)
    assert world.variant.desired_instance_count == 2
    assert world.activities()[0]["Cause"] == "maximum capacity was set to 2"


def test_a_deregistered_target_is_gone_with_its_policies_and_alarms():
    world = World()
    register(world)
    world.call("DeregisterScalableTarget", NAMED)
    for operation in ("DeregisterScalableTarget",):
        error = refusal(world, operation)
        assert error.code == "ObjectNotFoundException"
        assert error.message == (
            "No scalable target registered for service namespace: sagemaker, resource ID: "
            "endpoint/prices/variant/linear, scalable dimension: "
            "sagemaker:variant:DesiredInstanceCount"
        )
    none = world.call("DescribeScalableTargets", {"ServiceNamespace": "sagemaker"})
    assert none["ScalableTargets"] == []


def test_a_variant_that_is_gone_takes_its_target_along():
    world = World()
    register(world)
    world.remove(world.variant)
    none = world.call("DescribeScalableTargets", {"ServiceNamespace": "sagemaker"})
    assert none["ScalableTargets"] == []
    world.advance(120.0)


def test_targets_are_found_by_id_and_told_in_pages():
    world = World()
    for number in range(5):
        world.add(variant_name=f"v{number}")
        register(world, ResourceId=f"endpoint/prices/variant/v{number}")
    given: dict[str, Any] = {"ServiceNamespace": "sagemaker", "MaxResults": 2}
    found: list[str] = []
    while True:
        page = world.call("DescribeScalableTargets", given)
        found += [one["ResourceId"][-2:] for one in page["ScalableTargets"]]
        if "NextToken" not in page:
            break
        given["NextToken"] = page["NextToken"]
    assert found == ["v0", "v1", "v2", "v3", "v4"]
    ids = {"ServiceNamespace": "sagemaker", "ResourceIds": ["endpoint/prices/variant/v3"]}
    assert len(world.call("DescribeScalableTargets", ids)["ScalableTargets"]) == 1
    assert (
        world.call("DescribeScalableTargets", {"ServiceNamespace": "ecs"})["ScalableTargets"] == []
    )


@pytest.mark.parametrize("token", ["?", "b2Zmc2V0", "b2Zmc2V0PWE="])
def test_a_token_of_nobodys_is_refused(token: str):
    with pytest.raises(AwsError) as raised:
        World().call("DescribeScalableTargets", {"ServiceNamespace": "ecs", "NextToken": token})
    assert raised.value.code == "InvalidNextTokenException"


def test_a_page_has_its_size():
    with pytest.raises(AwsError, match="between 1 and 50"):
        World().call("DescribeScalableTargets", {"ServiceNamespace": "ecs", "MaxResults": 51})


def test_tags_are_kept():
    world = World()
    arn = register(world, Tags={"team": "prices"})
    world.call("TagResource", {"ResourceARN": arn, "Tags": {"stage": "test"}})
    assert world.call("ListTagsForResource", {"ResourceARN": arn})["Tags"] == {
        "team": "prices",
        "stage": "test",
    }
    world.call("UntagResource", {"ResourceARN": arn, "TagKeys": ["team", "none"]})
    assert world.call("ListTagsForResource", {"ResourceARN": arn})["Tags"] == {"stage": "test"}
    many = {f"k{number}": "v" for number in range(50)}
    with pytest.raises(AwsError) as raised:
        world.call("TagResource", {"ResourceARN": arn, "Tags": many})
    assert raised.value.code == "TooManyTagsException"
    with pytest.raises(AwsError) as raised:
        world.call("ListTagsForResource", {"ResourceARN": arn[:-1]})
    assert raised.value.code == "ResourceNotFoundException"
