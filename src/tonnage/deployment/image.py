"""
``tonnage image``: an artefact → the container image that SageMaker runs.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tonnage.domain import DeploymentError

from ._context import DEFAULT_BASE, write_image_context
from ._docker import build, find_docker, inspect_image

__all__ = ["ImageReport", "build_image"]

_BASE_LABEL: Final = "org.opencontainers.image.base.name"
_ARTEFACT_LABEL: Final = "tonnage.artefact.sha256"


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageReport:
    """
    What was built.

    Attributes:
        tag: Its name.
        image_id: Its digest in the engine's store.
        size_bytes: Its size, the base's layers included.
        base: What it was built from.
        base_digest: The base's ``name@sha256:…``, what to name it by to pin it; None for a base
            that comes from no registry.
        base_size_bytes: The base's size; None if the engine does not tell.
        artefact_sha256: The artefact's identity.
    """

    tag: str
    image_id: str
    size_bytes: int
    base: str
    base_digest: str | None
    base_size_bytes: int | None
    artefact_sha256: str

    @property
    def own_size_bytes(self) -> int | None:
        """What it adds to its base; None if the base's size is not known."""
        return None if self.base_size_bytes is None else self.size_bytes - self.base_size_bytes


def build_image(
    artefact: Path,
    tag: str,
    *,
    base: str = DEFAULT_BASE,
    with_model: bool = True,
    requirements: Path | None = None,
    on_line: Callable[[str], None] = lambda _line: None,
) -> ImageReport:
    """
    Build the image of an artefact with the Docker engine of this machine.

    What it holds depends on the model's format: a compiled model needs no scikit-learn.

    Args:
        artefact: The artefact's directory.
        tag: What to name the image.
        base: The image to start from: Python 3.11 or newer with pip.
        with_model: Put the artefact into the image; else SageMaker mounts it there.
        requirements: A lock with hashes in place of the one that Tonnage ships.
        on_line: Called with each line that the builder prints.

    Raises:
        ArtefactError: If the artefact is not what its manifest says.
        ConfigurationError: If there is no Docker, or the model cannot run in the image.
        DeploymentError: If the build fails.
    """
    docker = find_docker()
    with tempfile.TemporaryDirectory(prefix="tonnage-image-") as directory:
        context = Path(directory, "context")
        manifest = write_image_context(
            artefact, context, base=base, with_model=with_model, requirements=requirements
        )
        labels = {_BASE_LABEL: base, _ARTEFACT_LABEL: manifest.digest}
        flags = [f"--label={name}={value}" for name, value in labels.items()]
        build(docker, str(context), [f"--tag={tag}", *flags], on_line)
    built = inspect_image(docker, tag)
    if built is None:
        raise DeploymentError(
            f"the build went well, but the engine has no image {tag}",
            hint="use a builder that keeps what it builds: docker buildx use default",
        )
    from_base = inspect_image(docker, base) or {}
    return ImageReport(
        tag=tag,
        image_id=built["Id"],
        size_bytes=built["Size"],
        base=base,
        base_digest=_digest(from_base),
        base_size_bytes=from_base.get("Size"),
        artefact_sha256=manifest.digest,
    )


def _digest(base: dict[str, Any]) -> str | None:
    digests: list[str] = base.get("RepoDigests") or []
    return digests[0] if digests else None
