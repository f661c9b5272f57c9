"""``tonnage report``."""

from pathlib import Path

import click

from tonnage.domain import read_record

from ._options import emit_json, json_option
from ._run_report import write_report

__all__ = ["command"]


@click.command("report", epilog="Example: tonnage report runs/load --baseline runs/main -o report")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=Path("report"), show_default=True
)
@click.option("--title", help="The heading.")
@click.option(
    "--baseline",
    type=click.Path(path_type=Path),
    help="A run that each of RUNS is compared with.  [default: the base of an interleaved run]",
)
@json_option
def command(
    *,
    runs: tuple[Path, ...],
    output: Path,
    title: str | None,
    baseline: Path | None,
    as_json: bool,
) -> None:
    """
    Render run records RUNS as one page, pictures and a summary, all on the same axes.

    Verdict, load line and the difference to a baseline come first.
    """
    records = [read_record(run) for run in runs]
    files = write_report(runs, records, output, title=title, baseline=baseline)
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
