"""``tonnage load``."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from tonnage.config import Settings
from tonnage.domain import (
    PERCENTILES,
    ErrorObjective,
    LatencyObjective,
    LoadSummary,
    Objective,
    RunRecord,
    format_duration,
    format_fraction,
    meets,
    percentile,
    summarise,
    write_record,
)
from tonnage.loadtest import LoadPlan, OpenLoopPlan, load

from ._convert import objective, packed_artefact, ranges_of, settings_shown
from ._faults import INTERRUPTED, MEASUREMENT_INVALID, OBJECTIVE_MISSED
from ._open_load import OPEN_ARRIVALS, is_open, open_loop_options, open_plan
from ._options import (
    DEFAULT_URL,
    DURATION,
    RATE,
    emit_json,
    json_option,
    json_value,
    route_of,
    settings_options,
    with_settings,
)
from ._progress import ProgressLine

__all__ = ["command", "load_plan"]

_DEFAULT_HOLD_SECONDS = 30.0


@click.command(
    "load",
    epilog="Examples: tonnage load http://127.0.0.1:8000/evaluate --body '{\"distance\": 150}'"
    " --users 100 --spawn-rate 20/s --duration 30s; or open loop: --rate 600/s --arrivals poisson",
)
@click.argument("url", required=False)
@settings_options
@click.option("--body", help="The JSON body of every request.")
@click.option("--locustfile", type=click.Path(path_type=Path), help="Your own users.")
@click.option("--users", type=click.IntRange(min=1), help="Users at the peak.")
@click.option("--spawn-rate", type=RATE, help="Users that start, e.g. 20/s.")
@click.option("--pacing", type=DURATION, help="Time between one user's sends.")
@click.option(
    "--arrivals",
    type=click.Choice(["dephased", "lockstep", *OPEN_ARRIVALS]),
    help="How users are phased, or open loop: how requests are spaced.",
)
@open_loop_options
@click.option(
    "--duration", type=DURATION, help="Of the whole test.  [default: 30s, after the ramp of users]"
)
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
    Load-test URL with closed-loop users (Locust) or open-loop arrivals; keep the raw samples.

    Without URL it is the endpoint that `tonnage up` runs. Users wait for their answers; arrivals
    (--rate, --profile, --trace) wait for nobody. Both come from the flags, else from tonnage.toml;
    what is sent, without a body or a locustfile, from the service's schema.
    """
    settings = with_settings(config, overrides)
    goal = _objective(settings, terms)  # before the load, so that a slip of the pen costs no test
    plan = _plan(settings, url, flags)
    line = ProgressLine(total_seconds=plan.duration_seconds)
    if isinstance(plan, LoadPlan) and plan.web_port:
        click.echo(f"Locust's page: http://127.0.0.1:{plan.web_port} (Ctrl-C ends it)", err=True)
    record = load(plan, on_progress=line.update)
    line.end()
    record = replace(record, settings={**settings_shown(settings), **record.settings})
    directory = write_record(record, output)
    met = meets(record.samples, goal)
    outcome = _outcome(record, goal, directory, met=met)
    if as_json:
        emit_json(outcome)
    else:
        click.echo(_told(record, outcome))
    if record.generator["interrupted_by"]:
        return INTERRUPTED
    return _exit_code(record, met=met)


def _exit_code(record: RunRecord, *, met: bool) -> int:
    verdict = record.generator["verdict"]
    if verdict == "INVALID" or (verdict == "DOUBTFUL" and not met):
        return MEASUREMENT_INVALID  # a generator that was late must not blame the service
    return 0 if met else OBJECTIVE_MISSED


def _plan(settings: Settings, url: str | None, flags: dict[str, Any]) -> LoadPlan | OpenLoopPlan:
    if is_open(settings, flags):
        return open_plan(settings, url, flags)
    return load_plan(settings, url, flags)


def load_plan(settings: Settings, url: str | None, flags: dict[str, Any]) -> LoadPlan:
    """Return what a closed-loop ``load`` is to do: flags before settings."""
    load_settings = settings.load
    users = flags.get("users") or load_settings.users
    spawn_rate = _given(flags.get("spawn_rate"), load_settings.spawn_rate_per_second)
    ramp_seconds = users / spawn_rate if spawn_rate else math.inf
    arrivals = flags.get("arrivals") or load_settings.arrivals
    return LoadPlan(
        users=users,
        spawn_rate_per_second=spawn_rate,
        duration_seconds=_given(flags.get("duration"), ramp_seconds + _DEFAULT_HOLD_SECONDS),
        pacing_seconds=_given(flags.get("pacing"), load_settings.pacing_seconds),
        arrivals="lockstep" if arrivals == "lockstep" else "dephased",
        seed=flags.get("seed") or 0,
        timeout_seconds=_given(flags.get("timeout"), 30.0),
        web_port=flags["web_port"] if flags.get("web") else None,
        i_own=flags.get("i_own"),
        **_what_is_sent(settings, url, flags),
    )


def _given(flag: float | None, otherwise: float) -> float:
    """Return a flag's value, 0 too: it is for the plan to refuse, not to be passed over."""
    return otherwise if flag is None else flag


def _what_is_sent(settings: Settings, url: str | None, flags: dict[str, Any]) -> dict[str, Any]:
    route = settings.service.route
    if flags.get("body") is not None:
        return {"url": route_of(route, url), "body": json_value("--body", flags["body"])}
    locustfile = flags.get("locustfile")
    if locustfile is None and url is None and settings.load.locustfile:
        locustfile = settings.path(settings.load.locustfile)
    if locustfile is not None:
        return {"url": url or DEFAULT_URL, "locustfile": locustfile}
    return {"url": route_of(route, url), "ranges": ranges_of(packed_artefact(settings))}


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
        "latency_from_send": _from_send(record),
        "arrivals": record.generator["arrivals"],
        "unanswered": record.generator.get("unanswered", {}),
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


def _from_send(record: RunRecord) -> dict[str, float]:
    samples = record.samples
    answered = samples.service_seconds[samples.status > 0]
    return {f"p{fraction * 100:g}": percentile(answered, fraction) for fraction in PERCENTILES}


def _told(record: RunRecord, outcome: dict[str, Any]) -> str:
    latency = ", ".join(
        f"{name} {'none' if math.isnan(seconds) else format_duration(seconds)}"
        for name, seconds in outcome["latency"].items()
    )
    is_open_loop = record.generator["model"] == "open loop"
    window = f"{outcome['arrivals']} arrivals" if is_open_loop else "ramp included"
    spread = None if is_open_loop else outcome["send_spread_seconds"]
    lines = [
        (
            f"{outcome['requests']} requests in {outcome['window_seconds']:.1f} s"
            f" ({window}):"
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
