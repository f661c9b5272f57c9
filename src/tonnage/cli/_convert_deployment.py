"""
Settings → what ``deployment`` takes.
"""

import json
import math
from pathlib import Path
from typing import Final

from tonnage.artefact import ALLOW_PICKLE_VARIABLE, Manifest
from tonnage.config import Settings
from tonnage.deployment import (
    DeploymentOptions,
    Expected,
    Guardrails,
    InstanceVariant,
    ModelSource,
    Observability,
    Scaling,
    ServerlessVariant,
)
from tonnage.deployment.fronts import FrontOptions
from tonnage.planning import Front, Limits

from ._convert import objective, packed_artefact
from ._convert_rules import scheduled_actions, step_policies

__all__ = ["deployment_limits", "deployment_options", "expected_of", "load_per_second"]

_MIB: Final = 1024 * 1024


def deployment_options(settings: Settings) -> DeploymentOptions:
    """Return what ``synth`` and ``deploy`` take, with the artefact packed if need be."""
    deployment = settings.deployment
    artefact = packed_artefact(settings)
    return DeploymentOptions(
        stack=settings.aws.stack,
        region=settings.aws.region,
        tags=settings.aws.tags,
        endpoint_name=settings.service.name,
        variant=_variant(settings),
        model=ModelSource(
            artefact=artefact,
            image_uri=deployment.image_uri,
            base=deployment.base,
            model_data=deployment.model_data,
            environment=_container_environment(settings),
            network_isolation=deployment.network_isolation,
            startup_timeout_seconds=deployment.startup_timeout_seconds,
        ),
        guardrails=Guardrails(
            update=deployment.update,
            step_fraction=deployment.update_step_fraction,
            wait_seconds=deployment.update_wait_seconds,
            keep_old_seconds=deployment.keep_old_seconds,
        ),
        observability=Observability(
            objective=objective(settings),
            client_error_fraction=deployment.client_errors.max_fraction,
            log_retention_days=deployment.log_retention_days,
            alarm_topic=deployment.alarm_topic,
        ),
        kms_key=deployment.kms_key,
        front=_front(settings, artefact),
    )


def deployment_limits(settings: Settings) -> Limits:
    """Return the account's quotas, as far as the settings know them."""
    return Limits(
        instances=settings.aws.instance_quota,
        serverless_concurrency=settings.aws.serverless_concurrency_quota,
    )


def expected_of(
    settings: Settings,
    *,
    endpoint_name: str | None,
    line_per_second: float | None,
    instances_usd_month: float | None,
    tolerance: float,
) -> Expected:
    """Return what ``verify`` holds an endpoint against."""
    return Expected(
        endpoint_name=endpoint_name or settings.service.name,
        variant=_variant(settings),
        objective=objective(settings),
        line_per_second=line_per_second,
        instances_usd_month=instances_usd_month,
        tolerance=tolerance,
    )


def load_per_second(settings: Settings) -> float:
    """Return the steady load of ``[load]``: its rate, or each of its users once a pacing."""
    load = settings.load
    return load.rate_per_second or load.users / load.pacing_seconds


def _front(settings: Settings, artefact: Path) -> FrontOptions:
    api = settings.api
    return FrontOptions(
        front=Front(api.front),
        name=settings.service.name,
        route=settings.service.route,
        artefact=artefact,
        auth=api.auth,
        cors_origins=tuple(api.cors_origins),
        throttle_per_second=api.throttle_rate_per_second,
        throttle_burst=api.throttle_burst,
        log_retention_days=settings.deployment.log_retention_days,
        example_body=_example_body(artefact),
    )


def _variant(settings: Settings) -> InstanceVariant | ServerlessVariant:
    endpoint, deployment = settings.endpoint, settings.deployment
    if deployment.kind == "serverless":
        return ServerlessVariant(
            variant_name=endpoint.variant,
            memory_size_mb=deployment.memory_size_mb,
            max_concurrency=deployment.max_concurrency,
            provisioned_concurrency=deployment.provisioned_concurrency,
            initial_variant_weight=endpoint.initial_variant_weight,
        )
    return InstanceVariant(
        variant_name=endpoint.variant,
        instance_type=endpoint.instance_type,
        initial_instance_count=endpoint.initial_instance_count,
        initial_variant_weight=endpoint.initial_variant_weight,
        scaling=_scaling(settings) if settings.scaling.enabled else None,
    )


def _scaling(settings: Settings) -> Scaling:
    scaling = settings.scaling
    return Scaling(
        min_capacity=scaling.min_capacity,
        max_capacity=scaling.max_capacity,
        policy_name=scaling.policy_name,
        metric=scaling.metric,
        target_value=scaling.target_value,
        scale_in_cooldown_seconds=scaling.scale_in_cooldown_seconds,
        scale_out_cooldown_seconds=scaling.scale_out_cooldown_seconds,
        step=step_policies(settings),
        scheduled=scheduled_actions(settings),
    )


def _container_environment(settings: Settings) -> dict[str, str]:
    """Return what ``[serving]`` says in the container's variables; those of the user win."""
    serving = settings.serving
    said = {"SAGEMAKER_MAX_PAYLOAD_IN_MB": str(math.ceil(serving.max_body_bytes / _MIB))}
    if serving.workers != "cores":
        said["SAGEMAKER_MODEL_SERVER_WORKERS"] = str(serving.workers)
    if serving.allow_pickle:
        said[ALLOW_PICKLE_VARIABLE] = "true"
    return {**said, **settings.deployment.environment}


def _example_body(artefact: Path) -> str:
    rows = Manifest.read(artefact).golden.rows
    return json.dumps(rows[0]) if rows else "{}"
