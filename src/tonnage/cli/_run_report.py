"""
Run directories → a report whose first word is the verdict.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tonnage.domain import RecordError, RunRecord
from tonnage.reporting import ReportFiles, Section, report
from tonnage.reporting.facts import errors_by_kind, verdicts
from tonnage.reporting.line_figure import LineCurve, LinePoint, line_page_figure

from ._comparing import comparison_of
from ._sections import difference_section, line_section

if TYPE_CHECKING:
    from tonnage.reporting.page import PageFigure

__all__ = ["SERIES", "curve_of", "write_report"]

SERIES: Final = "series.csv"
"""A run's seconds, beside its record."""


def write_report(
    runs: Sequence[Path],
    records: Sequence[RunRecord],
    output: Path,
    *,
    title: str | None = None,
    baseline: Path | None = None,
) -> ReportFiles:
    """
    Render run directories with their verdicts, load lines and differences first.

    Args:
        runs: The directories.
        records: What is in them.
        output: Where the report goes.
        title: Its heading.
        baseline: What each is compared with; an interleaved run brings its own base.

    Raises:
        RecordError: If a directory is damaged.
        ConfigurationError: If a run cannot be compared with the baseline.
    """
    first: list[Section] = [verdicts(records)]
    leading: list[PageFigure] = []
    for run in runs:
        found = _line(run)
        if found is not None:
            first.insert(0, line_section(found))
            leading += [line_page_figure(curve) for curve in [curve_of(found)] if curve.points]
        against = _base_of(run) if baseline is None else baseline
        if against is not None:
            first.append(difference_section(comparison_of(against, run)))
    return report(
        records,
        output,
        title=title,
        summary=[errors_by_kind(records)],
        first=first,
        leading=leading,
        series=[file for run in runs if (file := run / SERIES).is_file()],
    )


def curve_of(found: dict[str, Any]) -> LineCurve:
    """Return the curve that ``line.json`` keeps."""
    low, high = found["interval"]
    knee = found["knee"]
    return LineCurve(
        title=f"Load line under {found['objective']}",
        points=[
            LinePoint(
                rate_per_second=point["rate_per_second"],
                p50_seconds=point["p50_seconds"],
                p99_seconds=point["p99_seconds"],
                met=point["met"],
            )
            for point in found["curve"]
        ],
        line_per_second=found["line"],
        interval_per_second=(low, high),
        knee_per_second=knee["rate_per_second"] if knee else None,
        threshold_seconds=found.get("threshold_seconds"),
        notes=[f"{found['verdict']}; {found['arrivals']} arrivals; {found['level']:.0%} interval"],
    )


def _line(run: Path) -> dict[str, Any] | None:
    file = run / "line.json"
    if not file.is_file():
        return None
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        line_section(found)
        curve_of(found)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise RecordError(f"{file} is damaged: {error}") from error
    return found


def _base_of(run: Path) -> Path | None:
    return run / "base" if (run / "base" / "run.json").is_file() else None
