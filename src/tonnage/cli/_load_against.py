"""
``tonnage load --against``: base and head in one run.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from tonnage.config import Settings
from tonnage.domain import ConfigurationError, Objective, Requirement
from tonnage.loadtest.compare import ComparePlan, Comparison, Interleaved, compare_interleaved
from tonnage.loadtest.gate import check_load, objective_requirements
from tonnage.loadtest.placement import Placement

from ._faults import INTERRUPTED, MEASUREMENT_INVALID, OBJECTIVE_MISSED
from ._gate import (
    comparison_shown,
    comparison_told,
    shown,
    told,
    write_gate_files,
    write_run_report,
)
from ._measuring import keep, payload_of, with_settings_in_force
from ._open_load import OPEN_ARRIVALS
from ._options import emit_json
from ._plain import without_nan
from ._progress import ProgressLine

__all__ = ["comparison_exit_code", "load_against", "write_comparison"]

_DEFAULT_SECONDS = 60.0
_NOT_COMPARED = ("users", "locustfile", "profile", "trace", "endpoint", "web", "workers")


def load_against(
    settings: Settings,
    flags: dict[str, Any],
    goal: Objective,
    required: Sequence[Requirement],
    *,
    urls: tuple[str, str],
    placement: Placement | None,
    output: Path,
    as_json: bool,
) -> int:
    """Compare the services at two URLs, base and head, and hold the head against the gate."""
    plan = _plan(settings, flags, placement)
    line = ProgressLine(total_seconds=plan.duration_seconds)
    found = compare_interleaved(plan, base_url=urls[0], head_url=urls[1], on_progress=line.update)
    line.end()
    directory = _write(found, settings, output, flags)
    checks = check_load(
        found.head,
        [*objective_requirements(goal), *required],
        threshold_seconds=goal.latency.threshold_seconds,
    )
    if as_json:
        emit_json(
            without_nan(
                {
                    **comparison_shown(found.comparison),
                    "requirements": shown(checks),
                    "record": str(directory),
                }
            )
        )
    else:
        click.echo("\n".join([*comparison_told(found.comparison), *told(checks)]))
        click.echo(f"records: {directory} and {directory / 'base'}")
    write_gate_files(
        flags,
        title=found.head.title,
        verb="load",
        verdict=found.comparison.answer,
        reason=found.comparison.reason or found.comparison.method,
        is_believed=found.comparison.is_believed,
        checks=checks,
        figures={},
        comparison=found.comparison,
        seconds=found.head.duration_seconds,
    )
    if found.head.generator["interrupted_by"]:
        return INTERRUPTED
    code = comparison_exit_code(found.comparison)
    return code or (0 if all(check.holds for check in checks) else OBJECTIVE_MISSED)


def comparison_exit_code(comparison: Comparison) -> int:
    """Return how a comparison ends a command: 4 when it cannot be believed, 3 for a worse head."""
    if not comparison.is_believed or comparison.answer == "no data":
        return MEASUREMENT_INVALID
    return OBJECTIVE_MISSED if comparison.answer == "worse" else 0


def write_comparison(comparison: Comparison, directory: Path) -> None:
    """Keep a comparison beside the head's record."""
    described = json.dumps(without_nan(comparison_shown(comparison)), indent=1)
    (directory / "comparison.json").write_text(described + "\n", encoding="utf-8")


def _write(found: Interleaved, settings: Settings, output: Path, flags: dict[str, Any]) -> Path:
    head, base = (with_settings_in_force(each, settings) for each in (found.head, found.base))
    directory = keep(head, output)
    keep(base, directory / "base")
    write_comparison(found.comparison, directory)
    write_run_report(flags, directory)
    return directory


def _plan(settings: Settings, flags: dict[str, Any], placement: Placement | None) -> ComparePlan:
    for name in _NOT_COMPARED:
        if flags.get(name):
            raise ConfigurationError(
                f"--against and --{name} do not go together",
                hint="base and head are compared open loop: give --rate 300/s",
            )
    rate = flags.get("rate") or settings.load.rate_per_second
    if not rate:
        raise ConfigurationError(
            "base and head are compared at one rate, open loop",
            hint="give --rate, e.g. half of the load line",
        )
    arrivals = flags.get("arrivals") or settings.load.arrivals
    if flags.get("arrivals") and arrivals not in OPEN_ARRIVALS:
        raise ConfigurationError(
            f"--against compares open loop, and --arrivals {arrivals} is for users",
            hint="constant or poisson",
        )
    return ComparePlan(
        rate_per_second=rate,
        duration_seconds=_DEFAULT_SECONDS if flags["duration"] is None else flags["duration"],
        payload=payload_of(settings, flags),
        arrivals="poisson" if arrivals == "poisson" else "constant",
        timeout_seconds=flags["timeout"],
        processes=flags["processes"],
        seed=flags["seed"],
        i_own=flags.get("i_own"),
        placement=placement,
    )
