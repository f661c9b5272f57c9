"""
Charts as Vega-Lite specifications and as pictures, and the one script that draws them in a browser.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import altair as alt
import vl_convert

from tonnage.domain import RunRecord

from .charts import POINTED, Row, experiment_chart, independent, rows
from .posters import poster
from .scales import Scales
from .series import timeline

__all__ = [
    "Figure",
    "browser_bundle",
    "chart_specification",
    "drawing",
    "figures",
    "overview",
    "picture",
]

# The version Altair writes for, so that page, picture and specification are drawn by the same one.
_VEGA_LITE: Final = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
_PANEL_WIDTH: Final = 470
_COLUMNS: Final = 2


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Figure:
    """
    One experiment, drawn.

    Attributes:
        record: What was measured.
        chart: Its four panels.
        rows: The numbers in them, one row a second (or a wider window).
    """

    record: RunRecord
    chart: alt.VConcatChart
    rows: Sequence[Row]

    def specification(self) -> dict[str, Any]:
        """Return the chart for a page, which brings title, theme and width."""
        return chart_specification(self.chart)

    def poster(self) -> dict[str, Any]:
        """Return the chart for a picture, with the title and the notes that must go with it."""
        return _poster(self.chart, self.record.title, self.record.notes, 88)


def figures(records: Sequence[RunRecord]) -> list[Figure]:
    """Return one figure a record, all on the same axes."""
    lines = [timeline(record) for record in records]
    scales = Scales.around(records, lines)
    return [
        Figure(
            record=record,
            chart=experiment_chart(record, line, scales, width=_PANEL_WIDTH),
            rows=rows(line),
        )
        for record, line in zip(records, lines, strict=True)
    ]


def overview(drawn: Sequence[Figure], title: str) -> dict[str, Any]:
    """Return all figures in one picture, two side by side, with every note once."""
    columns = min(_COLUMNS, len(drawn))
    beside = [figure.chart.properties(title=_heading(figure.record.title)) for figure in drawn]
    chart = independent(alt.ConcatChart(concat=beside, columns=columns, spacing=28))
    notes = dict.fromkeys(note for figure in drawn for note in figure.record.notes)
    return _poster(chart, title, list(notes), 90 * columns)


def drawing(specification: dict[str, Any]) -> str:
    """Return a specification drawn as SVG."""
    drawn: str = vl_convert.vegalite_to_svg(specification, vl_version=_VEGA_LITE)
    return drawn


def picture(drawn: str, *, scale: float) -> bytes:
    """Return a drawing as PNG, ``scale`` pixels for each of its own."""
    pixels: bytes = vl_convert.svg_to_png(drawn, scale=scale)
    return pixels


def browser_bundle() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script that defines ``vegaEmbed``."""
    bundle: str = vl_convert.javascript_bundle(
        "window.vegaEmbed = vegaEmbed;", vl_version=_VEGA_LITE
    )
    return bundle


def _poster(
    chart: alt.VConcatChart | alt.ConcatChart, title: str, notes: Sequence[str], columns: int
) -> dict[str, Any]:
    return poster(
        chart_specification(chart),
        title=title,
        notes=[f"Note: {note}" for note in notes],
        title_columns=columns * 2 // 3,
        note_columns=columns,
        size=17,
    )


def chart_specification(chart: alt.VConcatChart | alt.ConcatChart) -> dict[str, Any]:
    """Return a chart as Vega-Lite, which follows the pointer and brings no theme of its own."""
    specification = chart.add_params(alt.param(name=POINTED, value=None)).to_dict()
    del specification["config"]  # Altair's own, in place of which each paper has one
    return specification


def _heading(title: str) -> alt.TitleParams:
    return alt.TitleParams(textwrap.wrap(title, 62) or "", fontSize=14.5, offset=8)
