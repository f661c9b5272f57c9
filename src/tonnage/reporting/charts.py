"""
One chart an experiment: requests, users, instances and latency over one shared time axis.
"""

from typing import Any, Final, TypeVar

import altair as alt
import numpy as np

from tonnage.domain import RunRecord

from .panels import Panel, instances_panel, latency_panel, requests_panel, users_panel
from .scales import Scales
from .series import Timeline

__all__ = ["POINTED", "Row", "experiment_chart", "independent", "rows"]

POINTED: Final = "pointed"
"""The parameter that holds the second under the pointer (``cursor`` is a name of Vega's own)."""

Row = dict[str, Any]
ConcatT = TypeVar("ConcatT", alt.VConcatChart, alt.ConcatChart)

_TOOLTIP: Final = (
    alt.Tooltip("start:Q", title="second", format=",~r"),
    alt.Tooltip("offered:Q", title="offered per s", format=",.4~r"),
    alt.Tooltip("succeeded:Q", title="succeeded per s", format=",.4~r"),
    alt.Tooltip("failed:Q", title="failed per s", format=",.4~r"),
    alt.Tooltip("users:Q", format=",d"),
    alt.Tooltip("desired:Q", title="instances desired", format="d"),
    alt.Tooltip("in service:Q", title="instances in service", format="d"),
    alt.Tooltip("p50:Q", title="p50, ms", format=",.3~r"),
    alt.Tooltip("p95:Q", title="p95, ms", format=",.3~r"),
    alt.Tooltip("p99:Q", title="p99, ms", format=",.3~r"),
)


def experiment_chart(
    record: RunRecord, line: Timeline, scales: Scales, *, width: int
) -> alt.VConcatChart:
    """
    Return the four panels of one record, their ranges taken from ``scales``.

    The chart reads the parameter ``POINTED``; whoever makes a specification of it adds that.
    """
    *upper, lowest = (
        requests_panel(record, line, scales),
        users_panel(line, scales),
        instances_panel(record, scales),
        latency_panel(line, scales),
    )
    layered = [
        *(_layered(panel, scales, None, width) for panel in upper),
        _layered(lowest, scales, _axis_title(record, line), width),
    ]
    return independent(alt.VConcatChart(data=alt.InlineData(values=rows(line)), vconcat=layered))


def independent(chart: ConcatT) -> ConcatT:
    """Return a chart whose parts keep their own series, and so their own legends."""
    own: ConcatT = chart.resolve_scale(
        color="independent", strokeDash="independent", strokeWidth="independent"
    )
    return own


def rows(line: Timeline) -> list[Row]:
    """Return a timeline as rows of plain values, rounded to what a chart or a table can show."""
    columns = {
        "second": line.middles_seconds,
        "start": line.starts_seconds,
        "end": line.starts_seconds + line.window_seconds,
        "offered": line.sent_per_second,
        "succeeded": line.succeeded_per_second,
        "failed": line.failed_per_second,
        "users": line.users,
        "desired": line.desired,
        "in service": line.in_service,
        **{name: values * 1000 for name, values in line.latency_seconds.items()},
    }
    table = np.column_stack(list(columns.values())).round(3).tolist()
    return [
        {name: _plain(value) for name, value in zip(columns, values, strict=True)}
        for values in table
    ]


def _layered(panel: Panel, scales: Scales, axis: str | None, width: int) -> alt.LayerChart:
    return alt.LayerChart(
        layer=[*panel.layers, _cursor(scales, axis), *panel.above],
        title=panel.title,
        width=width,
        height=panel.height,
    )


def _cursor(scales: Scales, axis: str | None) -> alt.Chart:
    """Mark the second under the pointer, and say all that is known of it."""
    x = alt.X(
        "start:Q",
        scale=alt.Scale(domain=[0, scales.end_seconds], nice=False),
        axis=alt.Axis(title=axis, labels=axis is not None, tickCount=9),
    )
    shade = alt.condition(f"datum.second === {POINTED}", alt.value(0.25), alt.value(0))
    band = alt.Chart().mark_rect(color="#808890", strokeWidth=0)
    cursor: alt.Chart = band.encode(x=x, x2="end:Q", opacity=shade, tooltip=list(_TOOLTIP))
    return cursor


def _axis_title(record: RunRecord, line: Timeline) -> str:
    scale = record.fleet.time_scale if record.fleet else 1
    said = [f"1 s here is {scale:g} s of AWS time"] if scale != 1 else []
    if line.window_seconds != 1:
        said.append(f"each point is {line.window_seconds:g} s")
    return "seconds since the load began" + (f" ({'; '.join(said)})" if said else "")


def _plain(value: float) -> float | int | None:
    if not np.isfinite(value):
        return None
    return int(value) if value.is_integer() else value
