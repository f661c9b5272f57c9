"""
The report as one HTML file that loads nothing: data, charts, style and script are inside.

Records may come from anywhere, so every text of theirs is escaped, and the page's own policy lets
no other script run and nothing be fetched.
"""

import base64
import hashlib
import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from string import Template
from typing import Any, Final

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


def render_page(page: Page, *, bundle: str) -> str:
    """
    Return the page as HTML.

    Args:
        page: What it shows.
        bundle: The script that defines ``vegaEmbed``.
    """
    script = _asset("page.js")
    enclosed = f"(() => {{{bundle}\n}})();"  # the bundle's short names stay out of the page's way
    charts = {
        "margin": page.margin,
        "themes": page.themes,
        "specs": [
            {**figure.specification, "description": figure.description}
            for figure in (*page.leading, *page.figures)
        ],
    }
    return Template(_asset("page.html")).substitute(
        title=html.escape(page.title),
        policy=_policy(enclosed, f"\n{script}"),
        style=_asset("page.css"),
        first=_first(page),
        notes=_notice(page.notes) if page.notes.lines else "",
        outcome=_section(page.outcome),
        caption=html.escape(page.caption),
        sections="\n".join(_section(section) for section in page.sections),
        background="\n".join(_folded(section) for section in page.background),
        figures="\n".join(
            _figure(at, figure) for at, figure in enumerate(page.figures, start=len(page.leading))
        ),
        picture=base64.b64encode(page.picture).decode(),
        picture_alt=html.escape(" ".join(figure.description for figure in page.figures)),
        charts=_script_json(charts),
        bundle=enclosed,
        script=script,
    )


def _policy(*scripts: str) -> str:
    """Return a policy under which these scripts run, no other does, and nothing is fetched."""
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()) for script in scripts)
    allowed = " ".join(f"'sha256-{digest.decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _script_json(value: object) -> str:
    """Return JSON that cannot end the script element it stands in."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"), ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _notice(section: Section) -> str:
    return (
        f'<aside class="notice" aria-label="{html.escape(section.title)}">'
        f"<h2>{html.escape(section.title)}</h2>{_lines(section)}</aside>"
    )


def _first(page: Page) -> str:
    """Return what leads the page, nothing where nothing does."""
    parts = [
        *(_section(section) for section in page.first),
        *(_figure(at, figure) for at, figure in enumerate(page.leading)),
    ]
    return f'<div class="first">\n{"".join(parts)}\n</div>\n' if parts else ""


def _section(section: Section) -> str:
    return f"<section><h2>{html.escape(section.title)}</h2>\n{_body(section)}</section>"


def _folded(section: Section) -> str:
    return f"<details><summary>{html.escape(section.title)}</summary>\n{_body(section)}</details>"


def _body(section: Section) -> str:
    table = _table(section.columns, section.rows) if section.columns else ""
    return f"{_lines(section)}{table}"


def _lines(section: Section) -> str:
    return "".join(f"<p>{html.escape(line)}</p>\n" for line in section.lines)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(_head_cell(name) for name in columns)
    body = "\n".join(_row(row) for row in rows)
    return (
        '<div class="table"><table>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>\n"
    )


def _head_cell(name: str) -> str:
    # An empty heading names nothing: the corner of the table is a plain cell.
    return f'<th scope="col">{html.escape(name)}</th>' if name else "<td></td>"


def _row(cells: Sequence[str]) -> str:
    first, *others = (html.escape(cell) for cell in cells)
    told = "".join(f"<td>{cell}</td>" for cell in others)
    return f'<tr><th scope="row">{first}</th>{told}</tr>'


def _figure(at: int, figure: PageFigure) -> str:
    columns = _NUMBERS if figure.columns is None else figure.columns
    numbers = [[_number(row.get(name)) for name in columns] for row in figure.rows]
    return (
        f"<figure><figcaption><h3>{html.escape(figure.title)}</h3></figcaption>\n"
        f'<div class="chart" data-chart="{at}"></div>\n'
        "<details><summary>The same as numbers</summary>\n"
        f"{_table(list(columns.values()), numbers)}</details></figure>"
    )


def _number(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    return f"{value:,}" if isinstance(value, int) else "-"


def _asset(name: str) -> str:
    return resources.files(__package__).joinpath("assets", name).read_text(encoding="utf-8")
