"""
Writes ``docs/reference/cli.md``: what ``tonnage VERB --help`` says, for each verb, all its options.

``make docs`` runs it, and a test compares it with the file.
"""

from collections.abc import Iterator
from pathlib import Path

import click
from click.testing import CliRunner

from tonnage.cli import cli
from tonnage.cli._help import ALL, LongVerb

__all__ = ["PAGE", "cli_reference"]

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "cli.md"
_WIDTH = 88


def cli_reference() -> str:
    """Return the page."""
    parts = [
        "# The command line",
        "",
        "Data goes to stdout (`--json` makes it one JSON object), words and progress to stderr.",
        "Durations read `90s` or `5m`, rates `600/s`, sizes `6MiB`.",
        "`NO_COLOR` is respected.",
        "Where a verb has many options, `--help` lists the common ones, `--help-all` all of them.",
        "",
        "```text",
        _help(),
        "```",
    ]
    for path in _verbs(cli, ()):
        parts += ["", f"## `tonnage {' '.join(path)}`", "", "```text", _help(*path), "```"]
    return "\n".join(parts) + "\n"


def _verbs(group: click.Group, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*above, name)
        if isinstance(command, click.Group):
            yield from _verbs(command, (*above, name))


def _help(*path: str) -> str:
    shown = CliRunner().invoke(
        cli,
        [*path, _flag(path)],
        prog_name="tonnage",
        terminal_width=_WIDTH,
        catch_exceptions=False,
    )
    return shown.output.strip()


def _flag(path: tuple[str, ...]) -> str:
    command = cli.get_command(click.Context(cli), path[0]) if len(path) == 1 else None
    return ALL if isinstance(command, LongVerb) else "--help"


if __name__ == "__main__":
    PAGE.write_text(cli_reference(), encoding="utf-8")
