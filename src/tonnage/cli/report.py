"""``tonnage report``."""

from pathlib import Path

import click

from tonnage.domain import read_record
from tonnage.reporting import report

from ._options import emit_json, json_option

__all__ = ["command"]


@click.command("report", epilog="Example: tonnage report runs/load -o report")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=Path("report"), show_default=True
)
@click.option("--title", help="The heading.")
@json_option
def command(*, runs: tuple[Path, ...], output: Path, title: str | None, as_json: bool) -> None:
    """Render run records RUNS as one page, pictures and a summary, all on the same axes."""
    files = report([read_record(run) for run in runs], output, title=title)
    if as_json:
        emit_json(
            {
                "page": str(files.page),
                "summary": str(files.summary),
                "overview": str(files.overview),
            }
        )
    else:
        click.echo(files.page)
