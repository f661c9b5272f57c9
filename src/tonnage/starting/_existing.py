"""
What SageMaker serves already: a ``model.tar.gz``, or a folder with ``code/inference.py``.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tonnage.artefact import MANIFEST_NAME, extract
from tonnage.domain import ConfigurationError
from tonnage.serving.compat import HandlerOptions, find_handler

__all__ = ["is_existing", "program_of"]


def is_existing(model: Path) -> bool:
    """Say whether it is a folder or an archive, not a pickle."""
    return model.is_dir() or model.name.endswith((".tar.gz", ".tgz"))


def program_of(model: Path) -> str:
    """
    Return the program that serves it, relative to the model's directory; nothing of it is run.

    Raises:
        ConfigurationError: If there is none.
        ArtefactError: If the archive is not safe to extract.
    """
    if not model.exists():
        raise ConfigurationError(f"there is no model {model}")
    with _directory_of(model) as directory:
        if (directory / MANIFEST_NAME).is_file():
            raise ConfigurationError(
                f"{model} is packed already", hint=f"serve it: tonnage serve {model}"
            )
        found = find_handler(directory, HandlerOptions(allow_pickle=True))
        if found is not None and found.program is not None:
            return found.program.relative_to(directory.resolve()).as_posix()
        inside = sorted(file.name for file in directory.glob("*.joblib"))
    raise ConfigurationError(
        f"{model} has no code/inference.py" + (f", only {inside[0]}" if inside else ""),
        hint="take the joblib file out of it and give that as --model, with --data"
        if inside
        else "name a joblib file, or a model's directory with code/inference.py",
    )


@contextmanager
def _directory_of(model: Path) -> Iterator[Path]:
    if model.is_dir():
        yield model
        return
    with tempfile.TemporaryDirectory(prefix="tonnage-init-") as directory:
        extract(model, Path(directory))
        yield Path(directory)
