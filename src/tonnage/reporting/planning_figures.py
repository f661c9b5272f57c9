"""
The pictures of a plan: what happens over time, what attainment costs, what one knob does.

Plain data in, charts out; nothing here knows how the numbers came about.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import altair as alt
import numpy as np
from numpy.typing import NDArray

from .charts import POINTED, Row, independent
from .theme import Style

__all__ = [
    "CostPoint",
    "PlanTimeline",
    "WhatIf",
    "frontier_chart",
    "timeline_chart",
    "what_if_chart",
]

_Floats = NDArray[np.float64]

_WIDTH: Final = 640
_MAX_WINDOWS: Final = 480
_LEAST_FAILED: Final = 1e-6
"""Where fractions below it, zero included, are drawn: a logarithm has no zero."""

_INK: Final = "#78828e"
_OFFERED: Final = Style("#4a9be0", 2.4)
_CAPACITY: Final = Style("#2a9d7f", 1.8, (6, 3))
_FAILED: Final = Style("#d9541e", 2.0, (2, 3.5))
_DESIRED: Final = Style("#a07a1c", 1.8, (6, 4))
_CHOSEN: Final = "#8a63c9"
Interpolation = Literal["linear", "step-after"]

_TIME: Final = alt.X("time:Q")
_UNITS: Final = (
    (2 * 86400.0, 86400.0, "days"),
    (2 * 3600.0, 3600.0, "hours"),
    (0.0, 60.0, "minutes"),
)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PlanTimeline:
    """
    What one policy does on a traffic, tick by tick; every array is ``(t,) float64``.

    Attributes:
        title: What runs.
        seconds: The start of each tick; the ticks are equal.
        offered_per_second: Arrivals.
        failed_per_second: Those that are not served.
        capacity_per_second: What the instances in service carry together.
        desired: Instances asked for.
        in_service: Instances that take requests.
    """

    title: str
    seconds: _Floats
    offered_per_second: _Floats
    failed_per_second: _Floats
    capacity_per_second: _Floats
    desired: _Floats
    in_service: _Floats


@dataclass(frozen=True, kw_only=True, slots=True)
class CostPoint:
    """
    One policy as a point.

    Attributes:
        cost_usd_month: What it costs.
        failed_fraction: What it fails.
        what: Its settings, in words.
        kind: ``tried``, or one that is named in the picture.
        label: Its name there.
    """

    cost_usd_month: float
    failed_fraction: float
    what: str
    kind: Literal["tried", "chosen", "compared"] = "tried"
    label: str = ""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class WhatIf:
    """
    One setting moved, everything else held.

    Attributes:
        knob: Its name, with its unit.
        values: ``(n,) float64``, rising, above 0.
        cost_usd_month: ``(n,) float64``.
        failed_fraction: ``(n,) float64``.
        chosen: The plan's value.
    """

    knob: str
    values: _Floats
    cost_usd_month: _Floats
    failed_fraction: _Floats
    chosen: float


def timeline_chart(line: PlanTimeline, *, width: int = _WIDTH) -> alt.VConcatChart:
    """Return traffic, capacity and failures, and the instances below them, on one time axis."""
    _, span, unit = next(known for known in _UNITS if _duration(line) >= known[0])
    rows = _timeline_rows(line, span)
    traffic = {"offered": _OFFERED, "capacity": _CAPACITY, "failed": _FAILED}
    rates = _axis("requests per second", max(row[name] for row in rows for name in traffic))
    upper = [
        _area("capacity", rates, _CAPACITY.colour, 0.13, "step-after"),
        _lines(["capacity"], traffic, rates, "step-after"),
        _lines(["offered", "failed"], traffic, rates),
        _area("failed", rates, _FAILED.colour, 0.3),
        _cursor(None, unit),
    ]
    fleet = {"in service": Style(_CAPACITY.colour, 2.6), "desired": _DESIRED}
    counts = _axis("instances", max(row[name] for row in rows for name in fleet), whole=True)
    lower = [
        _area("in service", counts, _CAPACITY.colour, 0.16, "step-after"),
        _lines([*fleet], fleet, counts, "step-after"),
        _cursor(f"{unit} since the traffic began", unit),
    ]
    panels = [
        alt.LayerChart(layer=layers, title=title, width=width, height=height)
        for title, layers, height in (
            ("Requests per second: offered, carried at most, failed", upper, 210),
            ("Instances", lower, 90),
        )
    ]
    return independent(alt.VConcatChart(data=alt.InlineData(values=rows), vconcat=panels))


def frontier_chart(
    points: Sequence[CostPoint], max_failed_fraction: float, *, width: int = _WIDTH
) -> alt.VConcatChart:
    """Return cost against failed requests: every policy tried, and the frontier below them."""
    rows = [_point_row(point) for point in points]
    costs = np.array([point.cost_usd_month for point in points])
    spread = float(costs.max()) > 8 * max(float(costs.min()), 1e-9)
    x = alt.X(
        "cost:Q",
        title="US dollars a month for instances",
        scale=alt.Scale(type="log" if spread else "linear", zero=False, nice=False, padding=18),
        axis=alt.Axis(format="$,.4~r", tickCount=7),
    )
    y = _failed_axis("failed", "requests failed", max(float(row["failed"]) for row in rows))
    tip = [
        alt.Tooltip("what:N", title="policy"),
        alt.Tooltip("cost:Q", title="dollars a month", format="$,.2f"),
        alt.Tooltip("fraction:Q", title="failed", format=".4%"),
    ]
    everything = alt.Chart(alt.InlineData(values=rows)).encode(x=x, y=y, tooltip=tip)
    tried = everything.transform_filter("datum.kind === 'tried'").mark_circle(size=26)
    colour = alt.condition(
        f"datum.fraction < {max_failed_fraction}",
        alt.value(_CAPACITY.colour),
        alt.value(_FAILED.colour),
    )
    edge = alt.Chart(alt.InlineData(values=_frontier(rows))).encode(x=x, y=y)
    layers = [
        *_objective(max_failed_fraction, y, right=True),
        tried.encode(color=colour, opacity=alt.value(0.32)),
        edge.mark_line(color=_INK, strokeWidth=1.6, interpolate="step-after"),
        *_named(everything, "compared", _INK, "square"),
        *_named(everything, "chosen", _CHOSEN, "diamond"),
    ]
    panel = alt.LayerChart(
        layer=layers,
        title="Each point is a policy; on the line, nothing cheaper fails less",
        width=width,
        height=330,
    )
    return independent(alt.VConcatChart(vconcat=[panel]))


def what_if_chart(
    what_if: WhatIf, max_failed_fraction: float, *, width: int = _WIDTH
) -> alt.VConcatChart:
    """Return what one setting does to failures and to cost, the plan's value marked."""
    rows: list[Row] = [
        {"value": value, "failed": max(_LEAST_FAILED, failed), "fraction": failed, "cost": cost}
        for value, failed, cost in zip(
            what_if.values.tolist(),
            what_if.failed_fraction.tolist(),
            what_if.cost_usd_month.tolist(),
            strict=True,
        )
    ]
    tip = [
        alt.Tooltip("value:Q", title=what_if.knob, format=",.6~r"),
        alt.Tooltip("fraction:Q", title="failed", format=".4%"),
        alt.Tooltip("cost:Q", title="dollars a month", format="$,.2f"),
    ]
    wide = what_if.values.max() > 8 * what_if.values.min()
    scale = alt.Scale(type="log" if wide else "linear", zero=False, nice=False, padding=8)
    base = alt.Chart(alt.InlineData(values=rows))
    mark = alt.Chart(alt.InlineData(values=[{"value": what_if.chosen}]))

    def panel(title: str, y: alt.Y, style: Style, height: int, below: bool) -> alt.LayerChart:
        x = alt.X(
            "value:Q",
            scale=scale,
            axis=alt.Axis(
                title=what_if.knob if below else None, labels=below, format="~s", tickCount=8
            ),
        )
        drawn = base.mark_line(
            color=style.colour,
            strokeWidth=2.4,
            point=alt.OverlayMarkDef(size=24, color=style.colour),
        )
        rule = mark.mark_rule(color=_CHOSEN, strokeWidth=2, strokeDash=[5, 3]).encode(x=x)
        text = mark.mark_text(
            align="left", dx=6, baseline="top", fontWeight=600, color=_CHOSEN
        ).encode(x=x, y=alt.value(3), text=alt.value("the plan"))
        allowed = [] if below else _objective(max_failed_fraction, y)
        layers = [*allowed, drawn.encode(x=x, y=y, tooltip=tip), rule, *([] if below else [text])]
        return alt.LayerChart(layer=layers, title=title, width=width, height=height)

    cost = alt.Y(
        "cost:Q",
        scale=alt.Scale(zero=False, nice=True),
        axis=alt.Axis(title="US dollars a month", format="$,.4~r", tickCount=5),
    )
    most = max(float(row["failed"]) for row in rows)
    chart = alt.VConcatChart(
        vconcat=[
            panel("Requests failed", _failed_axis("failed", "failed", most), _FAILED, 170, False),
            panel("Cost of the instances", cost, _OFFERED, 130, True),
        ]
    )
    return independent(chart)


def _duration(line: PlanTimeline) -> float:
    return float(line.seconds[-1] - line.seconds[0])


def _timeline_rows(line: PlanTimeline, span: float) -> list[Row]:
    """Return at most some hundred windows: means of rates, the most instances of each."""
    wide = max(1, -(-len(line.seconds) // _MAX_WINDOWS))
    whole = len(line.seconds) // wide * wide
    tick = float(line.seconds[1] - line.seconds[0]) if len(line.seconds) > 1 else 1.0

    def windows(values: _Floats) -> _Floats:
        return values[:whole].reshape(-1, wide)

    starts = windows(line.seconds)[:, 0]
    columns = {
        "time": starts / span,
        "end": (starts + wide * tick) / span,
        "offered": windows(line.offered_per_second).mean(axis=1),
        "failed": windows(line.failed_per_second).mean(axis=1),
        "capacity": windows(line.capacity_per_second).mean(axis=1),
        "desired": windows(line.desired).max(axis=1),
        "in service": windows(line.in_service).max(axis=1),
    }
    table = np.column_stack(list(columns.values())).round(4).tolist()
    return [
        {"second": at, **dict(zip(columns, values, strict=True))} for at, values in enumerate(table)
    ]


def _axis(title: str, most: float, *, whole: bool = False) -> dict[str, Any]:
    """Return scale and axis from 0 to a little above the most."""
    axis = alt.Axis(title=title, tickCount=5, format=",~r")
    if whole:
        step = max(1, round(most / 4))
        axis = alt.Axis(title=title, values=list(range(0, int(most) + 1, step)), format="d")
    return {"scale": alt.Scale(domain=[0, max(most, 1e-9) * 1.07], nice=False), "axis": axis}


def _area(
    field: str, axis: dict[str, Any], colour: str, opacity: float, how: Interpolation = "linear"
) -> alt.Chart:
    mark = alt.Chart().mark_area(color=colour, opacity=opacity, line=False, interpolate=how)
    area: alt.Chart = mark.encode(x=_TIME, y=alt.Y(f"{field}:Q", stack=None, **axis))
    return area


def _lines(
    names: Sequence[str],
    styles: dict[str, Style],
    axis: dict[str, Any],
    how: Interpolation = "linear",
) -> alt.Chart:
    """Draw some of the series that share a legend."""

    def by_name(values: list[Any]) -> alt.Scale:
        return alt.Scale(type="ordinal", domain=list(styles), range=values)

    widths = [style.width for style in styles.values()]
    dashes = [[*style.dash] for style in styles.values()]
    folded = alt.Chart().transform_fold([*names], as_=["series", "value"])
    lines: alt.Chart = folded.mark_line(interpolate=how, strokeCap="round").encode(
        x=_TIME,
        y=alt.Y("value:Q", stack=None, **axis),
        color=alt.Color("series:O", scale=by_name([style.colour for style in styles.values()])),
        strokeDash=alt.StrokeDash("series:O", scale=by_name(dashes)),
        strokeWidth=alt.StrokeWidth("series:O", scale=by_name(widths)),
    )
    return lines


def _cursor(axis: str | None, unit: str) -> alt.Chart:
    x = alt.X(
        "time:Q",
        scale=alt.Scale(nice=False, zero=True),
        axis=alt.Axis(title=axis, labels=axis is not None, tickCount=9),
    )
    told = [alt.Tooltip("time:Q", title=unit, format=",.4~r")] + [
        alt.Tooltip(f"{name}:Q", format=",.4~r")
        for name in ("offered", "capacity", "failed", "desired", "in service")
    ]
    shade = alt.condition(f"datum.second === {POINTED}", alt.value(0.25), alt.value(0))
    band: alt.Chart = (
        alt.Chart()
        .mark_rect(color="#808890", strokeWidth=0)
        .encode(x=x, x2="end:Q", opacity=shade, tooltip=told)
    )
    return band


def _failed_axis(field: str, title: str, most: float) -> alt.Y:
    top = 10 ** np.ceil(np.log10(max(most, 1e-3)))
    ticks = [_LEAST_FAILED, *(tick for tick in (1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0) if tick <= top)]
    return alt.Y(
        f"{field}:Q",
        scale=alt.Scale(type="log", domain=[_LEAST_FAILED, float(top)], nice=False, clamp=True),
        axis=alt.Axis(
            title=title,
            values=ticks,
            labelExpr=f"datum.value <= {_LEAST_FAILED} ? 'none' : format(datum.value, '~%')",
        ),
    )


def _objective(max_failed_fraction: float, y: alt.Y, *, right: bool = False) -> list[alt.Chart]:
    shown = max(_LEAST_FAILED, max_failed_fraction)
    text = f"the objective: below {max_failed_fraction * 100:.3g} %"
    rule = alt.Chart(alt.InlineData(values=[{"failed": shown, "text": text}])).encode(y=y)
    return [
        rule.mark_rule(strokeDash=[3, 3], strokeWidth=1.2, color=_FAILED.colour),
        rule.mark_text(
            align="right" if right else "left",
            dx=-5 if right else 5,
            dy=-8,
            fontStyle="italic",
            color=_FAILED.colour,
        ).encode(x=alt.value("width" if right else 0), text="text:N"),
    ]


def _point_row(point: CostPoint) -> Row:
    return {
        "cost": round(point.cost_usd_month, 4),
        "failed": max(_LEAST_FAILED, point.failed_fraction),
        "fraction": point.failed_fraction,
        "what": point.what,
        "kind": point.kind,
        "label": point.label,
    }


def _frontier(rows: Sequence[Row]) -> list[Row]:
    """Return the points than which none is cheaper and fails less, from the cheapest."""
    edge: list[Row] = []
    for row in sorted(rows, key=lambda row: (row["cost"], row["failed"])):
        if not edge or row["failed"] < edge[-1]["failed"]:
            edge.append({"cost": row["cost"], "failed": row["failed"]})
    if edge:
        edge.append({"cost": max(row["cost"] for row in rows), "failed": edge[-1]["failed"]})
    return edge


def _named(points: alt.Chart, kind: str, colour: str, shape: str) -> list[alt.Chart]:
    named = points.transform_filter(f"datum.kind === '{kind}'")
    return [
        named.mark_point(
            shape=shape, size=150, filled=True, opacity=1, color=colour, stroke="white"
        ),
        named.mark_text(align="left", dx=11, dy=-9, fontWeight=600, color=colour).encode(
            text="label:N"
        ),
    ]
