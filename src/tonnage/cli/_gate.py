"""
Requirements on the command line, and the files a gate leaves for the machine that runs it.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from tonnage.domain import Check, Requirement, read_record
from tonnage.loadtest.compare import Comparison

__all__ = [
    "comparison_shown",
    "comparison_told",
    "gate_file_options",
    "gate_options",
    "prepare_gate_files",
    "report_option",
    "requirements_of",
    "shown",
    "told",
    "write_gate_files",
    "write_run_report",
]

_COLUMNS: Final = ("", "base", "head", "change [95 %]", "")
_Function = TypeVar("_Function", bound=Callable[..., Any])


def gate_options(function: _Function) -> _Function:
    """Add ``--require``, ``--junit`` and ``--markdown`` to a verb."""
    options = (
        click.option(
            "--require",
            "requirements",
            multiple=True,
            metavar="TERM",
            help="A gate, e.g. 'throughput >= 900/s'; repeatable.",
        ),
        *_file_options(),
    )
    for option in reversed(options):
        function = option(function)
    return function


def gate_file_options(function: _Function) -> _Function:
    """Add ``--junit`` and ``--markdown`` to a verb."""
    for option in reversed(_file_options()):
        function = option(function)
    return function


def _file_options() -> tuple[Callable[[_Function], _Function], ...]:
    return (
        click.option(
            "--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write JUnit XML."
        ),
        click.option(
            "--markdown",
            "--summary",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Write a Markdown summary, e.g. for a pull request's comment.",
        ),
    )


def report_option(function: _Function) -> _Function:
    """Add ``--report`` to a verb that writes a run record."""
    option = click.option(
        "--report",
        "with_report",
        is_flag=True,
        help="Write report.html, too; takes some seconds.",
    )
    return option(function)


def write_run_report(flags: Mapping[str, Any], directory: Path) -> None:
    """Render a record that was just kept into its own directory, if the flags ask for it."""
    if not flags.get("with_report"):
        return
    from ._run_report import write_report

    files = write_report([directory], [read_record(directory)], directory)
    click.echo(f"report: {files.page}", err=True)


def requirements_of(texts: Sequence[str]) -> tuple[Requirement, ...]:
    """Return what ``--require`` asks for, before anything is measured."""
    return tuple(map(Requirement.parse, texts))


def prepare_gate_files(flags: Mapping[str, Any]) -> None:
    """Import what writes the files that the flags ask for, where time will be short later."""
    if flags.get("junit") is not None or flags.get("markdown") is not None:
        importlib.import_module("tonnage.reporting.gate")
    if flags.get("with_report"):
        importlib.import_module("tonnage.cli._run_report")


def shown(checks: Sequence[Check]) -> list[dict[str, str]]:
    """Return checks as plain JSON values."""
    return [
        {"required": check.required, "seen": check.seen, "state": check.state} for check in checks
    ]


def told(checks: Sequence[Check]) -> list[str]:
    """Return checks in words, one line each."""
    return [f"required {check.required}: {check.state} ({check.seen})" for check in checks]


def comparison_shown(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as plain JSON values."""
    return {
        "answer": comparison.answer,
        "method": comparison.method,
        "pairs": comparison.pairs,
        "base": comparison.base_title,
        "head": comparison.head_title,
        "is_believed": comparison.is_believed,
        "reason": comparison.reason,
        "notes": list(comparison.notes),
        "differences": [
            {
                "metric": each.metric,
                "answer": each.answer,
                "base": each.base,
                "head": each.head,
                "change": each.change,
                "interval": list(each.interval),
                "level": each.level,
                "relevant": each.relevant,
            }
            for each in comparison.differences
        ],
    }


def comparison_told(comparison: Comparison) -> list[str]:
    """Return a comparison in words: a table and what must be known of it."""
    rows = [
        _COLUMNS,
        *(
            (each.metric, each.base_told, each.head_told, each.change_told, each.answer)
            for each in comparison.differences
        ),
    ]
    widths = [max(len(row[at]) for row in rows) for at in range(len(_COLUMNS))]
    table = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return [
        f"head against base: {comparison.answer}",
        *table,
        comparison.method,
        *filter(None, (comparison.reason,)),
        *comparison.notes,
    ]


def write_gate_files(
    flags: Mapping[str, Any],
    *,
    title: str,
    verb: str,
    verdict: str,
    reason: str,
    is_believed: bool,
    checks: Sequence[Check],
    figures: Mapping[str, str],
    comparison: Comparison | None = None,
    seconds: float = 0.0,
) -> None:
    """Write the JUnit and Markdown files that the flags ask for, and nothing without them."""
    if flags.get("junit") is None and flags.get("markdown") is None:
        return
    from tonnage.reporting.gate import GateReport, write_gate

    sections = []
    if comparison is not None:
        from ._sections import difference_section

        checks = [*checks, *(each.as_check() for each in comparison.differences)]
        sections.append(difference_section(comparison))
    write_gate(
        GateReport(
            title=title,
            name=f"tonnage {verb}",
            verdict=verdict,
            reason=reason,
            is_believed=is_believed,
            checks=checks,
            figures=figures,
            sections=sections,
            seconds=seconds,
        ),
        junit_file=flags.get("junit"),
        markdown_file=flags.get("markdown"),
    )
