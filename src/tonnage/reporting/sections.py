"""
What a report says in words and tables, as plain data: the page and the Markdown print the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Section"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """
    A heading with lines, a table, or both; plain text, which the renderers escape.

    Attributes:
        title: The heading.
        lines: One paragraph or list item each.
        columns: The table's column headings; none means no table.
        rows: The table's rows, one cell a column; the first cell names the row.
    """

    title: str
    lines: Sequence[str] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
