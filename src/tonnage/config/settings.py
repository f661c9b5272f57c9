"""
The settings of ``tonnage.toml``, one frozen dataclass a section.

A field's alias is its key in the file; its own name carries the unit the value was converted to.
"""

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from tonnage.domain import ErrorObjective, LatencyObjective

from ._types import Bytes, Errors, Fraction, Latency, Name, PerSecond, Positive, Seconds

__all__ = [
    "ApiSettings",
    "AwsSettings",
    "DeploymentSettings",
    "EndpointSettings",
    "LoadSettings",
    "LocalSettings",
    "ObjectiveSettings",
    "ScalingSettings",
    "ScheduledSettings",
    "ServiceSettings",
    "ServingSettings",
    "Settings",
    "StepAdjustmentSettings",
    "StepSettings",
]

_STRICT: Final = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True)


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class ServiceSettings:
    """``[service]``: the model and the code around it; paths are relative to ``tonnage.toml``."""

    name: Name = "service"
    handler: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")] = "service:Service"
    model: str = "model.joblib"
    artefact: str = "artefact"
    route: Annotated[str, Field(pattern=r"^/[A-Za-z0-9_\-./]*[A-Za-z0-9_\-]$")] = "/evaluate"
    data: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class ObjectiveSettings:
    """``[objective]``: what "carries the load" means."""

    latency: Latency = LatencyObjective(percentile=0.99, threshold_seconds=0.25)
    errors: Errors = ErrorObjective(max_fraction=0.001)


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class ServingSettings:
    """``[serving]``: one instance."""

    workers: Literal["cores"] | Annotated[int, Field(ge=1)] = "cores"
    max_body_bytes: Bytes = Field(default=6 * 1024 * 1024, alias="max_body")


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class EndpointSettings:
    """``[endpoint]``: the production variant."""

    variant: Name = "AllTraffic"
    instance_type: Annotated[str, Field(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$")] = "ml.c5.large"
    initial_instance_count: Annotated[int, Field(ge=1)] = 1
    initial_variant_weight: Positive = 1.0


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class StepAdjustmentSettings:
    """One step of a policy: what to do while the metric is so far above its threshold."""

    metric_interval_lower_bound: float | None = None
    metric_interval_upper_bound: float | None = None
    scaling_adjustment: int


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class StepSettings:
    """``[[scaling.step]]``: a step policy and the alarm that calls it."""

    policy_name: str
    metric: str = "InvocationsPerInstance"
    statistic: str = "Sum"
    comparison: Literal[
        "GreaterThanOrEqualToThreshold",
        "GreaterThanThreshold",
        "LessThanOrEqualToThreshold",
        "LessThanThreshold",
    ] = "GreaterThanOrEqualToThreshold"
    threshold: Annotated[float, Field(allow_inf_nan=False)]
    period_seconds: Seconds = Field(default=60.0, alias="period")
    evaluation_periods: Annotated[int, Field(ge=1)] = 1
    adjustment_type: Literal["ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity"] = (
        "ChangeInCapacity"
    )
    min_adjustment_magnitude: Annotated[int, Field(ge=1)] | None = None
    cooldown_seconds: Seconds = Field(default=300.0, alias="cooldown")
    step_adjustments: Annotated[list[StepAdjustmentSettings], Field(min_length=1)]


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class ScheduledSettings:
    """``[[scaling.scheduled]]``: new bounds at a time."""

    name: str
    schedule: str
    timezone: str | None = None
    min_capacity: Annotated[int, Field(ge=1)] | None = None
    max_capacity: Annotated[int, Field(ge=1)] | None = None


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class ScalingSettings:
    """``[scaling]``: the scalable target and its policies."""

    enabled: bool = True
    policy_name: str = "SageMaker-Invocations-ScalingPolicy"
    min_capacity: Annotated[int, Field(ge=1)] = 1
    max_capacity: Annotated[int, Field(ge=1)] = 10
    metric: Literal[
        "SageMakerVariantInvocationsPerInstance",
        "SageMakerVariantConcurrentRequestsPerModelHighResolution",
    ] = "SageMakerVariantInvocationsPerInstance"
    target_value: Positive = 60.0
    scale_in_cooldown_seconds: Seconds = Field(default=300.0, alias="scale_in_cooldown")
    scale_out_cooldown_seconds: Seconds = Field(default=300.0, alias="scale_out_cooldown")
    step: list[StepSettings] = Field(default_factory=list)
    scheduled: list[ScheduledSettings] = Field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class LoadSettings:
    """``[load]``: the load test."""

    users: Annotated[int, Field(ge=1)] = 100
    spawn_rate_per_second: PerSecond = Field(default=1.0, alias="spawn_rate")
    pacing_seconds: Annotated[Seconds, Field(gt=0)] = Field(default=1.0, alias="pacing")
    arrivals: Literal["dephased", "lockstep", "constant", "poisson"] = "dephased"
    rate_per_second: PerSecond | None = Field(default=None, alias="rate")
    locustfile: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class LocalSettings:
    """``[local]``: how this machine stands in for AWS."""

    instance_rate_per_second: PerSecond | None = Field(default=None, alias="instance_rate")
    instance_queue_seconds: Seconds = Field(default=0.07, alias="instance_queue")
    provisioning_delay_seconds: Seconds = Field(default=300.0, alias="provisioning_delay")
    metric_delay_seconds: Seconds = Field(default=0.0, alias="metric_delay")
    time_scale: Positive = 1.0


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class ApiSettings:
    """``[api]``: the REST front; ``auth`` applies on AWS, the local front is on loopback only."""

    front: Literal["rest", "http", "chalice", "none"] = "rest"
    auth: Literal["iam", "api_key", "none"] = "iam"
    cors_origins: list[str] = Field(default_factory=list)
    throttle_rate_per_second: PerSecond | None = Field(default=None, alias="throttle_rate")
    throttle_burst: Annotated[int, Field(ge=1)] | None = None


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class AwsSettings:
    """``[aws]``: where a deployment goes."""

    region: str = "us-east-1"
    stack: str = "tonnage"
    tags: dict[str, str] = Field(default_factory=dict)
    instance_quota: Annotated[int, Field(ge=1)] | None = None
    serverless_concurrency_quota: Annotated[int, Field(ge=1)] = 1000


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class DeploymentSettings:
    """``[deployment]``: how the endpoint is made on AWS, beyond what ``[endpoint]`` says."""

    kind: Literal["instances", "serverless"] = "instances"
    image_uri: str | None = None
    base: str = "python:3.12-slim"
    model_data: Annotated[str, Field(pattern=r"^(image|s3|s3://[^/]+/.+\.tar\.gz)$")] = "image"
    network_isolation: bool = True
    environment: dict[str, str] = Field(default_factory=dict)
    startup_timeout_seconds: Seconds = Field(default=480.0, alias="startup_timeout")
    kms_key: str | None = None
    log_retention_days: int = 30
    alarm_topic: str | None = None
    client_errors: Errors = ErrorObjective(max_fraction=0.05)
    update: Literal["all_at_once", "canary", "linear", "rolling"] = "all_at_once"
    update_step_fraction: Fraction = Field(default=0.25, alias="update_step")
    update_wait_seconds: Seconds = Field(default=300.0, alias="update_wait")
    keep_old_seconds: Seconds = Field(default=600.0, alias="keep_old")
    memory_size_mb: int = 2048
    max_concurrency: int = 20
    provisioned_concurrency: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class Settings:
    """All of ``tonnage.toml``; ``directory`` is where its relative paths begin."""

    directory: Path = Path()
    service: ServiceSettings = Field(default_factory=ServiceSettings)
    objective: ObjectiveSettings = Field(default_factory=ObjectiveSettings)
    serving: ServingSettings = Field(default_factory=ServingSettings)
    endpoint: EndpointSettings = Field(default_factory=EndpointSettings)
    scaling: ScalingSettings = Field(default_factory=ScalingSettings)
    load: LoadSettings = Field(default_factory=LoadSettings)
    local: LocalSettings = Field(default_factory=LocalSettings)
    api: ApiSettings = Field(default_factory=ApiSettings)
    aws: AwsSettings = Field(default_factory=AwsSettings)
    deployment: DeploymentSettings = Field(default_factory=DeploymentSettings)

    def path(self, relative: str) -> Path:
        """Return a path of the settings as seen from the working directory."""
        return self.directory / relative
