"""
The panels of a chart: what happened to requests, users, instances and latency.

None of them knows how long the time axis is; whoever stacks them says that once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import altair as alt
import numpy as np

from tonnage.domain import RunRecord, failure_onset

from .scales import Scales, emulated_cap_per_second
from .series import Timeline, charted_seconds, steps
from .theme import STYLES

__all__ = ["Panel", "instances_panel", "latency_panel", "requests_panel", "users_panel"]

_X: Final = alt.X("second:Q")
_FILL: Final = 0.16


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Panel:
    """
    One row of a chart.

    Attributes:
        title: What it shows.
        height: In pixels.
        layers: What is drawn, from below.
        above: What is drawn over the cursor, so that the pointer can reach it.
    """

    title: str
    height: int
    layers: Sequence[alt.Chart]
    above: Sequence[alt.Chart] = ()


def requests_panel(record: RunRecord, line: Timeline, scales: Scales) -> Panel:
    """Show what was sent each second, and what became of it."""
    # Drawn in this order: a dashed line on the wide one, where all that is offered succeeds.
    names = ["succeeded", "offered", "failed"]
    # Without a fleet nobody knows how many instances the cap holds for.
    has_fleet = record.fleet is not None and len(record.fleet.instances) > 0
    cap = emulated_cap_per_second(record) if has_fleet else None
    shown = [*names, "emulated cap"] if cap else names
    y = _y("value", "requests per second", alt.Scale(domain=[0, scales.requests_per_second]))
    folded = _folded(alt.Chart(), names).encode(x=_X, y=y)
    failed = folded.transform_filter("datum.series === 'failed' && datum.value > 0")
    every = max(1, round(scales.end_seconds / line.window_seconds / 16))
    marked = failed.transform_filter(
        f"floor(datum.start / {line.window_seconds:g}) % {every} === 0"
    )
    colour = STYLES["failed"].colour
    layers = [
        failed.mark_area(color=colour, opacity=_FILL, line=False),
        folded.mark_line(strokeCap="round").encode(**_told_apart(shown)),
        marked.mark_point(shape="triangle-down", filled=True, size=42, opacity=1, color=colour),
        *_onset(record, scales),
    ]
    if cap:
        layers.append(_cap(record, cap).encode(x=_X, y=y, **_told_apart(shown)))
    return Panel(title="Requests sent per second, by outcome", height=190, layers=layers)


def users_panel(line: Timeline, scales: Scales) -> Panel:
    """Show how many users there were."""
    if not np.isfinite(line.users).any():
        return _absent("Users", "None: the load was open loop.")
    style = STYLES["users"]
    y = _y("users", "users", alt.Scale(domain=[0, scales.users]), ticks=3)
    edge = alt.MarkConfig(color=style.colour, strokeWidth=style.width)
    drawn = alt.Chart().mark_area(color=style.colour, opacity=_FILL, line=edge.to_dict())
    return Panel(title="Users", height=64, layers=[drawn.encode(x=_X, y=y)])


def instances_panel(record: RunRecord, scales: Scales) -> Panel:
    """Show how many instances were asked for and served, and each decision between."""
    end = charted_seconds(record)
    corners = steps(record.fleet.instances if record.fleet else (), end)
    if not corners:
        return _absent("Instances", "No fleet was recorded.")
    changes = _data([{"second": at, "desired": d, "in service": n} for at, d, n in corners])
    names = ["in service", "desired"]
    scale = alt.Scale(domain=[0, scales.instances])
    area = changes.mark_area(
        interpolate="step-after", color=STYLES["in service"].colour, opacity=_FILL, line=False
    )
    lines = _folded(changes, names).mark_line(interpolate="step-after")
    band, *marks = _activities(record, end)
    return Panel(
        title="Instances",
        height=92,
        layers=[
            band,
            area.encode(x=_X, y=_y("in service", "instances", scale)),
            lines.encode(x=_X, y=_y("value", "instances", scale), **_told_apart(names)),
        ],
        above=marks,
    )


def latency_panel(line: Timeline, scales: Scales) -> Panel:
    """Show how long answers took, on a logarithmic axis."""
    title = "Latency of all answered requests"
    if not any(np.isfinite(values).any() for values in line.latency_seconds.values()):
        return _absent(title, "No request was answered.")
    names = list(line.latency_seconds)
    low, high = scales.latency_milliseconds
    scale = alt.Scale(type="log", domain=[low, high], nice=False)
    y = _y("value", "milliseconds (log)", scale, values=scales.latency_ticks)
    # A logarithm has no zero. A gap stays one, and a second alone between two is a round dot.
    drawn = _folded(alt.Chart(), names).transform_calculate(
        value=f"datum.value === null ? null : max({low}, datum.value)"
    )
    lines = drawn.mark_line(strokeCap="round").encode(x=_X, y=y, **_told_apart(names))
    return Panel(title=title, height=140, layers=[lines])


def _cap(record: RunRecord, per_second: float) -> alt.Chart:
    """Draw what the instances in service carry together, where that is an emulated cap."""
    corners = steps(record.fleet.instances if record.fleet else (), charted_seconds(record))
    carried = [
        {"second": at, "value": serving * per_second, "series": "emulated cap"}
        for at, _, serving in corners
    ]
    line: alt.Chart = _data(carried).mark_line(interpolate="step-after", clip=True)
    return line


def _onset(record: RunRecord, scales: Scales) -> list[alt.Chart]:
    onset = failure_onset(record.samples)
    if onset is None:
        return []
    label = f"failures begin at {onset.offered_per_second:,.0f}/s"
    marked = _data([{"second": onset.at_seconds, "label": label}]).encode(x=_X)
    beyond = onset.at_seconds < scales.end_seconds / 3  # there is no room for words before it
    words = marked.mark_text(
        align="left" if beyond else "right", dx=6 if beyond else -6, baseline="top", fontWeight=600
    )
    return [
        marked.mark_rule(strokeDash=[3, 3], strokeWidth=1),
        words.encode(y=alt.value(2), text="label:N"),
    ]


def _activities(record: RunRecord, end_seconds: float) -> list[alt.Chart]:
    """Mark each decision with a band until its instances served, a rule and its counts."""
    marked = _data(
        [
            {
                "second": activity.at_seconds,
                "until": min(end_seconds, activity.in_service_at_seconds or end_seconds),
                "label": f"{activity.from_count} → {activity.to_count}",
                "cause": activity.cause,
                "early": activity.at_seconds < 0.8 * end_seconds,
            }
            for activity in (record.fleet.activities if record.fleet else ())
            if 0 <= activity.at_seconds <= end_seconds
        ]
    ).encode(x=_X)
    told = [alt.Tooltip("label:N", title="instances"), alt.Tooltip("cause:N")]
    sides: dict[str, tuple[Literal["left", "right"], int]] = {
        "datum.early": ("left", 6),
        "!datum.early": ("right", -6),
    }
    words = [
        marked.transform_filter(where).mark_text(
            align=align, dx=shift, baseline="middle", fontWeight=600
        )
        for where, (align, shift) in sides.items()
    ]
    return [
        marked.mark_rect(color=STYLES["desired"].colour, opacity=0.13).encode(x2="until:Q"),
        marked.mark_rule(strokeWidth=2).encode(tooltip=told),
        *(text.encode(y=alt.value(46), text="label:N", tooltip=told) for text in words),
    ]


def _absent(title: str, why: str) -> Panel:
    said = _data([{"why": why}]).mark_text(fontStyle="italic", align="left")
    return Panel(title=title, height=48, layers=[said.encode(x=alt.value(12), text="why:N")])


def _data(values: list[dict[str, Any]]) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=values))


def _folded(chart: alt.Chart, names: Sequence[str]) -> alt.Chart:
    return chart.transform_fold([*names], as_=["series", "value"])


def _y(
    field: str,
    title: str,
    scale: alt.Scale,
    *,
    ticks: int = 5,
    values: Sequence[float] | None = None,
) -> alt.Y:
    axis = alt.Axis(title=title, tickCount=ticks, format=",~r", tickMinStep=1)
    if values is not None:
        axis = alt.Axis(title=title, values=list(values), format=",~r")
    return alt.Y(f"{field}:Q", scale=scale, axis=axis, stack=None)


def _told_apart(names: Sequence[str]) -> dict[str, Any]:
    """Return colour, dash and width of each series, with one legend for all three."""
    styles = [STYLES[name] for name in names]

    def by_name(values: list[Any]) -> alt.Scale:
        # Vega-Lite would take a list of widths for the ends of a ramp, were the type not said.
        return alt.Scale(type="ordinal", domain=list(names), range=values)

    return {
        "color": alt.Color("series:O", scale=by_name([style.colour for style in styles])),
        "strokeDash": alt.StrokeDash(
            "series:O", scale=by_name([[*style.dash] for style in styles])
        ),
        "strokeWidth": alt.StrokeWidth(
            "series:O", scale=by_name([style.width for style in styles])
        ),
    }
