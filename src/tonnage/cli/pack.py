"""``tonnage pack``."""

from pathlib import Path

import click

from tonnage.artefact import pack
from tonnage.domain import format_bytes

from ._faults import warn
from ._options import emit_json, json_option

__all__ = ["command"]


@click.command(
    "pack", epilog="Example: tonnage pack model.joblib --service service:RealEstate -o artefact"
)
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--service", required=True, metavar="MODULE:CLASS", help="The service around it.")
@click.option("--data", type=click.Path(path_type=Path), help="CSV rows to compare predictions on.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=Path("artefact"), show_default=True
)
@click.option(
    "--allow-pickle",
    is_flag=True,
    help="Keep a model that has no safe form as joblib: whoever can change the file runs code.",
)
@json_option
def command(
    *, model: Path, service: str, data: Path | None, output: Path, allow_pickle: bool, as_json: bool
) -> None:
    """
    Pack MODEL (a joblib file) and its service into an artefact.

    The pickle is opened here, once, and never again: pack only what you made or trust.
    """
    report = pack(
        model,
        service=service,
        output=output,
        code=_code_directory(service, model),
        data=data,
        allow_pickle=allow_pickle,
    )
    entry = report.manifest.model
    for warning in report.warnings:
        warn(warning)
    if as_json:
        emit_json(
            {
                "format": entry.format,
                "precision": entry.precision,
                "parity_max_relative_difference": entry.max_relative_difference,
                "tolerance": entry.tolerance,
                "golden_rows": len(report.manifest.golden.rows),
                "considered": entry.considered,
                "warnings": list(report.warnings),
                "sha256": report.sha256,
                "artefact": str(report.directory),
                "archive": str(report.archive),
            }
        )
        return
    click.echo(
        f"{report.directory}: {entry.format} ({entry.precision}),"
        f" {format_bytes(report.archive.stat().st_size)} as {report.archive.name}"
    )
    for line in entry.considered[:-1]:
        click.echo(f"  not {line}")
    click.echo(
        f"{len(report.manifest.golden.rows)} golden rows, worst relative difference from"
        f" {entry.estimator.rpartition('.')[2]}.predict: {entry.max_relative_difference:.2g}"
        f" (allowed: {entry.tolerance:g})"
    )
    click.echo(f"sha256 {report.sha256}")


def _code_directory(service: str, model: Path) -> Path:
    """Return where the service lies: in the working directory, else beside the model."""
    module = f"{service.partition(':')[0].replace('.', '/')}.py"
    return (
        model.parent if not Path(module).is_file() and (model.parent / module).is_file() else Path()
    )
