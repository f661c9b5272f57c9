"""``tonnage serve``."""

import gc
import os
from pathlib import Path

import click

from ._options import SIZE, log_to_stderr

__all__ = ["command"]


@click.command("serve", epilog="Example: tonnage serve artefact --port 8080 --workers 2")
@click.argument("artefact", type=click.Path(path_type=Path), default=Path("artefact"))
@click.option("--host", default="0.0.0.0", show_default=True, help="The address to bind.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True)
@click.option("--workers", type=click.IntRange(min=1), help="Processes.  [default: one a core]")
@click.option(
    "--max-body", type=SIZE, default="6MiB", show_default=True, help="The largest request body."
)
@click.option("--access-log", is_flag=True, help="One JSON line a request on standard output.")
@click.option(
    "--allow-pickle",
    is_flag=True,
    help="Open a model.joblib, bare or packed. A pickle runs whatever code is in it: only for one"
    " you trust.",
)
def command(
    *,
    artefact: Path,
    host: str,
    port: int,
    workers: int | None,
    max_body: float,
    access_log: bool,
    allow_pickle: bool,
) -> None:
    """
    Serve ARTEFACT as one instance: POST /invocations, GET /ping, GET /metrics.

    It is a packed artefact, or a model's directory with code/inference.py as SageMaker's toolkits
    run it, or the model.tar.gz of either.

    It runs until SIGTERM or Ctrl-C, then answers what it has accepted and ends.
    """
    gc.disable()  # imports make objects that stay; ``serve`` enables it when all is loaded
    from tonnage.serving import serve
    from tonnage.serving.compat import handler_options
    from tonnage.serving.container import worker_options

    log_to_stderr()
    serve(
        artefact,
        host=host,
        port=port,
        workers=workers,
        options=worker_options(os.environ, max_body_bytes=int(max_body), access_log=access_log),
        handler=handler_options(os.environ, allow_pickle=allow_pickle),
        on_listening=lambda bound: click.echo(f"serving {artefact} on {host}:{bound}", err=True),
    )
