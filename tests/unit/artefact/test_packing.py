"""
What packing writes, and what it refuses to write over.
"""

import hashlib
import json
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from tonnage.artefact import ARCHIVE_NAME, MANIFEST_NAME, LoadedModel, PackReport, pack, verify
from tonnage.domain import ArtefactError, ConfigurationError

WriteCode = Callable[..., Path]
PackPlane = Callable[..., PackReport]


def test_the_example_becomes_onnx_in_double_precision(packed: PackReport):
    model = packed.manifest.model
    assert (model.format, model.precision, model.file) == ("onnx", "float64", "model.onnx")
    assert model.max_relative_difference < 1e-14
    assert model.estimator.endswith("LinearRegression")
    assert model.considered[0].startswith("onnx float64")


def test_the_manifest_says_where_it_comes_from(packed: PackReport, model_file: Path):
    manifest = packed.manifest
    assert manifest.handler == "service:RealEstate"
    assert manifest.model.source_sha256 == hashlib.sha256(model_file.read_bytes()).hexdigest()
    assert set(manifest.files) == {"model.onnx", "code/service.py"}
    assert {"python", "tonnage", "scikit-learn", "onnxruntime"} <= set(manifest.versions)
    assert manifest.row_schema["properties"]["distance"]["exclusiveMinimum"] == 0
    assert "ping" in manifest.result_schema["properties"]["cost"]["description"]


def test_golden_predictions_are_the_models_own(packed: PackReport, price_line: LinearRegression):
    golden = packed.manifest.golden
    assert golden.rows[0] == {"distance": 150.0}
    assert golden.results[0] == {"cost": 50.3}
    assert len(golden.rows) == len(golden.predictions) == len(golden.results) == 64
    assert all(1 <= row["distance"] <= 6500 for row in golden.rows)
    expected = price_line.predict(np.log([[row["distance"]] for row in golden.rows]))
    assert golden.predictions == pytest.approx(expected, rel=1e-12)


def test_packing_twice_gives_the_same_bytes(
    packed: PackReport, model_file: Path, example: Path, tmp_path: Path
):
    again = pack(model_file, service="service:RealEstate", output=tmp_path / "b", code=example)
    assert again.sha256 == packed.sha256
    assert again.archive.read_bytes() == packed.archive.read_bytes()
    assert hashlib.sha256(again.archive.read_bytes()).hexdigest() == again.sha256


def test_another_process_packs_the_same_bytes(
    packed: PackReport, model_file: Path, example: Path, tmp_path: Path
):
    script = (
        "import sys; from pathlib import Path; from tonnage.artefact import pack;"
        "print(pack(Path(sys.argv[1]), service='service:RealEstate',"
        " output=Path(sys.argv[2]), code=Path(sys.argv[3])).sha256)"
    )
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, model_file, tmp_path / "other", example],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.strip() == packed.sha256


def test_the_archive_is_the_directory(packed: PackReport):
    with tarfile.open(packed.archive) as archive:
        members = archive.getmembers()
        assert all(member.isreg() for member in members)
        inside = {
            member.name: archive.extractfile(member).read()  # type: ignore[union-attr]
            for member in members
        }
    beside = {
        file.relative_to(packed.directory).as_posix(): file.read_bytes()
        for file in packed.directory.rglob("*")
        if file.is_file() and file.name != ARCHIVE_NAME
    }
    assert inside == beside
    assert {"manifest.json", "model.onnx", "code/service.py"} == set(inside)


def test_the_archive_unpacks_into_an_artefact(packed: PackReport, tmp_path: Path):
    with tarfile.open(packed.archive) as archive:
        archive.extractall(tmp_path, filter="data")
    model = LoadedModel.load(tmp_path)
    assert model.predict([model.parse_row(b'{"distance": 150}')]) == [b'{"cost":50.3}']


def test_packing_leaves_no_litter_beside_the_code_or_the_artefact(
    write_code: WriteCode, pack_plane: PackPlane, two_numbers: str, tmp_path: Path
):
    code = write_code(service=two_numbers)
    pack_plane(code)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["artefact", "code"]
    assert [path.name for path in code.iterdir()] == ["service.py"]


def test_an_older_artefact_is_replaced_whole(
    write_code: WriteCode, pack_plane: PackPlane, two_numbers: str, tmp_path: Path
):
    code = write_code(service=two_numbers)
    first = pack_plane(code)
    (first.directory / "code" / "stale.py").write_text("left over")
    second = pack_plane(code)
    assert verify(second.directory).digest == first.manifest.digest
    assert sorted(path.name for path in tmp_path.iterdir()) == ["artefact", "code"]


def test_a_failing_pack_leaves_the_older_artefact(
    write_code: WriteCode, pack_plane: PackPlane, two_numbers: str, tmp_path: Path
):
    first = pack_plane(write_code(service=two_numbers))
    with pytest.raises(ConfigurationError):
        pack_plane(write_code(service=two_numbers.replace("tolist()", "tolist()[1:]")))
    assert verify(first.directory) == first.manifest
    assert sorted(path.name for path in tmp_path.iterdir()) == ["artefact", "code"]


@pytest.mark.parametrize(
    "content", [None, json.dumps({"manifest_version": 3, "name": "a browser extension"})]
)
def test_a_directory_of_something_else_is_left_alone(
    write_code: WriteCode,
    pack_plane: PackPlane,
    two_numbers: str,
    tmp_path: Path,
    content: str | None,
):
    """Having a ``manifest.json`` does not make it an artefact."""
    (tmp_path / "artefact").mkdir()
    (tmp_path / "artefact" / "thesis.tex").write_text("ten years of work")
    if content is not None:
        (tmp_path / "artefact" / MANIFEST_NAME).write_text(content)
    with pytest.raises(ConfigurationError, match="is no artefact"):
        pack_plane(write_code(service=two_numbers))
    assert (tmp_path / "artefact" / "thesis.tex").exists()


def test_a_file_in_the_way_is_left_alone(
    write_code: WriteCode, pack_plane: PackPlane, two_numbers: str, tmp_path: Path
):
    (tmp_path / "artefact").write_text("a note")
    with pytest.raises(ConfigurationError, match="is no artefact"):
        pack_plane(write_code(service=two_numbers))


def test_a_damaged_artefact_may_be_packed_over(
    write_code: WriteCode, pack_plane: PackPlane, two_numbers: str
):
    first = pack_plane(write_code(service=two_numbers))
    manifest = first.directory / MANIFEST_NAME
    manifest.write_bytes(manifest.read_bytes()[:-100])
    assert verify(pack_plane(write_code(service=two_numbers)).directory)


def test_an_empty_directory_is_packed_into(
    write_code: WriteCode, pack_plane: PackPlane, two_numbers: str, tmp_path: Path
):
    (tmp_path / "artefact").mkdir()
    assert verify(pack_plane(write_code(service=two_numbers)).directory)


def test_a_missing_model_is_named(example: Path, tmp_path: Path):
    with pytest.raises(ConfigurationError, match=r"no model .*absent\.joblib"):
        pack(
            tmp_path / "absent.joblib",
            service="service:RealEstate",
            output=tmp_path / "out",
            code=example,
        )


@pytest.mark.parametrize("content", [b"", b"no pickle", b"\x80\x04."])
def test_a_model_that_does_not_load_is_refused(example: Path, tmp_path: Path, content: bytes):
    (tmp_path / "model.joblib").write_bytes(content)
    with pytest.raises(ArtefactError, match="does not load"):
        pack(
            tmp_path / "model.joblib",
            service="service:RealEstate",
            output=tmp_path / "out",
            code=example,
        )
    assert not (tmp_path / "out").exists()


def test_what_does_not_predict_is_no_model(example: Path, tmp_path: Path):
    joblib.dump({"slope": -8.9}, tmp_path / "model.joblib")
    with pytest.raises(ConfigurationError, match="dict: it has no predict"):
        pack(
            tmp_path / "model.joblib",
            service="service:RealEstate",
            output=tmp_path / "out",
            code=example,
        )
