"""
Cost against failed requests: every policy tried, and the frontier below them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import altair as alt
import numpy as np

from tonnage.reporting.charts import Row, independent

from ._failures import (
    CAPACITY,
    CHOSEN,
    FAILED,
    INK,
    LEAST_FAILED,
    WIDTH,
    failed_axis,
    objective_rule,
)

__all__ = ["CostPoint", "frontier_chart"]


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


def frontier_chart(
    points: Sequence[CostPoint], max_failed_fraction: float, *, width: int = WIDTH
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
    y = failed_axis("failed", "requests failed", max(float(row["failed"]) for row in rows))
    tip = [
        alt.Tooltip("what:N", title="policy"),
        alt.Tooltip("cost:Q", title="dollars a month", format="$,.2f"),
        alt.Tooltip("fraction:Q", title="failed", format=".4%"),
    ]
    everything = alt.Chart(alt.InlineData(values=rows)).encode(x=x, y=y, tooltip=tip)
    tried = everything.transform_filter("datum.kind === 'tried'").mark_circle(size=26)
    colour = alt.condition(
        f"datum.fraction < {max_failed_fraction}",
        alt.value(CAPACITY.colour),
        alt.value(FAILED.colour),
    )
    edge = alt.Chart(alt.InlineData(values=_frontier(rows))).encode(x=x, y=y)
    layers = [
        *objective_rule(max_failed_fraction, y, right=True),
        tried.encode(color=colour, opacity=alt.value(0.32)),
        edge.mark_line(color=INK, strokeWidth=1.6, interpolate="step-after"),
        *_named(everything, "compared", INK, "square"),
        *_named(everything, "chosen", CHOSEN, "diamond"),
    ]
    panel = alt.LayerChart(
        layer=layers,
        title="Each point is a policy; on the line, nothing cheaper fails less",
        width=width,
        height=330,
    )
    return independent(alt.VConcatChart(vconcat=[panel]))


def _point_row(point: CostPoint) -> Row:
    return {
        "cost": round(point.cost_usd_month, 4),
        "failed": max(LEAST_FAILED, point.failed_fraction),
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
