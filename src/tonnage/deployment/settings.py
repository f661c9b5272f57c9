"""
What a deployment is made of: plain values, in AWS's words, with no AWS library.

``cli`` makes them from ``tonnage.toml`` or from a plan; ``checks`` refuses what AWS would refuse;
the stacks turn each number into the same number of a CloudFormation template.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from tonnage.domain import Objective, ScheduledAction, StepPolicy

if TYPE_CHECKING:
    from .fronts import FrontOptions

__all__ = [
    "CONCURRENT_REQUESTS",
    "CREATE_KEY",
    "INVOCATIONS_PER_INSTANCE",
    "DeploymentOptions",
    "Guardrails",
    "InstanceVariant",
    "ModelSource",
    "Observability",
    "Scaling",
    "ServerlessVariant",
]

INVOCATIONS_PER_INSTANCE: Final = "SageMakerVariantInvocationsPerInstance"
CONCURRENT_REQUESTS: Final = "SageMakerVariantConcurrentRequestsPerModelHighResolution"

CREATE_KEY: Final = "create"
"""``kms_key``: a key of the stack's own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scaling:
    """
    The scalable target of a variant and its policies.

    Attributes:
        min_capacity: Its least instances.
        max_capacity: Its most.
        policy_name: The target-tracking policy's name.
        metric: Its predefined metric.
        target_value: In the metric's unit; for invocations, per instance and *minute*.
        scale_in_cooldown_seconds: After a scale-in, until the next.
        scale_out_cooldown_seconds: After a scale-out, until the next that is not larger.
        step: Step policies beside it.
        scheduled: Scheduled actions.
    """

    min_capacity: int
    max_capacity: int
    policy_name: str
    metric: str = INVOCATIONS_PER_INSTANCE
    target_value: float
    scale_in_cooldown_seconds: float
    scale_out_cooldown_seconds: float
    step: tuple[StepPolicy, ...] = ()
    scheduled: tuple[ScheduledAction, ...] = ()

    @property
    def widest(self) -> tuple[int, int]:
        """The least and the most instances that its own bounds, or the schedule's, allow."""
        lows = [each.min_capacity for each in self.scheduled if each.min_capacity]
        highs = [each.max_capacity for each in self.scheduled if each.max_capacity]
        return min([self.min_capacity, *lows]), max([self.max_capacity, *highs])


@dataclass(frozen=True, kw_only=True, slots=True)
class InstanceVariant:
    """A production variant on instances; without scaling its instance count is fixed."""

    variant_name: str
    instance_type: str
    initial_instance_count: int
    initial_variant_weight: float = 1.0
    scaling: Scaling | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerlessVariant:
    """A serverless production variant."""

    variant_name: str
    memory_size_mb: int
    max_concurrency: int
    provisioned_concurrency: int | None = None
    initial_variant_weight: float = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelSource:
    """
    Where the model and its container come from.

    Attributes:
        artefact: The packed model.
        image_uri: An image in ECR; None: one is built from the artefact and pushed.
        base: What it is built from.
        model_data: ``image``: the model is in the image; ``s3``: its ``model.tar.gz`` is uploaded
            and SageMaker mounts it; or the ``s3://…`` address of one that is there.
        environment: The container's environment variables.
        network_isolation: Whether the container reaches no network.
        startup_timeout_seconds: Until ``/ping`` must have answered.
    """

    artefact: Path
    image_uri: str | None = None
    base: str
    model_data: str = "image"
    environment: Mapping[str, str] = field(default_factory=dict)
    network_isolation: bool = True
    startup_timeout_seconds: float = 480.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Guardrails:
    """
    How an update replaces what runs.

    Attributes:
        update: In which steps traffic moves to the new fleet.
        step_fraction: Of a canary, of each linear step, of each rolling batch.
        wait_seconds: Between steps, while the alarms are watched.
        keep_old_seconds: How long the old fleet stays, and is billed, after the last step.
    """

    update: Literal["all_at_once", "canary", "linear", "rolling"] = "all_at_once"
    step_fraction: float = 0.25
    wait_seconds: float = 300.0
    keep_old_seconds: float = 600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Observability:
    """
    What is watched and kept.

    Attributes:
        objective: What the alarms on errors and latency hold the endpoint to.
        client_error_fraction: From which share of 4XX on the alarm on callers' errors rings.
        log_retention_days: How long logs are kept.
        alarm_topic: The SNS topic that alarms are sent to; None: they are only shown.
    """

    objective: Objective
    client_error_fraction: float = 0.05
    log_retention_days: int = 30
    alarm_topic: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DeploymentOptions:
    """
    One service on AWS.

    Attributes:
        stack: The endpoint's CloudFormation stack; others are named after it.
        region: Where it goes.
        tags: On everything.
        endpoint_name: The endpoint.
        variant: What serves it.
        model: The container and the model.
        guardrails: How updates go.
        observability: Alarms, logs, dashboard.
        kms_key: What the instances' volumes are encrypted with: an ARN, id or alias; ``create``
            for a key of the stack's own; None for the one that SageMaker owns.
        front: What stands before the endpoint, and how it is called; None without any.
    """

    stack: str
    region: str
    tags: Mapping[str, str] = field(default_factory=dict)
    endpoint_name: str
    variant: InstanceVariant | ServerlessVariant
    model: ModelSource
    guardrails: Guardrails = field(default_factory=Guardrails)
    observability: Observability
    kms_key: str | None = None
    front: "FrontOptions | None" = None
