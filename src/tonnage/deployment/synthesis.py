"""
``tonnage synth``: settings → CloudFormation templates, offline.
"""

import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tonnage.artefact import ARCHIVE_NAME, verify, verify_archive
from tonnage.domain import ConfigurationError, DeploymentError
from tonnage.planning import Front, Limits, PriceBook, find_type

from ._context import write_image_context
from .checks import check_deployment, check_image_size
from .node import find_node, quieten_jsii
from .settings import DeploymentOptions, InstanceVariant

if TYPE_CHECKING:
    import aws_cdk

    from .stacks.app import AddStack
    from .stacks.model import ModelFiles

__all__ = ["Synthesised", "assembled", "make_room", "synthesise"]

_MARK: Final = "cdk.out"
"""The file by which a cloud assembly is known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Synthesised:
    """
    A cloud assembly.

    Attributes:
        directory: Where it is; ``cdk --app DIRECTORY`` takes it.
        stacks: The stacks' names, in the order of their deployment.
        templates: Their templates, by stack.
        needs_bootstrap: Whether something is uploaded with it, for which the account needs the
            CDK's bootstrap stack.
    """

    directory: Path
    stacks: tuple[str, ...]
    templates: dict[str, Path]
    needs_bootstrap: bool


def synthesise(
    options: DeploymentOptions,
    output: Path,
    *,
    book: PriceBook,
    limits: Limits | None = None,
) -> Synthesised:
    """
    Write the templates of a deployment, and what is uploaded with them.

    It needs Node.js, but no Docker, no account and no network.

    Args:
        options: What is deployed.
        output: A new or empty directory, or one that was written so before.
        book: The instance types there are.
        limits: The account's quotas.

    Raises:
        ArtefactError: If the artefact is not what its manifest says.
        ConfigurationError: If AWS would refuse the settings, there is no Node.js, or the
            directory holds something else.
        DeploymentError: If the CDK fails.
    """
    check_deployment(options, book, limits or Limits())
    quieten_jsii(find_node())
    make_room(output)
    with tempfile.TemporaryDirectory(prefix="tonnage-synth-") as directory:
        files = _files(options, Path(directory), book)
        from .stacks.app import build_app

        return assembled(build_app(options, files, output, further=_further(options)), output)


def assembled(app: "aws_cdk.App", output: Path) -> Synthesised:
    """
    Synthesise an app.

    Raises:
        DeploymentError: If the CDK fails.
    """
    try:
        assembly = app.synth()
    except RuntimeError as error:  # whatever is thrown in Node.js arrives as this
        raise DeploymentError(f"the CDK cannot synthesise: {error}") from error
    stacks = tuple(stack.stack_name for stack in assembly.stacks)
    templates = {name: output / f"{name}.template.json" for name in stacks}
    return Synthesised(
        directory=output,
        stacks=stacks,
        templates=templates,
        needs_bootstrap=any(_asks_for_bootstrap(template) for template in templates.values()),
    )


def _asks_for_bootstrap(template: Path) -> bool:
    return "BootstrapVersion" in json.loads(template.read_bytes()).get("Parameters", {})


def make_room(output: Path) -> None:
    """
    Make a directory for an assembly, in place of an earlier one.

    Raises:
        ConfigurationError: If it holds something else.
    """
    if not output.exists():
        output.mkdir(parents=True)
        return
    if not output.is_dir() or (any(output.iterdir()) and not (output / _MARK).is_file()):
        raise ConfigurationError(
            f"{output} holds something else than an earlier synthesis",
            hint="choose a new directory with -o",
        )
    shutil.rmtree(output)
    output.mkdir()


def _files(options: DeploymentOptions, directory: Path, book: PriceBook) -> "ModelFiles":
    from .stacks.model import ModelFiles

    model, variant = options.model, options.variant
    context = None
    if model.image_uri is None:
        context = directory / "image"
        write_image_context(
            model.artefact, context, base=model.base, with_model=model.model_data == "image"
        )
        size = sum(path.stat().st_size for path in context.rglob("*") if path.is_file())
        check_image_size(options, size)
    return ModelFiles(
        context=context,
        archive=_archive(model.artefact) if model.model_data == "s3" else None,
        architecture=find_type(variant.instance_type, book).architecture
        if isinstance(variant, InstanceVariant)
        else "x86_64",
    )


def _archive(artefact: Path) -> Path:
    manifest = verify(artefact)
    archive = artefact / ARCHIVE_NAME
    if not archive.is_file():
        raise ConfigurationError(
            f"{artefact} has no {ARCHIVE_NAME} to upload", hint="pack it again with `tonnage pack`"
        )
    verify_archive(archive, manifest)
    return archive


def _further(options: DeploymentOptions) -> Sequence["AddStack"]:
    front = options.front
    # Chalice deploys itself, and without a front there is the endpoint alone.
    if front is None or front.front not in {Front.REST, Front.HTTP}:
        return ()
    from .fronts.front_stack import add_front

    return (add_front(front),)
