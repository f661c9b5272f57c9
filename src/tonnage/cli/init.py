"""``tonnage init``."""

from pathlib import Path

import click

from tonnage.starting import init

from ._faults import warn
from ._options import emit_json, json_option

__all__ = ["command"]


@click.command(
    "init", epilog="Example: tonnage init --model model.joblib --data sample.csv --target price"
)
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    default=Path("model.joblib"),
    show_default=True,
    help="A joblib file; or what SageMaker serves already, a folder or a model.tar.gz.",
)
@click.option(
    "--data", type=click.Path(path_type=Path), help="CSV rows, as the model was fitted on."
)
@click.option("--target", metavar="COLUMN", help="The column of --data that is predicted.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path(),
    help="Where to write.  [default: here]",
)
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
@json_option
def command(
    *,
    model: Path,
    data: Path | None,
    target: str | None,
    output: Path,
    force: bool,
    as_json: bool,
) -> None:
    """
    Write service.py, tonnage.toml and locustfile.py for a model of your own.

    Types, ranges and choices come from the sample. The pickle is opened: do it with a model that
    you made or trust. Of what SageMaker serves already nothing is run, and only tonnage.toml is
    written.
    """
    report = init(model, data=data, target=target, output=output, force=force)
    for warning in report.warnings:
        warn(warning)
    for note in report.notes:
        click.echo(f"note: {note}", err=True)
    if as_json:
        emit_json(
            {
                "files": [str(file) for file in report.files],
                "service": report.service,
                "columns": list(report.columns),
                "notes": list(report.notes),
                "warnings": list(report.warnings),
                "next": list(report.next_commands),
            }
        )
        return
    for file in report.files:
        click.echo(f"wrote {file}")
    click.echo("Next:")
    for next_command in report.next_commands:
        click.echo(f"  {next_command}")
