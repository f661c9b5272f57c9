"""
What is asked for: production variants and how one endpoint config replaces another.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

__all__ = [
    "CapacityType",
    "DeploymentPlan",
    "EndpointConfig",
    "Model",
    "RoutingStrategy",
    "ServerlessSpec",
    "StepSize",
    "Traffic",
    "VariantSpec",
]


class RoutingStrategy(StrEnum):
    """How an instance is chosen within a variant."""

    RANDOM = "RANDOM"
    LEAST_OUTSTANDING_REQUESTS = "LEAST_OUTSTANDING_REQUESTS"


class Traffic(StrEnum):
    """How traffic moves from the old instances to the new."""

    ALL_AT_ONCE = "ALL_AT_ONCE"
    CANARY = "CANARY"
    LINEAR = "LINEAR"
    ROLLING = "ROLLING"


class CapacityType(StrEnum):
    """What the size of a step counts."""

    INSTANCE_COUNT = "INSTANCE_COUNT"
    CAPACITY_PERCENT = "CAPACITY_PERCENT"


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """
    A model, as ``CreateModel`` made it.

    Attributes:
        model_name: Its name.
        artefact: The packed artefact that its instances load; a directory or ``model.tar.gz``.
        members: What ``CreateModel`` was given, for ``DescribeModel``.
        created_epoch_seconds: When.
    """

    model_name: str
    artefact: Path
    members: Mapping[str, Any] = field(default_factory=dict)
    created_epoch_seconds: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerlessSpec:
    """
    A serverless variant's size.

    Attributes:
        memory_mb: 1024 to 6144 in steps of 1024; shown, not emulated.
        max_concurrency: Invocations at a time, 1 to 200; more are throttled.
        provisioned_concurrency: Instances that are always warm; at most ``max_concurrency``.
    """

    memory_mb: int
    max_concurrency: int
    provisioned_concurrency: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class VariantSpec:
    """
    A production variant of an endpoint config.

    Attributes:
        variant_name: Its name.
        model_name: The model that its instances serve.
        instance_type: Shown, not emulated; empty for a serverless variant.
        initial_instance_count: How many instances it starts with.
        initial_weight: Its share of the endpoint's traffic, relative to the others'.
        routing: How an instance is chosen.
        serverless: Its size, if it has no instances of its own.
    """

    variant_name: str
    model_name: str
    instance_type: str = "ml.c5.large"
    initial_instance_count: int = 1
    initial_weight: float = 1.0
    routing: RoutingStrategy = RoutingStrategy.RANDOM
    serverless: ServerlessSpec | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class EndpointConfig:
    """
    An endpoint config, as ``CreateEndpointConfig`` made it.

    Attributes:
        config_name: Its name.
        variants: Its production variants.
        members: What ``CreateEndpointConfig`` was given, for ``DescribeEndpointConfig``.
        created_epoch_seconds: When.
    """

    config_name: str
    variants: tuple[VariantSpec, ...]
    members: Mapping[str, Any] = field(default_factory=dict)
    created_epoch_seconds: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class StepSize:
    """
    How much moves in one step.

    Attributes:
        kind: What ``value`` counts.
        value: Instances, or percent of a variant's instances.
    """

    kind: CapacityType
    value: int

    def fraction_of(self, instance_count: int) -> float:
        """Return the step as a share of so many instances, in (0, 1]."""
        if self.kind is CapacityType.CAPACITY_PERCENT:
            return min(1.0, self.value / 100)
        return min(1.0, self.value / max(1, instance_count))


@dataclass(frozen=True, kw_only=True, slots=True)
class DeploymentPlan:
    """
    How an update goes; times are on the emulator's clock.

    Attributes:
        traffic: How traffic moves.
        step: The canary's, the linear step's or the rolling batch's size.
        wait_seconds: Between steps.
        termination_wait_seconds: From the last step to the end of the old instances.
        execution_timeout_seconds: How long it may take; None for ever.
        rollback_alarms: CloudWatch alarms that, in ``ALARM``, roll it back.
        members: What the ``DeploymentConfig`` was, for ``DescribeEndpoint``.
    """

    traffic: Traffic = Traffic.ALL_AT_ONCE
    step: StepSize = StepSize(kind=CapacityType.CAPACITY_PERCENT, value=100)
    wait_seconds: float = 0.0
    termination_wait_seconds: float = 0.0
    execution_timeout_seconds: float | None = None
    rollback_alarms: tuple[str, ...] = ()
    members: Mapping[str, Any] = field(default_factory=dict)
