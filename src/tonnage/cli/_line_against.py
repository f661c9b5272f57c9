"""
``tonnage line --against``: two load lines in one budget.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from tonnage.domain import Check, Requirement
from tonnage.loadtest import Payload
from tonnage.loadtest.compare import Comparison, MeasuredLine, compare_lines
from tonnage.loadtest.gate import check_line
from tonnage.loadtest.line import LineMeasurement, LinePair, LinePlan, line_pair

from ._faults import INTERRUPTED
from ._gate import comparison_shown, comparison_told, told, write_gate_files, write_run_report
from ._line_outcome import line_exit_code, line_outcome, line_told, trial_told
from ._load_against import comparison_exit_code, write_comparison
from ._options import emit_json
from ._plain import without_nan

__all__ = ["line_against"]

Write = Callable[[LineMeasurement, Path, Sequence[Check]], Path]


def line_against(
    plan: LinePlan,
    flags: dict[str, Any],
    required: Sequence[Requirement],
    *,
    urls: tuple[str, str],
    write: Write,
    payload: Payload,
    output: Path,
    as_json: bool,
) -> int:
    """Find the load lines of base and head in turn, compare them, and hold the head to the gate."""
    pair = line_pair(
        replace(plan, budget_seconds=plan.budget_seconds / 2),
        *urls,
        payload,
        processes=flags["processes"],
        i_own=flags["i_own"],
        on_trial=lambda side, outcome: click.echo(f"{side}  {trial_told(outcome)}", err=True),
    )
    comparison = compare_lines(_measured(pair.base), _measured(pair.head))
    checks = [check_line(pair.head.line, requirement) for requirement in required]
    directory = _write(pair, comparison, checks, write, output)
    write_run_report(flags, directory)
    if as_json:
        shown = {
            **line_outcome(pair.head, directory, checks),
            "comparison": comparison_shown(comparison),
        }
        emit_json(without_nan(shown))
    else:
        click.echo("\n".join([*comparison_told(comparison), *told(checks)]))
        click.echo(line_told(pair.head.line, directory))
    write_gate_files(
        flags,
        title=pair.head.record.title,
        verb="line",
        verdict=comparison.answer,
        reason=comparison.reason or comparison.method,
        is_believed=comparison.is_believed,
        checks=checks,
        figures={},
        comparison=comparison,
        seconds=pair.head.record.duration_seconds,
    )
    return _exit_code(pair, comparison, checks)


def _exit_code(pair: LinePair, comparison: Comparison, checks: Sequence[Check]) -> int:
    of_the_head = line_exit_code(pair.head, checks)
    if of_the_head == INTERRUPTED:
        return INTERRUPTED
    lines = (pair.base.line, pair.head.line)
    if not checks and all(line.here_per_second is not None for line in lines):
        return comparison_exit_code(comparison)  # each is a bound, and their ratio is known
    return comparison_exit_code(comparison) or of_the_head


def _measured(measurement: LineMeasurement) -> MeasuredLine:
    found = measurement.line
    return MeasuredLine(
        title=measurement.record.title,
        verdict=found.verdict,
        line=found.line_per_second,
        interval=found.interval_per_second,
        level=found.level,
        objective=f"{found.objective}, {found.arrivals} arrivals",
        here=found.here_per_second,
    )


def _write(
    pair: LinePair, comparison: Comparison, checks: Sequence[Check], write: Write, output: Path
) -> Path:
    directory = write(pair.head, output, checks)
    write(pair.base, directory / "base", ())
    write_comparison(comparison, directory)
    return directory
