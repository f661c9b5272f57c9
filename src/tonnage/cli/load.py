"""``tonnage load``."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from tonnage.config import Settings
from tonnage.domain import (
    ConfigurationError,
    ErrorObjective,
    LatencyObjective,
    LoadSummary,
    Objective,
    RunRecord,
    format_duration,
    format_fraction,
    meets,
    summarise,
    write_record,
)
from tonnage.loadtest import LoadPlan, load

from ._convert import objective, packed_artefact, ranges_of, settings_shown
from ._faults import INTERRUPTED, MEASUREMENT_INVALID, OBJECTIVE_MISSED
from ._options import DURATION, RATE, emit_json, json_option, settings_options, with_settings
from ._progress import ProgressLine

__all__ = ["command", "load_plan"]

_DEFAULT_URL = "http://127.0.0.1:8000"
_DEFAULT_HOLD_SECONDS = 30.0


@click.command(
    "load",
    epilog="Example: tonnage load http://127.0.0.1:8000/evaluate --body '{\"distance\": 150}'"
    " --users 100 --spawn-rate 20/s --duration 30s",
)
@click.argument("url", required=False)
@settings_options
@click.option("--body", help="The JSON body of every request.")
@click.option("--locustfile", type=click.Path(path_type=Path), help="Your own users.")
@click.option("--users", type=click.IntRange(min=1), help="Users at the peak.")
@click.option("--spawn-rate", type=RATE, help="Users that start, e.g. 20/s.")
@click.option("--pacing", type=DURATION, help="Time between one user's sends.")
@click.option(
    "--arrivals", type=click.Choice(["dephased", "lockstep"]), help="How users are phased."
)
@click.option("--duration", type=DURATION, help="Of the whole test.  [default: the ramp and 30s]")
@click.option(
    "--objective", "terms", multiple=True, help="'p99 < 250ms' or 'errors < 0.1%'; repeatable."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("runs/load"),
    show_default=True,
    help="Where the run record goes.",
)
@click.option("--web", is_flag=True, help="Show Locust's own web page.")
@click.option("--web-port", type=click.IntRange(1, 65535), default=8089, show_default=True)
@click.option("--i-own", metavar="HOST", help="Fire at a host that is not this machine: yours.")
@json_option
def command(
    *,
    url: str | None,
    config: Path | None,
    overrides: tuple[str, ...],
    terms: tuple[str, ...],
    output: Path,
    as_json: bool,
    **flags: Any,  # noqa: ANN401 (click's, one a flag)
) -> int:
    """
    Load-test URL with closed-loop users (Locust) and keep the raw samples.

    Without URL it is the endpoint that `tonnage up` runs. Users, pace and what they send come from
    the flags, else from tonnage.toml; without a body or a locustfile, from the service's schema.
    """
    settings = with_settings(config, overrides)
    plan = load_plan(settings, url, flags)
    line = ProgressLine(total_seconds=plan.duration_seconds)
    if plan.web_port:
        click.echo(f"Locust's page: http://127.0.0.1:{plan.web_port} (Ctrl-C ends it)", err=True)
    record = load(plan, on_progress=line.update)
    line.end()
    record = replace(record, settings={**settings_shown(settings), **record.settings})
    directory = write_record(record, output)
    goal = _objective(settings, terms)
    met = meets(record.samples, goal)
    outcome = _outcome(record, goal, directory, met=met)
    if as_json:
        emit_json(outcome)
    else:
        click.echo(_told(record, outcome))
    if record.generator["interrupted_by"]:
        return INTERRUPTED
    if record.generator["verdict"] == "INVALID":
        return MEASUREMENT_INVALID
    return 0 if met else OBJECTIVE_MISSED


def load_plan(settings: Settings, url: str | None, flags: dict[str, Any]) -> LoadPlan:
    """Return what ``load`` is to do: flags before settings."""
    load_settings = settings.load
    users = flags.get("users") or load_settings.users
    spawn_rate = flags.get("spawn_rate") or load_settings.spawn_rate_per_second
    pacing = flags.get("pacing")
    return LoadPlan(
        users=users,
        spawn_rate_per_second=spawn_rate,
        duration_seconds=flags.get("duration") or users / spawn_rate + _DEFAULT_HOLD_SECONDS,
        pacing_seconds=load_settings.pacing_seconds if pacing is None else pacing,
        arrivals=flags.get("arrivals") or load_settings.arrivals,
        web_port=flags["web_port"] if flags.get("web") else None,
        i_own=flags.get("i_own"),
        **_what_is_sent(settings, url, flags),
    )


def _what_is_sent(settings: Settings, url: str | None, flags: dict[str, Any]) -> dict[str, Any]:
    if flags.get("body") is not None:
        return {"url": _route(settings, url), "body": _json_body(flags["body"])}
    locustfile = flags.get("locustfile")
    if locustfile is None and url is None and settings.load.locustfile:
        locustfile = settings.path(settings.load.locustfile)
    if locustfile is not None:
        return {"url": url or _DEFAULT_URL, "locustfile": locustfile}
    return {"url": _route(settings, url), "ranges": ranges_of(packed_artefact(settings))}


def _route(settings: Settings, url: str | None) -> str:
    if url is None:
        return _DEFAULT_URL + settings.service.route
    return url if urlsplit(url).path not in {"", "/"} else url.rstrip("/") + settings.service.route


def _json_body(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ConfigurationError(f"--body {text!r} is no JSON: {error}") from error


def _objective(settings: Settings, terms: tuple[str, ...]) -> Objective:
    goal = objective(settings)
    for term in terms:
        if term.strip().startswith("p"):
            goal = replace(goal, latency=LatencyObjective.parse(term))
        else:
            goal = replace(goal, errors=ErrorObjective.parse(term))
    return goal


def _outcome(record: RunRecord, goal: Objective, directory: Path, *, met: bool) -> dict[str, Any]:
    whole = _summary(record, goal)
    return {
        "verdict": record.generator["verdict"],
        "reason": record.generator["reason"],
        "objective": str(goal),
        "objective_met": met,
        "requests": whole.requests,
        "failed": whole.failed,
        "offered": whole.offered_per_second,
        "throughput": whole.throughput_per_second,
        "goodput": whole.goodput_per_second,
        "error_fraction": whole.error_fraction,
        "latency": whole.latency_seconds,
        "window_seconds": whole.window_seconds,
        "send_spread_seconds": record.generator["send_spread_seconds"],
        "record": str(directory),
    }


def _summary(record: RunRecord, goal: Objective) -> LoadSummary:
    return summarise(
        record.samples,
        start_seconds=0.0,
        end_seconds=max(record.duration_seconds, 1e-9),
        latency_threshold_seconds=goal.latency.threshold_seconds,
    )


def _told(record: RunRecord, outcome: dict[str, Any]) -> str:
    latency = ", ".join(
        f"{name} {'none' if math.isnan(seconds) else format_duration(seconds)}"
        for name, seconds in outcome["latency"].items()
    )
    spread = outcome["send_spread_seconds"]
    lines = [
        (
            f"{outcome['requests']} requests in {outcome['window_seconds']:.1f} s (ramp included):"
            f" {outcome['offered']:.1f}/s offered, {outcome['throughput']:.1f}/s answered,"
            f" {outcome['failed']} failed ({format_fraction(outcome['error_fraction'])})"
        ),
        f"latency from the intended send: {latency}",
        f"objective {outcome['objective']}: {'met' if outcome['objective_met'] else 'missed'}",
        f"generator {outcome['verdict']}: {outcome['reason']}",
    ]
    if spread is not None:
        lines.insert(
            3,
            f"sends within a second: 90 % of them in {spread:.2f} s"
            " (0.90 s when evenly spread, near 0 in lockstep)",
        )
    return "\n".join([*lines, *record.notes, f"record: {outcome['record']}"])
