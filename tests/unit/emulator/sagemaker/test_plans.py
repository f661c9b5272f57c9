"""
Deployment configs, and model data that lies on this machine.
"""

from pathlib import Path
from typing import Any

import pytest

from tonnage.emulator.aws import AwsError
from tonnage.emulator.sagemaker._deployment_plans import deployment_plan
from tonnage.emulator.sagemaker._models import local_path
from tonnage.emulator.specs import CapacityType, StepSize, Traffic


def canary(kind: str, value: int) -> dict[str, Any]:
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": "CANARY",
                "WaitIntervalInSeconds": 300,
                "CanarySize": {"Type": kind, "Value": value},
            },
            "TerminationWaitInSeconds": 600,
            "MaximumExecutionTimeoutInSeconds": 1800,
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]},
    }


def test_a_canary_is_read_whole():
    members = canary("INSTANCE_COUNT", 1)
    plan = deployment_plan(members, instance_count=4, is_serverless=False)
    assert plan.traffic is Traffic.CANARY
    assert plan.step.fraction_of(4) == 0.25
    assert (plan.wait_seconds, plan.termination_wait_seconds) == (300, 600)
    assert plan.execution_timeout_seconds == 1800
    assert plan.rollback_alarms == ("errors",)
    assert plan.members == members


def test_without_a_config_all_traffic_moves_at_once():
    for members in (None, {}):
        plan = deployment_plan(members, instance_count=4, is_serverless=False)
        assert plan.traffic is Traffic.ALL_AT_ONCE


def test_one_instance_is_the_least_step_of_a_small_fleet():
    """It is the whole of a fleet of one, which a share of at most a half would forbid."""
    plan = deployment_plan(canary("INSTANCE_COUNT", 1), instance_count=1, is_serverless=False)
    assert plan.step.fraction_of(1) == 1.0


def test_a_step_beyond_half_is_refused():
    with pytest.raises(AwsError, match="60%"):
        deployment_plan(canary("CAPACITY_PERCENT", 60), instance_count=4, is_serverless=False)


def test_a_serverless_endpoint_cannot_roll():
    rolling = {
        "RollingUpdatePolicy": {
            "MaximumBatchSize": {"Type": "CAPACITY_PERCENT", "Value": 50},
            "WaitIntervalInSeconds": 0,
        }
    }
    with pytest.raises(AwsError, match="no instances to roll"):
        deployment_plan(rolling, instance_count=0, is_serverless=True)


@pytest.mark.parametrize(
    ("kind", "value", "count", "share"),
    [
        (CapacityType.CAPACITY_PERCENT, 25, 7, 0.25),
        (CapacityType.INSTANCE_COUNT, 2, 8, 0.25),
        (CapacityType.INSTANCE_COUNT, 9, 3, 1.0),
        (CapacityType.INSTANCE_COUNT, 1, 0, 1.0),
    ],
)
def test_a_steps_share(kind: CapacityType, value: int, count: int, share: float):
    assert StepSize(kind=kind, value=value).fraction_of(count) == share


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("s3://local/a/b/model.tar.gz", Path("/a/b/model.tar.gz")),
        ("s3://local//a/b", Path("/a/b")),
        ("s3://local/a%20b", Path("/a b")),
        ("file:///a/b", Path("/a/b")),
        ("a/b", Path("a/b")),
        ("/a/b", Path("/a/b")),
        ("s3://bucket/a", None),
        ("https://host/a", None),
        ("file://host/a", None),
    ],
)
def test_a_uri_names_a_path_of_this_machine_or_none(uri: str, path: Path | None):
    assert local_path(uri) == path
