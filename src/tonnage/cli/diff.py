"""``tonnage diff``."""

from pathlib import Path

import click

from tonnage.deployment import diff
from tonnage.planning import read_prices

from ._convert_deployment import deployment_limits, deployment_options
from ._options import settings_options, with_settings

__all__ = ["command"]


@click.command("diff", epilog="Example: tonnage diff --against cdk.out.old")
@settings_options
@click.option(
    "--against",
    type=click.Path(path_type=Path, file_okay=False),
    help="Compare with an earlier `tonnage synth -o`, without an account.  [default: with AWS]",
)
def command(*, config: Path | None, overrides: tuple[str, ...], against: Path | None) -> None:
    """
    Say what `tonnage deploy` would change; nothing is changed.

    It needs Node.js with npm and, to compare with what is deployed, AWS credentials.
    """
    settings = with_settings(config, overrides)
    diff(
        deployment_options(settings),
        book=read_prices(None),
        limits=deployment_limits(settings),
        against=against,
        on_line=click.echo,
    )
