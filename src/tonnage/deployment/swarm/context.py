"""
What the swarm's image is built from.
"""

import re
import shutil
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final

from tonnage.deployment._wheel import write_wheel
from tonnage.domain import ConfigurationError

__all__ = ["write_swarm_context"]

_SHIPPED: Final = files("tonnage.deployment.swarm") / "swarm_files"
_DEFAULT_BASE: Final = "python:3.12-slim"
_IMAGE_NAME: Final = re.compile(r"[A-Za-z0-9][\w./:@-]*")


def write_swarm_context(
    directory: Path, *, base: str = _DEFAULT_BASE, locustfiles: Sequence[Path] = ()
) -> Path:
    """
    Write the build context of the swarm's image.

    Args:
        directory: A new or empty directory.
        base: The image to start from: Python 3.11 or newer with pip.
        locustfiles: The user's locustfile and what it imports; they go to one folder.

    Returns:
        The directory.

    Raises:
        ConfigurationError: If the directory is not empty, the base is no image's name, or a
            locustfile is missing.
    """
    if not _IMAGE_NAME.fullmatch(base):
        raise ConfigurationError(f"{base!r} is no image's name", hint=f"e.g. {_DEFAULT_BASE}")
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise ConfigurationError(f"{directory} is not empty", hint="choose a new directory")
    for file in locustfiles:
        if not file.is_file():
            raise ConfigurationError(f"there is no locustfile {file}")
    users = directory / "files"
    users.mkdir(parents=True)
    (users / "README").write_text("The swarm's locustfiles.\n", encoding="utf-8")
    for file in locustfiles:
        shutil.copyfile(file, users / file.name)
    dockerfile = (_SHIPPED / "Dockerfile").read_text(encoding="utf-8")
    dockerfile = dockerfile.replace(f"ARG BASE={_DEFAULT_BASE}", f"ARG BASE={base}", 1)
    (directory / "Dockerfile").write_text(dockerfile, encoding="utf-8")
    lock = (_SHIPPED / "swarm.lock").read_text(encoding="utf-8")
    (directory / "requirements.lock").write_text(lock, encoding="utf-8")
    write_wheel(directory)
    return directory
