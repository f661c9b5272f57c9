"""
``model.tar.gz`` → a directory, without trusting a byte of it.

Plain files and directories only: no links, no devices, no sparse files, no name that leads out or
comes twice, and no more of anything than a bound.
"""

import gzip
import shutil
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from tonnage.domain import ArtefactError, format_bytes

__all__ = ["ArchiveLimits", "extract"]

_CHUNK_BYTES: Final = 1024 * 1024
_MAX_READ_BYTES: Final = 16 * _CHUNK_BYTES
_MAX_NAME_CHARACTERS: Final = 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveLimits:
    """
    How much may come out of an archive.

    Attributes:
        max_files: Files and directories.
        max_bytes: Of all files together, whatever their compression.
        max_ratio: Of all files together ÷ the archive, beyond the first 256 MiB. Stored models
            compress by less than 20; what compresses by 1,000 holds nothing.
    """

    max_files: int = 10_000
    max_bytes: int = 64 * 1024**3
    max_ratio: float = 50.0

    def bytes_allowed(self, archive_bytes: int) -> int:
        """Return how much may come out of an archive of this size."""
        return min(self.max_bytes, int(max(256 * 1024**2, self.max_ratio * archive_bytes)))


class _Bounded(gzip.GzipFile):
    """A gzip stream that tarfile can ask for no more at once than a header's worth."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= _MAX_READ_BYTES:
            # An extended header says itself how long it is, and is read whole into memory.
            raise tarfile.ReadError(f"it asks for {size} bytes at once")
        return super().read(size)


def extract(archive: Path, into: Path, *, limits: ArchiveLimits | None = None) -> None:
    """
    Extract a ``.tar.gz`` into an empty directory.

    What was written before a fault was met stays there; the caller owns the directory.

    Raises:
        ArtefactError: If it is no such archive, or holds what an artefact has no use for.
    """
    limits = limits or ArchiveLimits()
    try:
        allowed = limits.bytes_allowed(archive.stat().st_size)
        with _Bounded(archive, "rb") as stream, tarfile.open(fileobj=stream, mode="r:") as tar:
            _extract_members(tar, into, limits.max_files, allowed)
            _check_rest(stream)
    except _UnsafeError as fault:
        raise ArtefactError(f"{archive} is refused: {fault}", hint="pack it again") from fault
    except gzip.BadGzipFile as error:
        raise ArtefactError(
            f"{archive} is no .tar.gz archive",
            hint="name an artefact's directory or its model.tar.gz; `tonnage pack` makes both of a"
            " joblib file",
        ) from error
    except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError, RecursionError) as error:
        # tarfile calls itself for each extended header that follows another.
        raise ArtefactError(f"{archive} cannot be extracted: {error}") from error


class _UnsafeError(Exception):
    """Something that an honest archive of a model does not hold."""


def _extract_members(tar: tarfile.TarFile, into: Path, max_files: int, max_bytes: int) -> None:
    count, total = 0, 0
    seen: set[PurePosixPath] = set()
    while (member := tar.next()) is not None:
        count, total = count + 1, total + member.size
        if count > max_files:
            raise _UnsafeError(f"it holds more than {max_files:,} files")
        if total > max_bytes:
            raise _UnsafeError(f"more than {format_bytes(max_bytes)} would come out of it")
        path = _safe_path(member)
        if path == PurePosixPath("."):
            continue
        if member.isdir():
            (into / path).mkdir(parents=True, exist_ok=True)
            continue
        if path in seen:
            raise _UnsafeError(f"{path} comes twice")
        seen.add(path)
        _write(tar, member, into / path)


def _check_rest(stream: gzip.GzipFile) -> None:
    """Read to the end, where the stream's checksum is; a tar ends with some blocks of zeros."""
    if len(stream.read(_CHUNK_BYTES)) == _CHUNK_BYTES:
        raise _UnsafeError("something follows the archive in it")


def _safe_path(member: tarfile.TarInfo) -> PurePosixPath:
    name = member.name
    path = PurePosixPath(name)
    if len(name) > _MAX_NAME_CHARACTERS or not name.isprintable() or "\\" in name:
        raise _UnsafeError(f"it holds a file with the name {name[:80]!r}")
    if path.is_absolute() or ".." in path.parts:
        raise _UnsafeError(f"{name} leads out of it")
    if member.issparse() or not (member.isreg() or member.isdir()):
        raise _UnsafeError(f"{name} is no plain file: links and devices are not extracted")
    return path


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    source = tar.extractfile(member)
    if source is None:
        raise _UnsafeError(f"{member.name} cannot be read")
    with source, target.open("xb") as file:
        shutil.copyfileobj(source, file, _CHUNK_BYTES)
    if target.stat().st_size != member.size:
        raise _UnsafeError(f"{member.name} is cut short")
