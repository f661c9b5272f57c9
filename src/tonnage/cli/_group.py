"""
The command ``tonnage``: its verbs in the order of the story, each imported when it is called.
"""

import importlib

import click

from tonnage import __version__

from . import _VERBS

__all__ = ["cli"]


class _Verbs(click.Group):
    """The verbs, in the order of the story."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (click's signature)
        if cmd_name not in _VERBS:
            return None
        command: click.Command = importlib.import_module(f".{cmd_name}", __package__).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 (click's signature)
        with formatter.section("Verbs"):
            formatter.write_dl(list(_VERBS.items()))


@click.group(
    cls=_Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 fault, 2 misuse, 3 objective missed, 4 measurement invalid,"
    " 5 target unreachable, 130 interrupted.",
)
@click.version_option(__version__, prog_name="tonnage", message="%(prog)s %(version)s")
def cli() -> None:
    """Know the load your model carries."""
