"""``tonnage swarm``."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import click

from tonnage.config import Settings
from tonnage.deployment import Synthesised
from tonnage.deployment.swarm import (
    SwarmCost,
    SwarmOptions,
    SwarmPlace,
    run_swarm,
    swarm_cost,
    synthesise_swarm,
)
from tonnage.domain import ConfigurationError, RunRecord, meets
from tonnage.loadtest import LoadPlan, OpenLoopPlan
from tonnage.planning import Front, read_prices

from ._convert import objective
from ._help import LongVerb
from ._load_outcome import load_exit_code, load_outcome, load_told
from ._measuring import body_option, i_own_option, keep, with_settings_in_force
from ._open_load import OPEN_ARRIVALS, is_open, open_plan
from ._options import DURATION, RATE, emit_json, json_option, settings_options, with_settings
from .load import load_plan

__all__ = ["command"]

_COMMON: Final = (
    "config",
    "yes",
    "workers",
    "body",
    "users",
    "spawn_rate",
    "rate",
    "profile",
    "duration",
    "i_own",
    "as_json",
)
_GATEWAY: Final = ".execute-api."
_TIMEOUT_SECONDS: Final = 30.0
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


@click.command(
    "swarm",
    cls=LongVerb,
    common=_COMMON,
    epilog="\b\nExamples:\n"
    "  tonnage swarm https://HOST/evaluate --i-own HOST --workers 8 --users 16000\n"
    "  tonnage swarm https://HOST/evaluate --i-own HOST --rate 9000/s --yes\n"
    "  tonnage swarm --endpoint NAME --i-own HOST --rate 9000/s --duration 10m",
)
@click.argument("url", required=False)
@settings_options
@click.option("--yes", is_flag=True, help="Do it: from here on AWS bills.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    metavar="N",
    help="Machines, each for 2,000/s.",
)
@body_option
@click.option(
    "--locustfile",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Your own users.",
)
@click.option(
    "--users", type=click.IntRange(min=1), metavar="N", help="Users at the peak, over all workers."
)
@click.option("--spawn-rate", type=RATE, help="Users that start, e.g. 20/s.")
@click.option("--pacing", type=DURATION, help="Time between one user's sends.")
@click.option(
    "--arrivals",
    type=click.Choice(["dephased", "lockstep", *OPEN_ARRIVALS]),
    metavar="KIND",
    help="Users dephased, lockstep; open loop: constant, poisson.",
)
@click.option("--rate", type=RATE, help="Open loop: requests of all, e.g. 9000/s.")
@click.option(
    "--profile",
    metavar="RATES",
    help="Open loop, e.g. 'ramp(0/s, 9000/s, 10m)'.",
)
@click.option("--endpoint", metavar="NAME", help="Open loop: InvokeEndpoint, signed by each task.")
@click.option("--region", help="Of --endpoint.  [default: [aws] region]")
@click.option("--timeout", type=DURATION, help="How long an answer may take.  [default: 30s]")
@click.option("--duration", type=DURATION, help="Of the test.  [default: 30s, after the ramp]")
@click.option(
    "--time-to-live",
    type=DURATION,
    help="After which every task ends, whatever it does.  [default: 15m after the test]",
)
@click.option("--image-uri", help="The swarm's image in Amazon ECR.  [default: built and pushed]")
@click.option("--base", help="What the image is built from.  [default: python:3.12-slim]")
@i_own_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("swarm.out"),
    show_default=True,
    help="The cloud assembly's directory.",
)
@click.option("--run", help="The run's name; its record goes to runs/NAME.  [default: by date]")
@click.option(
    "--method",
    type=click.Choice(["change-set", "direct"]),
    default="change-set",
    show_default=True,
    help="How CloudFormation is asked; direct is quicker.",
)
@json_option
def command(
    *,
    url: str | None,
    config: Path | None,
    overrides: tuple[str, ...],
    yes: bool,
    run: str | None,
    output: Path,
    method: Literal["change-set", "direct"],
    as_json: bool,
    **flags: Any,  # noqa: ANN401 (click's, one a flag)
) -> int:
    """
    Load-test URL from several machines on ECS Fargate.

    Users (Locust) wait for their answers; arrivals (--rate, --profile) do not.

    Without --yes it says what that costs and writes the template, offline (Node.js). With
    it the swarm is deployed, run, its results fetched as a run record, and taken down; that needs
    AWS credentials, npm and, to build the image, Docker, too.
    """
    settings = with_settings(config, overrides)
    plan = _plan(settings, url, flags)
    host = plan.host if isinstance(plan, LoadPlan) else plan.target.host
    _refuse_this_machine(host)
    options = SwarmOptions(
        plan=plan, workers=flags["workers"], time_to_live_seconds=flags["time_to_live"]
    )
    place = _place(settings, plan, flags)
    front = Front(settings.api.front) if _GATEWAY in host else Front.NONE
    cost = swarm_cost(options, read_prices(None), front=front)
    for sentence in cost.sentences():
        click.echo(sentence, err=True)
    if not yes:
        _tell_template(synthesise_swarm(options, place, output), cost, as_json=as_json)
        click.echo("nothing was started; to run it, and be billed: --yes", err=True)
        return 0
    name = run or f"swarm-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    made = run_swarm(
        options,
        place,
        run=name,
        method=method,
        on_line=lambda line: click.echo(line, err=True),
    )
    for left in made.leftovers:
        click.echo(f"left: {left.what} {left.name}: {left.why}\n  {left.command}", err=True)
    return _tell_run(settings, made.record, Path("runs", name), cost, as_json=as_json)


def _refuse_this_machine(host: str) -> None:
    # With a local server as the account, its machines are this one.
    account = urlsplit(os.environ.get("AWS_ENDPOINT_URL", "")).hostname
    if host in _LOOPBACK and account not in _LOOPBACK:
        raise ConfigurationError(
            f"a swarm in AWS does not reach {host}, which is this machine",
            hint="load-test it from here: tonnage load",
        )


def _plan(settings: Settings, url: str | None, flags: dict[str, Any]) -> LoadPlan | OpenLoopPlan:
    """Return what all workers send together, as ``load`` would; its own --workers are no others."""
    sent = {**flags, "workers": None}
    if not is_open(settings, sent):
        return load_plan(settings, url, sent)
    timeout = _TIMEOUT_SECONDS if flags["timeout"] is None else flags["timeout"]
    return open_plan(settings, url, {**sent, "timeout": timeout, "processes": 1, "seed": 0})


def _place(settings: Settings, plan: LoadPlan | OpenLoopPlan, flags: dict[str, Any]) -> SwarmPlace:
    locustfile = plan.locustfile if isinstance(plan, LoadPlan) else None
    return SwarmPlace(
        stack=f"{settings.aws.stack}-swarm",
        region=settings.aws.region,
        image_uri=flags["image_uri"],
        base=flags["base"],
        locustfiles=() if locustfile is None else (locustfile,),
        log_retention_days=settings.deployment.log_retention_days,
        tags=settings.aws.tags,
    )


def _tell_template(made: Synthesised, cost: SwarmCost, *, as_json: bool) -> None:
    if as_json:
        templates = {name: str(file) for name, file in made.templates.items()}
        emit_json({"cost": cost.to_json(), "templates": templates, "run": None})
        return
    for template in made.templates.values():
        click.echo(template)


def _tell_run(
    settings: Settings, record: RunRecord, directory: Path, cost: SwarmCost, *, as_json: bool
) -> int:
    record = with_settings_in_force(record, settings)
    keep(record, directory)
    goal = objective(settings)
    met = meets(record.samples, goal)
    outcome = load_outcome(record, goal, directory, met=met, checks=())
    if as_json:
        emit_json({"cost": cost.to_json(), "run": outcome})
    else:
        click.echo(load_told(record, outcome, ()))
    return load_exit_code(record, met=met)
