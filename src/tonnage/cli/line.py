"""``tonnage line``."""

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from tonnage.config import Settings
from tonnage.domain import Check, ConfigurationError, Requirement, format_duration
from tonnage.loadtest.gate import check_line
from tonnage.loadtest.line import LineMeasurement, LinePlan, line, parse_terms
from tonnage.loadtest.line.plan import LEAST_BUDGET_SECONDS

from ._against import against_options, compared_services, service_under_test
from ._gate import (
    gate_options,
    prepare_gate_files,
    report_option,
    requirements_of,
    write_gate_files,
    write_run_report,
)
from ._help import LongVerb
from ._line_outcome import (
    NOT_THE_SERVICES,
    draw,
    line_exit_code,
    line_outcome,
    line_told,
    trial_told,
)
from ._measuring import (
    body_option,
    draw_option,
    endpoint_of,
    endpoint_option,
    i_own_option,
    keep,
    objective_option,
    output_option,
    payload_of,
    payload_option,
    processes_option,
    region_option,
    runtime_url,
    seed_option,
    with_settings_in_force,
)
from ._options import DURATION, RATE, emit_json, json_option, settings_options, with_settings

__all__ = ["command"]

_DEFAULT_BUDGET_SECONDS: Final = 60.0
_ENDING_SECONDS: Final = 0.7
"""Of the budget, to write the record and end."""

_REPORT_SECONDS: Final = 6.0
_COMMON: Final = (
    "config",
    "body",
    "terms",
    "budget",
    "arrivals",
    "requirements",
    "against",
    "workers_scaling",
    "output",
    "picture",
    "as_json",
)


@click.command(
    "line",
    cls=LongVerb,
    common=_COMMON,
    epilog="\b\nExamples:\n"
    "  tonnage line --objective 'p99 < 250ms' --objective 'errors < 0.1%'\n"
    "  tonnage line http://127.0.0.1:8080/invocations --body '{\"distance\": 150}'\n"
    "  tonnage line artefact --workers-scaling 1..2 --budget 120s",
)
@click.argument("url", required=False)
@settings_options
@body_option
@draw_option
@payload_option
@endpoint_option
@region_option
@objective_option("'p99 < 250ms', 'errors < 0.1%' or 'goodput > 99.5%'; repeatable, all must hold.")
@click.option(
    "--budget",
    type=DURATION,
    default=_DEFAULT_BUDGET_SECONDS,
    help="How long everything may take.  [default: 60s]",
)
@click.option(
    "--arrivals",
    type=click.Choice(["constant", "poisson"]),
    default="constant",
    metavar="KIND",
    help="Open loop: constant or poisson.  [default: constant]",
)
@click.option("--start", type=RATE, default=50.0, help="The first rate.  [default: 50/s]")
@click.option("--max-rate", type=RATE, default=1e6, help="No trial goes beyond it.")
@click.option("--window", type=DURATION, help="Of a full trial.  [default: a 15th of the budget]")
@seed_option
@processes_option
@gate_options
@against_options
@report_option
@click.option(
    "--workers-scaling",
    metavar="1..4",
    help="Fit the law of so many workers: URL is then an artefact, or --head a command with {n}.",
)
@output_option("runs/line")
@click.option("--picture", type=click.Path(path_type=Path), help="Draw the curve into a PNG.")
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
    Find the load line of URL: the highest open-loop rate at which the objective holds.

    Without URL it is the endpoint of `tonnage up`; without --body it is drawn from the service's
    schema. Without --objective it is tonnage.toml's.
    """
    required = _line_requirements(requirements)
    settings = with_settings(config, overrides)
    prepare_gate_files(flags)  # what takes a second to import is not to overrun the budget

    def plan() -> LinePlan:
        return _line_plan(settings, terms, flags)

    plan()  # a slip of the pen is named before a service is started
    payload = payload_of(settings, flags)
    sagemaker = endpoint_of(settings, flags)
    if sagemaker is not None:
        _refuse_with_an_endpoint(flags)

    def write(measured: LineMeasurement, directory: Path, checks: Sequence[Check]) -> Path:
        return _write_line(measured, settings, directory, checks)

    if flags["workers_scaling"] is not None:
        from ._line_scaling import refuse_what_asks_for_one_line, scaling_of

        refuse_what_asks_for_one_line(required, flags)
        return scaling_of(
            plan, flags, target=url, payload=payload, write=write, output=output, as_json=as_json
        )
    if flags["against"] is not None:
        from ._line_against import line_against

        with compared_services(settings, url, flags["head"], flags["against"]) as urls:
            return line_against(
                plan(),
                flags,
                required,
                urls=urls,
                write=write,
                payload=payload,
                output=output,
                as_json=as_json,
            )
    with service_under_test(settings, url, flags["head"]) as route:
        measured = line(
            plan(),
            runtime_url(url) if sagemaker and flags["head"] is None else route,
            payload,
            processes=flags["processes"],
            sagemaker=sagemaker,
            i_own=flags["i_own"],
            on_trial=lambda outcome: click.echo(trial_told(outcome), err=True),
        )
        checks = [check_line(measured.line, requirement) for requirement in required]
        directory = _write_line(measured, settings, output, checks)
    write_run_report(flags, directory)
    if flags["picture"] is not None:
        draw(measured, flags["picture"])
    if as_json:
        emit_json(line_outcome(measured, directory, checks))
    else:
        click.echo(line_told(measured.line, directory, checks))
    _write_gate(measured, flags, checks, directory)
    return line_exit_code(measured, checks)


def _line_requirements(texts: tuple[str, ...]) -> tuple[Requirement, ...]:
    for text in texts:
        if not text.strip().startswith("line"):
            raise ConfigurationError(
                f"a search for the load line cannot be required {text!r}",
                hint="write line >= 1000/s, or make it an --objective",
            )
    return requirements_of(texts)


def _refuse_with_an_endpoint(flags: dict[str, Any]) -> None:
    for other in ("against", "workers_scaling"):
        if flags[other] is not None:
            raise ConfigurationError(
                f"--endpoint and --{other.replace('_', '-')} do not go together",
                hint="name a route, e.g. http://127.0.0.1:8000/evaluate",
            )


def _line_plan(settings: Settings, terms: tuple[str, ...], flags: dict[str, Any]) -> LinePlan:
    """Return what ``line`` is to do: flags before settings."""
    objective = settings.objective
    return LinePlan(
        terms=parse_terms(terms or (str(objective.latency), str(objective.errors))),
        budget_seconds=_budget_left(flags),
        arrivals=flags["arrivals"],
        start_per_second=flags["start"],
        max_per_second=flags["max_rate"],
        window_seconds=flags["window"],
        seed=flags["seed"],
    )


def _budget_left(flags: dict[str, Any]) -> float:
    """Return what of the budget is left for the search once everything has started."""
    left: float = flags["budget"] - _age_seconds() - _ending_seconds(flags)
    if left < LEAST_BUDGET_SECONDS:
        raise ConfigurationError(
            f"the budget of {format_duration(flags['budget'])} leaves"
            f" {format_duration(max(0.0, left))} for the search, which takes at least"
            f" {format_duration(LEAST_BUDGET_SECONDS)}",
            hint="starting and writing down take the rest: give a longer --budget",
        )
    return left


def _ending_seconds(flags: dict[str, Any]) -> float:
    return _ENDING_SECONDS + (_REPORT_SECONDS if flags.get("with_report") else 0.0)


def _age_seconds() -> float:
    """Return how long this process has run: on a busy machine its imports alone take seconds."""
    try:
        started = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return 1.0
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started / os.sysconf("SC_CLK_TCK")


def _write_line(
    measured: LineMeasurement, settings: Settings, output: Path, checks: Sequence[Check] = ()
) -> Path:
    """Write the record of a search, and the answer beside it."""
    directory = keep(with_settings_in_force(measured.record, settings), output)
    described = json.dumps(line_outcome(measured, directory, checks), indent=1, default=str)
    (directory / "line.json").write_text(described + "\n", encoding="utf-8")
    return directory


def _write_gate(
    measured: LineMeasurement, flags: dict[str, Any], checks: Sequence[Check], directory: Path
) -> None:
    found = measured.line
    low, high = (None if end is None else f"{end:.1f}/s" for end in found.interval_per_second)
    told = "none" if found.line_per_second is None else f"{found.line_per_second:.1f}/s"
    write_gate_files(
        flags,
        title=measured.record.title,
        verb="line",
        verdict=found.verdict,
        reason=found.reason,
        is_believed=found.verdict not in NOT_THE_SERVICES
        and measured.record.generator["verdict"] == "VALID",
        checks=checks,
        figures={
            "line": told,
            "interval": f"{low or '-'} to {high or '-'}",
            "gave way first": found.gave_way_first or "-",
            "objective": found.objective,
            "arrivals": found.arrivals,
            "record": str(directory),
        },
        seconds=found.elapsed_seconds,
    )
