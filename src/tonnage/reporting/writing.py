"""
Records in, a directory with page, pictures and summary out.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tonnage.domain import ConfigurationError, RunRecord

from . import facts
from .definitions import definitions
from .figures import Figure, browser_bundle, drawing, figures, overview, picture
from .markdown import render_markdown
from .page import Page, PageFigure, render_page
from .sections import Section
from .theme import DARK, LIGHT, MARGIN

__all__ = ["ReportFiles", "report"]

_CAPTION: Final = (
    "All experiments are drawn on the same axes. Requests count in the second they were sent. A "
    "shaded band runs from a scaling decision until its instances serve. Latency runs from the "
    "intended send to the last byte, over all answered requests of each second, failed ones too."
)
_SERIES: Final = "each second as CSV, with the column names of Locust's history"
_PICTURE_SCALE: Final = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportFiles:
    """
    What a report wrote.

    Attributes:
        page: One HTML file that needs no other and no network.
        summary: The words and tables as Markdown.
        overview: All experiments in one picture.
        pictures: One picture an experiment, in the order of the records.
    """

    page: Path
    summary: Path
    overview: Path
    pictures: tuple[Path, ...]


def report(
    records: Sequence[RunRecord],
    output: Path,
    *,
    title: str | None = None,
    summary: Sequence[Section] = (),
    first: Sequence[Section] = (),
    leading: Sequence[PageFigure] = (),
    series: Sequence[Path] = (),
) -> ReportFiles:
    """
    Write what ``records`` saw as one HTML page, PNG pictures and a Markdown summary.

    Args:
        records: One or more experiments, in the order to show them; all are drawn on the same axes.
        output: A directory, made if need be; files of an older report in it are replaced.
        title: The heading; the first record's own when it is the only one.
        summary: Sections of the caller's own, shown right after the results.
        first: Sections shown before everything else: a verdict, a load line, a difference.
        leading: Charts shown before those over time, e.g. latency against load.
        series: The records' seconds as CSV, which the page links.

    Raises:
        ConfigurationError: If there is no record, or ``output`` is not a directory.
    """
    if not records:
        raise ConfigurationError("there is nothing to report", hint="name at least one run record")
    if output.exists() and not output.is_dir():
        raise ConfigurationError(f"{output} is not a directory", hint="choose another one")
    output.mkdir(parents=True, exist_ok=True)
    drawn = figures(records)
    heading = title or (records[0].title if len(records) == 1 else "What the service carried")
    names = _file_names(records)
    written = ReportFiles(
        page=output / "report.html",
        summary=output / "summary.md",
        overview=output / "overview.png",
        pictures=tuple(output / f"{name}.png" for name in names),
    )
    together = drawing(overview(drawn, heading))
    written.overview.write_bytes(picture(together, scale=_PICTURE_SCALE))
    for path, figure in zip(written.pictures, drawn, strict=True):
        path.write_bytes(picture(drawing(figure.poster()), scale=_PICTURE_SCALE))
    # Where scripts do not run, a picture of half the size has to do.
    page = replace(
        _page(heading, drawn, summary, picture(together, scale=1.0)),
        first=tuple(first),
        leading=tuple(leading),
        files=[(Path(os.path.relpath(file, output)).as_posix(), _SERIES) for file in series],
    )
    written.page.write_text(render_page(page, bundle=browser_bundle()), encoding="utf-8")
    written.summary.write_text(
        render_markdown(
            heading,
            page.notes,
            [*page.first, page.outcome, *page.sections, *page.background],
            picture=written.overview.name,
            description=f"{heading}: requests, users, instances and latency over time",
        ),
        encoding="utf-8",
    )
    return written


def _page(title: str, drawn: Sequence[Figure], summary: Sequence[Section], png: bytes) -> Page:
    records = [figure.record for figure in drawn]
    outcome = facts.outcome(records)
    several = [facts.differences(records)] if len(records) > 1 else []
    return Page(
        title=title,
        notes=facts.notes(records),
        outcome=outcome,
        sections=[*summary, facts.activities(records), *several],
        background=[facts.settings(records), facts.machine(records), definitions()],
        caption=_CAPTION,
        figures=[
            PageFigure(
                title=figure.record.title,
                description=_description(outcome, column),
                specification=figure.specification(),
                rows=figure.rows,
            )
            for column, figure in enumerate(drawn, start=1)
        ],
        themes={"light": LIGHT, "dark": DARK},
        margin=MARGIN,
        picture=png,
    )


def _description(outcome: Section, column: int) -> str:
    told = "; ".join(f"{row[0].lower()}: {row[column]}" for row in outcome.rows)
    return f"{outcome.columns[column]}. Over time: requests, users, instances, latency. {told}."


def _file_names(records: Sequence[RunRecord]) -> list[str]:
    """Return one file name a record, fit for any file system and none of them twice."""
    taken = {"overview"}
    names = []
    for at, record in enumerate(records, start=1):
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", record.name)[:80].strip(".-") or f"experiment-{at}"
        if name.lower() in taken:
            name = f"{name}-{at}"
        taken.add(name.lower())
        names.append(name)
    return names
