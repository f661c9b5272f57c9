"""
Writing an artefact: a directory and the same as one file, there whole or not at all.
"""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

from tonnage.domain import ConfigurationError, replacing_directory

from ._loading import ARCHIVE_NAME, LoadedModel, predict_golden
from ._manifest import MANIFEST_NAME, Manifest

__all__ = ["write_artefact"]


def write_artefact(output: Path, manifest: Manifest, files: Mapping[str, bytes]) -> str:
    """
    Write an artefact after it has passed its self-test, and return its archive's SHA-256.

    Args:
        output: Where; an older artefact there is replaced, anything else is not.
        manifest: What it promises.
        files: All but the manifest.

    Raises:
        ConfigurationError: If something else is in the way.
        ModelLoadError: If it does not predict what it promises.
    """
    if not _may_be_replaced(output):
        raise ConfigurationError(
            f"{output} exists and is no artefact", hint="choose another directory with -o"
        )
    content = {**files, MANIFEST_NAME: manifest.to_bytes()}
    archive = _archive(content)
    with replacing_directory(output) as fresh:
        for name, data in {**content, ARCHIVE_NAME: archive}.items():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            (fresh / name).write_bytes(data)
        # Its own pickle: who packs has opened it already.
        predict_golden(LoadedModel.load(fresh, allow_pickle=True))
    return hashlib.sha256(archive).hexdigest()


def _may_be_replaced(output: Path) -> bool:
    if not output.exists():
        return True
    if not output.is_dir() or not any(output.iterdir()):
        return output.is_dir()
    try:
        # Browser extensions and web pages have a manifest.json, too. One of ours may be damaged.
        return b'"tonnage.artefact/' in (output / MANIFEST_NAME).read_bytes()
    except OSError:
        return False


def _archive(content: Mapping[str, bytes]) -> bytes:
    """Return a ``tar.gz`` that is the same, byte for byte, for the same content."""
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name, data in sorted(content.items()):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o644
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()
