"""
A changed byte is refused before anything of the artefact runs.
"""

import json
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import joblib
import pytest

from tonnage.artefact import (
    MANIFEST_NAME,
    LoadedModel,
    LoadedService,
    Manifest,
    PackReport,
    pack,
    verify,
)
from tonnage.domain import ArtefactError

WHOLE_BYTES = 2048
SAMPLES = 150


@pytest.fixture(scope="module")
def trapped(
    plane_file: Path, two_numbers: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """An artefact whose service leaves a file when it is imported: the artefact, and that file."""
    place = tmp_path_factory.mktemp("trapped")
    tripped = place / "tripped"
    (place / "service.py").write_text(
        f"from pathlib import Path\nPath({str(tripped)!r}).touch()\n{two_numbers}"
    )
    report = pack(plane_file, service="service:Model", output=place / "artefact", code=place)
    return report.directory, tripped


@pytest.fixture
def trap(trapped: tuple[Path, Path], tmp_path: Path) -> Iterator[Path]:
    """A copy of that artefact; nothing of it may run in the test, and it would run untouched."""
    original, tripped = trapped
    copy = Path(shutil.copytree(original, tmp_path / "artefact"))
    tripped.unlink(missing_ok=True)
    yield copy
    assert not tripped.exists(), "code of a changed artefact ran"
    LoadedService.load(Path(shutil.copytree(original, tmp_path / "untouched")))
    assert tripped.exists(), "the tripwire works"


def positions(content: bytes, whole: int) -> list[int]:
    chance = random.Random(1)
    rest = range(min(whole, len(content)), len(content))
    return [*range(min(whole, len(content))), *chance.sample(rest, min(SAMPLES, len(rest)))]


def assert_refused(directory: Path) -> None:
    with pytest.raises(ArtefactError):
        LoadedModel.load(directory)


@pytest.mark.parametrize(
    ("name", "whole"), [("model.onnx", 64), ("code/service.py", 64), (MANIFEST_NAME, WHOLE_BYTES)]
)
def test_a_flipped_byte_is_refused_and_nothing_runs(trap: Path, name: str, whole: int):
    content = (trap / name).read_bytes()
    chance = random.Random(2)
    for position in positions(content, whole):
        changed = bytearray(content)
        changed[position] ^= 1 << chance.randrange(8)
        (trap / name).write_bytes(changed)
        assert_refused(trap)


def test_white_space_in_the_manifest_is_not_free_either(trap: Path):
    file = trap / MANIFEST_NAME
    content = file.read_bytes()
    blanks = [position for position, byte in enumerate(content) if byte in b" \n"]
    for position in blanks[:: max(1, len(blanks) // 50)]:
        for blank in (b"\t", b"\r", b"  ", b""):
            file.write_bytes(content[:position] + blank + content[position + 1 :])
            assert_refused(trap)


@pytest.mark.parametrize("extra", [b"\n", b" ", b"\x00", b"{}"])
def test_what_is_added_to_a_file_is_refused(trap: Path, extra: bytes):
    for name in (MANIFEST_NAME, "model.onnx", "code/service.py"):
        content = (trap / name).read_bytes()
        for changed in (content + extra, extra + content):
            (trap / name).write_bytes(changed)
            assert_refused(trap)
        (trap / name).write_bytes(content)


@pytest.mark.parametrize("name", [MANIFEST_NAME, "model.onnx", "code/service.py"])
def test_a_truncated_file_is_refused(trap: Path, name: str):
    content = (trap / name).read_bytes()
    for length in (0, 1, len(content) // 2, len(content) - 1):
        (trap / name).write_bytes(content[:length])
        assert_refused(trap)


@pytest.mark.parametrize("name", [MANIFEST_NAME, "model.onnx", "code/service.py"])
def test_a_missing_file_is_named(trap: Path, name: str):
    (trap / name).unlink()
    with pytest.raises(ArtefactError, match=name):
        LoadedModel.load(trap)


@pytest.mark.parametrize(
    "name", ["extra.txt", "code/numpy.py", "code/__pycache__/service.cpython-311.pyc", ".hidden"]
)
def test_an_extra_file_is_named(trap: Path, name: str):
    """One that Python would import instead of numpy, for one."""
    (trap / name).parent.mkdir(exist_ok=True)
    (trap / name).write_text("raise SystemExit")
    with pytest.raises(ArtefactError, match=r"is not in its manifest"):
        LoadedModel.load(trap)


@pytest.mark.parametrize("name", [MANIFEST_NAME, "model.onnx", "code/service.py"])
def test_a_link_is_no_file(trap: Path, tmp_path: Path, name: str):
    """What it points to may change after it was checked."""
    (trap / name).rename(tmp_path / "elsewhere")
    (trap / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ArtefactError, match="no plain file"):
        LoadedModel.load(trap)


def test_a_linked_directory_is_no_directory(trap: Path, tmp_path: Path):
    (trap / "code").rename(tmp_path / "code")
    (trap / "code").symlink_to(tmp_path / "code")
    assert_refused(trap)


def test_a_dangling_link_is_refused(trap: Path):
    (trap / "nothing").symlink_to("/nonexistent")
    assert_refused(trap)


def test_a_pipe_is_refused_and_not_waited_for(trap: Path):
    os.mkfifo(trap / "pipe")
    assert_refused(trap)
    (trap / "pipe").unlink()
    (trap / "model.onnx").unlink()
    os.mkfifo(trap / "model.onnx")
    assert_refused(trap)
    (trap / MANIFEST_NAME).unlink()
    os.mkfifo(trap / MANIFEST_NAME)
    assert_refused(trap)


@pytest.mark.parametrize("name", [MANIFEST_NAME, "model.onnx"])
def test_a_directory_is_no_file(trap: Path, name: str):
    (trap / name).unlink()
    (trap / name).mkdir()
    assert_refused(trap)


def test_a_manifest_of_another_format_says_so(copy: Path):
    content = json.loads((copy / MANIFEST_NAME).read_text())
    (copy / MANIFEST_NAME).write_text(json.dumps({**content, "format": "tonnage.artefact/2"}))
    with pytest.raises(ArtefactError, match="format"):
        verify(copy)


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{}", '"x"', "[" * 100_000, "\ufeff{}", '{"format": "tonnage.artefact/1"}'],
)
def test_what_is_no_manifest_is_refused(copy: Path, text: str):
    (copy / MANIFEST_NAME).write_text(text)
    with pytest.raises(ArtefactError):
        verify(copy)


def test_a_directory_without_a_manifest_says_how_to_make_one(tmp_path: Path):
    with pytest.raises(ArtefactError) as refusal:
        verify(tmp_path)
    assert "there is no artefact" in refusal.value.message
    assert "tonnage pack" in (refusal.value.hint or "")


def test_a_manifest_cannot_name_a_model_that_it_does_not_list(copy: Path, tmp_path: Path):
    """However well its digest fits: what is not hashed is not opened."""
    tripped = tmp_path / "tripped"

    class Tripwire:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tripped,)

    joblib.dump(Tripwire(), tmp_path / "evil.joblib")
    text = (copy / MANIFEST_NAME).read_text()
    text = text.replace('"file": "model.onnx"', '"file": "../evil.joblib"')
    text = text.replace('"format": "onnx"', '"format": "joblib"')
    forged = Manifest._parsed(text.encode(), copy / MANIFEST_NAME)
    (copy / MANIFEST_NAME).write_bytes(forged.to_bytes())
    assert_refused(copy)
    assert not tripped.exists()


def test_an_untouched_artefact_is_what_was_packed(packed: PackReport):
    assert verify(packed.directory) == packed.manifest
    assert verify(packed.directory).digest == packed.manifest.digest
