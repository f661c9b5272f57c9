"""
When an artefact must be packed again.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tonnage.artefact import MANIFEST_NAME, PackReport, is_stale
from tonnage.domain import ArtefactError, ConfigurationError

PackPlane = Callable[..., PackReport]


@pytest.fixture
def code(write_code: Callable[..., Path], two_numbers: str) -> Path:
    return write_code(service=f"import constants\n{two_numbers}", constants="FACTOR = 1\n")


@pytest.fixture
def artefact(code: Path, pack_plane: PackPlane) -> Path:
    return pack_plane(code).directory


def test_a_fresh_artefact_is_not_stale(artefact: Path, code: Path, plane_file: Path):
    assert not is_stale(artefact, plane_file, "service:Model", code)


def test_a_missing_artefact_is_stale(tmp_path: Path, code: Path, plane_file: Path):
    assert is_stale(tmp_path / "absent", plane_file, "service:Model", code)


def test_another_model_makes_it_stale(artefact: Path, code: Path, tmp_path: Path):
    (tmp_path / "model.joblib").write_bytes(b"fitted again")
    assert is_stale(artefact, tmp_path / "model.joblib", "service:Model", code)


def test_a_model_that_is_gone_does_not(artefact: Path, code: Path, tmp_path: Path):
    """Where it is served, only the artefact may be at hand."""
    assert not is_stale(artefact, tmp_path / "absent.joblib", "service:Model", code)


@pytest.mark.parametrize("name", ["service.py", "constants.py"])
def test_changed_code_makes_it_stale(artefact: Path, code: Path, plane_file: Path, name: str):
    (code / name).write_text((code / name).read_text() + "\n")
    assert is_stale(artefact, plane_file, "service:Model", code)


def test_code_that_it_does_not_import_does_not(artefact: Path, code: Path, plane_file: Path):
    (code / "train.py").write_text("print('unrelated')")
    assert not is_stale(artefact, plane_file, "service:Model", code)


def test_another_service_makes_it_stale(artefact: Path, code: Path, plane_file: Path):
    assert is_stale(artefact, plane_file, "service:Other", code)


def test_a_new_import_makes_it_stale(artefact: Path, code: Path, plane_file: Path):
    (code / "constants.py").write_text("FACTOR = 1\nimport more\n")
    (code / "more.py").write_text("")
    assert is_stale(artefact, plane_file, "service:Model", code)


def test_a_manifest_changed_by_hand_is_refused(artefact: Path, code: Path, plane_file: Path):
    manifest = artefact / MANIFEST_NAME
    manifest.write_bytes(manifest.read_bytes().replace(b"service:Model", b"service:Modem"))
    with pytest.raises(ArtefactError):
        is_stale(artefact, plane_file, "service:Model", code)


def test_code_that_is_no_python_is_told(artefact: Path, code: Path, plane_file: Path):
    (code / "service.py").write_text("class Model(:\n")
    with pytest.raises(ConfigurationError, match=r"service\.py is no Python"):
        is_stale(artefact, plane_file, "service:Model", code)
