"""
Plans and prices as tables that people read in a terminal.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

from .money import per_cent
from .options import Option
from .plans import Plan
from .prices import Confidence, Price, PriceBook

__all__ = ["MARKS", "plan_rows", "plan_table", "prices_table"]

_SHOWN: Final = 14
_COLUMNS: Final = (
    *("$/month", "instances", "serverless", "front", "data"),
    *("failed", "inst.-hours", "what runs", "target", "front is", "note"),
)
_NAMED: Final = {"AWS's recipe", "as it is set", "scheduled", "steps", "10 s metric"}
_TEXT: Final = {"what runs", "front is", "note"}
MARKS: Final = (
    "* it rests on what nobody has measured or confirmed: not chosen whatever it costs.",
    "? a price is not confirmed.",
)
"""What the marks in a table mean."""


def plan_rows(plan: Plan, *, shown: int = _SHOWN) -> list[list[str]]:
    """Return the candidates as cells, the headings first."""
    return [[*_COLUMNS], *(_row(option) for option in _worth_showing(plan, shown))]


def plan_table(plan: Plan) -> str:
    """Return a plan as text: the candidates, the cheapest first, and why."""
    rows = plan_rows(plan)
    parts = [_aligned(rows)]
    left = len(plan.candidates) - (len(rows) - 1)
    if left > 0:
        parts[0] += f"\n… and {left} more: --json has all of them"
    if any(option.is_assumed for option in plan.candidates):
        parts.append("\n".join(MARKS))
    if plan.why:
        parts.append("\n".join(["Why", *(f"  {sentence}" for sentence in plan.why)]))
    if plan.refused:
        parts.append("\n".join(["Refused", *(f"  {reason}" for reason in plan.refused)]))
    return "\n\n".join(parts)


def prices_table(book: PriceBook, today: date) -> str:
    """Return a price book as text."""
    rows = [["dollars", "per", "name", "date", "region", "confidence", "source"]]
    rows += [_price_row(price, today) for price in book.figures.values()]
    return _aligned(rows, text=set(rows[0]) - {"dollars"})


def _worth_showing(plan: Plan, shown: int) -> list[Option]:
    """Return the first of all, and what people compare with even where it is far down."""
    first = list(plan.candidates[:shown])
    named = [option for option in plan.candidates[shown:] if option.what in _NAMED]
    return [*first[: max(1, shown - len(named))], *named]


def _row(option: Option) -> list[str]:
    split = option.cost.split()
    unsure = any(price.confidence is not Confidence.CONFIRMED for price in option.cost.prices)
    marks = ("*" if option.is_assumed else "") + ("?" if unsure else "")
    said = [option.what] if option.what in _NAMED else []
    if not option.meets:
        said.append("misses the objective")
    elif not option.keeps_margin:
        said.append("without margin")
    scales = option.policy is not None and option.policy.scales
    return [
        f"{option.cost.cents:,.2f}",
        *(f"{split[part]:,.2f}" for part in ("instances", "serverless", "front", "data")),
        per_cent(option.failed_fraction),
        f"{option.instance_hours:,.2f}",
        f"{option.name}{marks and ' ' + marks}",
        f"{option.policy.target_value:,.6g}" if scales and option.policy else "-",
        str(option.front),
        ", ".join(said),
    ]


def _price_row(price: Price, today: date) -> list[str]:
    tiers = " / ".join(f"{tier.usd:f}" for tier in price.tiers)
    old = " (older than a year)" if price.is_older_than_a_year(today) else ""
    return [
        tiers,
        price.per,
        price.name,
        f"{price.seen.isoformat()}{old}",
        price.region,
        str(price.confidence),
        price.source,
    ]


def _aligned(rows: Sequence[Sequence[str]], text: set[str] | None = None) -> str:
    left = _TEXT if text is None else text
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.ljust(width) if name in left else cell.rjust(width)
            for cell, width, name in zip(row, widths, rows[0], strict=True)
        ).rstrip()
        for row in rows
    ]
    return "\n".join(lines)
