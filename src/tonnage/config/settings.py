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
    """The endpoint's name."""
    handler: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")] = "service:Service"
    """``MODULE:CLASS`` of the service, looked up beside ``tonnage.toml``."""
    model: str = "model.joblib"
    """The fitted model, a joblib file; packed into ``artefact`` when that is missing or stale."""
    artefact: str = "artefact"
    """The directory of the packed model."""
    route: Annotated[str, Field(pattern=r"^/[A-Za-z0-9_\-./]*[A-Za-z0-9_\-]$")] = "/evaluate"
    """The REST API's path for predictions."""
    data: str | None = None
    """A CSV of rows on which a packed model is compared; absent: rows drawn from the schema."""


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class ObjectiveSettings:
    """``[objective]``: what "carries the load" means."""

    latency: Latency = LatencyObjective(percentile=0.99, threshold_seconds=0.25)
    """A percentile and what it must stay below."""
    errors: Errors = ErrorObjective(max_fraction=0.001)
    """The share of requests that may fail."""


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class ServingSettings:
    """``[serving]``: one instance."""

    workers: Literal["cores"] | Annotated[int, Field(ge=1)] = "cores"
    """Worker processes of an instance; ``cores`` is one for each core."""
    max_body_bytes: Bytes = Field(default=6 * 1024 * 1024, alias="max_body")
    """The largest request body."""
    allow_pickle: bool = False
    """Whether a model without a safe form is kept, and opened, as a pickle: it can run any code."""


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class EndpointSettings:
    """``[endpoint]``: the production variant."""

    variant: Name = "AllTraffic"
    """The production variant's name."""
    instance_type: Annotated[str, Field(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$")] = "ml.c5.large"
    """SageMaker's instance type; on this machine it is shown, not emulated."""
    initial_instance_count: Annotated[int, Field(ge=1)] = 1
    """Instances at the start."""
    initial_variant_weight: Positive = 1.0
    """The variant's share of the traffic, beside other variants' weights."""


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class StepAdjustmentSettings:
    """One step of a policy: what to do while the metric is so far above its threshold."""

    metric_interval_lower_bound: float | None = None
    """Where the step begins, above the alarm's threshold; absent: no lower end."""
    metric_interval_upper_bound: float | None = None
    """Where it ends, above the threshold; absent: no upper end."""
    scaling_adjustment: int
    """What to add, or to set, as ``adjustment_type`` says."""


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class StepSettings:
    """``[[scaling.step]]``: a step policy and the alarm that calls it."""

    policy_name: str
    """The policy's name."""
    metric: str = "InvocationsPerInstance"
    """A CloudWatch metric of the variant."""
    statistic: str = "Sum"
    """Of the metric's datapoints in a period."""
    comparison: Literal[
        "GreaterThanOrEqualToThreshold",
        "GreaterThanThreshold",
        "LessThanOrEqualToThreshold",
        "LessThanThreshold",
    ] = "GreaterThanOrEqualToThreshold"
    """How the metric is held against the threshold."""
    threshold: Annotated[float, Field(allow_inf_nan=False)]
    """Of the alarm."""
    period_seconds: Seconds = Field(default=60.0, alias="period")
    """Of a datapoint."""
    evaluation_periods: Annotated[int, Field(ge=1)] = 1
    """Periods beyond the threshold before the alarm rings."""
    adjustment_type: Literal["ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity"] = (
        "ChangeInCapacity"
    )
    """What ``scaling_adjustment`` counts."""
    min_adjustment_magnitude: Annotated[int, Field(ge=1)] | None = None
    """The least change of a percentage."""
    cooldown_seconds: Seconds = Field(default=300.0, alias="cooldown")
    """After an activity of this policy."""
    step_adjustments: Annotated[list[StepAdjustmentSettings], Field(min_length=1)]
    """The steps: tables of bounds and an adjustment."""


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class ScheduledSettings:
    """``[[scaling.scheduled]]``: new bounds at a time."""

    name: str
    """The scheduled action's name."""
    schedule: str
    """``at(…)``, ``rate(…)`` or ``cron(…)``, as Application Auto Scaling writes them."""
    timezone: str | None = None
    """An IANA name, such as ``Asia/Taipei``; absent: UTC."""
    min_capacity: Annotated[int, Field(ge=1)] | None = None
    """The new lower bound; absent: it stays."""
    max_capacity: Annotated[int, Field(ge=1)] | None = None
    """The new upper bound; absent: it stays."""


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class ScalingSettings:
    """``[scaling]``: the scalable target and its policies."""

    enabled: bool = True
    """Whether the instance count changes at all."""
    policy_name: str = "SageMaker-Invocations-ScalingPolicy"
    """The target-tracking policy's name."""
    min_capacity: Annotated[int, Field(ge=1)] = 1
    """Instances at least."""
    max_capacity: Annotated[int, Field(ge=1)] = 10
    """Instances at most."""
    metric: Literal[
        "SageMakerVariantInvocationsPerInstance",
        "SageMakerVariantConcurrentRequestsPerModelHighResolution",
    ] = "SageMakerVariantInvocationsPerInstance"
    """What is tracked: invocations per instance and minute, or requests in flight every 10 s."""
    target_value: Positive = 60.0
    """What the metric is held at."""
    scale_in_cooldown_seconds: Seconds = Field(default=300.0, alias="scale_in_cooldown")
    """After a scale-in, before the next."""
    scale_out_cooldown_seconds: Seconds = Field(default=300.0, alias="scale_out_cooldown")
    """After a scale-out, before one that is not larger."""
    step: list[StepSettings] = Field(default_factory=list)
    """Step policies beside target tracking."""
    scheduled: list[ScheduledSettings] = Field(default_factory=list)
    """Scheduled actions, which move the bounds."""


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class LoadSettings:
    """``[load]``: the load test."""

    users: Annotated[int, Field(ge=1)] = 100
    """Closed-loop users at the peak."""
    spawn_rate_per_second: PerSecond = Field(default=1.0, alias="spawn_rate")
    """Users that start."""
    pacing_seconds: Annotated[Seconds, Field(gt=0)] = Field(default=1.0, alias="pacing")
    """Between one user's sends."""
    arrivals: Literal["dephased", "lockstep", "constant", "poisson"] = "dephased"
    """How users are phased, or how open-loop requests are spaced."""
    rate_per_second: PerSecond | None = Field(default=None, alias="rate")
    """Open loop: requests offered; absent: users."""
    locustfile: str | None = None
    """Your own users."""


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class LocalSettings:
    """``[local]``: how this machine stands in for AWS."""

    instance_rate_per_second: PerSecond | None = Field(default=None, alias="instance_rate")
    """What one emulated instance carries; absent: what this machine carries."""
    instance_queue_seconds: Seconds = Field(default=0.07, alias="instance_queue")
    """How long a request may wait in a capped instance before it is refused."""
    provisioning_delay_seconds: Seconds = Field(default=300.0, alias="provisioning_delay")
    """From a scaling decision to the new instance in service."""
    metric_delay_seconds: Seconds = Field(default=0.0, alias="metric_delay")
    """From a period's end to its datapoint; on AWS 60 to 120 s."""
    time_scale: Positive = 1.0
    """How many times faster time runs; rates are not compressed."""


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class ApiSettings:
    """``[api]``: the REST front; ``auth`` applies on AWS, the local front is on loopback only."""

    front: Literal["rest", "http", "chalice", "none"] = "rest"
    """What stands before the endpoint on AWS."""
    auth: Literal["iam", "api_key", "none"] = "iam"
    """Who may call it there."""
    cors_origins: list[str] = Field(default_factory=list)
    """Web pages' origins that may call."""
    throttle_rate_per_second: PerSecond | None = Field(default=None, alias="throttle_rate")
    """A steady limit; absent: the account's."""
    throttle_burst: Annotated[int, Field(ge=1)] | None = None
    """How far above it a burst may go."""


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class AwsSettings:
    """``[aws]``: where a deployment goes."""

    region: str = "us-east-1"
    """Where it is deployed."""
    stack: str = "tonnage"
    """The name of the CloudFormation stack."""
    tags: dict[str, str] = Field(default_factory=dict)
    """On everything that is made."""
    instance_quota: Annotated[int, Field(ge=1)] | None = None
    """The account's quota of this instance type; a larger bound is refused."""
    serverless_concurrency_quota: Annotated[int, Field(ge=1)] = 1000
    """The account's quota of serverless concurrency."""


@dataclass(frozen=True, kw_only=True, slots=True, config=_STRICT)
class DeploymentSettings:
    """``[deployment]``: how the endpoint is made on AWS, beyond what ``[endpoint]`` says."""

    kind: Literal["instances", "serverless"] = "instances"
    """Real-time instances, or a serverless endpoint."""
    image_uri: str | None = None
    """An image that is there; absent: built from the artefact."""
    base: str = "python:3.12-slim"
    """What the image is built from."""
    model_data: Annotated[str, Field(pattern=r"^(image|s3|s3://[^/]+/.+\.tar\.gz)$")] = "image"
    """In the image; ``s3``: uploaded and mounted; or a ``model.tar.gz`` in S3."""
    network_isolation: bool = True
    """Whether the container reaches no network."""
    environment: dict[str, str] = Field(default_factory=dict)
    """Variables of the container."""
    startup_timeout_seconds: Seconds = Field(default=480.0, alias="startup_timeout")
    """Until ``/ping`` must have answered."""
    kms_key: str | None = None
    """``create``, or an ARN, id or alias; absent: SageMaker's own key."""
    log_retention_days: int = 30
    """How long logs are kept."""
    alarm_topic: str | None = None
    """An SNS topic's ARN for alarms."""
    client_errors: Errors = ErrorObjective(max_fraction=0.05)
    """Of callers' errors, before an alarm rings."""
    update: Literal["all_at_once", "canary", "linear", "rolling"] = "all_at_once"
    """How traffic moves to an update's new fleet."""
    update_step_fraction: Fraction = Field(default=0.25, alias="update_step")
    """Of a canary, or of each step or batch."""
    update_wait_seconds: Seconds = Field(default=300.0, alias="update_wait")
    """Between steps."""
    keep_old_seconds: Seconds = Field(default=600.0, alias="keep_old")
    """How long the old fleet stays, and bills, after the last step."""
    memory_size_mb: int = 2048
    """Serverless: 1024 to 6144 in steps of 1024."""
    max_concurrency: int = 20
    """Serverless: 1 to 200."""
    provisioned_concurrency: int | None = None
    """Serverless: kept warm, and billed; absent: none."""


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
