"""
A directory of results is there whole or not at all.
"""

from pathlib import Path

import pytest

from tonnage.domain import replacing_directory


def names(directory: Path) -> list[str]:
    return sorted(file.relative_to(directory).as_posix() for file in directory.rglob("*"))


def test_a_directory_takes_the_place_of_an_older_one(tmp_path: Path):
    place = tmp_path / "runs" / "first"
    for name in ("old", "new"):
        with replacing_directory(place) as fresh:
            (fresh / name).write_text(name)

    assert names(tmp_path) == ["runs", "runs/first", "runs/first/new"]
    assert place.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("fault", [ValueError, KeyboardInterrupt])
def test_what_was_there_stays_when_writing_fails(tmp_path: Path, fault: type[BaseException]):
    place = tmp_path / "run"
    place.mkdir()
    (place / "old").write_text("old")

    def write() -> None:
        with replacing_directory(place) as fresh:
            (fresh / "half").write_text("half")
            raise fault

    with pytest.raises(fault):
        write()

    assert names(tmp_path) == ["run", "run/old"]
