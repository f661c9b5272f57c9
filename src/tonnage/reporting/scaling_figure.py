"""
Load lines against the number of workers as a picture, with the law that was fitted to them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import altair as alt

from .figures import drawing, picture
from .posters import poster
from .theme import STYLES

__all__ = ["ScalingCurve", "scaling_figure", "scaling_picture"]

_WIDTH: Final = 560
_HEIGHT: Final = 330
_MEASURED: Final = STYLES["in service"].colour
_LAW: Final = STYLES["p50"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ScalingCurve:
    """
    Load lines and a law, as plain data.

    Attributes:
        title: What was measured.
        points: ``(count, line, low, high)``, rates per second.
        law: ``(count, line)`` as the law has it.
        notes: What a reader must know.
    """

    title: str
    points: Sequence[tuple[int, float, float, float]]
    law: Sequence[tuple[int, float]]
    notes: Sequence[str] = ()


def scaling_figure(curve: ScalingCurve) -> dict[str, Any]:
    """Return the picture as a Vega-Lite specification."""
    measured = alt.Chart(
        alt.InlineData(
            values=[
                {"count": count, "line": line, "low": low, "high": high}
                for count, line, low, high in curve.points
            ]
        )
    )
    law = alt.Chart(
        alt.InlineData(values=[{"count": count, "line": line} for count, line in curve.law])
    )
    top = 1.1 * max([high for *_, high in curve.points] + [line for _, line in curve.law])
    x = alt.X("count:Q", axis=alt.Axis(title="workers", tickMinStep=1, format="d"))
    y = alt.Y(
        "line:Q",
        scale=alt.Scale(domain=[0, top], nice=False),
        axis=alt.Axis(title="load line, requests per second"),
    )
    layers = [
        law.mark_line(color=_LAW.colour, strokeWidth=_LAW.width, strokeDash=[6, 4]).encode(
            x=x, y=y
        ),
        measured.mark_rule(color=_MEASURED, strokeWidth=3).encode(
            x=x, y=alt.Y("low:Q"), y2="high:Q"
        ),
        measured.mark_point(filled=True, size=70, color=_MEASURED, opacity=1).encode(x=x, y=y),
    ]
    specification = alt.LayerChart(layer=layers, width=_WIDTH, height=_HEIGHT).to_dict()
    del specification["config"]
    return poster(specification, title=curve.title, notes=curve.notes, note_columns=95)


def scaling_picture(curve: ScalingCurve, *, scale: float = 2.0) -> bytes:
    """Return the picture as PNG."""
    return picture(drawing(scaling_figure(curve)), scale=scale)
