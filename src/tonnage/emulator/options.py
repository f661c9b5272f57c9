"""
What an emulated endpoint is made of.
"""

from dataclasses import field
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from tonnage.domain import ScheduledAction, StepPolicy
from tonnage.serving import InstanceCapacity

from .faults import Fault

__all__ = [
    "DEFAULT_PORT",
    "EndpointOptions",
    "LocalOptions",
    "ScalingOptions",
    "TemplateOptions",
    "UpOptions",
]

DEFAULT_PORT: Final = 8000


@dataclass(frozen=True, kw_only=True, slots=True)
class EndpointOptions:
    """
    The endpoint and its one production variant.

    Attributes:
        endpoint_name: What it is invoked by.
        variant_name: The variant's name.
        instance_type: Shown, not emulated: what an instance carries is ``LocalOptions``' to say.
        initial_instance_count: How many instances it starts with.
        route: The REST API's path for predictions.
    """

    endpoint_name: str
    variant_name: str = "AllTraffic"
    instance_type: str = "ml.c5.large"
    initial_instance_count: int = 1
    route: str = "/evaluate"


@dataclass(frozen=True, kw_only=True, slots=True)
class ScalingOptions:
    """
    The scalable target, its target-tracking policy, and what stands beside that.

    Attributes:
        policy_name: The policy's name.
        min_capacity: The least instances, at least 1.
        max_capacity: The most.
        metric: The predefined metric that is tracked.
        target_value: In its unit: invocations per instance and minute, or requests in flight.
        scale_in_cooldown_seconds: On the emulator's clock.
        scale_out_cooldown_seconds: On the emulator's clock.
        step: Step policies.
        scheduled: Scheduled actions.
    """

    policy_name: str
    min_capacity: int
    max_capacity: int
    metric: str = "SageMakerVariantInvocationsPerInstance"
    target_value: float
    scale_in_cooldown_seconds: float
    scale_out_cooldown_seconds: float
    step: tuple[StepPolicy, ...] = ()
    scheduled: tuple[ScheduledAction, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalOptions:
    """
    How this machine stands in for AWS.

    Attributes:
        capacity: A cap on what one instance carries; None for what this machine carries.
        provisioning_delay_seconds: From a decision to the new instance in service, on the
            emulator's clock.
        metric_delay_seconds: From the end of a metric period to its datapoint, likewise.
        time_scale: Seconds of the emulator's clock in a real second.
        max_body_bytes: The largest request body.
        allow_pickle: Whether instances open an artefact's joblib file.
        serverless_idle_seconds: How long a serverless instance may lie idle before it is retired,
            on the emulator's clock.
        cold_start_seconds: What a serverless cold start takes beyond this machine's own, in real
            time, as all latencies.
        health_check_seconds: How often an instance in service is asked for its health, in real
            time; one that misses three times is replaced.
        seed: Of the router's random choice.
    """

    capacity: InstanceCapacity | None = None
    provisioning_delay_seconds: float = 300.0
    metric_delay_seconds: float = 0.0
    time_scale: float = 1.0
    max_body_bytes: int = 6 * 1024 * 1024
    allow_pickle: bool = False
    serverless_idle_seconds: float = 300.0
    cold_start_seconds: float = 0.0
    health_check_seconds: float = 5.0
    seed: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class TemplateOptions:
    """
    A CloudFormation template to bring up instead of the endpoint.

    Attributes:
        file: The synthesised template.
        model_data: The artefact that stands for a model, by the model's logical id; the empty key
            is for all others.
        parameters: Values of the template's parameters.
    """

    file: Path
    model_data: dict[str, Path] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class UpOptions:
    """
    All that ``up`` needs.

    Attributes:
        artefact: The packed model.
        endpoint: The endpoint.
        scaling: How it scales; None for a fixed number of instances.
        cors_origins: Where web pages may call the REST API from.
        template: What is brought up instead of the endpoint and its policy; the REST API is then
            in front of the first endpoint that it describes.
        local: How this machine stands in for AWS.
        faults: What is to go wrong.
        host: The address to listen on.
        port: The port; 0 for a free one.
        charts: A command that prints the script that draws the live page's charts; empty without
            charts.
    """

    artefact: Path
    endpoint: EndpointOptions
    scaling: ScalingOptions | None = None
    cors_origins: tuple[str, ...] = ()
    template: TemplateOptions | None = None
    local: LocalOptions = LocalOptions()
    faults: tuple[Fault, ...] = ()
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    charts: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Return the options as JSON, for another process."""
        return TypeAdapter(UpOptions).dump_json(self).decode()

    @classmethod
    def from_json(cls, text: str) -> "UpOptions":
        """Return the options that ``to_json`` wrote."""
        return TypeAdapter(UpOptions).validate_json(text)
