"""``tonnage up``."""

from pathlib import Path

import click

from tonnage.domain import format_rate
from tonnage.emulator import DEFAULT_PORT, UpOptions, up

from ._convert import up_options
from ._options import log_to_stderr, settings_options, with_settings

__all__ = ["command"]


@click.command("up", epilog="Example: tonnage up --config tonnage.toml --port 8000")
@settings_options
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True)
def command(*, config: Path | None, overrides: tuple[str, ...], host: str, port: int) -> None:
    """
    Run the endpoint of tonnage.toml on one local port.

    REST API, SageMaker's InvokeEndpoint, Prometheus metrics, and target tracking that really
    starts and stops instances. It runs until SIGTERM or Ctrl-C.
    """
    log_to_stderr()
    options = up_options(with_settings(config, overrides), host=host, port=port)
    up(options, on_ready=lambda url: click.echo(_greeting(url, options), err=True))


def _greeting(url: str, options: UpOptions) -> str:
    endpoint, scaling, local = options.endpoint, options.scaling, options.local
    lines = [
        f"{endpoint.endpoint_name} is in service",
        f"  REST API   POST {url}{endpoint.route}   (GET {url}/openapi.json)",
        f"  SageMaker  aws sagemaker-runtime invoke-endpoint --endpoint-url {url} \\",
        f"               --endpoint-name {endpoint.endpoint_name} …",
        f"  metrics    GET {url}/metrics",
    ]
    if scaling:
        lines.append(
            f"  scaling    {scaling.min_capacity} to {scaling.max_capacity} instances, target"
            f" {scaling.target_value:g} invocations per instance and minute"
        )
    if local.capacity:
        rate = format_rate(local.capacity.rate_per_second)
        lines.append(f"  capacity   an emulated cap of {rate} an instance")
    if local.time_scale != 1:
        lines.append(f"  time       {local.time_scale:g} times faster than AWS's; rates are not")
    return "\n".join(lines)
