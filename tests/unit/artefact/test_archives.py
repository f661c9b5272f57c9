"""
``model.tar.gz`` gives back what was packed, or nothing.
"""

import gzip
import io
import random
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.artefact import (
    ARCHIVE_NAME,
    LoadedModel,
    PackReport,
    extract,
    verify,
    verify_archive,
)
from tonnage.domain import ArtefactError

SAMPLES = 120


def content_of(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and path.name != ARCHIVE_NAME
    }


@pytest.fixture
def unpacked(tmp_path: Path) -> Callable[[bytes], Path]:
    """Writes an archive and extracts it into a fresh directory."""

    def unpack(content: bytes) -> Path:
        number = len(list(tmp_path.iterdir()))
        archive, into = tmp_path / f"{number}.tar.gz", tmp_path / f"{number}"
        archive.write_bytes(content)
        into.mkdir()
        extract(archive, into)
        return into

    return unpack


def test_an_archive_is_served_as_its_directory_is(
    packed: PackReport, unpacked: Callable[[bytes], Path]
):
    directory = unpacked(packed.archive.read_bytes())
    assert content_of(directory) == content_of(packed.directory)
    model = LoadedModel.load(directory)
    assert model.predict([model.parse_row(b'{"distance": 150}')]) == [b'{"cost":50.3}']


def test_a_flipped_byte_of_the_archive_changes_nothing_that_is_served(
    packed: PackReport, unpacked: Callable[[bytes], Path]
):
    """It is refused, or it is one of the few that gzip does not use: the time, the system."""
    whole, chance = packed.archive.read_bytes(), random.Random(3)
    refused = 0
    for position in [*range(24), *chance.sample(range(24, len(whole)), SAMPLES)]:
        changed = bytearray(whole)
        changed[position] ^= 1 << chance.randrange(8)
        try:
            directory = unpacked(bytes(changed))
            verify(directory)
        except ArtefactError:
            refused += 1
        else:
            assert content_of(directory) == content_of(packed.directory)
    assert refused >= SAMPLES


@given(
    position=st.floats(0, 1, exclude_max=True),
    written=st.binary(min_size=1, max_size=64),
)
def test_a_changed_header_gives_the_artefact_or_a_refusal(
    packed: PackReport,
    tmp_path_factory: pytest.TempPathFactory,
    position: float,
    written: bytes,
):
    """The tar is changed and compressed anew, so that no checksum of gzip's catches it."""
    place = tmp_path_factory.mktemp("changed")
    tar = bytearray(gzip.decompress(packed.archive.read_bytes()))
    start = int(position * len(tar))
    tar[start : start + len(written)] = written
    (place / "m.tar.gz").write_bytes(gzip.compress(bytes(tar), 1))
    (place / "into").mkdir()
    try:
        extract(place / "m.tar.gz", place / "into")
        verify(place / "into")
    except ArtefactError:
        pass
    else:
        assert content_of(place / "into") == content_of(packed.directory)
    assert sorted(path.name for path in place.iterdir()) == ["into", "m.tar.gz"]


def test_a_chain_of_extended_headers_is_refused(unpacked: Callable[[bytes], Path]):
    """tarfile reads each of them within the one before."""
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 0
    tar = header.tobuf(tarfile.USTAR_FORMAT) * 5_000
    with pytest.raises(ArtefactError):
        unpacked(gzip.compress(tar, 1))


def test_the_archive_beside_an_artefact_is_not_trusted(copy: Path, packed: PackReport):
    """Not opened, not served from, and in nobody's way."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("../../outside"))
    (copy / ARCHIVE_NAME).write_bytes(buffer.getvalue())
    assert verify(copy) == packed.manifest


def test_the_archive_is_checked_by_who_hands_it_on(copy: Path, packed: PackReport):
    """A flipped byte in it is seen then: it is refused, or gives the very same artefact."""
    whole, chance = packed.archive.read_bytes(), random.Random(4)
    verify_archive(copy / ARCHIVE_NAME, packed.manifest)
    for position in chance.sample(range(10, len(whole)), 20):
        changed = bytearray(whole)
        changed[position] ^= 1 << chance.randrange(8)
        (copy / ARCHIVE_NAME).write_bytes(changed)
        with pytest.raises(ArtefactError):
            verify_archive(copy / ARCHIVE_NAME, packed.manifest)


def test_the_archive_of_another_artefact_is_not_handed_on_for_this_one(
    copy: Path, packed: PackReport
):
    other = replace(packed.manifest, versions={**packed.manifest.versions, "numpy": "0"})
    with pytest.raises(ArtefactError, match="does not hold the artefact"):
        verify_archive(copy / ARCHIVE_NAME, other)


def test_a_file_called_like_the_archive_elsewhere_is_no_exception(copy: Path):
    (copy / "code" / ARCHIVE_NAME).write_bytes(b"")
    with pytest.raises(ArtefactError, match="is not in its manifest"):
        verify(copy)


def test_a_joblib_file_in_its_place_is_told_what_to_do(plane_file: Path, tmp_path: Path):
    with pytest.raises(ArtefactError, match=r"is no \.tar\.gz archive") as refusal:
        extract(plane_file, tmp_path)
    assert "tonnage pack" in (refusal.value.hint or "")
