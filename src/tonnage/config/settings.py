"""
The settings of ``tonnage.toml``, one frozen dataclass a section.

A field's alias is its key in the file; its own name carries the unit the value was converted to.
"""

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from tonnage.domain import ErrorObjective, LatencyObjective

from ._types import Bytes, Errors, Latency, Name, PerSecond, Positive, Seconds

__all__ = [
    "ApiSettings",
    "AwsSettings",
    "EndpointSettings",
    "LoadSettings",
    "LocalSettings",
    "ObjectiveSettings",
    "ScalingSettings",
    "ServiceSettings",
    "ServingSettings",
    "Settings",
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
class ScalingSettings:
    """``[scaling]``: the scalable target and its target-tracking policy."""

    enabled: bool = True
    policy_name: str = "SageMaker-Invocations-ScalingPolicy"
    min_capacity: Annotated[int, Field(ge=1)] = 1
    max_capacity: Annotated[int, Field(ge=1)] = 10
    metric: Literal["SageMakerVariantInvocationsPerInstance"] = (
        "SageMakerVariantInvocationsPerInstance"
    )
    target_value: Positive = 60.0
    scale_in_cooldown_seconds: Seconds = Field(default=300.0, alias="scale_in_cooldown")
    scale_out_cooldown_seconds: Seconds = Field(default=300.0, alias="scale_out_cooldown")


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


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class AwsSettings:
    """``[aws]``: where a deployment goes."""

    region: str = "us-east-1"
    stack: str = "tonnage"
    tags: dict[str, str] = Field(default_factory=dict)


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

    def path(self, relative: str) -> Path:
        """Return a path of the settings as seen from the working directory."""
        return self.directory / relative
