"""``tonnage up``."""

import os
from pathlib import Path
from typing import Final

import click

from tonnage.domain import ConfigurationError, format_duration, format_rate
from tonnage.emulator import (
    DEFAULT_PORT,
    AppliedTemplate,
    Credentials,
    TemplateOptions,
    UpOptions,
    read_faults,
    up,
)

from ._convert import up_options
from ._help import LongVerb
from ._options import log_to_stderr, settings_options, with_settings

__all__ = ["command"]

_UNITS: Final = {
    "SageMakerVariantInvocationsPerInstance": "invocations per instance and minute",
    "SageMakerVariantConcurrentRequestsPerModelHighResolution": "requests in flight",
}


@click.command(
    "up",
    cls=LongVerb,
    common=("config", "overrides", "port", "faults_file", "template"),
    epilog="\b\nExamples:\n"
    "  tonnage up --port 8000\n"
    "  tonnage up --set local.time_scale=60 --faults faults.toml",
)
@settings_options
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True)
@click.option(
    "--faults",
    "faults_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A TOML or JSON file of what is to go wrong, and when.",
)
@click.option(
    "--template",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A synthesised CloudFormation template, brought up instead of the settings' endpoint.",
)
@click.option(
    "--model-data",
    metavar="LOGICAL_ID=PATH",
    multiple=True,
    help="The artefact of one of the template's models; repeatable.  [default: the settings']",
)
@click.option(
    "--parameter",
    "parameters",
    metavar="NAME=VALUE",
    multiple=True,
    help="The value of one of the template's parameters; repeatable.",
)
@click.option(
    "--check-signatures",
    is_flag=True,
    help="Refuse AWS clients whose key is not AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
)
def command(
    *,
    config: Path | None,
    overrides: tuple[str, ...],
    host: str,
    port: int,
    faults_file: Path | None,
    template: Path | None,
    model_data: tuple[str, ...],
    parameters: tuple[str, ...],
    check_signatures: bool,
) -> None:
    """
    Run the endpoint of tonnage.toml, or a template's endpoints, on one local port.

    REST API, SageMaker's own APIs for boto3 and the AWS CLI, Prometheus metrics, and target
    tracking that really starts and stops instances. It runs until SIGTERM or Ctrl-C.
    """
    log_to_stderr()
    faults = read_faults(faults_file) if faults_file else ()
    applies = _template(template, model_data, parameters)
    options = up_options(
        with_settings(config, overrides),
        host=host,
        port=port,
        faults=faults,
        template=applies,
        artefact=next(iter(applies.model_data.values()), None) if applies else None,
    )
    up(
        options,
        on_applied=lambda applied: click.echo(_applied(applied), err=True),
        on_ready=lambda url: click.echo(_greeting(url, options), err=True),
        credentials=_credentials() if check_signatures else None,
    )


def _credentials() -> Credentials:
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    missing = [name for name in names if not os.environ.get(name)]
    if missing:
        raise ConfigurationError(
            f"--check-signatures needs {' and '.join(missing)}",
            hint="any values will do; give the clients the same",
        )
    key_id, secret = (os.environ[name] for name in names)
    return Credentials(access_key_id=key_id, secret_access_key=secret)


def _template(
    file: Path | None, model_data: tuple[str, ...], parameters: tuple[str, ...]
) -> TemplateOptions | None:
    if file is None:
        if model_data or parameters:
            raise ConfigurationError("--model-data and --parameter belong to a --template")
        return None
    paths = {name: Path(path) for name, path in _pairs("--model-data", model_data).items()}
    return TemplateOptions(
        file=file, model_data=paths, parameters=_pairs("--parameter", parameters)
    )


def _pairs(flag: str, texts: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ConfigurationError(f"{flag} {text!r} has no `=`", hint="write NAME=VALUE")
        pairs[name] = value
    return pairs


def _applied(applied: AppliedTemplate) -> str:
    made = [
        f"  {made.logical_id} is {made.physical_id} ({made.type_name})" for made in applied.made
    ]
    unknown = [f"  {one.logical_id} ({one.type_name})" for one in applied.unknown]
    left_out = ["not made, for their types are not known here:", *unknown] if unknown else []
    return "\n".join(["the template is brought up:", *made, *left_out])


def _greeting(url: str, options: UpOptions) -> str:
    endpoint, scaling, local = options.endpoint, options.scaling, options.local
    name = "ENDPOINT" if options.template else endpoint.endpoint_name
    lines = [
        "all endpoints are in service" if options.template else f"{name} is in service",
        f"  REST API   POST {url}{endpoint.route}   (GET {url}/openapi.json)",
        f"  SageMaker  aws sagemaker-runtime invoke-endpoint --endpoint-url {url} \\",
        f"               --endpoint-name {name} …",
        f"             AWS_ENDPOINT_URL={url} for boto3 and the AWS CLI: create, update, delete",
        f"  metrics    GET {url}/metrics",
        f"  live page  {url}/",
    ]
    if scaling and not options.template:
        lines.append(
            f"  scaling    {scaling.min_capacity} to {scaling.max_capacity} instances, target"
            f" {scaling.target_value:g} {_UNITS[scaling.metric]}"
        )
    if local.capacity:
        rate = format_rate(local.capacity.rate_per_second)
        lines.append(f"  capacity   an emulated cap of {rate} an instance")
    if options.faults:
        lines.append(
            f"  faults     {len(options.faults)}, the first after"
            f" {format_duration(options.faults[0].at_seconds)}"
        )
    if local.time_scale != 1:
        lines.append(f"  time       {local.time_scale:g} times faster than AWS's; rates are not")
    return "\n".join(lines)
