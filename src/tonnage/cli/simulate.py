"""``tonnage simulate``."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, cast

import click

from tonnage.config import Settings
from tonnage.domain import ConfigurationError
from tonnage.planning import (
    HOURS_A_MONTH,
    UNKNOWN_CALENDAR,
    Front,
    PolicyKind,
    Usage,
    find_type,
    monthly_cost,
    price_warnings,
    read_prices,
)
from tonnage.scaling import AttachedPolicy, PolicyNames, ScalableTarget, TargetTrackingPolicy
from tonnage.simulation import (
    FleetModel,
    ProvisioningDelay,
    UniformDelay,
    simulate,
    simulate_retries,
    to_json,
)

from ._convert_scaling import calendar_of, policy_of
from ._fleet_flags import latency_curve_of, provisioning_of
from ._help import LongVerb
from ._options import DURATION, emit_json, json_option, settings_options, with_settings
from ._simulation_report import MOST_TICKS, as_requests, highest, summary, write_files
from ._traffic import lines_of, traffic_of, traffic_options

__all__ = ["command"]

_FEW_TICKS = 100_000
_SECONDS_AN_HOUR = 3600
_NO_CALENDAR = (
    "note: nobody has said when the traffic begins: the schedule takes it for a Monday's midnight"
    " UTC (--starts-at)"
)


@click.command(
    "simulate",
    cls=LongVerb,
    common=("config", "overrides", "line", "trace", "profile", "record", "output", "as_json"),
    epilog="\b\nExamples:\n"
    "  tonnage simulate --line 600/s --profile 'ramp(0/s, 1000/s, 1000s)' -o out\n"
    "  tonnage simulate --line 600/s --trace week.csv --arrivals poisson",
)
@settings_options
@click.option(
    "--line",
    metavar="[TYPE=]RATE",
    required=True,
    help="What one instance carries, e.g. 600/s or ml.c5.xlarge=1200/s.",
)
@traffic_options
@click.option(
    "--provisioning-spread",
    type=DURATION,
    default=0.0,
    help="Each instance takes up to so much longer or shorter than [local] provisioning_delay.",
)
@click.option(
    "--launch-failures",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    help="The fraction of launches that fail and are tried again.",
)
@click.option(
    "--provisioning",
    metavar="DELAY",
    help="What a new instance takes, in place of [local] provisioning_delay: 5m, 'uniform(3m, 8m)',"
    " 'lognormal(5m, 1.4)', or a file of measured seconds.",
)
@click.option(
    "--curve",
    "curve",
    metavar="RECORD",
    type=click.Path(path_type=Path),
    help="A record of `tonnage line`: latency is read off what it measured.",
)
@click.option(
    "--starts-at",
    metavar="TIME",
    help="When the traffic begins, for schedules, e.g. 2026-11-23T00:00.  [default: what a trace in"
    " seconds since 1970 says, else a Monday's midnight UTC]",
)
@click.option(
    "--retries",
    type=click.IntRange(0, 10),
    default=0,
    help="How often a sender tries again when it is refused: offered load grows.",
)
@click.option(
    "--retry-delay", type=DURATION, default=1.0, help="How much later it does.  [default: 1s]"
)
@click.option("--available", type=click.IntRange(min=1), help="Instances that are to be had.")
@click.option("--tick", type=DURATION, default=1.0, help="The resolution.  [default: 1s]")
@click.option("--seed", type=int, default=0, help="Of what is drawn.")
@click.option(
    "--prices",
    "prices_file",
    type=click.Path(path_type=Path),
    help="Prices that override the packaged ones.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="A directory for timeline.csv, a page and a picture.",
)
@json_option
def command(
    *,
    config: Path | None,
    overrides: tuple[str, ...],
    line: str,
    trace: Path | None,
    profile: str | None,
    record: Path | None,
    arrivals: str,
    provisioning_spread: float,
    launch_failures: float,
    provisioning: str | None,
    curve: Path | None,
    starts_at: str | None,
    retries: int,
    retry_delay: float,
    available: int | None,
    tick: float,
    seed: int,
    prices_file: Path | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """
    Show what the settings' scaling would have done on some traffic, and what it costs.

    [scaling] metric, [[scaling.step]] and [[scaling.scheduled]] are followed, too; capacity that is
    short, launches that fail and delays that vary are flags.
    """
    settings = with_settings(config, overrides)
    ((kind, rate),) = lines_of([line], settings.endpoint.instance_type).items()
    book = read_prices(prices_file)
    instance_type = find_type(kind, book)
    traffic = traffic_of(trace, profile, record)
    kind_of_policy = policy_of(settings).kind
    begins = calendar_of(trace, starts_at, "UTC")
    fleet = replace(
        _fleet(settings, rate, arrivals, launch_failures, available),
        provisioning_delay_seconds=_provisioning(settings, provisioning, provisioning_spread),
        latency_curve=None if curve is None else latency_curve_of(curve, rate),
    )
    bounds = ScalableTarget.of(
        min_capacity=settings.scaling.min_capacity, max_capacity=settings.scaling.max_capacity
    )
    policies = _policies(settings, kind_of_policy)
    actions = kind_of_policy.actions() if settings.scaling.enabled else ()
    starts = (begins or UNKNOWN_CALENDAR).starts_at_seconds
    tried = None
    if retries:
        tried = simulate_retries(
            traffic,
            policies,
            bounds,
            fleet,
            retries=retries,
            delay_seconds=retry_delay,
            tick_seconds=tick,
            seed=seed,
            scheduled_actions=actions,
            starts_at_seconds=starts,
        )
        simulation = tried.simulation
    else:
        simulation = simulate(
            traffic,
            policies,
            bounds,
            fleet,
            tick_seconds=tick,
            seed=seed,
            keep_timeline=traffic.duration_seconds / tick
            <= (_FEW_TICKS if output is None else MOST_TICKS),
            scheduled_actions=actions,
            starts_at_seconds=starts,
        )
    if kind_of_policy.scheduled and begins is None:
        click.echo(_NO_CALENDAR, err=True)
    usage = Usage(
        duration_seconds=simulation.duration_seconds,
        offered=float(simulation.offered[0]),
        served=float(simulation.served[0]),
        instance_type=instance_type,
        instance_seconds=float(simulation.instance_seconds[0]),
    )
    monthly = monthly_cost(usage, Front(settings.api.front), book)
    months = simulation.duration_seconds / (HOURS_A_MONTH * _SECONDS_AN_HOUR)
    result = (
        to_json(simulation, names=_names(settings))
        | highest(simulation)
        | ({} if tried is None else as_requests(tried))
        | {
            "instance_type": kind,
            "line_per_second": rate,
            "arrivals": arrivals,
            "cost_usd": float(monthly.instances) * months,
            "cost_usd_month": float(monthly.cents),
            "cost_usd_month_split": {name: float(part) for name, part in monthly.split().items()},
        }
    )
    if as_json:
        emit_json(result)
    else:
        click.echo("\n".join(summary(result)))
    for warning in price_warnings(monthly.prices, datetime.now(UTC).date()):
        click.echo(f"note: {warning}", err=True)
    if output is not None:
        write_files(simulation, result, output)


def _policies(settings: Settings, kind: PolicyKind) -> tuple[AttachedPolicy, ...] | None:
    scaling = settings.scaling
    if not scaling.enabled:
        return None
    policy = TargetTrackingPolicy.of(
        target_value=scaling.target_value,
        scale_in_cooldown_seconds=scaling.scale_in_cooldown_seconds,
        scale_out_cooldown_seconds=scaling.scale_out_cooldown_seconds,
    )
    return kind.attached(policy, scaling.policy_name)


def _provisioning(settings: Settings, text: str | None, spread: float) -> float | ProvisioningDelay:
    if text is not None and spread:
        raise ConfigurationError(
            "--provisioning and --provisioning-spread say the same twice", hint="give one of them"
        )
    if text is not None:
        return provisioning_of(text)
    delay = settings.local.provisioning_delay_seconds
    return UniformDelay(max(0.0, delay - spread), delay + spread) if spread else delay


def _names(settings: Settings) -> PolicyNames:
    return PolicyNames(
        endpoint_name=settings.service.name,
        variant_name=settings.endpoint.variant,
        policy_name=settings.scaling.policy_name,
    )


def _fleet(
    settings: Settings,
    rate: float,
    arrivals: str,
    launch_failures: float,
    available: int | None,
) -> FleetModel:
    local = settings.local
    return FleetModel(
        line_per_second=rate,
        queue_seconds=local.instance_queue_seconds,
        metric_delay_seconds=local.metric_delay_seconds,
        launch_failure_fraction=launch_failures,
        max_available_instances=available,
        initial_instance_count=settings.endpoint.initial_instance_count,
        arrivals=cast("Literal['constant', 'poisson']", arrivals),
    )
