"""
A plan as one self-contained page and its pictures.
"""

import html
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any, Final

import altair as alt

from tonnage.domain import ConfigurationError

from .charts import POINTED
from .figures import browser_bundle, drawing, picture
from .page import (
    _asset,
    _folded,
    _notice,
    _policy,
    _script_json,
    _section,
)
from .sections import Section
from .theme import DARK, LIGHT, MARGIN, PRINT

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
    heading = {
        "text": textwrap.wrap(figure.title, 74) or "",
        "fontSize": 17,
        "offset": 14,
        "subtitle": textwrap.wrap(figure.caption, 112),
        "subtitleFontSize": 12,
        "subtitlePadding": 5,
    }
    poster = _specification(figure) | {"title": heading, "padding": 16, "config": PRINT}
    file.write_bytes(picture(drawing(poster), scale=_PICTURE_SCALE))
    return file


def _page(report: PlanReport) -> str:
    script = _asset("page.js")
    enclosed = f"(() => {{{browser_bundle()}\n}})();"
    charts = {
        "margin": MARGIN,
        "themes": {"light": LIGHT, "dark": DARK},
        "specs": [
            _specification(figure) | {"description": f"{figure.title}. {figure.caption}"}
            for figure in report.figures
        ],
    }
    return Template(_asset("plan.html")).substitute(
        title=html.escape(report.title),
        policy=_policy(enclosed, f"\n{script}"),
        style=_asset("page.css"),
        notes=_notice(report.notes) if report.notes.lines else "",
        sections="\n".join(_section(section) for section in report.sections),
        figures="\n".join(_figure(at, figure) for at, figure in enumerate(report.figures)),
        background="\n".join(_folded(section) for section in report.background),
        charts=_script_json(charts),
        bundle=enclosed,
        script=script,
    )


def _figure(at: int, figure: PlanFigure) -> str:
    return (
        f"<figure><figcaption><h2>{html.escape(figure.title)}</h2>"
        f"<p>{html.escape(figure.caption)}</p></figcaption>\n"
        f'<div class="chart" data-chart="{at}"></div></figure>'
    )


def _specification(figure: PlanFigure) -> dict[str, Any]:
    specification = figure.chart.add_params(alt.param(name=POINTED, value=None)).to_dict()
    del specification["config"]  # Altair's own, in place of which each paper has one
    return specification
