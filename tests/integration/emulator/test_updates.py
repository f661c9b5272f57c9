"""
One endpoint config replaces another under load, and nothing is lost.
"""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from sagemaker_clients import variant
from support import Clients, gone, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from botocore.client import BaseClient

    from sagemaker_clients import Sagemaker
    from support import Up
    from tonnage.emulator import BackgroundEndpoint

TIME_SCALE = 300.0
HALF = {"Type": "CAPACITY_PERCENT", "Value": 50}


@pytest.fixture(scope="module")
def sagemaker(
    start_up: Up, sagemaker_at: Callable[[BackgroundEndpoint], Sagemaker], probe_artefact: Path
) -> Iterator[Sagemaker]:
    """One emulator for all of these, with a model and two configs of it."""
    with start_up(provisioning_delay_seconds=0.0, time_scale=TIME_SCALE) as started:
        clients = sagemaker_at(started)
        clients.model("prices", probe_artefact)
        for name in ("blue", "green"):
            clients.config(name, variant("prices", "one", 2))
        yield clients


@contextmanager
def load(sagemaker: Sagemaker, endpoint: str) -> Iterator[Clients]:
    """Ask again and again; nothing may be lost, and nothing may fail."""
    url = f"{sagemaker.url}/endpoints/{endpoint}/invocations"
    clients = Clients(url, {"distance": 150}, count=8, pause_seconds=0.001)
    with clients.running():
        clients.until_answered(50)
        yield clients
        clients.until_answered(50)
    assert clients.lost == clients.turned_away == []
    assert set(clients.statuses) == {200}


def process_ids(sagemaker: Sagemaker, endpoint: str) -> set[int]:
    """Return the processes of an endpoint's instances, without those that are still to come."""
    found = {instance["process_id"] for instance in sagemaker.instances(endpoint)}
    return found - {None}


def blue_green(traffic: dict[str, Any]) -> dict[str, Any]:
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {"WaitIntervalInSeconds": 60, **traffic},
            "TerminationWaitInSeconds": 30,
        }
    }


ROLLING = {"RollingUpdatePolicy": {"MaximumBatchSize": HALF, "WaitIntervalInSeconds": 60}}
STRATEGIES: dict[str, dict[str, Any]] = {
    "default": {},
    "all-at-once": blue_green({"Type": "ALL_AT_ONCE"}),
    "canary": blue_green({"Type": "CANARY", "CanarySize": HALF}),
    "linear": blue_green(
        {"Type": "LINEAR", "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 25}}
    ),
    "rolling": ROLLING,
}


@pytest.mark.parametrize(("name", "deployment"), STRATEGIES.items(), ids=list(STRATEGIES))
def test_an_update_under_load_loses_nothing(
    sagemaker: Sagemaker, name: str, deployment: dict[str, Any]
):
    sagemaker.endpoint(name, "blue")
    before = process_ids(sagemaker, name)
    with load(sagemaker, name) as clients:
        members = {"DeploymentConfig": deployment} if deployment else {}
        sagemaker.control.update_endpoint(EndpointName=name, EndpointConfigName="green", **members)
        described = sagemaker.until(name, "InService")
        assert described["EndpointConfigName"] == "green"
        assert "PendingDeploymentSummary" not in described
        assert described.get("LastDeploymentConfig", {}) == deployment
        (shown,) = described["ProductionVariants"]
        assert shown["CurrentInstanceCount"] == shown["DesiredInstanceCount"] == 2
        after = process_ids(sagemaker, name)
        assert len(after) == 2
        assert not after & before
        assert gone(list(before))
        updated = len(clients.answers)
    answered = {answer["process_id"] for _, answer in clients.answers}
    assert answered <= before | after
    assert {answer["process_id"] for _, answer in clients.answers[updated + 8 :]} <= after


def test_an_update_tells_what_is_to_come_while_old_and_new_share_the_traffic(
    sagemaker: Sagemaker,
):
    """It goes in ten long steps; a new instance that is killed ends it."""
    sagemaker.endpoint("shared", "blue")
    before = process_ids(sagemaker, "shared")
    step = {"Type": "CAPACITY_PERCENT", "Value": 10}
    policy = blue_green({"Type": "LINEAR", "LinearStepSize": step, "WaitIntervalInSeconds": 3600})
    with load(sagemaker, "shared") as clients:
        sagemaker.control.update_endpoint(
            EndpointName="shared", EndpointConfigName="green", DeploymentConfig=policy
        )
        until(lambda: len(process_ids(sagemaker, "shared")) == 4, "old and new side by side")
        described = sagemaker.describe("shared")
        assert described["EndpointStatus"] == "Updating"
        assert described["EndpointConfigName"] == "blue"
        pending = described["PendingDeploymentSummary"]
        assert pending["EndpointConfigName"] == "green"
        assert pending["ProductionVariants"][0]["DesiredInstanceCount"] == 2
        new = process_ids(sagemaker, "shared") - before
        seen = len(clients.answers)
        until(
            lambda: {answer["process_id"] for _, answer in clients.answers[seen:]} == before | new,
            "old and new to answer",
        )
        os.kill(min(new), signal.SIGKILL)
        assert sagemaker.until("shared", "InService")["EndpointConfigName"] == "blue"
        assert process_ids(sagemaker, "shared") == before


def test_an_update_that_takes_longer_than_it_may_is_rolled_back(sagemaker: Sagemaker):
    sagemaker.endpoint("late", "blue")
    before = process_ids(sagemaker, "late")
    policy = slow(STRATEGIES["canary"])
    policy["BlueGreenUpdatePolicy"]["MaximumExecutionTimeoutInSeconds"] = 600
    with load(sagemaker, "late"):
        sagemaker.control.update_endpoint(
            EndpointName="late", EndpointConfigName="green", DeploymentConfig=policy
        )
        described = sagemaker.until("late", "InService")
    assert described["EndpointConfigName"] == "blue"
    assert "longer than 600 s" in described["FailureReason"]
    assert process_ids(sagemaker, "late") == before


def test_new_instances_that_do_not_come_up_leave_the_old_in_service(
    sagemaker: Sagemaker, tmp_path: Path
):
    (tmp_path / "nothing").mkdir()
    sagemaker.model("broken", tmp_path / "nothing")
    sagemaker.config("broken", variant("broken", "one", 2))
    sagemaker.endpoint("kept", "blue")
    before = process_ids(sagemaker, "kept")
    for policy in ({}, ROLLING):
        with load(sagemaker, "kept"):
            members = {"DeploymentConfig": policy} if policy else {}
            sagemaker.control.update_endpoint(
                EndpointName="kept", EndpointConfigName="broken", **members
            )
            described = sagemaker.until("kept", "InService")
        assert described["EndpointConfigName"] == "blue"
        assert str(tmp_path / "nothing") in described["FailureReason"]
        assert process_ids(sagemaker, "kept") == before


@pytest.mark.parametrize("policy", [STRATEGIES["canary"], ROLLING], ids=["canary", "rolling"])
def test_new_instances_that_end_by_themselves_roll_the_update_back(
    sagemaker: Sagemaker, policy: dict[str, Any], request: pytest.FixtureRequest
):
    name = f"ends-{request.node.callspec.id}"
    sagemaker.endpoint(name, "blue")
    before = process_ids(sagemaker, name)
    with load(sagemaker, name):
        sagemaker.control.update_endpoint(
            EndpointName=name, EndpointConfigName="green", DeploymentConfig=slow(policy)
        )
        new = until(lambda: process_ids(sagemaker, name) - before, "a new instance")
        until(
            lambda: any(
                instance["process_id"] in new and instance["state"] == "InService"
                for instance in sagemaker.instances(name)
            ),
            "it to be in service",
        )
        os.kill(min(new), signal.SIGKILL)
        described = sagemaker.until(name, "InService")
    assert described["EndpointConfigName"] == "blue"
    assert "ended by themselves" in described["FailureReason"]
    (shown,) = described["ProductionVariants"]
    assert shown["CurrentInstanceCount"] == 2


def slow(policy: dict[str, Any]) -> dict[str, Any]:
    """Return a policy with waits that only a roll-back ends in the time of a test."""
    if "RollingUpdatePolicy" in policy:
        return {
            "RollingUpdatePolicy": {**policy["RollingUpdatePolicy"], "WaitIntervalInSeconds": 3600}
        }
    return blue_green({"Type": "CANARY", "CanarySize": HALF, "WaitIntervalInSeconds": 3600})


@pytest.mark.parametrize(
    ("members", "count", "weight"),
    [
        ({}, 2, 1.0),
        ({"RetainAllVariantProperties": True}, 3, 5.0),
        (
            {
                "RetainAllVariantProperties": True,
                "ExcludeRetainedVariantProperties": [
                    {"VariantPropertyType": "DesiredInstanceCount"}
                ],
            },
            2,
            5.0,
        ),
    ],
    ids=["config", "retained", "excluded"],
)
def test_variant_properties_are_retained_when_asked_for(
    sagemaker: Sagemaker,
    members: dict[str, Any],
    count: int,
    weight: float,
    request: pytest.FixtureRequest,
):
    name = f"retain-{request.node.callspec.id}"
    sagemaker.endpoint(name, "blue")
    sagemaker.control.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[
            {"VariantName": "one", "DesiredWeight": 5.0, "DesiredInstanceCount": 3}
        ],
    )
    sagemaker.until(name, "InService")
    sagemaker.control.update_endpoint(EndpointName=name, EndpointConfigName="green", **members)
    (shown,) = sagemaker.until(name, "InService")["ProductionVariants"]
    assert shown["CurrentInstanceCount"] == count
    assert shown["CurrentWeight"] == weight


def test_variants_may_come_and_go(sagemaker: Sagemaker):
    sagemaker.config("other-variants", variant("prices", "two"), variant("prices", "three"))
    sagemaker.endpoint("changing", "blue")
    with load(sagemaker, "changing"):
        sagemaker.control.update_endpoint(
            EndpointName="changing", EndpointConfigName="other-variants"
        )
        described = sagemaker.until("changing", "InService")
    shown = [each["VariantName"] for each in described["ProductionVariants"]]
    assert shown == ["two", "three"]
    with pytest.raises(sagemaker.runtime.exceptions.ValidationError, match="Variant one"):
        sagemaker.invoke("changing", TargetVariant="one")


@pytest.mark.parametrize(
    ("deployment", "message"),
    [
        ({**ROLLING, **blue_green({"Type": "ALL_AT_ONCE"})}, "exclude each other"),
        (blue_green({"Type": "CANARY"}), "needs CanarySize"),
        (
            blue_green({"Type": "CANARY", "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 51}}),
            "51%",
        ),
        (
            blue_green(
                {"Type": "LINEAR", "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 9}}
            ),
            "10% to 50%",
        ),
        (
            {
                "RollingUpdatePolicy": {
                    "MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 2},
                    "WaitIntervalInSeconds": 0,
                }
            },
            "5% to 50%",
        ),
    ],
)
def test_a_deployment_that_cannot_be_is_refused(
    sagemaker: Sagemaker, deployment: dict[str, Any], message: str
):
    if "refusing" not in str(sagemaker.control.list_endpoints(NameContains="refusing")):
        sagemaker.endpoint("refusing", "blue")
    with pytest.raises(sagemaker.control.exceptions.ClientError, match=message):
        sagemaker.control.update_endpoint(
            EndpointName="refusing", EndpointConfigName="green", DeploymentConfig=deployment
        )
    assert sagemaker.status("refusing") == "InService"


def test_an_alarm_rolls_the_update_back(
    sagemaker: Sagemaker, service_client: Callable[[str, str], BaseClient]
):
    cloudwatch = service_client("cloudwatch", sagemaker.url)
    cloudwatch.put_metric_alarm(
        AlarmName="errors",
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Dimensions=[{"Name": "EndpointName", "Value": "alarmed"}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1e9,
        ComparisonOperator="GreaterThanThreshold",
    )
    sagemaker.endpoint("alarmed", "blue")
    before = process_ids(sagemaker, "alarmed")
    deployment = {
        **slow(STRATEGIES["canary"]),
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]},
    }
    sagemaker.control.update_endpoint(
        EndpointName="alarmed", EndpointConfigName="green", DeploymentConfig=deployment
    )
    until(lambda: len(process_ids(sagemaker, "alarmed")) == 4, "old and new side by side")

    def is_back() -> bool:  # the alarm's own evaluation would soon set it to OK again
        cloudwatch.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="a test")
        return sagemaker.status("alarmed") == "InService"

    until(is_back, "the update to be rolled back")
    described = sagemaker.describe("alarmed")
    assert described["EndpointConfigName"] == "blue"
    assert "alarm errors went off" in described["FailureReason"]
    assert process_ids(sagemaker, "alarmed") == before


def test_a_scalable_target_keeps_its_instance_type(
    sagemaker: Sagemaker, service_client: Callable[[str, str], BaseClient]
):
    autoscaling = service_client("application-autoscaling", sagemaker.url)
    sagemaker.endpoint("scaled", "blue")
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/scaled/variant/one",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    autoscaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=4)
    sagemaker.config("other-type", variant("prices", "one", InstanceType="ml.m5.large"))
    with pytest.raises(sagemaker.control.exceptions.ClientError, match="must be deregistered"):
        sagemaker.control.update_endpoint(EndpointName="scaled", EndpointConfigName="other-type")
    autoscaling.deregister_scalable_target(**target)
    sagemaker.control.update_endpoint(EndpointName="scaled", EndpointConfigName="other-type")
    assert sagemaker.until("scaled", "InService")["EndpointConfigName"] == "other-type"
