"""``tonnage image``."""

from pathlib import Path

import click

from tonnage.deployment import DEFAULT_BASE, ImageReport, build_image, dockerfile
from tonnage.deployment import write_image_context as write_context
from tonnage.domain import format_bytes

from ._convert import packed_artefact
from ._options import emit_json, json_option, settings_options, with_settings

__all__ = ["command"]


@click.command("image", epilog="Example: tonnage image artefact --tag real-estate:1")
@click.argument("artefact", type=click.Path(path_type=Path), required=False)
@settings_options
@click.option("--tag", metavar="NAME", help="What to name the image, e.g. real-estate:1.")
@click.option(
    "--base",
    metavar="IMAGE",
    default=DEFAULT_BASE,
    show_default=True,
    help="Python 3.11 or newer with pip; name it with its digest to pin it.",
)
@click.option(
    "--requirements",
    type=click.Path(path_type=Path),
    help="A lock with hashes in place of the one that comes with Tonnage.",
)
@click.option(
    "--without-model",
    is_flag=True,
    help="Leave the model out: SageMaker mounts it from model.tar.gz.",
)
@click.option(
    "--context",
    type=click.Path(path_type=Path),
    help="Write the build context there for another builder, and build nothing.",
)
@click.option("--print-dockerfile", is_flag=True, help="Print the Dockerfile and build nothing.")
@json_option
def command(
    *,
    artefact: Path | None,
    config: Path | None,
    overrides: tuple[str, ...],
    tag: str | None,
    base: str,
    requirements: Path | None,
    without_model: bool,
    context: Path | None,
    print_dockerfile: bool,
    as_json: bool,
) -> None:
    """
    Build the container image of ARTEFACT, or of the one that tonnage.toml names.

    It is what SageMaker runs (`docker run IMAGE serve`): GET /ping and POST /invocations on 8080.
    """
    if print_dockerfile:
        click.echo(dockerfile(base), nl=False)
        return
    if (tag is None) == (context is None):
        raise click.UsageError("give either --tag NAME, to build, or --context DIR, to write only")
    artefact = artefact or packed_artefact(with_settings(config, overrides))
    if context is not None:
        write_context(
            artefact, context, base=base, with_model=not without_model, requirements=requirements
        )
        click.echo(f"{context}: build it with `docker build --tag NAME {context}`", err=True)
        return
    assert tag is not None
    report = build_image(
        artefact,
        tag,
        base=base,
        with_model=not without_model,
        requirements=requirements,
        on_line=lambda line: click.echo(line, err=True),
    )
    _tell(report, as_json=as_json)


def _tell(report: ImageReport, *, as_json: bool) -> None:
    if as_json:
        emit_json(
            {
                "tag": report.tag,
                "image_id": report.image_id,
                "size_bytes": report.size_bytes,
                "own_size_bytes": report.own_size_bytes,
                "base": report.base,
                "base_digest": report.base_digest,
                "artefact_sha256": report.artefact_sha256,
            }
        )
        return
    own = report.own_size_bytes
    beyond = "" if own is None else f", {format_bytes(own)} of it beyond {report.base}"
    click.echo(f"{report.tag}: {format_bytes(report.size_bytes)}{beyond}")
    click.echo(f"try it: docker run --rm -p 127.0.0.1:8080:8080 {report.tag} serve")
    if report.base_digest:
        click.echo(f"to pin the base: --base {report.base_digest}", err=True)
