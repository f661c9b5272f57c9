"""
The report's words and tables as Markdown, for a terminal, a pull request or a log.
"""

import re
from collections.abc import Sequence

from .sections import Section

__all__ = ["render_markdown", "render_sections"]

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~#])")


def render_markdown(
    title: str, notes: Section, sections: Sequence[Section], *, picture: str, description: str
) -> str:
    """
    Return the summary as Markdown.

    Args:
        title: The heading.
        notes: What a reader must know, quoted first.
        sections: What follows.
        picture: The file name of the charts' picture beside it.
        description: What the picture shows.
    """
    parts = [f"# {_escaped(title)}"]
    if notes.lines:
        parts.append("\n>\n".join(f"> **Note:** {_escaped(line)}" for line in notes.lines))
    parts.append(f"![{_escaped(description)}]({picture})")
    parts.extend(_section(section) for section in sections)
    return "\n\n".join(parts) + "\n"


def render_sections(sections: Sequence[Section]) -> str:
    """Return sections alone as Markdown, for a comment or a job's summary."""
    return "\n\n".join(_section(section) for section in sections) + "\n"


def _section(section: Section) -> str:
    parts = [f"## {_escaped(section.title)}", *(_escaped(line) for line in section.lines)]
    if section.columns:
        ruler = ["---"] * len(section.columns)
        parts.append(
            "\n".join(
                (
                    _row([_escaped(name) for name in section.columns]),
                    _row(ruler),
                    *(_row([_escaped(cell) for cell in row]) for row in section.rows),
                )
            )
        )
    return "\n\n".join(parts)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    """Return ``text`` on one line, with nothing in it that Markdown would read as markup."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
