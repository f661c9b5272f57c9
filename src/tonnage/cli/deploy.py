"""``tonnage deploy``."""

from pathlib import Path
from typing import Literal

import click

from tonnage.deployment import Deployed, DeploymentCost, check_deployment, deploy, deployment_cost
from tonnage.domain import ConfigurationError
from tonnage.planning import Front, read_prices

from ._convert_deployment import deployment_limits, deployment_options, load_per_second
from ._options import RATE, emit_json, json_option, settings_options, with_settings

__all__ = ["command"]


@click.command("deploy", epilog="Examples: tonnage deploy --rate 200/s; tonnage deploy --yes")
@settings_options
@click.option("--yes", is_flag=True, help="Do it: from here on AWS bills.")
@click.option(
    "--rate",
    type=RATE,
    help="The steady load to price the front at, e.g. 1000/s.  [default: the settings']",
)
@click.option(
    "--method",
    type=click.Choice(["change-set", "direct"]),
    default="change-set",
    show_default=True,
    help="How CloudFormation is asked; direct is quicker.",
)
@click.option(
    "--prices",
    "prices_file",
    type=click.Path(path_type=Path),
    help="Prices that override the packaged ones.",
)
@json_option
def command(
    *,
    config: Path | None,
    overrides: tuple[str, ...],
    yes: bool,
    rate: float | None,
    method: Literal["change-set", "direct"],
    prices_file: Path | None,
    as_json: bool,
) -> None:
    """
    Bring the settings to AWS: say what a month costs and, with --yes, do it.

    It needs Node.js with npm, AWS credentials and, to build the image, Docker.
    """
    settings = with_settings(config, overrides)
    options, limits = deployment_options(settings), deployment_limits(settings)
    book = read_prices(prices_file)
    check_deployment(options, book, limits)
    cost = deployment_cost(
        options, book, rate_per_second=load_per_second(settings) if rate is None else rate
    )
    for sentence in cost.sentences():
        click.echo(sentence, err=as_json)
    if not yes:
        if as_json:
            emit_json({"cost": cost.to_json(), "deployed": None})
        raise ConfigurationError(
            "nothing was deployed", hint="to go ahead, and be billed: tonnage deploy --yes"
        )
    made = deploy(
        options,
        book=book,
        limits=limits,
        method=method,
        on_line=lambda line: click.echo(line, err=True),
    )
    _tell(made, cost, as_json=as_json)
    if options.front is not None and options.front.front is Front.CHALICE:
        click.echo(
            "note: the endpoint is there; its Chalice app is deployed with `chalice deploy`",
            err=True,
        )


def _tell(made: Deployed, cost: DeploymentCost, *, as_json: bool) -> None:
    if as_json:
        described = {
            "account": made.account,
            "stacks": list(made.stacks),
            "outputs": made.outputs,
            "url": made.url,
            "curl": made.curl,
        }
        emit_json({"cost": cost.to_json(), "deployed": described})
        return
    click.echo(f"deployed to account {made.account}: {', '.join(made.stacks)}")
    click.echo(f"url: {made.url}")
    click.echo(made.curl)
