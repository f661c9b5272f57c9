"""
How charts look, on light and on dark paper.

Hues are told apart by people who see few colours, carry on both papers, and never stand alone: each
series has a dash or a mark of its own as well.
"""

from dataclasses import dataclass
from typing import Any, Final

__all__ = ["DARK", "LIGHT", "MARGIN", "PRINT", "STYLES", "Style"]

MARGIN: Final = 88
"""Pixels beside a panel: its axis with labels and title, and the padding around the chart."""


@dataclass(frozen=True, slots=True)
class Style:
    """
    How one series is drawn.

    Attributes:
        colour: Its hue, of middling lightness.
        width: In pixels.
        dash: Pixels drawn and pixels left out, in turn.
    """

    colour: str
    width: float = 2.0
    dash: tuple[float, float] = (1, 0)


STYLES: Final = {
    "offered": Style("#78828e", 1.6, (5, 5)),
    "succeeded": Style("#4a9be0", 3.6),
    "failed": Style("#d9541e", 2.2, (2, 4.5)),
    "emulated cap": Style("#a07a1c", 1.3, (12, 3)),
    "users": Style("#5c7fa3"),
    "desired": Style("#a07a1c", 2.0, (6, 4)),
    "in service": Style("#2a9d7f", 2.6),
    "p50": Style("#4a9be0"),
    "p95": Style("#8a63c9", 2.0, (6, 4)),
    "p99": Style("#c2478f", 2.2, (2, 4.5)),
}
"""Series → how it is drawn."""

_FONT: Final = (
    "-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif"
)

_SHARED: Final[dict[str, Any]] = {
    "font": _FONT,
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "gridDash": [2, 3],
        "tickSize": 4,
    },
    "axisY": {"minExtent": 40, "maxExtent": 40, "domain": False, "ticks": False},
    "legend": {
        "orient": "top",
        "symbolType": "stroke",
        "title": None,
        "labelFontSize": 12,
        "symbolSize": 500,
        "symbolStrokeWidth": 2.2,
        "offset": 2,
        "padding": 0,
        "columnPadding": 14,
    },
    "title": {"anchor": "start", "fontSize": 13, "fontWeight": 600, "offset": 4},
    "concat": {"spacing": 12},
    "text": {"fontSize": 12},
}


def _theme(*, ink: str, soft: str, grid: str, paper: str | None) -> dict[str, Any]:
    axis = {"labelColor": soft, "titleColor": soft, "gridColor": grid}
    return _SHARED | {
        "background": paper,
        "axis": _SHARED["axis"] | axis | {"domainColor": soft, "tickColor": soft},
        "legend": _SHARED["legend"] | {"labelColor": ink},
        "title": _SHARED["title"] | {"color": ink, "subtitleColor": soft},
        "text": _SHARED["text"] | {"color": ink},
        "rule": {"color": ink},
    }


PRINT: Final = _theme(ink="#1b1f24", soft="#57606a", grid="#d8dee4", paper="#ffffff")
"""For pictures, which bring their own paper."""

LIGHT: Final = PRINT | {"background": None}
DARK: Final = _theme(ink="#e6e9ed", soft="#a3adb8", grid="#343a42", paper=None)
