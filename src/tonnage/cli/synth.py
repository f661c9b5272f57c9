"""``tonnage synth``."""

from pathlib import Path

import click

from tonnage.deployment import synthesise
from tonnage.planning import read_prices

from ._convert_deployment import deployment_limits, deployment_options
from ._options import emit_json, json_option, settings_options, with_settings

__all__ = ["command"]


@click.command(
    "synth",
    epilog="Examples: tonnage synth -o cdk.out;"
    " tonnage synth --config tonnage.plan.toml -o cdk.out",
)
@settings_options
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("cdk.out"),
    show_default=True,
    help="The cloud assembly's directory.",
)
@json_option
def command(
    *, config: Path | None, overrides: tuple[str, ...], output: Path, as_json: bool
) -> None:
    """
    Write the CloudFormation templates of a deployment, offline.

    What AWS would refuse is refused first. It needs Node.js, but no Docker, account or network.
    """
    settings = with_settings(config, overrides)
    made = synthesise(
        deployment_options(settings),
        output,
        book=read_prices(None),
        limits=deployment_limits(settings),
    )
    if as_json:
        emit_json(
            {
                "directory": str(made.directory),
                "stacks": list(made.stacks),
                "templates": {name: str(file) for name, file in made.templates.items()},
                "needs_bootstrap": made.needs_bootstrap,
            }
        )
        return
    for template in made.templates.values():
        click.echo(template)
