"""
``DeploymentConfig`` → how an update goes.
"""

from collections.abc import Mapping
from typing import Any, Final

from tonnage.emulator.specs import CapacityType, DeploymentPlan, StepSize, Traffic

from ._arns import invalid

__all__ = ["deployment_plan"]

_LARGEST: Final = 0.5
_LEAST: Final = {Traffic.CANARY: 0.0, Traffic.LINEAR: 0.1, Traffic.ROLLING: 0.05}
_STEPS: Final = {Traffic.CANARY: "CanarySize", Traffic.LINEAR: "LinearStepSize"}


def deployment_plan(
    config: Mapping[str, Any] | None, *, instance_count: int, is_serverless: bool
) -> DeploymentPlan:
    """
    Return how an update goes.

    Args:
        config: ``DeploymentConfig``; None is all at once, which is AWS's default.
        instance_count: Of the largest variant, which the size of a step is a share of.
        is_serverless: Whether the endpoint is.

    Raises:
        AwsError: If it contradicts itself, or a step is too small or too large.
    """
    if not config:
        return DeploymentPlan()
    rolling, blue_green = config.get("RollingUpdatePolicy"), config.get("BlueGreenUpdatePolicy")
    if rolling and blue_green:
        raise invalid("BlueGreenUpdatePolicy and RollingUpdatePolicy exclude each other.")
    alarms = config.get("AutoRollbackConfiguration", {}).get("Alarms", [])
    common: dict[str, Any] = {
        "rollback_alarms": tuple(alarm["AlarmName"] for alarm in alarms if "AlarmName" in alarm),
        "members": config,
    }
    if rolling:
        if is_serverless:
            raise invalid("A serverless endpoint has no instances to roll.")
        size = rolling["MaximumBatchSize"]
        return DeploymentPlan(
            traffic=Traffic.ROLLING,
            step=_step(Traffic.ROLLING, "MaximumBatchSize", size, instance_count),
            wait_seconds=rolling["WaitIntervalInSeconds"],
            execution_timeout_seconds=rolling.get("MaximumExecutionTimeoutInSeconds"),
            **common,
        )
    return _blue_green(blue_green or {}, instance_count, common)


def _blue_green(
    policy: Mapping[str, Any], instance_count: int, common: dict[str, Any]
) -> DeploymentPlan:
    routing = policy.get("TrafficRoutingConfiguration", {"Type": Traffic.ALL_AT_ONCE})
    traffic = Traffic(routing["Type"])
    if traffic in _STEPS:
        member = _STEPS[traffic]
        if member not in routing:
            raise invalid(f"Traffic routing of type {traffic} needs {member}.")
        common["step"] = _step(traffic, member, routing[member], instance_count)
    return DeploymentPlan(
        traffic=traffic,
        wait_seconds=routing.get("WaitIntervalInSeconds", 0),
        termination_wait_seconds=policy.get("TerminationWaitInSeconds", 0),
        execution_timeout_seconds=policy.get("MaximumExecutionTimeoutInSeconds"),
        **common,
    )


def _step(traffic: Traffic, member: str, size: Mapping[str, Any], instance_count: int) -> StepSize:
    step = StepSize(kind=CapacityType(size["Type"]), value=size["Value"])
    fraction, least = step.fraction_of(instance_count), _LEAST[traffic]
    is_whole = step.kind is CapacityType.INSTANCE_COUNT and step.value == 1
    if not least <= fraction <= _LARGEST and not is_whole:
        raise invalid(
            f"{member} of {step.value} ({step.kind}) is {fraction:.0%} of {instance_count}"
            f" instances; it must be {least:.0%} to {_LARGEST:.0%}."
        )
    return step
