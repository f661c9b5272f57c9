"""
The loop on its own clock.
"""

import asyncio
import contextlib
import logging

import pytest

from aws_world import NAMED, TRACKING, World
from tonnage.domain import MonotonicClock, ScaledClock
from tonnage.emulator._metrics import VariantMetrics
from tonnage.emulator._scaler import ScalingControl
from tonnage.emulator.options import EndpointOptions, ScalingOptions


def in_real_time(world: World, time_scale: float) -> None:
    """Put a world on the machine's own clock, so fast that a minute is over at once."""
    clock = ScaledClock(time_scale=time_scale, origin_seconds=MonotonicClock().now_seconds())
    world.clock = clock
    world.variant.metrics = VariantMetrics(clock)
    world.control = ScalingControl(world.variants, clock)


async def until(world: World, activities: int) -> None:
    task = asyncio.create_task(world.control.loop.run())
    try:
        async with asyncio.timeout(20.0):
            while len(world.control.book.activities) < activities:
                world.invoke(1)
                await asyncio.sleep(0.001)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


SCALING = ScalingOptions(
    policy_name="tracking",
    min_capacity=1,
    max_capacity=4,
    target_value=1.0,
    scale_in_cooldown_seconds=60.0,
    scale_out_cooldown_seconds=60.0,
)
ENDPOINT = EndpointOptions(endpoint_name="prices", variant_name="linear")


def test_the_settings_policy_is_put_as_a_client_would_and_scales():
    world = World()
    in_real_time(world, 1000.0)

    async def story() -> None:
        await world.control.put(ENDPOINT, SCALING)
        await until(world, 1)

    asyncio.run(story())
    assert world.variant.desired_instance_count == 4
    (policy,) = world.call("DescribeScalingPolicies", {"ServiceNamespace": "sagemaker"})[
        "ScalingPolicies"
    ]
    assert policy["PolicyName"] == "tracking"
    assert world.control.timelines.of("prices", "linear").since(0.0).activities[0].to_count == 4


def test_a_fault_is_logged_and_the_loop_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    world = World()
    in_real_time(world, 1000.0)
    faults = iter([RuntimeError("a fault")])
    whole = world.control.loop._note_datapoints

    def once(period: int) -> None:
        for fault in faults:
            raise fault
        whole(period)

    monkeypatch.setattr(world.control.loop, "_note_datapoints", once)

    async def story() -> None:
        await world.control.put(ENDPOINT, SCALING)
        await until(world, 1)

    with caplog.at_level(logging.ERROR):
        asyncio.run(story())
    assert "scaling could not be evaluated" in caplog.text
    assert world.variant.desired_instance_count == 4


def test_a_high_resolution_policy_put_while_the_loop_waits_wakes_it():
    world = World()
    in_real_time(world, 100.0)
    high = "SageMakerVariantConcurrentRequestsPerModelHighResolution"

    async def story() -> None:
        register = {**NAMED, "MinCapacity": 1, "MaxCapacity": 4}
        operations = world.control.services()[1].operations
        await operations["RegisterScalableTarget"](register)
        policy = {**TRACKING, "PredefinedMetricSpecification": {"PredefinedMetricType": high}}
        task = asyncio.create_task(until(world, 1))
        await asyncio.sleep(0)
        for _ in range(200):
            world.variant.metrics.arrived(1)
        await operations["PutScalingPolicy"](
            {
                **NAMED,
                "PolicyName": "in-flight",
                "PolicyType": "TargetTrackingScaling",
                "TargetTrackingScalingPolicyConfiguration": policy,
            }
        )
        await task

    asyncio.run(story())
    assert world.variant.desired_instance_count == 4
