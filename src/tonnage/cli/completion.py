"""``tonnage completion``."""

import os
from pathlib import PurePath

import click
from click.shell_completion import get_completion_class

__all__ = ["command"]

_SHELLS = ("bash", "zsh", "fish")


@click.command(
    "completion",
    # click keeps the first way of asking for help: also when this is run without the group.
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: tonnage completion bash >> ~/.bashrc",
)
@click.argument("shell", type=click.Choice(_SHELLS), required=False)
def command(*, shell: str | None) -> None:
    """Print the script that completes verbs and flags in your shell."""
    name = shell or PurePath(os.environ.get("SHELL", "")).name
    kind = get_completion_class(name) if name in _SHELLS else None
    if kind is None:
        raise click.UsageError(f"which shell? {', '.join(_SHELLS)}: tonnage completion bash")
    from . import cli

    click.echo(kind(cli, {}, "tonnage", "_TONNAGE_COMPLETE").source())
