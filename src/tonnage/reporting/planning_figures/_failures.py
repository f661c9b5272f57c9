"""
What the pictures of a plan share: colours, and the axis of failed requests.
"""

from typing import Final

import altair as alt
import numpy as np

from tonnage.reporting.theme import Style

__all__ = [
    "CAPACITY",
    "CHOSEN",
    "FAILED",
    "INK",
    "LEAST_FAILED",
    "OFFERED",
    "WIDTH",
    "failed_axis",
    "objective_rule",
]

WIDTH: Final = 640
LEAST_FAILED: Final = 1e-6
"""Where fractions below it, zero included, are drawn: a logarithm has no zero."""

INK: Final = "#78828e"
OFFERED: Final = Style("#4a9be0", 2.4)
CAPACITY: Final = Style("#2a9d7f", 1.8, (6, 3))
FAILED: Final = Style("#d9541e", 2.0, (2, 3.5))
CHOSEN: Final = "#8a63c9"


def failed_axis(field: str, title: str, most: float) -> alt.Y:
    """Return the logarithmic axis of a failed fraction, up to the decade of the most."""
    top = 10 ** np.ceil(np.log10(max(most, 1e-3)))
    ticks = [LEAST_FAILED, *(tick for tick in (1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0) if tick <= top)]
    return alt.Y(
        f"{field}:Q",
        scale=alt.Scale(type="log", domain=[LEAST_FAILED, float(top)], nice=False, clamp=True),
        axis=alt.Axis(
            title=title,
            values=ticks,
            labelExpr=f"datum.value <= {LEAST_FAILED} ? 'none' : format(datum.value, '~%')",
        ),
    )


def objective_rule(max_failed_fraction: float, y: alt.Y, *, right: bool = False) -> list[alt.Chart]:
    """Return a rule at what the objective allows, with its words at one end."""
    shown = max(LEAST_FAILED, max_failed_fraction)
    text = f"the objective: below {max_failed_fraction * 100:.3g} %"
    rule = alt.Chart(alt.InlineData(values=[{"failed": shown, "text": text}])).encode(y=y)
    return [
        rule.mark_rule(strokeDash=[3, 3], strokeWidth=1.2, color=FAILED.colour),
        rule.mark_text(
            align="right" if right else "left",
            dx=-5 if right else 5,
            dy=-8,
            fontStyle="italic",
            color=FAILED.colour,
        ).encode(x=alt.value("width" if right else 0), text="text:N"),
    ]
