"""
The report as one HTML file that loads nothing: data, charts, style and script are inside.

Records may come from anywhere, so every text of theirs is escaped, and the page's own policy lets
no other script run and nothing be fetched.
"""

import base64
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Template
from typing import Any, Final
from urllib.parse import quote

from . import elements
from .sections import Section

__all__ = ["Page", "PageFigure", "render_page"]

_NUMBERS: Final = {
    "start": "second",
    "offered": "offered per s",
    "succeeded": "succeeded per s",
    "failed": "failed per s",
    "users": "users",
    "desired": "desired",
    "in service": "in service",
    "p50": "p50, ms",
    "p95": "p95, ms",
    "p99": "p99, ms",
}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PageFigure:
    """
    One chart of the page.

    Attributes:
        title: Its heading.
        description: What it shows, for those who cannot see it.
        specification: The chart as Vega-Lite.
        rows: The numbers in it, for the table below it.
        columns: A row's keys → the table's headings; None has those of a chart over time.
    """

    title: str
    description: str
    specification: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]]
    columns: Mapping[str, str] | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Page:
    """
    All that a page shows.

    Attributes:
        title: Its heading.
        notes: What a reader must know, shown first; left out when it has no lines.
        outcome: The results, at the top on the left.
        sections: Shown beside them.
        background: Shown below them, folded.
        caption: How to read the charts.
        figures: The charts.
        themes: ``light`` and ``dark``: Vega-Lite configurations.
        margin: Pixels beside a chart's panels.
        picture: All charts as PNG, shown where scripts do not run.
        first: Sections before everything else.
        leading: Charts before ``figures``.
        files: What is linked: where each is, seen from the page, and what it holds.
    """

    title: str
    notes: Section
    outcome: Section
    sections: Sequence[Section]
    background: Sequence[Section]
    caption: str
    figures: Sequence[PageFigure]
    themes: Mapping[str, Any]
    margin: int
    picture: bytes
    first: Sequence[Section] = ()
    leading: Sequence[PageFigure] = ()
    files: Sequence[tuple[str, str]] = ()


def render_page(page: Page, *, bundle: str) -> str:
    """
    Return the page as HTML.

    Args:
        page: What it shows.
        bundle: The script that defines ``vegaEmbed``.
    """
    script = elements.asset("page.js")
    enclosed = f"(() => {{{bundle}\n}})();"  # the bundle's short names stay out of the page's way
    charts = {
        "margin": page.margin,
        "themes": page.themes,
        "specs": [
            {**figure.specification, "description": figure.description}
            for figure in (*page.leading, *page.figures)
        ],
    }
    return Template(elements.asset("page.html")).substitute(
        title=html.escape(page.title),
        policy=elements.policy(enclosed, f"\n{script}"),
        style=elements.asset("page.css"),
        first=_first(page),
        notes=elements.notice(page.notes) if page.notes.lines else "",
        outcome=elements.section(page.outcome),
        caption=html.escape(page.caption),
        sections="\n".join(map(elements.section, page.sections)),
        background="\n".join(map(elements.folded, page.background)),
        figures="\n".join(
            _figure(at, figure) for at, figure in enumerate(page.figures, start=len(page.leading))
        ),
        files=_files(page.files),
        picture=base64.b64encode(page.picture).decode(),
        picture_alt=html.escape(" ".join(figure.description for figure in page.figures)),
        charts=elements.script_json(charts),
        bundle=enclosed,
        script=script,
    )


def _first(page: Page) -> str:
    """Return what leads the page, nothing where nothing does."""
    parts = [
        *map(elements.section, page.first),
        *(_figure(at, figure) for at, figure in enumerate(page.leading)),
    ]
    return f'<div class="first">\n{"".join(parts)}\n</div>\n' if parts else ""


def _files(files: Sequence[tuple[str, str]]) -> str:
    """Return links to what lies beside the page, nothing where nothing does."""
    links = "".join(
        f'<li><a href="{html.escape(quote(place))}">{html.escape(place)}</a>: {html.escape(what)}'
        "</li>\n"
        for place, what in files
    )
    if not links:
        return ""
    head = '<section class="files"><h2>Beside this page</h2>'
    return f"{head}\n<ul>\n{links}</ul>\n</section>\n"


def _figure(at: int, figure: PageFigure) -> str:
    columns = _NUMBERS if figure.columns is None else figure.columns
    numbers = [[_number(row.get(name)) for name in columns] for row in figure.rows]
    return (
        f"<figure><figcaption><h3>{html.escape(figure.title)}</h3></figcaption>\n"
        f'<div class="chart" data-chart="{at}"></div>\n'
        "<details><summary>The same as numbers</summary>\n"
        f"{elements.table(list(columns.values()), numbers)}</details></figure>"
    )


def _number(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    return f"{value:,}" if isinstance(value, int) else "-"
