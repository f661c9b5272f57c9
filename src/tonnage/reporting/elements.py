"""
The pieces of which pages are made: sections, tables, notices, and what keeps scripts out.
"""

import base64
import hashlib
import html
import json
from collections.abc import Sequence
from importlib import resources

from .sections import Section

__all__ = ["asset", "folded", "notice", "policy", "script_json", "section", "table"]


def policy(*scripts: str) -> str:
    """Return a policy under which these scripts run, no other does, and nothing is fetched."""
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()) for script in scripts)
    allowed = " ".join(f"'sha256-{digest.decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def script_json(value: object) -> str:
    """Return JSON that cannot end the script element it stands in."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"), ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def notice(told: Section) -> str:
    """Return what a reader must know first, set apart."""
    return (
        f'<aside class="notice" aria-label="{html.escape(told.title)}">'
        f"<h2>{html.escape(told.title)}</h2>{_lines(told)}</aside>"
    )


def section(told: Section) -> str:
    """Return a section, open."""
    return f"<section><h2>{html.escape(told.title)}</h2>\n{_body(told)}</section>"


def folded(told: Section) -> str:
    """Return a section that a reader may unfold."""
    return f"<details><summary>{html.escape(told.title)}</summary>\n{_body(told)}</details>"


def _body(told: Section) -> str:
    return f"{_lines(told)}{table(told.columns, told.rows) if told.columns else ''}"


def _lines(told: Section) -> str:
    return "".join(f"<p>{html.escape(line)}</p>\n" for line in told.lines)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; the first cell of each row names it."""
    head = "".join(_head_cell(name) for name in columns)
    body = "\n".join(_row(row) for row in rows)
    return (
        '<div class="table"><table>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>\n"
    )


def _head_cell(name: str) -> str:
    # An empty heading names nothing: the corner of the table is a plain cell.
    return f'<th scope="col">{html.escape(name)}</th>' if name else "<td></td>"


def _row(cells: Sequence[str]) -> str:
    first, *others = (html.escape(cell) for cell in cells)
    told = "".join(f"<td>{cell}</td>" for cell in others)
    return f'<tr><th scope="row">{first}</th>{told}</tr>'


def asset(name: str) -> str:
    """Return a file that comes with this room."""
    return resources.files(__package__).joinpath("assets", name).read_text(encoding="utf-8")
