"""``tonnage plan``."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import click

from tonnage.config import DEFAULT_FILE, Settings
from tonnage.domain import ConfigurationError, parse_fraction
from tonnage.planning import (
    DEFAULT_MARGIN,
    PUBLIC_FRONTS,
    CallShape,
    Front,
    Limits,
    Plan,
    SearchSpace,
    plan,
    plan_table,
    planned_settings,
    read_prices,
)
from tonnage.simulation import FleetModel

from ._convert import objective
from ._convert_scaling import calendar_of, policy_of
from ._faults import OBJECTIVE_MISSED, show
from ._help import LongVerb
from ._options import DURATION, SIZE, emit_json, json_option, settings_options, with_settings
from ._plan_report import write_report
from ._traffic import lines_of, traffic_of, traffic_options

__all__ = ["command"]

_SETTINGS_NAME = "tonnage.plan.toml"
_COMMON = (
    "config",
    "lines",
    "trace",
    "profile",
    "record",
    "fronts",
    "max_capacity",
    "margin",
    "output",
    "as_json",
)
_LONG_SECONDS = 86400.0
"""Traffic from which on a plan takes long enough to say so."""


@click.command(
    "plan",
    cls=LongVerb,
    common=_COMMON,
    epilog="\b\nExamples:\n"
    "  tonnage plan --line 600/s --profile 'ramp(0/s, 1000/s, 1000s)'\n"
    "  tonnage plan --line ml.c5.large=600/s --trace week.csv -o tonnage.plan.toml",
)
@settings_options
@click.option(
    "--line",
    "lines",
    metavar="[TYPE=]RATE",
    multiple=True,
    required=True,
    help="A measured load line, e.g. ml.c5.large=600/s; without a type, that of the settings'"
    " type. Repeatable.",
)
@traffic_options
@click.option(
    "--type",
    "types",
    metavar="TYPE",
    multiple=True,
    help="Consider this type as well, on a line scaled by vCPU; repeatable.  [default: all]",
)
@click.option("--measured-only", is_flag=True, help="Consider no type without a line of its own.")
@click.option(
    "--front",
    "fronts",
    type=click.Choice([str(front) for front in Front]),
    metavar="KIND",
    multiple=True,
    help="What may stand before the endpoint, of rest, http, chalice, none; repeatable."
    "  [default: the first three]",
)
@click.option("--max-capacity", type=click.IntRange(min=1), metavar="N", help="Instances at most.")
@click.option("--min-capacity", type=click.IntRange(min=1), help="Instances at least.")
@click.option(
    "--margin",
    default=f"{DEFAULT_MARGIN:.0%}",
    show_default=True,
    help="How much more traffic the plan must hold.",
)
@click.option(
    "--starts-at",
    metavar="TIME",
    help="When the traffic begins, e.g. 2026-11-23T00:00, for schedules.  [default: what a trace in"
    " seconds since 1970 says]",
)
@click.option(
    "--timezone", default="UTC", show_default=True, help="Whose hours a schedule is written in."
)
@click.option(
    "--simple", is_flag=True, help="Consider target tracking on invocations and nothing else."
)
@click.option(
    "--allow-high-resolution",
    is_flag=True,
    help="Let the plan choose the metric of 10 s, which AWS does not confirm for CPU instances.",
)
@click.option(
    "--allow-serverless",
    is_flag=True,
    help="Let the plan choose a serverless endpoint, whose times it takes from an instance's line.",
)
@click.option("--quota", type=click.IntRange(min=1), help="The account's quota of instances.")
@click.option("--request-bytes", type=SIZE, default=1024, help="A request's body.  [default: 1KiB]")
@click.option("--response-bytes", type=SIZE, default=1024, help="An answer's.  [default: 1KiB]")
@click.option(
    "--lambda-duration",
    type=DURATION,
    default=CallShape().lambda_seconds,
    help="Billed time of the Lambda function in front.  [default: 20ms]",
)
@click.option(
    "--prices",
    "prices_file",
    type=click.Path(path_type=Path),
    help="Prices that override the packaged ones.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help=f"A .toml file for the settings alone, or a directory for {_SETTINGS_NAME}, a page,"
    " pictures and plan.json.",
)
@json_option
def command(
    *,
    config: Path | None,
    overrides: tuple[str, ...],
    lines: tuple[str, ...],
    trace: Path | None,
    profile: str | None,
    record: Path | None,
    arrivals: Literal["constant", "poisson"],
    types: tuple[str, ...],
    measured_only: bool,
    fronts: tuple[str, ...],
    max_capacity: int | None,
    min_capacity: int | None,
    margin: str,
    starts_at: str | None,
    timezone: str,
    simple: bool,
    allow_high_resolution: bool,
    allow_serverless: bool,
    quota: int | None,
    request_bytes: float,
    response_bytes: float,
    lambda_duration: float,
    prices_file: Path | None,
    output: Path | None,
    as_json: bool,
) -> int:
    """Find the cheapest configuration that meets the objective, and what the others cost."""
    settings = with_settings(config, overrides)
    scaling = settings.scaling
    traffic = traffic_of(trace, profile, record)
    if traffic.duration_seconds > _LONG_SECONDS:
        click.echo("trying policies …", err=True)
    made = plan(
        traffic,
        lines_of(lines, settings.endpoint.instance_type),
        objective=objective(settings),
        book=read_prices(prices_file),
        fleet=_fleet(settings, arrivals),
        space=SearchSpace(
            min_capacity=min_capacity or 1,
            max_capacity=max_capacity or scaling.max_capacity,
            margin=parse_fraction(margin),
            alternatives=() if simple else SearchSpace().alternatives,
            allow_high_resolution=allow_high_resolution,
            allow_serverless=allow_serverless,
        ),
        fronts=_fronts(fronts, settings),
        types=() if measured_only else (types or None),
        calls=CallShape(
            request_bytes=int(request_bytes),
            response_bytes=int(response_bytes),
            lambda_seconds=lambda_duration,
        ),
        limits=Limits(instances=quota),
        current=(settings.endpoint.instance_type, policy_of(settings))
        if _has_file(config)
        else None,
        calendar=calendar_of(trace, starts_at, timezone),
        today=datetime.now(UTC).date(),
    )
    if as_json:
        emit_json(made.to_json())
    else:
        click.echo(plan_table(made))
    for warning in made.warnings:
        click.echo(f"note: {warning}", err=True)
    if output is not None and made.best is not None:
        _write(made, output, config, settings)
    if made.refusal is not None:
        show(ConfigurationError(made.refusal, hint=_HINT))
        return OBJECTIVE_MISSED
    return 0


_HINT = "allow more with --max-capacity, a higher load line, or a looser [objective] errors"


def _fleet(settings: Settings, arrivals: Literal["constant", "poisson"]) -> FleetModel:
    local = settings.local
    return FleetModel(
        line_per_second=1.0,
        # What would wait longer than the objective allows counts as failed.
        queue_seconds=min(
            local.instance_queue_seconds, settings.objective.latency.threshold_seconds
        ),
        provisioning_delay_seconds=local.provisioning_delay_seconds,
        metric_delay_seconds=local.metric_delay_seconds,
        arrivals=arrivals,
    )


def _fronts(names: tuple[str, ...], settings: Settings) -> list[Front]:
    if names:
        return [Front(name) for name in dict.fromkeys(names)]
    if settings.api.front == "none":
        return [Front.NONE]
    # An HTTP API has no API keys.
    keyed = settings.api.auth == "api_key"
    return [front for front in PUBLIC_FRONTS if not (keyed and front is Front.HTTP)]


def _has_file(config: Path | None) -> bool:
    return config is not None or DEFAULT_FILE.exists()


def _write(made: Plan, output: Path, config: Path | None, settings: Settings) -> None:
    assert made.best is not None
    alone = output.suffix == ".toml"
    file = output if alone else output / _SETTINGS_NAME
    file.parent.mkdir(parents=True, exist_ok=True)
    if not alone:
        for written in write_report(made, output):
            click.echo(f"wrote {written}", err=True)
    old, new = settings.directory.resolve(), file.parent.resolve()
    text = planned_settings(
        made.best,
        _tables(config) if _has_file(config) else {},
        comment="Planned by `tonnage plan`; `tonnage up` and `tonnage deploy` take it unchanged.\n"
        + "\n".join(made.why),
        moved=(old, new) if old != new else None,
    )
    file.write_text(text, encoding="utf-8")
    click.echo(f"wrote {file}", err=True)
    if old != new and _has_file(config):
        click.echo(
            f"note: the service's code is looked for beside its settings: for `tonnage up`, write"
            f" them to {settings.path(_SETTINGS_NAME)}",
            err=True,
        )


def _tables(config: Path | None) -> dict[str, Any]:
    return tomllib.loads((config or DEFAULT_FILE).read_text(encoding="utf-8"))
