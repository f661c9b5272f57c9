"""
What ``docker build`` is given: a directory with all that the image is made of.

::

    CONTEXT/
      Dockerfile
      requirements.lock        every package with its hashes
      constraints.txt          the same versions, for what the model's own code needs besides
      code-requirements.txt    the model's code/requirements.txt, often empty
      tonnage-VERSION.whl      the Tonnage that wrote the context
      model/                   the artefact; empty when it is left to SageMaker
"""

import re
import shutil
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

from tonnage.artefact import MANIFEST_NAME, Manifest, verify
from tonnage.domain import ConfigurationError

from ._wheel import write_wheel

__all__ = ["DEFAULT_BASE", "dockerfile", "write_image_context"]

DEFAULT_BASE: Final = "python:3.12-slim"
_SHIPPED: Final = files("tonnage.deployment") / "image_files"
_PIN: Final = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[^\s;\\]+)(?P<marker>[^\\]*)")
_IMAGE_NAME: Final = re.compile(r"[A-Za-z0-9][\w./:@-]*")


def dockerfile(base: str = DEFAULT_BASE) -> str:
    """
    Return the Dockerfile of an image.

    Args:
        base: An image with Python 3.11 or newer and pip; name it with its digest to pin it.

    Raises:
        ConfigurationError: If that is no image's name.
    """
    if not _IMAGE_NAME.fullmatch(base):
        raise ConfigurationError(f"{base!r} is no image's name", hint=f"e.g. {DEFAULT_BASE}")
    text = (_SHIPPED / "Dockerfile").read_text(encoding="utf-8")
    return text.replace(f"ARG BASE={DEFAULT_BASE}", f"ARG BASE={base}", 1)


def write_image_context(
    artefact: Path,
    directory: Path,
    *,
    base: str = DEFAULT_BASE,
    with_model: bool = True,
    requirements: Path | None = None,
) -> Manifest:
    """
    Write what an image of an artefact is built from; any builder of Dockerfiles takes it.

    Args:
        artefact: The artefact's directory.
        directory: Where the context goes: a new or empty directory.
        base: The image to start from.
        with_model: Put the artefact into the image; else SageMaker mounts it there.
        requirements: A lock with hashes in place of the one that Tonnage ships; it must hold what
            Tonnage itself needs.

    Returns:
        The artefact's manifest.

    Raises:
        ArtefactError: If the artefact is not what its manifest says.
        ConfigurationError: If the directory is not empty, or the model cannot run in the image.
    """
    text = dockerfile(base)
    manifest = verify(artefact)
    lock = _lock(manifest, requirements)
    pins = _pins(lock)
    _check_scikit_learn(manifest, pins)
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise ConfigurationError(
            f"{directory} is not empty", hint="choose a new directory for the build context"
        )
    directory.mkdir(parents=True, exist_ok=True)
    _write_model(artefact, manifest if with_model else None, directory / "model")
    extra = artefact / "code" / "requirements.txt"
    for name, content in {
        "Dockerfile": text,
        "requirements.lock": lock,
        "constraints.txt": "".join(f"{pin}\n" for pin in _constraints(lock)),
        "code-requirements.txt": extra.read_text(encoding="utf-8") if extra.is_file() else "",
    }.items():
        (directory / name).write_text(content, encoding="utf-8")
    write_wheel(directory)
    return manifest


def _write_model(artefact: Path, manifest: Manifest | None, model: Path) -> None:
    """Copy what the manifest lists, readable by whoever the container runs as."""
    model.mkdir()
    if manifest is None:
        return
    for name in (MANIFEST_NAME, *manifest.files):
        copy = model / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(artefact / name, copy)
        copy.chmod(0o644)
    for directory in (model, *(path for path in model.rglob("*") if path.is_dir())):
        directory.chmod(0o755)


def _lock(manifest: Manifest, requirements: Path | None) -> str:
    if requirements is None:
        name = "serving.lock" if manifest.model.format == "onnx" else "serving-sklearn.lock"
        return (_SHIPPED / name).read_text(encoding="utf-8")
    try:
        lock = requirements.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{requirements} cannot be read: {error}") from error
    if "--hash=" not in lock:
        raise ConfigurationError(
            f"{requirements} holds no hashes",
            hint="make it with `uv pip compile --generate-hashes`, or pip-compile's option",
        )
    return lock


def _constraints(lock: str) -> list[str]:
    return [match[0].rstrip() for line in lock.splitlines() if (match := _PIN.match(line))]


def _pins(lock: str) -> Mapping[str, str]:
    matches = [match for line in lock.splitlines() if (match := _PIN.match(line))]
    return {match["name"].lower(): match["version"] for match in matches}


def _check_scikit_learn(manifest: Manifest, pins: Mapping[str, str]) -> None:
    """A model that stays with scikit-learn needs the version it was packed with."""
    if manifest.model.format == "onnx":
        return
    packed, installed = manifest.versions.get("scikit-learn"), pins.get("scikit-learn")
    if packed != installed:
        raise ConfigurationError(
            f"the model was packed with scikit-learn {packed}; the image would have {installed}",
            hint="pack it with that version, or give a lock of your own with --requirements",
        )
