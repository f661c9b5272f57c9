"""
Progress of a load test: one line, rewritten on a terminal, one every ten seconds elsewhere.
"""

import sys
from dataclasses import dataclass
from typing import Final

import click

from tonnage.loadtest import LoadProgress

__all__ = ["ProgressLine"]

_SECONDS_BETWEEN_LINES: Final = 10.0
_CLEAR: Final = "\r\x1b[2K"


@dataclass(slots=True)
class ProgressLine:
    """
    Shows how a load test goes, on stderr.

    Attributes:
        label: What stands before it.
        total_seconds: How long the test lasts, for the share that is done.
    """

    label: str = ""
    total_seconds: float = 0.0
    _next_at_seconds: float = 0.0

    def update(self, progress: LoadProgress) -> None:
        """Show one second's progress."""
        done = min(1.0, progress.elapsed_seconds / self.total_seconds) if self.total_seconds else 0
        line = f"{self.label}{done:4.0%}  {progress}"
        if sys.stderr.isatty():
            click.echo(f"{_CLEAR}{line}", err=True, nl=False, color=True)  # erasing is no colour
        elif progress.elapsed_seconds >= self._next_at_seconds:
            self._next_at_seconds = progress.elapsed_seconds + _SECONDS_BETWEEN_LINES
            click.echo(line, err=True)

    def end(self) -> None:
        """Leave the line."""
        if sys.stderr.isatty():
            click.echo(_CLEAR, err=True, nl=False, color=True)
