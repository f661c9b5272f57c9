"""``tonnage load``."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from tonnage.config import Settings
from tonnage.domain import (
    ConfigurationError,
    ErrorObjective,
    LatencyObjective,
    Objective,
    RunRecord,
    meets,
)
from tonnage.loadtest import LoadPlan, OpenLoopPlan, join_load, load
from tonnage.loadtest.gate import (
    check_load,
    objective_requirements,
    refuse_what_no_load_measures,
)

from ._against import against_options, compared_services, placement_of, service_under_test
from ._convert import drawn_from, objective, packed_artefact
from ._gate import (
    gate_options,
    report_option,
    requirements_of,
    write_gate_files,
    write_run_report,
)
from ._help import LongVerb
from ._load_against import load_against
from ._load_outcome import figures_told, load_exit_code, load_outcome, load_told
from ._measuring import (
    body_option,
    drawn_ranges,
    i_own_option,
    keep,
    objective_option,
    output_option,
    with_settings_in_force,
)
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
_COMMON = (
    "config",
    "body",
    "users",
    "spawn_rate",
    "arrivals",
    "rate",
    "profile",
    "duration",
    "terms",
    "requirements",
    "output",
    "with_report",
    "as_json",
)


@click.command(
    "load",
    cls=LongVerb,
    common=_COMMON,
    epilog="\b\nExamples:\n"
    "  tonnage load --users 100 --spawn-rate 20/s --duration 30s\n"
    "  tonnage load --rate 600/s --arrivals poisson --report\n"
    "  tonnage load http://127.0.0.1:8080/invocations --body '{\"distance\": 150}'",
)
@click.argument("url", required=False)
@settings_options
@body_option
@click.option("--locustfile", type=click.Path(path_type=Path), help="Your own users.")
@click.option("--users", type=click.IntRange(min=1), metavar="N", help="Users at the peak.")
@click.option("--spawn-rate", type=RATE, help="Users that start, e.g. 20/s.")
@click.option("--pacing", type=DURATION, help="Time between one user's sends.")
@click.option(
    "--arrivals",
    type=click.Choice(["dephased", "lockstep", *OPEN_ARRIVALS]),
    metavar="KIND",
    help="Users dephased, lockstep; open loop: constant, poisson.",
)
@open_loop_options
@click.option(
    "--duration", type=DURATION, help="Of the whole test.  [default: 30s, after the ramp]"
)
@objective_option("'p99 < 250ms' or 'errors < 0.1%'; repeatable.")
@output_option("runs/load")
@click.option(
    "--workers", type=click.IntRange(min=1), help="Locust processes that share the users."
)
@click.option(
    "--hosts",
    type=click.IntRange(min=1),
    help="Wait for so many more workers, which other hosts start with --worker-of.",
)
@click.option(
    "--worker-of",
    metavar="HOST[:PORT]",
    help="Work for the load test that HOST runs with --hosts; give it the same flags.",
)
@click.option("--master-port", type=click.IntRange(1, 65535), help="Of --hosts.  [default: 5557]")
@click.option("--web", is_flag=True, help="Show Locust's own web page.")
@click.option("--web-port", type=click.IntRange(1, 65535), default=8089, show_default=True)
@gate_options
@against_options
@report_option
@i_own_option
@json_option
def command(
    *,
    url: str | None,
    config: Path | None,
    overrides: tuple[str, ...],
    terms: tuple[str, ...],
    requirements: tuple[str, ...],
    output: Path,
    as_json: bool,
    **flags: Any,  # noqa: ANN401 (click's, one a flag)
) -> int:
    """
    Load-test URL with users (Locust) or open-loop arrivals; keep raw samples.

    Without URL it is the endpoint of `tonnage up`. Users wait for their answers; arrivals (--rate,
    --profile, --trace) wait for nobody. What no flag says, tonnage.toml does; without --body it is
    drawn from the service's schema.
    """
    settings = with_settings(config, overrides)
    if flags["worker_of"] is not None:
        host, port = _host_and_port(flags["worker_of"])
        join_load(load_plan(settings, url, flags), host, port)
        return 0
    goal = _objective(settings, terms)  # before the load, so that a slip of the pen costs no test
    required = requirements_of(requirements)
    refuse_what_no_load_measures(required)
    if flags["against"] is not None:
        placement = placement_of(flags["head"], flags["against"], flags["processes"])
        with compared_services(
            settings, url, flags["head"], flags["against"], placement=placement
        ) as urls:
            return load_against(
                settings,
                flags,
                goal,
                required,
                urls=urls,
                placement=placement,
                output=output,
                as_json=as_json,
            )
    with service_under_test(settings, url, flags["head"]) as route:
        record = _loaded(settings, url if flags["head"] is None else route, flags)
        record = with_settings_in_force(record, settings)
        directory = keep(record, output)
    write_run_report(flags, directory)
    checks = check_load(record, required, threshold_seconds=goal.latency.threshold_seconds)
    met = meets(record.samples, goal)
    outcome = load_outcome(record, goal, directory, met=met, checks=checks)
    if as_json:
        emit_json(outcome)
    else:
        click.echo(load_told(record, outcome, checks))
    write_gate_files(
        flags,
        title=record.title,
        verb="load",
        verdict=record.generator["verdict"],
        reason=record.generator["reason"],
        is_believed=record.generator["verdict"] != "INVALID",
        checks=check_load(
            record,
            [*objective_requirements(goal), *required],
            threshold_seconds=goal.latency.threshold_seconds,
        ),
        figures=figures_told(outcome),
        seconds=record.duration_seconds,
    )
    return load_exit_code(record, met=met and all(check.holds for check in checks))


def _loaded(settings: Settings, url: str | None, flags: dict[str, Any]) -> RunRecord:
    plan = _plan(settings, url, flags)
    line = ProgressLine(total_seconds=plan.duration_seconds)
    if isinstance(plan, LoadPlan) and plan.web_port:
        click.echo(f"Locust's page: http://127.0.0.1:{plan.web_port} (Ctrl-C ends it)", err=True)
    record = load(plan, on_progress=line.update)
    line.end()
    return record


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
        workers=flags.get("workers") or 0,
        hosts=flags.get("hosts") or 0,
        master_port=flags.get("master_port"),
        i_own=flags.get("i_own"),
        **_what_is_sent(settings, url, flags),
    )


def _host_and_port(text: str) -> tuple[str, int | None]:
    host, colon, port = text.rpartition(":")
    if not colon:
        return text, None
    if not host or not port.isdecimal():
        raise ConfigurationError(f"--worker-of {text!r} is no host", hint="write HOST or HOST:5557")
    return host, int(port)


def _given(flag: float | None, otherwise: float) -> float:
    """Return a flag's value, 0 too: it is for the plan to refuse, not to be passed over."""
    return otherwise if flag is None else flag


def _what_is_sent(settings: Settings, url: str | None, flags: dict[str, Any]) -> dict[str, Any]:
    route = settings.service.route
    if flags.get("draws"):
        _refuse_a_template(flags)
        return {"url": route_of(route, url), "ranges": drawn_ranges(flags["draws"])}
    if flags.get("body") is not None:
        return {"url": route_of(route, url), "body": json_value("--body", flags["body"])}
    locustfile = flags.get("locustfile")
    if locustfile is None and url is None and settings.load.locustfile:
        locustfile = settings.path(settings.load.locustfile)
    if locustfile is not None:
        return {"url": url or DEFAULT_URL, "locustfile": locustfile}
    return {"url": route_of(route, url), **drawn_from(packed_artefact(settings))}


def _refuse_a_template(flags: dict[str, Any]) -> None:
    for other in ("body", "locustfile"):
        if flags.get(other) is not None:
            raise ConfigurationError(
                f"users draw all of a body: --draw and --{other} do not go together",
                hint="draw every field, load with arrivals (--rate), or write a locustfile",
            )


def _objective(settings: Settings, terms: tuple[str, ...]) -> Objective:
    goal = objective(settings)
    for term in terms:
        if term.strip().startswith("p"):
            goal = replace(goal, latency=LatencyObjective.parse(term))
        else:
            goal = replace(goal, errors=ErrorObjective.parse(term))
    return goal
