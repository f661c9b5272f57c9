"""``tonnage compare``."""

from pathlib import Path
from typing import Any

import click

from tonnage.domain import ConfigurationError, parse_fraction, read_record
from tonnage.loadtest.compare import METRICS, Comparison

from ._comparing import comparison_of
from ._gate import comparison_shown, comparison_told, gate_file_options, write_gate_files
from ._load_against import comparison_exit_code
from ._options import emit_json, json_option
from ._plain import without_nan

__all__ = ["command"]


@click.command("compare", epilog="Example: tonnage compare runs/main runs/branch --markdown pr.md")
@click.argument("base", type=click.Path(path_type=Path))
@click.argument("head", type=click.Path(path_type=Path))
@click.option(
    "--relevant",
    "shares",
    metavar="METRIC=SHARE",
    multiple=True,
    help="The least change that counts, e.g. p99=5%; repeatable.",
)
@gate_file_options
@click.option(
    "--report",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write a page with both runs and their difference into a folder.",
)
@json_option
def command(
    *,
    base: Path,
    head: Path,
    shares: tuple[str, ...],
    report: Path | None,
    as_json: bool,
    **flags: Any,  # noqa: ANN401 (click's, one a flag)
) -> int:
    """
    Say whether run record HEAD is better or worse than BASE, or no difference can be seen.

    Both are directories that `tonnage load` or `tonnage line` wrote; of two line records the load
    lines are compared. It ends with 3 when the head is worse, and with 4 when it cannot be said.
    """
    comparison = comparison_of(base, head, _relevant(shares))
    if report is not None:
        _write_report(comparison, base, head, report)
    if as_json:
        emit_json(without_nan(comparison_shown(comparison)))
    else:
        click.echo("\n".join(comparison_told(comparison)))
    write_gate_files(
        flags,
        title=f"{comparison.head_title} against {comparison.base_title}",
        verb="compare",
        verdict=comparison.answer,
        reason=comparison.reason or comparison.method,
        is_believed=comparison.is_believed,
        checks=(),
        figures={},
        comparison=comparison,
    )
    return comparison_exit_code(comparison)


def _relevant(texts: tuple[str, ...]) -> dict[str, float]:
    shares = {}
    for text in texts:
        name, _, share = text.partition("=")
        if name not in METRICS:
            raise ConfigurationError(
                f"--relevant {text!r} names no metric", hint=f"one of {', '.join(METRICS)}"
            )
        shares[name] = parse_fraction(share)
    return shares


def _write_report(comparison: Comparison, base: Path, head: Path, output: Path) -> None:
    from tonnage.reporting import report

    from ._run_report import SERIES
    from ._sections import difference_section

    files = report(
        [read_record(base), read_record(head)],
        output,
        title=f"{comparison.head_title} against {comparison.base_title}",
        first=[difference_section(comparison)],
        series=[file for run in (base, head) if (file := run / SERIES).is_file()],
    )
    click.echo(f"report: {files.page}", err=True)
