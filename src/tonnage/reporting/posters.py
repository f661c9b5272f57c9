"""
A chart as a picture of its own: with the title and the notes that must go with it.
"""

import textwrap
from collections.abc import Sequence
from typing import Any

from .theme import PRINT

__all__ = ["poster"]


def poster(
    specification: dict[str, Any],
    *,
    title: str,
    notes: Sequence[str],
    title_columns: int = 70,
    note_columns: int = 100,
    size: int = 16,
) -> dict[str, Any]:
    """
    Return a chart's specification with a heading, on paper of its own.

    Args:
        specification: The chart, without title and theme.
        title: The heading.
        notes: What a reader must know, each on lines of its own.
        title_columns: How many characters of the title fit on a line.
        note_columns: The same of the notes.
        size: Of the title's letters.
    """
    heading = {
        "text": textwrap.wrap(title, title_columns) or "",
        "fontSize": size,
        "offset": 14,
        "subtitle": [line for note in notes for line in textwrap.wrap(note, note_columns)],
        "subtitleFontSize": 12,
        "subtitlePadding": 5,
    }
    return specification | {"title": heading, "padding": 16, "config": PRINT}
