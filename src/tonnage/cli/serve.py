"""``tonnage serve``."""

from pathlib import Path

import click

from ._options import SIZE, log_to_stderr

__all__ = ["command"]


@click.command("serve", epilog="Example: tonnage serve artefact --port 8080 --workers 2")
@click.argument("artefact", type=click.Path(path_type=Path), default=Path("artefact"))
@click.option("--host", default="0.0.0.0", show_default=True, help="The address to bind.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True)
@click.option("--workers", type=click.IntRange(min=1), help="Processes.  [default: one a core]")
@click.option("--max-body", type=SIZE, default="6MiB", show_default=True)
def command(*, artefact: Path, host: str, port: int, workers: int | None, max_body: float) -> None:
    """
    Serve ARTEFACT as one instance: GET /ping, POST /invocations.

    It runs until SIGTERM or Ctrl-C, then answers what it has accepted and ends.
    """
    from tonnage.serving import WorkerOptions, serve

    log_to_stderr()
    serve(
        artefact,
        host=host,
        port=port,
        workers=workers,
        options=WorkerOptions(max_body_bytes=int(max_body)),
        on_listening=lambda bound: click.echo(f"serving {artefact} on {host}:{bound}", err=True),
    )
