"""
What ``tonnage simulate`` tells: its figures, its sentences, and its files.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click

from tonnage.domain import format_duration, format_fraction
from tonnage.reporting.plan_report import PlanFigure, PlanReport, write_plan_report
from tonnage.reporting.planning_figures import PlanTimeline, timeline_chart
from tonnage.reporting.sections import Section
from tonnage.simulation import RetriedSimulation, Simulation, timeline_csv

__all__ = ["MOST_TICKS", "as_requests", "highest", "summary", "write_files"]

MOST_TICKS: Final = 1_000_000
"""So many are written to files; with more, none."""


def as_requests(tried: RetriedSimulation) -> dict[str, float]:
    """Return what became of requests, where the simulation counts their attempts."""
    requests, given_up = float(tried.requests.sum()), float(tried.given_up.sum())
    return {
        "offered": requests,
        "failed": given_up,
        "failed_fraction": tried.failed_fraction,
        "attempts": float(tried.attempts.sum()),
    }


def highest(simulation: Simulation) -> dict[str, float | None]:
    """Return the highest utilisation, queue and latency estimate of a tick; null without ticks."""
    timeline = simulation.timeline
    if timeline is None:
        return dict.fromkeys(("utilisation_max", "queued_max", "latency_p99_max_seconds"))
    return {
        "utilisation_max": float(timeline.utilisation.max()),
        "queued_max": float(timeline.queued.max()),
        "latency_p99_max_seconds": float(timeline.latency_seconds.max()),
    }


def summary(result: dict[str, Any]) -> Iterator[str]:
    """Yield the result in sentences, an activity a line."""
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


def write_files(simulation: Simulation, result: dict[str, Any], output: Path) -> None:
    """Write the timeline, a page and a picture into a directory."""
    output.mkdir(parents=True, exist_ok=True)
    timeline = simulation.timeline
    if timeline is None:
        click.echo(f"note: more than {MOST_TICKS:,} ticks are not written; try --tick", err=True)
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
        notes=Section(title="What it gave", lines=list(summary(result))),
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
