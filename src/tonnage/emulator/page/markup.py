"""
What every part of the page is written with: tables, numbers and times, all text escaped.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Final

from tonnage.emulator._wall import WallTime

__all__ = ["DASH", "number", "raw_table", "table", "when", "with_unit"]

DASH: Final = "\N{EN DASH}"
"""What stands where there is nothing to tell."""


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of text."""
    return raw_table(heading, ([escape(cell) for cell in row] for row in rows))


def raw_table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose cells are HTML already."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heading)
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>{"".join(f"<td>{cell}</td>" for cell in row[1:])}</tr>'
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def number(value: float | None) -> str:
    """Return a number with four digits at least."""
    if value is None:
        return DASH
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.4g}"  # noqa: PLR2004 (digits)


def with_unit(name: str, unit: str) -> str:
    """Return a name with what it is measured in, if that is known."""
    return f"{name}, {unit}" if unit else name


def when(seconds: float, wall: WallTime) -> str:
    """Return the time of day at a moment of the emulator's clock, as HTML."""
    moment = datetime.fromtimestamp(wall.epoch_of(seconds), UTC)
    return f'<time datetime="{moment:%Y-%m-%dT%H:%M:%SZ}">{moment:%H:%M:%S}&nbsp;UTC</time>'
