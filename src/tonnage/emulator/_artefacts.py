"""
Models' files: a packed artefact is served where it lies, a ``model.tar.gz`` is unpacked first.
"""

import asyncio
import tarfile
import tempfile
from pathlib import Path

from tonnage.artefact import extract
from tonnage.domain import ArtefactError

__all__ = ["ArtefactCache"]


class ArtefactCache:
    """Archives that were unpacked, each once, until ``close``."""

    def __init__(self) -> None:
        self._root: tempfile.TemporaryDirectory[str] | None = None
        self._unpacked: dict[tuple[Path, float], Path] = {}
        self._lock = asyncio.Lock()

    async def directory(self, artefact: Path) -> Path:
        """
        Return the directory of an artefact.

        Args:
            artefact: A directory, or an archive of one.

        Raises:
            ArtefactError: If the archive cannot be unpacked.
        """
        async with self._lock:
            return await asyncio.to_thread(self._directory, artefact)

    def close(self) -> None:
        """Remove what was unpacked."""
        if self._root is not None:
            self._root.cleanup()

    def _directory(self, artefact: Path) -> Path:
        if not artefact.is_file():
            return artefact
        key = (artefact, artefact.stat().st_mtime)
        if key not in self._unpacked:
            self._unpacked[key] = self._unpack(artefact)
        return self._unpacked[key]

    def _unpack(self, archive: Path) -> Path:
        if self._root is None:
            self._root = tempfile.TemporaryDirectory(prefix="tonnage-models-")
        directory = Path(self._root.name) / str(len(self._unpacked))
        try:
            with tarfile.open(archive, "r:gz") as tar:
                links = [member.name for member in tar if member.issym() or member.islnk()]
                if links:  # as on AWS (DG: deploy-model-troubleshoot)
                    raise ArtefactError(f"{archive} holds a link, {links[0]}; none is allowed")
        except (tarfile.TarError, OSError, EOFError) as error:
            raise ArtefactError(f"{archive} cannot be unpacked: {error}") from error
        extract(archive, directory)  # tarfile's own filters came after 3.11.2, Debian 12's Python
        return directory
