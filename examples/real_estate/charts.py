"""
The two figures: the sales with the fitted line, and what the line misses.

Both show the distance on a logarithmic scale, on which the line is straight.
"""

import altair as alt
import numpy as np
import pandas as pd

__all__ = ["price_chart", "residual_chart"]

POINTS = "#4c78a8"
ACCENT = "#c8452f"
LABEL = "#555555"
WIDTH, HEIGHT = 640, 400
METRES = [20, 50, 100, 200, 500, 1000, 2000, 5000]


def price_chart(sales: pd.DataFrame, intercept: float, slope: float) -> alt.LayerChart:
    """Draw the unit price by log-distance, and the line through it."""
    ends = pd.DataFrame({"mrt_distance": sales["mrt_distance"].agg(["min", "max"])})
    ends["unit_price"] = intercept + slope * np.log(ends["mrt_distance"])
    price = alt.Y("unit_price:Q", title="Unit price (10,000 New Taiwan Dollars per ping)")
    line = alt.Chart(ends).mark_line(color=ACCENT, strokeWidth=2.5).encode(_distance(), price)
    law = f"{intercept:.2f} {'−' if slope < 0 else '+'} {abs(slope):.2f} × ln(distance in m)"  # noqa: RUF001 (a minus sign)
    return _framed(
        _points(sales, price, "unit_price") + line,
        title="Unit price by distance to the nearest station",
        subtitle=f"{len(sales)} sales (points) and the least-squares line {law}",
    )


def residual_chart(sales: pd.DataFrame) -> alt.LayerChart:
    """
    Draw what the line misses by, with mean and spread along the distance.

    Args:
        sales: With the columns ``mrt_distance``, ``residual`` and ``band``.
    """
    residual = alt.Y("residual:Q", title="Sold for − line (10,000 New Taiwan Dollars per ping)")  # noqa: RUF001 (a minus sign)
    zero = alt.Chart(pd.DataFrame({"residual": [0]})).mark_rule(color=LABEL).encode(residual)
    spread = alt.Chart(_bands(sales)).encode(_distance("start"), alt.X2("end"))
    box = spread.mark_rect(color=ACCENT, opacity=0.18).encode(alt.Y("low:Q"), alt.Y2("high"))
    mean = spread.mark_rule(color=ACCENT, strokeWidth=2.5).encode(alt.Y("mean:Q"))
    return _framed(
        box + zero + _points(sales, residual, "residual") + mean + _largest(sales, residual),
        title="What the line misses, by distance to the nearest station",
        subtitle="Residual of each sale (points); in red, mean ± standard deviation of a band",
    )


def _bands(sales: pd.DataFrame) -> pd.DataFrame:
    bands = sales.groupby("band", observed=True).agg(
        start=("mrt_distance", "min"),
        end=("mrt_distance", "max"),
        mean=("residual", "mean"),
        spread=("residual", "std"),
    )
    return bands.assign(low=bands["mean"] - bands["spread"], high=bands["mean"] + bands["spread"])


def _largest(sales: pd.DataFrame, residual: alt.Y) -> alt.Chart:
    worst = sales.loc[[sales["residual"].abs().idxmax()], ["mrt_distance", "residual"]]
    text = f"largest: {worst['residual'].iloc[0]:+.1f}"
    label = alt.Chart(worst).mark_text(align="left", dx=8, color=LABEL, fontSize=12, text=text)
    chart: alt.Chart = label.encode(_distance(), residual)
    return chart


def _points(sales: pd.DataFrame, y: alt.Y, column: str) -> alt.Chart:
    points = alt.Chart(sales[["mrt_distance", column]])
    chart: alt.Chart = points.mark_circle(color=POINTS, size=34, opacity=0.55).encode(
        _distance(), y
    )
    return chart


def _distance(column: str = "mrt_distance") -> alt.X:
    return alt.X(
        f"{column}:Q",
        title="Distance to the nearest MRT station (m, logarithmic scale)",
        scale=alt.Scale(type="log", nice=False, padding=16),
        axis=alt.Axis(values=METRES, format=",~r", labelFlush=False),
    )


def _framed(chart: alt.LayerChart, *, title: str, subtitle: str) -> alt.LayerChart:
    heading = alt.TitleParams(
        title, subtitle=subtitle, anchor="start", fontSize=17, subtitleFontSize=13, offset=14
    )
    framed: alt.LayerChart = (
        chart.properties(title=heading, width=WIDTH, height=HEIGHT, padding=16)
        .configure_axis(labelFontSize=12, titleFontSize=13, gridColor="#e6e6e6", titlePadding=10)
        .configure_view(stroke=None)
    )
    return framed
