"""``tonnage simulate``."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast

import click

from tonnage.config import Settings
from tonnage.domain import ConfigurationError, format_duration, format_fraction
from tonnage.planning import (
    UNKNOWN_CALENDAR,
    Front,
    PolicyKind,
    Usage,
    find_type,
    monthly_cost,
    price_warnings,
    read_prices,
)
from tonnage.reporting.plan_report import PlanFigure, PlanReport, write_plan_report
from tonnage.reporting.planning_figures import PlanTimeline, timeline_chart
from tonnage.reporting.sections import Section
from tonnage.scaling import AttachedPolicy, PolicyNames, ScalableTarget, TargetTrackingPolicy
from tonnage.simulation import (
    FleetModel,
    ProvisioningDelay,
    RetriedSimulation,
    Simulation,
    UniformDelay,
    simulate,
    simulate_retries,
    timeline_csv,
    to_json,
)

from ._convert_scaling import calendar_of, policy_of
from ._fleet_flags import latency_curve_of, provisioning_of
from ._help import LongVerb
from ._options import DURATION, emit_json, json_option, settings_options, with_settings
from ._traffic import lines_of, traffic_of, traffic_options

__all__ = ["command"]

_MOST_TICKS = 1_000_000
_FEW_TICKS = 100_000
_HOURS_A_MONTH = 730
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
            <= (_FEW_TICKS if output is None else _MOST_TICKS),
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
    months = simulation.duration_seconds / (_HOURS_A_MONTH * _SECONDS_AN_HOUR)
    result = (
        to_json(simulation, names=_names(settings))
        | _highest(simulation)
        | ({} if tried is None else _as_requests(tried))
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
        click.echo("\n".join(_summary(result)))
    for warning in price_warnings(monthly.prices, datetime.now(UTC).date()):
        click.echo(f"note: {warning}", err=True)
    if output is not None:
        _write(simulation, result, output)


def _as_requests(tried: RetriedSimulation) -> dict[str, float]:
    """Return what became of requests, where the simulation counts their attempts."""
    requests, given_up = float(tried.requests.sum()), float(tried.given_up.sum())
    return {
        "offered": requests,
        "failed": given_up,
        "failed_fraction": tried.failed_fraction,
        "attempts": float(tried.attempts.sum()),
    }


def _highest(simulation: Simulation) -> dict[str, float | None]:
    """Return the highest utilisation, queue and latency estimate of a tick; null without ticks."""
    timeline = simulation.timeline
    if timeline is None:
        return dict.fromkeys(("utilisation_max", "queued_max", "latency_p99_max_seconds"))
    return {
        "utilisation_max": float(timeline.utilisation.max()),
        "queued_max": float(timeline.queued.max()),
        "latency_p99_max_seconds": float(timeline.latency_seconds.max()),
    }


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


def _summary(result: dict[str, Any]) -> Iterator[str]:
    yield (
        f"{result['offered']:,.0f} requests in {format_duration(result['duration_seconds'])},"
        f" {result['failed']:,.0f} failed ({format_fraction(result['failed_fraction'])})"
    )
    yield (
        f"{result['instance_hours']:.2f} hours of {result['instance_type']},"
        f" {result['cost_usd']:.4g} USD; a month of such traffic, front and data included:"
        f" {result['cost_usd_month']:,.2f} USD"
    )
    for activity in result["activities"]:
        yield (
            f"{format_duration(activity['at_seconds']):>8}  {activity['from_count']} →"
            f" {activity['to_count']} instances, done at"
            f" {format_duration(activity['in_service_at_seconds'])}: {activity['cause']}"
        )


def _write(simulation: Simulation, result: dict[str, Any], output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    timeline = simulation.timeline
    if timeline is None:
        click.echo(f"note: more than {_MOST_TICKS:,} ticks are not written; try --tick", err=True)
        return
    file = output / "timeline.csv"
    file.write_text(timeline_csv(simulation), encoding="utf-8")
    spans = simulation.tick_spans
    chart = timeline_chart(
        PlanTimeline(
            title="What the policy does on this traffic",
            seconds=timeline.seconds,
            offered_per_second=timeline.offered / spans,
            failed_per_second=timeline.failed[:, 0] / spans,
            capacity_per_second=timeline.in_service[:, 0] * result["line_per_second"],
            desired=timeline.desired[:, 0].astype(float),
            in_service=timeline.in_service[:, 0].astype(float),
        )
    )
    report = PlanReport(
        title="A simulation",
        notes=Section(title="What it gave", lines=list(_summary(result))),
        sections=[],
        figures=[
            PlanFigure(
                name="timeline",
                title="Offered, carried, failed, and the instances",
                caption="Between desired and in service lies the time that a new instance takes.",
                chart=chart,
            )
        ],
    )
    files = write_plan_report(report, output)
    for written in (file, files.page, *files.pictures):
        click.echo(f"wrote {written}", err=True)
