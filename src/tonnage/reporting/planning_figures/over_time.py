"""
What one policy does on a traffic: rates above, instances below, on one time axis.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import altair as alt
import numpy as np
from numpy.typing import NDArray

from tonnage.reporting.charts import POINTED, Row, independent
from tonnage.reporting.theme import Style

from ._failures import CAPACITY, FAILED, OFFERED, WIDTH

__all__ = ["PlanTimeline", "timeline_chart"]

_Floats = NDArray[np.float64]
Interpolation = Literal["linear", "step-after"]

_MAX_WINDOWS: Final = 480
_DESIRED: Final = Style("#a07a1c", 1.8, (6, 4))
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


def timeline_chart(line: PlanTimeline, *, width: int = WIDTH) -> alt.VConcatChart:
    """Return traffic, capacity and failures, and the instances below them, on one time axis."""
    _, span, unit = next(known for known in _UNITS if _duration(line) >= known[0])
    rows = _timeline_rows(line, span)
    traffic = {"offered": OFFERED, "capacity": CAPACITY, "failed": FAILED}
    rates = _axis("requests per second", max(row[name] for row in rows for name in traffic))
    upper = [
        _area("capacity", rates, CAPACITY.colour, 0.13, "step-after"),
        _lines(["capacity"], traffic, rates, "step-after"),
        _lines(["offered", "failed"], traffic, rates),
        _area("failed", rates, FAILED.colour, 0.3),
        _cursor(None, unit),
    ]
    fleet = {"in service": Style(CAPACITY.colour, 2.6), "desired": _DESIRED}
    counts = _axis("instances", max(row[name] for row in rows for name in fleet), whole=True)
    lower = [
        _area("in service", counts, CAPACITY.colour, 0.16, "step-after"),
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
