"""``tonnage destroy``."""

from pathlib import Path

import click

from tonnage.deployment import Leftover, destroy
from tonnage.domain import ConfigurationError
from tonnage.planning import read_prices

from ._convert_deployment import deployment_limits, deployment_options
from ._options import emit_json, json_option, settings_options, with_settings

__all__ = ["command"]


@click.command("destroy", epilog="Example: tonnage destroy --yes")
@settings_options
@click.option("--yes", is_flag=True, help="Do it: the endpoint and its logs are gone.")
@json_option
def command(*, config: Path | None, overrides: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Delete what `tonnage deploy` made, and list what could still bill."""
    settings = with_settings(config, overrides)
    if not yes:
        raise ConfigurationError(
            f"nothing was deleted: this deletes the endpoint {settings.service.name}, its front"
            " and their logs",
            hint="to go ahead: tonnage destroy --yes",
        )
    left = destroy(
        deployment_options(settings),
        book=read_prices(None),
        limits=deployment_limits(settings),
        on_line=lambda line: click.echo(line, err=True),
    )
    if as_json:
        emit_json({"leftovers": [_plain(each) for each in left]})
        return
    if not left:
        click.echo("nothing is left that bills")
    for each in left:
        click.echo(f"{each.what} {each.name}: {each.why}")
        if each.command:
            click.echo(f"  {each.command}")


def _plain(each: Leftover) -> dict[str, str]:
    return {"what": each.what, "name": each.name, "why": each.why, "command": each.command}
