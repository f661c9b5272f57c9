"""
One setting moved, everything else held: what it does to failures and to cost.
"""

from dataclasses import dataclass

import altair as alt
import numpy as np
from numpy.typing import NDArray

from tonnage.reporting.charts import Row, independent
from tonnage.reporting.theme import Style

from ._failures import CHOSEN, FAILED, LEAST_FAILED, OFFERED, WIDTH, failed_axis, objective_rule

__all__ = ["WhatIf", "what_if_chart"]

_Floats = NDArray[np.float64]


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


def what_if_chart(
    what_if: WhatIf, max_failed_fraction: float, *, width: int = WIDTH
) -> alt.VConcatChart:
    """Return what one setting does to failures and to cost, the plan's value marked."""
    rows: list[Row] = [
        {"value": value, "failed": max(LEAST_FAILED, failed), "fraction": failed, "cost": cost}
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
        rule = mark.mark_rule(color=CHOSEN, strokeWidth=2, strokeDash=[5, 3]).encode(x=x)
        text = mark.mark_text(
            align="left", dx=6, baseline="top", fontWeight=600, color=CHOSEN
        ).encode(x=x, y=alt.value(3), text=alt.value("the plan"))
        allowed = [] if below else objective_rule(max_failed_fraction, y)
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
            panel("Requests failed", failed_axis("failed", "failed", most), FAILED, 170, False),
            panel("Cost of the instances", cost, OFFERED, 130, True),
        ]
    )
    return independent(chart)
