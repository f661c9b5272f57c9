"""``tonnage line``."""

import json
import math
import os
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import click

from tonnage.config import Settings
from tonnage.domain import (
    ConfigurationError,
    format_duration,
    format_rate,
    parse_rate,
    write_record,
)
from tonnage.loadtest import Payload
from tonnage.loadtest.line import (
    LineMeasurement,
    LinePlan,
    LoadLine,
    TrialOutcome,
    line,
    parse_terms,
)

from ._convert import packed_artefact, ranges_of, settings_shown
from ._faults import INTERRUPTED, MEASUREMENT_INVALID, OBJECTIVE_MISSED
from ._options import DURATION, RATE, emit_json, json_option, settings_options, with_settings

__all__ = ["command", "line_outcome", "parse_requirement"]

_DEFAULT_URL: Final = "http://127.0.0.1:8000"
_DEFAULT_BUDGET_SECONDS: Final = 60.0
_ENDING_SECONDS: Final = 0.7
"""Of the budget, to write the record and end."""


@click.command(
    "line",
    epilog="Example: tonnage line http://127.0.0.1:8000/evaluate --body '{\"distance\": 150}'"
    " --objective 'p99 < 250ms' --objective 'errors < 0.1%' --budget 60s",
)
@click.argument("url", required=False)
@settings_options
@click.option("--body", help="The JSON body of every request.")
@click.option(
    "--objective",
    "terms",
    multiple=True,
    help="'p99 < 250ms', 'errors < 0.1%' or 'goodput > 99.5%'; repeatable, all must hold."
    "  [default: tonnage.toml's]",
)
@click.option(
    "--budget",
    type=DURATION,
    default=_DEFAULT_BUDGET_SECONDS,
    show_default="60s",
    help="How long everything may take.",
)
@click.option(
    "--arrivals",
    type=click.Choice(["constant", "poisson"]),
    default="constant",
    show_default=True,
    help="Open-loop arrivals: evenly spaced or Poisson.",
)
@click.option("--start", type=RATE, default=50.0, show_default="50/s", help="The first rate.")
@click.option("--max-rate", type=RATE, default=1e6, help="No trial goes beyond it.")
@click.option("--window", type=DURATION, help="Of a full trial.  [default: a 15th of the budget]")
@click.option("--seed", type=int, default=0, help="Where the random draws start.")
@click.option("--processes", type=click.IntRange(min=1), default=1, help="Of the generator.")
@click.option("--require", "requirement", help="A gate, e.g. 'line >= 1000/s'.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("runs/line"),
    show_default=True,
    help="Where the run record goes.",
)
@click.option("--picture", type=click.Path(path_type=Path), help="Draw the curve into a PNG.")
@click.option("--i-own", metavar="HOST", help="Fire at a host that is not this machine: yours.")
@json_option
def command(
    *,
    url: str | None,
    config: Path | None,
    overrides: tuple[str, ...],
    terms: tuple[str, ...],
    requirement: str | None,
    output: Path,
    as_json: bool,
    **flags: Any,  # noqa: ANN401 (click's, one a flag)
) -> int:
    """
    Find the load line of URL: the highest open-loop rate at which the objective holds.

    Without URL it is the endpoint that `tonnage up` runs; without a body, what is sent is drawn
    from the service's schema.
    """
    required = None if requirement is None else parse_requirement(requirement)
    settings = with_settings(config, overrides)
    measured = line(
        line_plan(settings, terms, flags),
        _route(settings, url),
        _payload(settings, flags["body"]),
        processes=flags["processes"],
        i_own=flags["i_own"],
        on_trial=lambda outcome: click.echo(_trial_told(outcome), err=True),
    )
    directory = _write(measured, settings, output)
    if flags["picture"] is not None:
        _draw(measured.line, flags["picture"], url or _DEFAULT_URL)
    if as_json:
        emit_json(line_outcome(measured, directory))
    else:
        click.echo(_told(measured.line, directory))
    return _exit_code(measured.line, required)


def line_plan(settings: Settings, terms: tuple[str, ...], flags: dict[str, Any]) -> LinePlan:
    """Return what ``line`` is to do: flags before settings."""
    objective = settings.objective
    return LinePlan(
        terms=parse_terms(terms or (str(objective.latency), str(objective.errors))),
        budget_seconds=flags["budget"] - _age_seconds() - _ENDING_SECONDS,
        arrivals=flags["arrivals"],
        start_per_second=flags["start"],
        max_per_second=flags["max_rate"],
        window_seconds=flags["window"],
        seed=flags["seed"],
    )


def _age_seconds() -> float:
    """Return how long this process has run: on a busy machine its imports alone take seconds."""
    try:
        started = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return 1.0
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started / os.sysconf("SC_CLK_TCK")


def parse_requirement(text: str) -> float:
    """
    Return the rate that ``line >= 1000/s`` requires.

    Raises:
        ConfigurationError: If it reads otherwise.
    """
    name, _, rate = text.partition(">=")
    if name.strip() != "line":
        raise ConfigurationError(f"{text!r} is no requirement", hint="write line >= 1000/s")
    return parse_rate(rate)


def line_outcome(measured: LineMeasurement, directory: Path) -> dict[str, Any]:
    """Return the answer as plain JSON values, rates per second and times in seconds."""
    found = measured.line
    outcome = {
        "verdict": found.verdict,
        "line": found.line_per_second,
        "interval": list(found.interval_per_second),
        "level": found.level,
        "reason": found.reason,
        "gave_way_first": found.gave_way_first,
        "objective": found.objective,
        "arrivals": found.arrivals,
        "window_seconds": found.window_seconds,
        "elapsed_seconds": found.elapsed_seconds,
        "knee": None if found.knee is None else asdict(found.knee),
        "curve": [asdict(point) for point in found.curve],
        "trials": [asdict(outcome) for outcome in found.trials],
        "generator": dict(measured.record.generator),
        "notes": list(found.notes),
        "record": str(directory),
    }
    return {name: _plain(value) for name, value in outcome.items()}


def _plain(value: Any) -> Any:  # noqa: ANN401 (any JSON value)
    """JSON has no NaN, which is what a window without answers has for a percentile."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _route(settings: Settings, url: str | None) -> str:
    if url is None:
        return _DEFAULT_URL + settings.service.route
    return url if urlsplit(url).path not in {"", "/"} else url.rstrip("/") + settings.service.route


def _payload(settings: Settings, body: str | None) -> Payload:
    if body is None:
        return Payload(ranges=ranges_of(packed_artefact(settings)))
    try:
        return Payload(body=json.loads(body))
    except ValueError as error:
        raise ConfigurationError(f"--body {body!r} is no JSON: {error}") from error


def _write(measured: LineMeasurement, settings: Settings, output: Path) -> Path:
    record = measured.record
    record = replace(record, settings={**settings_shown(settings), **record.settings})
    directory = write_record(record, output)
    described = json.dumps(line_outcome(measured, directory), indent=1, default=str)
    (directory / "line.json").write_text(described + "\n", encoding="utf-8")
    return directory


def _draw(found: LoadLine, file: Path, url: str) -> None:
    from tonnage.reporting.line_figure import LineCurve, LinePoint, line_picture

    curve = LineCurve(
        title=f"The load line of {url}",
        points=[
            LinePoint(
                rate_per_second=point.rate_per_second,
                p50_seconds=point.p50_seconds,
                p99_seconds=point.p99_seconds,
                met=point.met,
            )
            for point in found.curve
        ],
        line_per_second=found.line_per_second,
        interval_per_second=found.interval_per_second,
        knee_per_second=found.knee.rate_per_second if found.knee else None,
        threshold_seconds=found.threshold_seconds,
        notes=[
            f"{found.verdict}: {found.objective}; {found.arrivals} arrivals",
            f"{found.level:.0%} interval; each mark is the p99 of one trial",
        ],
    )
    if not curve.points:
        click.echo("no picture: no trial was answered", err=True)
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(line_picture(curve))


def _exit_code(found: LoadLine, required: float | None) -> int:
    if found.interrupted_by is not None:
        return INTERRUPTED
    bound = found.line_per_second
    if required is not None and bound is not None and bound >= required:
        return 0
    if found.verdict in ("GENERATOR_LIMITED", "UNDECIDED"):
        return MEASUREMENT_INVALID
    if required is not None or found.verdict == "BELOW":
        return OBJECTIVE_MISSED
    return 0


def _trial_told(outcome: TrialOutcome) -> str:
    trial = outcome.trial
    if not outcome.is_evidence:
        seen = f"not counted: {outcome.generator_reason}"
    elif outcome.met:
        seen = f"met     p99 {format_duration(outcome.latency_seconds['p99'])}"
    else:
        seen = "missed  " + ", ".join(result.seen for result in outcome.missed_terms)
    rate = format_rate(round(trial.rate_per_second, 1))
    return (
        f"{outcome.ended_seconds:5.1f} s  {trial.purpose:<8}  {rate:>10}"
        f"  for {format_duration(trial.window_seconds):>6}  {seen}"
    )


def _told(found: LoadLine, directory: Path) -> str:
    low, high = (None if end is None else f"{end:.1f}" for end in found.interval_per_second)
    lines = [f"{found.verdict}: {found.reason}"]
    if found.line_per_second is not None and found.verdict == "FOUND":
        lines.insert(
            0,
            f"load line {found.line_per_second:.1f}/s, {found.level:.0%} interval"
            f" {low} to {high}/s, {found.arrivals} arrivals",
        )
    else:
        lines.append(f"arrivals: {found.arrivals}")
    lines.append(f"objective: {found.objective}, in windows of {found.window_seconds:.1f} s")
    if found.gave_way_first:
        lines.append(f"gave way first: {found.gave_way_first}")
    if found.knee is not None:
        knee = found.knee
        lines.append(
            f"knee of p99 at {knee.rate_per_second:.0f}/s ({format_duration(knee.p99_seconds)})"
        )
    lines.append(f"{len(found.trials)} trials in {found.elapsed_seconds:.1f} s")
    return "\n".join([*lines, *found.notes, f"record: {directory}"])
