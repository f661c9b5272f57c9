"""
Importing the user's code: what belongs to a service, and what is none.
"""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tonnage.artefact import LoadedModel, LoadedService, PackReport, pack, predict_golden
from tonnage.domain import ConfigurationError, TonnageError

WriteCode = Callable[..., Path]
PackPlane = Callable[..., PackReport]


def answer(model: LoadedModel, body: bytes = b'{"a": 1, "b": 1}') -> bytes:
    return model.predict([model.parse_row(body)])[0]


def scaled_by(two_numbers: str, expression: str) -> str:
    return two_numbers.replace("predictions.tolist()", f"(predictions * {expression}).tolist()")


def test_a_module_beside_it_is_packed_and_works_without_the_original(
    write_code: WriteCode, pack_plane: PackPlane, two_numbers: str
):
    code = write_code(
        service=f"from constants import FACTOR\n{scaled_by(two_numbers, 'FACTOR')}",
        constants="from numbers_of_ours import TEN\nFACTOR = TEN\n",
        numbers_of_ours="TEN = 10\n",
        unrelated="raise SystemExit('never imported')\n",
    )
    report = pack_plane(code)
    assert {name for name in report.manifest.files if name.startswith("code/")} == {
        "code/service.py",
        "code/constants.py",
        "code/numbers_of_ours.py",
    }
    shutil.rmtree(code)
    model = LoadedModel.load(report.directory)
    predict_golden(model)
    assert answer(model) == b'{"y":60.0}'


def test_a_package_beside_it_is_packed_whole(
    write_code: WriteCode, pack_plane: PackPlane, two_numbers: str
):
    """Its ``__init__`` runs first, and its modules import each other."""
    code = write_code(
        service=f"from maths.scale import FACTOR\n{scaled_by(two_numbers, 'FACTOR')}",
        __init____in__maths="from .base import TEN\n",
        base__in__maths="TEN = 10\n",
        scale__in__maths="from . import TEN\nfrom .more import TWO\nFACTOR = TEN * TWO\n",
        more__in__maths="TWO = 2\n",
    )
    report = pack_plane(code)
    shutil.rmtree(code)
    assert {name for name in report.manifest.files if "maths" in name} == {
        "code/maths/__init__.py",
        "code/maths/base.py",
        "code/maths/more.py",
        "code/maths/scale.py",
    }
    assert answer(LoadedModel.load(report.directory)) == b'{"y":120.0}'


def test_two_services_of_the_same_name_do_not_mix(
    plane_file: Path, two_numbers: str, tmp_path: Path
):
    """Nor do the modules beside them."""
    models = {}
    for factor in (2, 3):
        place = tmp_path / str(factor)
        place.mkdir()
        (place / "constants.py").write_text(f"FACTOR = {factor}\n")
        source = f"from constants import FACTOR\n{scaled_by(two_numbers, 'FACTOR')}"
        (place / "service.py").write_text(source)
        report = pack(plane_file, service="service:Model", output=place / "out", code=place)
        models[factor] = LoadedModel.load(report.directory)
    assert answer(models[2]) == b'{"y":12.0}'
    assert answer(models[3]) == b'{"y":18.0}'
    assert "service" not in sys.modules
    assert "constants" not in sys.modules


def test_a_module_of_the_same_name_imported_before_is_left_alone(
    write_code: WriteCode,
    pack_plane: PackPlane,
    two_numbers: str,
    monkeypatch: pytest.MonkeyPatch,
):
    """A notebook may have one; the artefact must run its own, which was verified."""
    theirs = ModuleType("constants")
    theirs.FACTOR = 1000  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "constants", theirs)
    code = write_code(
        service=f"from constants import FACTOR\n{scaled_by(two_numbers, 'FACTOR')}",
        constants="FACTOR = 2\n",
    )
    assert answer(LoadedModel.load(pack_plane(code).directory)) == b'{"y":12.0}'
    assert sys.modules["constants"] is theirs


def test_edited_code_is_packed_as_it_is_now(
    write_code: WriteCode, pack_plane: PackPlane, two_numbers: str
):
    """In a notebook, one process packs again and again."""
    for factor in (2, 3):
        code = write_code(
            service=f"from constants import FACTOR\n{scaled_by(two_numbers, 'FACTOR')}",
            constants=f"FACTOR = {factor}\n",
        )
        report = pack_plane(code)
        first = report.manifest.golden
        assert first.results[0]["y"] == pytest.approx(factor * first.predictions[0])


def test_importing_leaves_the_path_alone(
    write_code: WriteCode, pack_plane: PackPlane, two_numbers: str
):
    before = list(sys.path), sys.dont_write_bytecode
    LoadedService.load(pack_plane(write_code(service=two_numbers)).directory)
    assert (list(sys.path), sys.dont_write_bytecode) == before


@pytest.mark.parametrize(
    ("handler", "named"),
    [
        ("absent:Model", "absent.py"),
        ("service:Absent", "'Absent'"),
        ("service:Row", "no subclass"),
        ("service:np", "no subclass"),
        ("service:Service", "no subclass"),
        ("service:", "''"),
        ("service", "''"),
        (":Model", "there is no"),
        ("", "there is no"),
        ("service.more:Model", "more.py"),
    ],
)
def test_a_wrong_handler_is_named(
    write_code: WriteCode, pack_plane: PackPlane, two_numbers: str, handler: str, named: str
):
    with pytest.raises(ConfigurationError) as refusal:
        pack_plane(write_code(service=two_numbers), service=handler)
    assert named in refusal.value.message
    assert refusal.value.hint


def test_a_wrong_handler_is_refused_in_the_working_directory_too(
    plane_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError):
        pack(plane_file, service=":Model", output=tmp_path / "out")


def test_a_misspelt_class_is_told_what_there_is(
    write_code: WriteCode, pack_plane: PackPlane, two_numbers: str
):
    with pytest.raises(ConfigurationError) as refusal:
        pack_plane(write_code(service=two_numbers), service="service:Modelx")
    assert "Model" in (refusal.value.hint or "")


BROKEN = {
    "no pydantic model": ("Service[Row, Answer]", "Service[dict, Answer]"),
    "defines no features": ("def features", "def feature"),
    "defines no results": ("def results", "def result"),
    "features of one dimension": ("[[row.a, row.b] for", "[row.a for"),
    "features of three dimensions": ("[[row.a, row.b] for", "[[[row.a, row.b]] for"),
    "features of one row too few": ("for row in rows])", "for row in rows[1:]])"),
    "ragged features": ("[[row.a, row.b] for", "[[row.a] * (1 + (row.a > 0)) for"),
    "features that fail": ("return np.array", "return nump.array"),
    "one result too few": ("in predictions.tolist()", "in predictions.tolist()[1:]"),
    "results that fail": ("Answer(y=one)", "Answer(z=one)"),
    "results of another kind": ("Answer(y=one)", "{'y': one}"),
    "a constructor with arguments": (
        "    def features",
        "    def __init__(self, city):\n        self.city = city\n\n    def features",
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_service_that_does_not_work_is_refused_in_one_line(
    write_code: WriteCode, pack_plane: PackPlane, two_numbers: str, fault: str, tmp_path: Path
):
    code = write_code(service=two_numbers.replace(*BROKEN[fault]))
    with pytest.raises(ConfigurationError) as refusal:
        pack_plane(code)
    assert "\n" not in refusal.value.message
    assert not (tmp_path / "artefact").exists()


@pytest.mark.parametrize(
    "source", ["import absent_library\n", "1 / 0\n", "def f(:\n", "raise KeyError('x')\n", "\x00"]
)
def test_a_module_that_does_not_import_is_told(
    write_code: WriteCode, pack_plane: PackPlane, two_numbers: str, source: str
):
    code = write_code(service=source + two_numbers)
    with pytest.raises(TonnageError) as refusal:
        pack_plane(code)
    assert "service.py" in refusal.value.message
