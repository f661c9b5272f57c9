"""
How results show themselves in a notebook: small tables, every text escaped.
"""

import html
from collections.abc import Mapping, Sequence

__all__ = ["html_table"]


def html_table(title: str, rows: Mapping[str, str], notes: Sequence[str] = ()) -> str:
    """Return a heading, a table of names and values, and what must be known of them, as HTML."""
    body = "".join(
        f'<tr><th style="text-align:left">{html.escape(name)}</th>'
        f'<td style="text-align:left">{html.escape(value)}</td></tr>'
        for name, value in rows.items()
    )
    said = "".join(f"<p>{html.escape(note)}</p>" for note in notes)
    return f"<p><b>{html.escape(title)}</b></p><table><tbody>{body}</tbody></table>{said}"
