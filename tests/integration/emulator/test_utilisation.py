"""
What instances use, in CloudWatch: a load is seen, and a step policy on it scales.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from support import Clients, until
from tonnage.domain import StepAdjustment, StepPolicy
from tonnage.emulator import ScalingOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore.client import BaseClient

    from support import Up

ROW = {"distance": 150}
NAMESPACE = "/aws/sagemaker/Endpoints"
DIMENSIONS = [
    {"Name": "EndpointName", "Value": "real-estate-evaluation"},
    {"Name": "VariantName", "Value": "linear-model"},
]


@pytest.fixture
def cloudwatch_at(
    service_client: Callable[[str, str], BaseClient],
) -> Callable[[str], BaseClient]:
    return lambda url: service_client("cloudwatch", url)


def newest(cloudwatch: BaseClient, name: str) -> Mapping[str, Any] | None:
    now = datetime.now(UTC)
    answer = cloudwatch.get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName=name,
        Dimensions=DIMENSIONS,
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Average", "Maximum"],
    )
    points = sorted(answer["Datapoints"], key=lambda point: point["Timestamp"])
    return points[-1] if points else None


def test_a_load_is_seen_in_processor_and_memory(
    start_up: Up, cloudwatch_at: Callable[[str], BaseClient]
):
    with start_up(time_scale=60.0) as endpoint:
        cloudwatch = cloudwatch_at(endpoint.url)
        idle = until(lambda: newest(cloudwatch, "CPUUtilization"), "a datapoint")
        assert idle["Unit"] == "Percent"
        with Clients(f"{endpoint.url}/evaluate", ROW, count=4).running():
            busy = until(
                lambda: (
                    (point := newest(cloudwatch, "CPUUtilization"))
                    and point["Timestamp"] > idle["Timestamp"]
                    and point["Average"] > 1.0
                    and point
                ),
                "the load",
            )
        assert busy["Average"] <= busy["Maximum"]
        memory = until(lambda: newest(cloudwatch, "MemoryUtilization"), "a datapoint")
        assert 0 < memory["Average"] < 100
        listed = cloudwatch.list_metrics(Namespace=NAMESPACE, Dimensions=DIMENSIONS)["Metrics"]
        assert [m["MetricName"] for m in listed] == ["CPUUtilization", "MemoryUtilization"]


def test_a_step_policy_of_the_settings_scales_on_the_processor(start_up: Up):
    steps = StepPolicy(
        policy_name="busy",
        metric="CPUUtilization",
        statistic="Average",
        comparison="GreaterThanThreshold",
        threshold=1.0,
        period_seconds=60.0,
        evaluation_periods=1,
        adjustment_type="ChangeInCapacity",
        cooldown_seconds=60.0,
        step_adjustments=(StepAdjustment(metric_interval_lower_bound=0.0, scaling_adjustment=1),),
    )
    scaling = ScalingOptions(
        policy_name="tracking",
        min_capacity=1,
        max_capacity=2,
        target_value=1e9,  # which nothing reaches: what scales is the step policy
        scale_in_cooldown_seconds=1e6,
        scale_out_cooldown_seconds=60.0,
        step=(steps,),
    )
    began = time.monotonic()
    with (
        start_up(scaling=scaling, time_scale=60.0, provisioning_delay_seconds=0.0) as endpoint,
        Clients(f"{endpoint.url}/evaluate", ROW, count=4).running(),
    ):
        until(lambda: endpoint.state()["in_service_instance_count"] == 2, "a second instance")
        (activity,) = endpoint.timeline(began).activities
        assert activity.cause.endswith("in state ALARM triggered policy busy")
