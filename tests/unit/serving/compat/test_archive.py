"""
An archive gives plain files, or nothing outside its directory and no more than a bound.
"""

import io
import os
import random
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tonnage.domain import ArtefactError
from tonnage.serving.compat import ArchiveLimits, extract


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, size
    return info


def pack(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for info, content in members:
            info.size = len(content) or info.size
            tar.addfile(info, io.BytesIO(content) if content else None)
    return path


@pytest.fixture
def into(tmp_path: Path) -> Path:
    (tmp_path / "into").mkdir()
    return tmp_path / "into"


def test_files_come_out_as_they_went_in(tmp_path: Path, into: Path):
    code = random.Random(1).randbytes(3_000_000)
    archive = pack(
        tmp_path / "model.tar.gz",
        (member("."), b""),
        (member("./code", tarfile.DIRTYPE), b""),
        (member("./code/inference.py"), b"x = 1\n"),
        (member("weights/" + "deep/" * 40 + "one.bin"), code),
        (member("empty"), b""),
    )
    # The first is written as a directory, as `tar -C model -czf model.tar.gz .` writes it.
    extract(archive, into)
    assert (into / "code" / "inference.py").read_bytes() == b"x = 1\n"
    assert (into / "weights" / ("deep/" * 40) / "one.bin").read_bytes() == code
    assert (into / "empty").read_bytes() == b""


@pytest.mark.parametrize(
    "bad",
    [
        member("../outside"),
        member("code/../../outside"),
        member("/outside"),
        member("code\\inference.py"),
        member("a\nb"),
        member("link", tarfile.SYMTYPE, "/etc/passwd"),
        member("link", tarfile.LNKTYPE, "model.joblib"),
        member("device", tarfile.CHRTYPE),
        member("device", tarfile.BLKTYPE),
        member("pipe", tarfile.FIFOTYPE),
        member("sparse", tarfile.GNUTYPE_SPARSE),
        member("strange", b"Z"),
    ],
    ids=lambda info: f"{info.name!r} {info.type!r}",
)
def test_what_a_model_has_no_use_for_is_refused(bad: tarfile.TarInfo, tmp_path: Path, into: Path):
    archive = pack(tmp_path / "model.tar.gz", (member("model.joblib"), b"x"), (bad, b""))
    with pytest.raises(ArtefactError):
        extract(archive, into)
    assert {entry.name for entry in tmp_path.iterdir()} == {"model.tar.gz", "into"}
    assert not any(path.is_symlink() for path in into.rglob("*"))


@pytest.mark.parametrize("second", ["a", "./a", "a/b"])
def test_a_name_that_comes_twice_is_refused(second: str, tmp_path: Path, into: Path):
    archive = pack(tmp_path / "m.tar.gz", (member("a"), b"1"), (member(second), b"2"))
    with pytest.raises(ArtefactError):
        extract(archive, into)


@pytest.mark.parametrize("limits", [ArchiveLimits(max_files=2), ArchiveLimits(max_bytes=29)])
def test_more_than_the_bound_is_refused(limits: ArchiveLimits, tmp_path: Path, into: Path):
    files = [(member(name), b"0123456789") for name in "abc"]
    archive = pack(tmp_path / "m.tar.gz", *files)
    with pytest.raises(ArtefactError, match="more than"):
        extract(archive, into, limits=limits)


def test_a_bomb_is_refused_before_it_fills_the_disk(tmp_path: Path, into: Path):
    class Zeros(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            return bytes(size)

    archive = tmp_path / "bomb.tar.gz"
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        tar.addfile(member("zeros", size=300 * 1024**2), Zeros())
    with pytest.raises(ArtefactError, match="would come out"):
        extract(archive, into)
    assert not list(into.iterdir())


def test_an_endless_extended_header_is_not_read_into_memory(tmp_path: Path, into: Path):
    archive = pack(
        tmp_path / "m.tar.gz", (member("x", tarfile.XHDTYPE, size=10**9), b""), (member("a"), b"1")
    )
    with pytest.raises(ArtefactError):
        extract(archive, into)


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize("damage", [cut, flip, lambda _: b"", lambda _: b"no archive"])
def test_a_damaged_archive_is_refused(damage: Callable[[bytes], bytes], tmp_path: Path, into: Path):
    archive = pack(tmp_path / "m.tar.gz", (member("a"), os.urandom(100_000)))
    archive.write_bytes(damage(archive.read_bytes()))
    with pytest.raises(ArtefactError):
        extract(archive, into)
