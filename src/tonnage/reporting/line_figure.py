"""
Latency against load as a picture: the curve, the load line with its interval, the knee.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import altair as alt
import numpy as np

from .figures import drawing, picture
from .page import PageFigure
from .posters import poster
from .theme import STYLES

__all__ = ["LineCurve", "LinePoint", "line_figure", "line_page_figure", "line_picture"]

_WIDTH: Final = 620
_HEIGHT: Final = 330
_LINE: Final = "#2a9d7f"
_MISSED: Final = STYLES["failed"].colour
_MILLISECONDS: Final = 1000.0


@dataclass(frozen=True, kw_only=True, slots=True)
class LinePoint:
    """
    One trial.

    Attributes:
        rate_per_second: Offered.
        p50_seconds: Median latency.
        p99_seconds: 99th percentile.
        met: Whether the objective was met.
    """

    rate_per_second: float
    p50_seconds: float
    p99_seconds: float
    met: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class LineCurve:
    """
    What a search for the load line saw, as plain data.

    Attributes:
        title: What was measured.
        points: The trials, by rate.
        line_per_second: The line, None without one.
        interval_per_second: Where it lies; an end that is not known is None.
        knee_per_second: The knee, None without one.
        threshold_seconds: The latency threshold, None without one.
        notes: What a reader must know.
    """

    title: str
    points: Sequence[LinePoint]
    line_per_second: float | None = None
    interval_per_second: tuple[float | None, float | None] = (None, None)
    knee_per_second: float | None = None
    threshold_seconds: float | None = None
    notes: Sequence[str] = ()


def line_figure(curve: LineCurve) -> dict[str, Any]:
    """Return the picture as a Vega-Lite specification."""
    layers = [
        *_interval(curve),
        *_threshold(curve),
        _percentiles(curve),
        _marks(curve),
        *_line(curve),
        *_knee(curve),
    ]
    chart = alt.LayerChart(layer=layers, width=_WIDTH, height=_HEIGHT)
    specification = chart.to_dict()
    del specification["config"]
    return poster(specification, title=curve.title, notes=curve.notes)


def line_picture(curve: LineCurve, *, scale: float = 2.0) -> bytes:
    """Return the picture as PNG."""
    return picture(drawing(line_figure(curve)), scale=scale)


def line_page_figure(curve: LineCurve) -> PageFigure:
    """Return it as a page's chart, with its numbers as a table; the page brings theme and width."""
    drawn = line_figure(curve)
    specification = {
        name: value for name, value in drawn.items() if name not in {"title", "config", "padding"}
    }
    rows = [
        {
            "rate": point.rate_per_second,
            "p50": point.p50_seconds * _MILLISECONDS,
            "p99": point.p99_seconds * _MILLISECONDS,
            "objective": "met" if point.met else "missed",
        }
        for point in curve.points
    ]
    columns = {
        "rate": "offered per s",
        "p50": "p50, ms",
        "p99": "p99, ms",
        "objective": "objective",
    }
    return PageFigure(
        title="Latency against load",
        description=". ".join([curve.title, *curve.notes]),
        specification=specification,
        rows=rows,
        columns=columns,
    )


def _percentiles(curve: LineCurve) -> alt.Chart:
    """Draw p50 and p99 over rate; trials at nearly the same rate are one point, their median."""
    rows = [
        {"rate": rate, "series": name, "value": value * _MILLISECONDS}
        for name in ("p50", "p99")
        for rate, value in _gathered(curve.points, name)
    ]
    styles = [STYLES[name] for name in ("p50", "p99")]
    drawn: alt.Chart = (
        _data(rows)
        .mark_line(strokeCap="round", clip=True)
        .encode(
            x=_x(curve),
            y=_y(curve),
            color=alt.Color(
                "series:N",
                scale=alt.Scale(domain=["p50", "p99"], range=[style.colour for style in styles]),
            ),
            strokeDash=alt.StrokeDash(
                "series:N",
                scale=alt.Scale(
                    domain=["p50", "p99"], range=[list(style.dash) for style in styles]
                ),
            ),
        )
    )
    return drawn


def _gathered(points: Sequence[LinePoint], name: str) -> list[tuple[float, float]]:
    ordered = sorted(points, key=lambda point: point.rate_per_second)
    groups: list[list[LinePoint]] = []
    for point in ordered:
        if groups and point.rate_per_second < groups[-1][0].rate_per_second * 1.01:
            groups[-1].append(point)
        else:
            groups.append([point])
    return [
        (
            float(np.median([point.rate_per_second for point in group])),
            float(np.median([getattr(point, f"{name}_seconds") for point in group])),
        )
        for group in groups
    ]


def _marks(curve: LineCurve) -> alt.Chart:
    """Mark each trial's p99: a dot where the objective was met, a triangle where it was missed."""
    rows = [
        {
            "rate": point.rate_per_second,
            "value": point.p99_seconds * _MILLISECONDS,
            "trial": "met" if point.met else "missed",
        }
        for point in curve.points
    ]
    domain = ["met", "missed"]
    marks: alt.Chart = (
        _data(rows)
        .mark_point(filled=True, size=58, opacity=0.9, clip=True)
        .encode(
            x=_x(curve),
            y=_y(curve),
            shape=alt.Shape(
                "trial:N",
                scale=alt.Scale(domain=domain, range=["circle", "triangle-down"]),
                legend=alt.Legend(symbolSize=70, orient="bottom-right"),
            ),
            fill=alt.Fill(
                "trial:N",
                scale=alt.Scale(domain=domain, range=[_LINE, _MISSED]),
                legend=alt.Legend(symbolSize=70, orient="bottom-right"),
            ),
        )
    )
    return marks


def _interval(curve: LineCurve) -> list[alt.Chart]:
    low, high = curve.interval_per_second
    if low is None:
        return []
    end = _ends(curve)[1] if high is None else high
    band = _data([{"rate": low, "to": end}]).mark_rect(color=_LINE, opacity=0.2)
    return [band.encode(x=_x(curve), x2="to:Q")]


def _line(curve: LineCurve) -> list[alt.Chart]:
    if curve.line_per_second is None:
        return []
    low, high = curve.interval_per_second
    bound = "≥ " if high is None else ""
    said = f"load line {bound}{curve.line_per_second:.0f}/s"
    if low is not None and high is not None:
        said += f"  [{low:.0f}, {high:.0f}]"
    at = _data([{"rate": curve.line_per_second, "said": said}])
    rule = at.mark_rule(color=_LINE, strokeWidth=2).encode(x=_x(curve))
    right = curve.line_per_second > sum(_ends(curve)) / 2
    text = at.mark_text(
        align="right" if right else "left",
        dx=-8 if right else 8,
        y=10,
        fontSize=12.5,
        fontWeight=600,
    ).encode(x=_x(curve), text="said:N")
    return [rule, text]


def _knee(curve: LineCurve) -> list[alt.Chart]:
    if curve.knee_per_second is None:
        return []
    at = _data([{"rate": curve.knee_per_second, "said": f"knee {curve.knee_per_second:.0f}/s"}])
    rule = at.mark_rule(strokeDash=[3, 4], strokeWidth=1.2).encode(x=_x(curve))
    text = at.mark_text(align="right", dx=-6, y=_HEIGHT - 12, fontSize=12)
    return [rule, text.encode(x=_x(curve), text="said:N")]


def _threshold(curve: LineCurve) -> list[alt.Chart]:
    if curve.threshold_seconds is None:
        return []
    value = curve.threshold_seconds * _MILLISECONDS
    at = _data([{"value": value, "said": f"threshold {value:g} ms"}])
    rule = at.mark_rule(strokeDash=[12, 3], strokeWidth=1.2, color=STYLES["emulated cap"].colour)
    text = at.mark_text(align="left", x=6, dy=-7, fontSize=12).encode(y=_y(curve), text="said:N")
    return [rule.encode(y=_y(curve)), text]


def _x(curve: LineCurve) -> alt.X:
    low, high = _ends(curve)
    return alt.X(
        "rate:Q",
        scale=alt.Scale(domain=[low, high], nice=False),
        axis=alt.Axis(title="offered rate, requests per second (open loop)", tickCount=9),
    )


def _ends(curve: LineCurve) -> tuple[float, float]:
    """Show what matters: a quarter beyond the line, not the overload that found it."""
    rates = [point.rate_per_second for point in curve.points]
    line = curve.line_per_second
    return 0.0, min(max(rates), 1.25 * line) if line else max(rates)


def _y(curve: LineCurve) -> alt.Y:
    _, end = _ends(curve)
    shown = [point for point in curve.points if point.rate_per_second <= end]
    lowest = min(point.p50_seconds for point in shown) * _MILLISECONDS
    highest = max([point.p99_seconds for point in shown] + [curve.threshold_seconds or 0.0])
    domain = [lowest / 1.6, highest * _MILLISECONDS * 1.8]
    return alt.Y(
        "value:Q",
        scale=alt.Scale(type="log", domain=domain, nice=False, clamp=True),
        axis=alt.Axis(title="latency, milliseconds (log)", tickCount=6),
    )


def _data(rows: list[dict[str, Any]]) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=rows)).properties()
