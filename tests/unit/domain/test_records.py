"""
Run records: what was written is what is read, and damage is told as such.
"""

import io
import json
import pickle
import shutil
import zipfile
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.domain import (
    FleetTimeline,
    RecordError,
    RunRecord,
    Samples,
    ScalingActivity,
    read_record,
    write_record,
)

COLUMNS = ("intended_seconds", "sent_seconds", "done_seconds", "status")
SECONDS = st.floats(0, 1e6)
WORDS = st.text(st.characters(codec="utf-8"), max_size=20)
PLAIN = st.dictionaries(WORDS, WORDS | st.booleans() | st.integers() | SECONDS, max_size=3)


def some_samples(count: int, seed: int = 0) -> Samples:
    chance = np.random.default_rng(seed)
    intended = np.sort(chance.uniform(0, 100, count))
    return Samples(
        intended_seconds=intended,
        sent_seconds=intended + chance.uniform(0, 0.01, count),
        done_seconds=intended + chance.uniform(0.01, 1, count),
        status=chance.choice(np.array([0, 200, 503], dtype=np.uint16), count),
    )


ACTIVITIES = st.builds(
    ScalingActivity,
    at_seconds=SECONDS,
    from_count=st.integers(0, 100),
    to_count=st.integers(0, 100),
    cause=WORDS,
    in_service_at_seconds=st.none() | SECONDS,
)
FLEETS = st.builds(
    FleetTimeline,
    time_scale=st.floats(0.1, 100),
    instances=st.lists(st.tuples(SECONDS, st.integers(0, 50), st.integers(0, 50)), max_size=4).map(
        tuple
    ),
    invocations_per_instance=st.lists(st.tuples(SECONDS, SECONDS), max_size=4).map(tuple),
    activities=st.lists(ACTIVITIES, max_size=3).map(tuple),
)
RECORDS = st.builds(
    RunRecord,
    name=WORDS,
    title=WORDS,
    started_at_epoch_seconds=SECONDS,
    duration_seconds=SECONDS,
    samples=st.builds(some_samples, st.integers(0, 20), st.integers(0, 100)),
    users=st.lists(st.tuples(SECONDS, st.integers(0, 5000)), max_size=4).map(tuple),
    fleet=st.none() | FLEETS,
    settings=st.dictionaries(WORDS, PLAIN, max_size=2),
    generator=PLAIN,
    machine=PLAIN,
    notes=st.lists(WORDS, max_size=3).map(tuple),
)


def described(record: RunRecord) -> dict[str, Any]:
    return {
        name: getattr(record, name) for name in RunRecord.__dataclass_fields__ if name != "samples"
    }


@given(record=RECORDS)
def test_what_was_written_is_what_is_read(record: RunRecord):
    with TemporaryDirectory() as place:
        again = read_record(write_record(record, Path(place) / "deep" / "run"))
    assert described(again) == described(record)
    for column in COLUMNS:
        read, written = getattr(again.samples, column), getattr(record.samples, column)
        assert read.dtype == written.dtype
        assert np.array_equal(read, written)


@pytest.fixture
def record() -> RunRecord:
    return RunRecord(
        name="a",
        title="One instance",
        started_at_epoch_seconds=1.7e9,
        duration_seconds=100,
        samples=some_samples(200),
        users=((0.0, 1), (1.0, 2)),
        fleet=FleetTimeline(time_scale=20, instances=((0.0, 1, 1),)),
    )


@pytest.fixture
def written(record: RunRecord, tmp_path: Path) -> Path:
    return write_record(record, tmp_path / "run")


def test_a_record_is_two_files_and_leaves_no_litter(written: Path):
    assert sorted(file.name for file in written.iterdir()) == ["run.json", "samples.npz"]
    assert [file.name for file in written.parent.iterdir()] == ["run"]


def test_an_older_record_is_replaced_whole(written: Path, record: RunRecord):
    (written / "figure.png").write_bytes(b"of the older run")
    write_record(RunRecord(**{**described(record), "name": "b"}, samples=some_samples(3)), written)
    assert read_record(written).name == "b"
    assert len(read_record(written).samples) == 3
    assert sorted(file.name for file in written.iterdir()) == ["run.json", "samples.npz"]
    assert [file.name for file in written.parent.iterdir()] == ["run"]


def test_a_record_that_cannot_be_written_leaves_the_older_one(written: Path, record: RunRecord):
    unwritable = RunRecord(
        **{**described(record), "settings": {"now": object()}}, samples=record.samples
    )
    with pytest.raises(TypeError):
        write_record(unwritable, written)
    assert read_record(written).name == "a"
    assert [file.name for file in written.parent.iterdir()] == ["run"]


def test_a_directory_that_is_no_record_is_left_alone(tmp_path: Path, record: RunRecord):
    (tmp_path / "thesis.tex").write_text("ten years of work")
    with pytest.raises(RecordError, match="not a run record"):
        write_record(record, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_in_the_way_is_left_alone(tmp_path: Path, record: RunRecord):
    (tmp_path / "run").write_text("a note")
    with pytest.raises(RecordError):
        write_record(record, tmp_path / "run")
    assert (tmp_path / "run").read_text() == "a note"


@pytest.mark.parametrize("missing", ["run.json", "samples.npz"])
def test_a_missing_file_is_named(written: Path, missing: str):
    (written / missing).unlink()
    with pytest.raises(RecordError, match=missing):
        read_record(written)


def test_what_is_nowhere_is_no_record(tmp_path: Path):
    with pytest.raises(RecordError, match="is not a run record"):
        read_record(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["run.json", "samples.npz"])
def test_a_truncated_file_is_damage(written: Path, name: str):
    """Wherever it was cut."""
    whole = (written / name).read_bytes()
    for length in sorted({*range(64), *range(64, len(whole), 97)} & set(range(len(whole) - 1))):
        (written / name).write_bytes(whole[:length])
        with pytest.raises(RecordError):
            read_record(written)


def test_a_flipped_byte_is_damage_or_leaves_whole_samples(written: Path):
    """Only ``RecordError`` comes out; zip's own checksum covers the numbers."""
    whole = (written / "samples.npz").read_bytes()
    for position in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[position] ^= 0xFF
        (written / "samples.npz").write_bytes(damaged)
        try:
            read = read_record(written)
        except RecordError:
            continue
        assert len(read.samples) == 200


@given(change=st.data())
def test_only_record_error_comes_out_of_changed_json(change: st.DataObject):
    key = change.draw(st.sampled_from([*sorted(RunRecord.__dataclass_fields__), "format"]))
    value = change.draw(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
            max_leaves=6,
        )
    )
    record = RunRecord(
        name="a",
        title="t",
        started_at_epoch_seconds=0,
        duration_seconds=1,
        samples=Samples.empty(),
    )
    with TemporaryDirectory() as place:
        written = write_record(record, Path(place) / "run")
        content = json.loads((written / "run.json").read_text())
        (written / "run.json").write_text(json.dumps({**content, key: value}))
        with suppress(RecordError):
            assert isinstance(read_record(written), RunRecord)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"format": "tonnage.run/2"}',
        "[" * 100_000,
        "\x00",
        '{"format": "tonnage.run/1"}',
    ],
)
def test_json_that_is_no_record_is_refused(written: Path, content: str):
    (written / "run.json").write_text(content)
    with pytest.raises(RecordError):
        read_record(written)


def test_bytes_that_are_no_text_are_refused(written: Path):
    (written / "run.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(RecordError):
        read_record(written)


def test_endless_users_are_refused(written: Path):
    content = json.loads((written / "run.json").read_text())
    (written / "run.json").write_text(json.dumps({**content, "users": [[0, float("inf")]]}))
    with pytest.raises(RecordError):
        read_record(written)


class Tripwire:
    """Writes a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.file,)


def test_a_pickle_in_the_samples_is_never_opened(written: Path, tmp_path: Path):
    tripped = tmp_path / "tripped"
    columns = {name: getattr(some_samples(200), name) for name in COLUMNS}
    columns["status"] = np.array([Tripwire(tripped)] * 200, dtype=object)
    np.savez(written / "samples.npz", allow_pickle=True, **columns)
    with pytest.raises(RecordError):
        read_record(written)
    (written / "samples.npz").write_bytes(pickle.dumps(Tripwire(tripped)))
    with pytest.raises(RecordError):
        read_record(written)
    assert not tripped.exists()
    pickle.loads((written / "samples.npz").read_bytes())
    assert tripped.exists(), "the tripwire works"


def npz(**columns: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **columns)
    return buffer.getvalue()


GOOD = {name: getattr(some_samples(200), name) for name in COLUMNS}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK",
        npz(),
        npz(**{**GOOD, "status": GOOD["status"][:-1]}),
        npz(**{**GOOD, "sent_seconds": GOOD["sent_seconds"][:1]}),
        npz(**{name: column[:-1] for name, column in GOOD.items()}),
        npz(**{**GOOD, "status": GOOD["status"].astype(np.float64)}),
        npz(**{**GOOD, "status": np.array(["200"] * 200)}),
        npz(**{**GOOD, "sent_seconds": GOOD["sent_seconds"].astype(complex)}),
        npz(**{name: column.reshape(2, 100) for name, column in GOOD.items()}),
        npz(**{**GOOD, "status": np.array(200, dtype=np.uint16)}),
    ],
)
def test_samples_of_another_shape_are_refused(written: Path, content: bytes):
    (written / "samples.npz").write_bytes(content)
    with pytest.raises(RecordError):
        read_record(written)


def test_a_bare_array_is_no_samples_file(written: Path):
    np.save(written / "samples.npy", GOOD["status"])
    shutil.move(written / "samples.npy", written / "samples.npz")
    with pytest.raises(RecordError):
        read_record(written)


def test_a_zip_of_something_else_is_refused(written: Path):
    with zipfile.ZipFile(written / "samples.npz", "w") as archive:
        for name in COLUMNS:
            archive.writestr(f"{name}.npy", "not an array")
    with pytest.raises(RecordError):
        read_record(written)
