"""
Whether an artefact is still what its sources make.
"""

import hashlib
from pathlib import Path

from ._handlers import code_files
from ._manifest import MANIFEST_NAME, Manifest

__all__ = ["is_stale"]


def is_stale(artefact: Path, model: Path, service: str, code: Path) -> bool:
    """
    Say whether an artefact must be packed again: it is missing, or its sources have changed.

    Raises:
        ArtefactError: If there is one that was changed by hand.
    """
    if not (artefact / MANIFEST_NAME).exists():
        return True
    manifest = Manifest.read(artefact)
    sources = {f"code/{name}": (code / name).read_bytes() for name in code_files(service, code)}
    for name in manifest.files:  # what only the model is made of
        beside = code / name.removeprefix("code/")
        if name.startswith("code/") and beside.is_file():
            sources[name] = beside.read_bytes()
    packed = {name: entry.sha256 for name, entry in manifest.files.items() if name in sources}
    return (
        manifest.handler != service
        or packed != {name: hashlib.sha256(text).hexdigest() for name, text in sources.items()}
        or (model.exists() and _file_sha256(model) != manifest.model.source_sha256)
    )


def _file_sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
