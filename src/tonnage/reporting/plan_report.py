"""
A plan as one self-contained page and its pictures.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

import altair as alt

from tonnage.domain import ConfigurationError

from . import elements
from .figures import browser_bundle, chart_specification, drawing, picture
from .posters import poster
from .sections import Section
from .theme import DARK, LIGHT, MARGIN

__all__ = ["PlanFigure", "PlanReport", "PlanReportFiles", "write_picture", "write_plan_report"]

_PICTURE_SCALE: Final = 2.0


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PlanFigure:
    """
    One picture of a plan.

    Attributes:
        name: Its file name, without ``.png``.
        title: Its heading.
        caption: How to read it; also what it shows, for those who cannot see it.
        chart: From ``planning_figures``.
    """

    name: str
    title: str
    caption: str
    chart: alt.VConcatChart


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PlanReport:
    """
    What the page shows.

    Attributes:
        title: Its heading.
        notes: What a reader must know first; left out when it has no lines.
        sections: The answer, and why.
        figures: The pictures.
        background: Shown below, folded.
    """

    title: str
    notes: Section
    sections: Sequence[Section]
    figures: Sequence[PlanFigure]
    background: Sequence[Section] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanReportFiles:
    """
    What was written.

    Attributes:
        page: One HTML file that needs no other and no network.
        pictures: One PNG a figure, in their order.
    """

    page: Path
    pictures: tuple[Path, ...]


def write_plan_report(report: PlanReport, output: Path) -> PlanReportFiles:
    """
    Write a plan's page and pictures.

    Args:
        report: What they show.
        output: A directory, made if need be.

    Raises:
        ConfigurationError: If ``output`` is not a directory.
    """
    if output.exists() and not output.is_dir():
        raise ConfigurationError(f"{output} is not a directory", hint="choose another one")
    output.mkdir(parents=True, exist_ok=True)
    pictures = tuple(
        write_picture(figure, output / f"{figure.name}.png") for figure in report.figures
    )
    page = output / "plan.html"
    page.write_text(_page(report), encoding="utf-8")
    return PlanReportFiles(page=page, pictures=pictures)


def write_picture(figure: PlanFigure, file: Path) -> Path:
    """Write one figure as PNG, with its title and caption."""
    drawn = poster(
        chart_specification(figure.chart),
        title=figure.title,
        notes=[figure.caption],
        title_columns=74,
        note_columns=112,
        size=17,
    )
    file.write_bytes(picture(drawing(drawn), scale=_PICTURE_SCALE))
    return file


def _page(report: PlanReport) -> str:
    script = elements.asset("page.js")
    enclosed = f"(() => {{{browser_bundle()}\n}})();"
    charts = {
        "margin": MARGIN,
        "themes": {"light": LIGHT, "dark": DARK},
        "specs": [
            chart_specification(figure.chart) | {"description": f"{figure.title}. {figure.caption}"}
            for figure in report.figures
        ],
    }
    return Template(elements.asset("plan.html")).substitute(
        title=html.escape(report.title),
        policy=elements.policy(enclosed, f"\n{script}"),
        style=elements.asset("page.css"),
        notes=elements.notice(report.notes) if report.notes.lines else "",
        sections="\n".join(map(elements.section, report.sections)),
        figures="\n".join(_figure(at, figure) for at, figure in enumerate(report.figures)),
        background="\n".join(map(elements.folded, report.background)),
        charts=elements.script_json(charts),
        bundle=enclosed,
        script=script,
    )


def _figure(at: int, figure: PlanFigure) -> str:
    return (
        f"<figure><figcaption><h2>{html.escape(figure.title)}</h2>"
        f"<p>{html.escape(figure.caption)}</p></figcaption>\n"
        f'<div class="chart" data-chart="{at}"></div></figure>'
    )
