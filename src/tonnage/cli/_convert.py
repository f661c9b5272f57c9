"""
Settings → what each room takes.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from tonnage.artefact import TYPICAL_RANGE, LoadedService, is_stale, pack
from tonnage.config import Settings
from tonnage.domain import ConfigurationError, Objective
from tonnage.emulator import (
    EndpointOptions,
    Fault,
    LocalOptions,
    ScalingOptions,
    TemplateOptions,
    UpOptions,
)
from tonnage.serving import InstanceCapacity

from ._charts import charts_command
from ._convert_rules import scheduled_actions, step_policies

__all__ = [
    "drawn_from",
    "objective",
    "packed_artefact",
    "settings_shown",
    "up_options",
]


def packed_artefact(settings: Settings) -> Path:
    """
    Return the settings' artefact, packed now when it is missing or stale.

    Raises:
        ArtefactError: If it was changed by hand, or cannot be packed.
    """
    service = settings.service
    artefact, model = settings.path(service.artefact), settings.path(service.model)
    if is_stale(artefact, model, service.handler, settings.directory):
        click.echo(f"packing {model} into {artefact} …", err=True)
        pack(
            model,
            service=service.handler,
            output=artefact,
            code=settings.directory,
            data=settings.path(service.data) if service.data else None,
            allow_pickle=settings.serving.allow_pickle,
        )
    return artefact


def up_options(
    settings: Settings,
    *,
    host: str,
    port: int,
    faults: tuple[Fault, ...] = (),
    template: TemplateOptions | None = None,
    artefact: Path | None = None,
) -> UpOptions:
    """Return what ``up`` takes, with the settings' artefact packed if need be and none is given."""
    return UpOptions(
        artefact=artefact or packed_artefact(settings),
        endpoint=EndpointOptions(
            endpoint_name=settings.service.name,
            variant_name=settings.endpoint.variant,
            instance_type=settings.endpoint.instance_type,
            initial_instance_count=settings.endpoint.initial_instance_count,
            route=settings.service.route,
        ),
        scaling=_scaling_options(settings),
        cors_origins=tuple(settings.api.cors_origins),
        local=_local_options(settings),
        faults=faults,
        template=template,
        host=host,
        port=port,
        charts=charts_command(),
    )


def objective(settings: Settings) -> Objective:
    """Return what "carries the load" means."""
    return Objective(latency=settings.objective.latency, errors=settings.objective.errors)


def drawn_from(artefact: Path) -> dict[str, Any]:
    """
    Return what requests carry when nobody says it, as a plan or payload takes it.

    Numbers of a typical range are drawn from it. A row that holds anything else, text or whole
    numbers, is one of the artefact's golden rows, sent in turn.

    Raises:
        ConfigurationError: If there is neither.
    """
    service = LoadedService.load(artefact)
    fields = service.service.row.model_json_schema().get("properties", {})
    if all(one.get("type") == "number" and TYPICAL_RANGE in one for one in fields.values()):
        low_high = {name: field[TYPICAL_RANGE] for name, field in fields.items()}
        return {"ranges": {name: (low, high) for name, (low, high) in low_high.items()}}
    if not service.manifest.golden.rows:
        raise ConfigurationError(
            f"no payload can be drawn: {artefact} has no golden rows",
            hint="give a body with --body, or a locustfile",
        )
    return {"bodies": tuple(service.manifest.golden.rows)}


def settings_shown(settings: Settings) -> dict[str, Any]:
    """Return the settings in force as plain values, for a record."""
    shown = asdict(settings)
    del shown["directory"]
    shown["objective"] = {
        "latency": str(settings.objective.latency),
        "errors": str(settings.objective.errors),
    }
    return shown


def _scaling_options(settings: Settings) -> ScalingOptions | None:
    scaling = settings.scaling
    if not scaling.enabled:
        return None
    return ScalingOptions(
        policy_name=scaling.policy_name,
        min_capacity=scaling.min_capacity,
        max_capacity=scaling.max_capacity,
        metric=scaling.metric,
        target_value=scaling.target_value,
        scale_in_cooldown_seconds=scaling.scale_in_cooldown_seconds,
        scale_out_cooldown_seconds=scaling.scale_out_cooldown_seconds,
        step=step_policies(settings),
        scheduled=scheduled_actions(settings),
    )


def _local_options(settings: Settings) -> LocalOptions:
    local = settings.local
    rate = local.instance_rate_per_second
    return LocalOptions(
        capacity=InstanceCapacity(rate_per_second=rate, queue_seconds=local.instance_queue_seconds)
        if rate
        else None,
        provisioning_delay_seconds=local.provisioning_delay_seconds,
        metric_delay_seconds=local.metric_delay_seconds,
        time_scale=local.time_scale,
        max_body_bytes=settings.serving.max_body_bytes,
        allow_pickle=settings.serving.allow_pickle,
    )
