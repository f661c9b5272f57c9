"""
What goes wrong with a model file, a service or data is told in one line, with the next step.
"""

import gzip
import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.svm import SVC

from tonnage.artefact import LoadedModel, Manifest, PackReport, pack, predict_golden
from tonnage.domain import ArtefactError, ConfigurationError, ModelLoadError, TonnageError

WriteCode = Callable[..., Path]

HOMEMADE = """
from numbers_of_ours import TEN

class Tenfold:
    def predict(self, features):
        return features.sum(axis=1) * TEN

    def __getstate__(self):
        return {"secret": lambda_free}

def lambda_free():
    return None
"""
SURE = """
    outputs = "probabilities"

    def features"""


def pack_file(model: Path, code: Path, **options: Any) -> PackReport:  # noqa: ANN401
    return pack(
        model, service="service:Model", output=model.parent / "artefact", code=code, **options
    )


def pack_object(model: object, code: Path, place: Path, **options: Any) -> PackReport:  # noqa: ANN401
    joblib.dump(model, place / "model.joblib")
    return pack_file(place / "model.joblib", code, **options)


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (b'{"slope": 3}', "JSON"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"\x93NUMPY\x01\x00", "NumPy array"),
        (b"PK\x03\x04" + bytes(30), "zip archive, as Keras and PyTorch.*tonnage serve DIR"),
        (gzip.compress(b"no pickle", mtime=0), "gzip archive"),
        (b"no pickle", "joblib|same library versions"),
    ],
)
def test_a_file_that_is_no_joblib_is_told_what_it_looks_like(
    write_code: WriteCode, two_numbers: str, tmp_path: Path, content: bytes, hint: str
):
    (tmp_path / "model.joblib").write_bytes(content)
    with pytest.raises(ArtefactError, match="does not load") as refusal:
        pack_file(tmp_path / "model.joblib", write_code(service=two_numbers))
    assert re.search(hint, refusal.value.hint or "")


def test_a_class_of_a_library_that_is_missing_names_it(
    write_code: WriteCode, two_numbers: str, tmp_path: Path
):
    (tmp_path / "model.joblib").write_bytes(b"cabsent_library.models\nModel\n.")
    with pytest.raises(ArtefactError) as refusal:
        pack_file(tmp_path / "model.joblib", write_code(service=two_numbers))
    assert "absent_library" in (refusal.value.hint or "")


def test_a_module_that_its_library_had_once_names_the_version(
    write_code: WriteCode, two_numbers: str, tmp_path: Path
):
    """What an older scikit-learn has pickled may name modules that are gone."""
    gone = b"csklearn.gone_since\nForest\n.\x94\x8c\x10_sklearn_version\x94\x8c\x051.2.2\x94"
    (tmp_path / "model.joblib").write_bytes(gone)
    with pytest.raises(ArtefactError, match="does not load") as refusal:
        pack_file(tmp_path / "model.joblib", write_code(service=two_numbers))
    assert refusal.value.hint == "pack it where it was fitted, with scikit-learn 1.2.2"


def test_a_class_of_a_script_says_where_to_put_it(
    write_code: WriteCode, two_numbers: str, tmp_path: Path
):
    (tmp_path / "model.joblib").write_bytes(b"c__main__\nHomemade\n.")
    with pytest.raises(ArtefactError) as refusal:
        pack_file(tmp_path / "model.joblib", write_code(service=two_numbers))
    assert "beside the service" in (refusal.value.hint or "")


def test_a_model_fitted_with_another_scikit_learn_is_packed_with_a_warning(
    plane_file: Path, write_code: WriteCode, two_numbers: str, tmp_path: Path
):
    import sklearn

    content = plane_file.read_bytes()
    other = "0" + sklearn.__version__[1:]
    assert content.count(sklearn.__version__.encode()) == 1
    (tmp_path / "model.joblib").write_bytes(
        content.replace(sklearn.__version__.encode(), other.encode())
    )
    report = pack_file(tmp_path / "model.joblib", write_code(service=two_numbers))
    (warning,) = report.warnings
    assert f"scikit-learn {other}" in warning
    assert sklearn.__version__ in warning
    assert report.manifest.model.format == "onnx"


def test_a_homemade_model_beside_the_service_serves_behind_the_flag(
    write_code: WriteCode, two_numbers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    code = write_code(
        service=two_numbers,
        ours__in__models=HOMEMADE,
        __init____in__models="",
        numbers_of_ours="TEN = 10\n",
    )
    with monkeypatch.context() as patched:
        patched.syspath_prepend(code)
        import models.ours  # type: ignore[import-not-found]

        joblib.dump(models.ours.Tenfold(), tmp_path / "model.joblib")
    for name in ("models.ours", "models", "numbers_of_ours"):
        del sys.modules[name]
    before = set(sys.modules), list(sys.path)
    with pytest.raises(ArtefactError, match="without a pickle") as refusal:
        pack_file(tmp_path / "model.joblib", code)
    assert "--allow-pickle" in (refusal.value.hint or "")
    report = pack_file(tmp_path / "model.joblib", code, allow_pickle=True)
    assert report.manifest.model.format == "joblib"
    assert {"code/models/ours.py", "code/numbers_of_ours.py"} <= set(report.manifest.files)
    for file in code.rglob("*.py"):
        file.unlink()  # the artefact has its own
    with pytest.raises(ArtefactError, match="as a pickle") as refusal:
        LoadedModel.load(report.directory)
    assert "tonnage serve --allow-pickle" in (refusal.value.hint or "")
    model = LoadedModel.load(report.directory, allow_pickle=True)
    predict_golden(model)
    assert model.predict([model.parse_row(b'{"a": 1, "b": 2}')]) == [b'{"y":30.0}']
    new = {name for name in set(sys.modules) - before[0] if not name.startswith("_tonnage")}
    assert not {"models", "models.ours", "numbers_of_ours"} & new
    assert sys.path == before[1]


def test_a_homemade_class_that_a_notebook_has_imported_is_packed_too(
    write_code: WriteCode, two_numbers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    code = write_code(
        service=two_numbers,
        of_a_notebook="class Sum:\n    def predict(self, x):\n        return x.sum(axis=1)\n",
    )
    monkeypatch.syspath_prepend(code)
    import of_a_notebook  # type: ignore[import-not-found]

    report = pack_object(of_a_notebook.Sum(), code, tmp_path, allow_pickle=True)
    assert "code/of_a_notebook.py" in report.manifest.files
    assert sys.modules.pop("of_a_notebook") is of_a_notebook
    predict_golden(LoadedModel.load(report.directory, allow_pickle=True))


def test_a_model_that_predicts_another_row_count_is_refused(
    write_code: WriteCode, two_numbers: str, tmp_path: Path
):
    code = write_code(
        service=two_numbers,
        short="class Short:\n    def predict(self, features):\n        return features[1:, 0]\n",
    )
    (tmp_path / "model.joblib").write_bytes(b"cshort\nShort\n)\x81.")
    with pytest.raises(ConfigurationError, match=r"shape \(4095,\) for 4096 rows"):
        pack_file(tmp_path / "model.joblib", code)


def test_a_model_that_predicts_no_number_is_told_for_which_row(
    write_code: WriteCode, two_numbers: str, tmp_path: Path
):
    model = LinearRegression().fit([[0, 0], [1, 1]], [0, 1])
    model.coef_ = np.array([np.inf, 1.0])
    with pytest.raises(ConfigurationError, match=r"gave (-?inf|nan) for row 1 "):
        pack_object(model, write_code(service=two_numbers), tmp_path)


@pytest.mark.parametrize(
    ("model", "named"),
    [
        (LinearRegression().fit([[0, 0], [1, 1]], [0, 1]), "LinearRegression has none"),
        (SVC().fit([[0, 0], [1, 1]], ["a", "b"]), "SVC has none"),
    ],
)
def test_probabilities_are_asked_only_of_what_has_them(
    model: object, named: str, write_code: WriteCode, two_numbers: str, tmp_path: Path
):
    source = two_numbers.replace("\n    def features", SURE)
    with pytest.raises(ConfigurationError, match=named) as refusal:
        pack_object(model, write_code(service=source), tmp_path)
    assert "outputs" in (refusal.value.hint or "")


def test_outputs_that_there_are_not_are_refused(
    write_code: WriteCode, two_numbers: str, tmp_path: Path
):
    source = two_numbers.replace("\n    def features", SURE.replace("probabilities", "everything"))
    with pytest.raises(TonnageError, match="everything"):
        pack_object(LogisticRegression(), write_code(service=source), tmp_path)


@pytest.mark.parametrize(
    ("features", "named"),
    [
        ("{'a': [row.a for row in rows], 'b': [1.0]}", "lengths"),
        ("{'a': [[row.a] for row in rows], 'b': [b'1' for row in rows]}", "fails"),
        ("{'a': [row.a for row in rows][1:]}", "4095 rows for 4096 rows"),
        ("{}", "features"),
    ],
)
def test_columns_that_are_no_table_are_refused(
    features: str, named: str, write_code: WriteCode, two_numbers: str, tmp_path: Path
):
    source = two_numbers.replace("np.array([[row.a, row.b] for row in rows])", features)
    model = LinearRegression().fit([[0, 0], [1, 1]], [0, 1])
    with pytest.raises(ConfigurationError, match=named):
        pack_object(model, write_code(service=source), tmp_path)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("a\n1\n", "has no column b; it has a"),
        ("a,b\n1,2\n1\n", "line 3 has 1 cells and the header 2: b is missing"),
        ("a,b\n1,2,3\n", "line 2 has 3 cells and the header 2"),
        ("a,b\n1,2\n\nNaN,3\n", "line 4: a is NaN"),
        ("a,b\n,2\n", "line 2: a is"),
        ("a,b,a\n1,2,3\n", "column a more than once"),
        ("a,b\n1,eleven\n", "line 2: b is 'eleven'"),
    ],
)
def test_data_that_does_not_fit_names_line_and_column(
    table: str,
    words: str,
    write_code: WriteCode,
    two_numbers: str,
    plane_file: Path,
    tmp_path: Path,
):
    (tmp_path / "rows.csv").write_text(table)
    with pytest.raises(ConfigurationError) as refusal:
        pack(
            plane_file,
            service="service:Model",
            output=tmp_path / "artefact",
            code=write_code(service=two_numbers),
            data=tmp_path / "rows.csv",
        )
    assert words in refusal.value.message


def forged_versions(directory: Path, **versions: str) -> None:
    manifest = Manifest.read(directory)
    changed = {**manifest.versions, **{k.replace("_", "-"): v for k, v in versions.items()}}
    (directory / "manifest.json").write_bytes(replace(manifest, versions=changed).to_bytes())


def test_another_runtime_is_warned_of(copy: Path, caplog: pytest.LogCaptureFixture):
    LoadedModel.load(copy)
    assert not caplog.records
    forged_versions(copy, onnxruntime="0.9.0", scikit_learn="0.1")
    LoadedModel.load(copy)
    (record,) = caplog.records
    assert "onnxruntime 0.9.0 (here " in record.getMessage()
    assert "scikit-learn" not in record.getMessage(), "a compiled model has no use for it"


def test_another_scikit_learn_is_warned_of_and_named_when_the_self_test_fails(
    write_code: WriteCode,
    two_numbers: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
):
    from sklearn.ensemble import HistGradientBoostingRegressor

    chance = np.random.default_rng(0)
    features = chance.uniform([-3, 0], [3, 10], (60, 2))
    model = HistGradientBoostingRegressor(max_iter=2, random_state=0).fit(features, features[:, 0])
    with monkeypatch.context() as patched:  # it writes its version into each estimator
        patched.setattr("sklearn.base.__version__", "0.1")
        report = pack_object(model, write_code(service=two_numbers), tmp_path)
    forged_versions(report.directory, scikit_learn="0.1")
    loaded = LoadedModel.load(report.directory)
    assert "scikit-learn 0.1 (here " in caplog.text
    golden = loaded.manifest.golden
    other = replace(golden, predictions=[one + 1 for one in golden.predictions])
    with pytest.raises(ModelLoadError) as refusal:
        predict_golden(replace(loaded, manifest=replace(loaded.manifest, golden=other)))
    assert "scikit-learn 0.1" in (refusal.value.hint or "")


def test_a_manifest_from_before_the_newer_fields_is_still_read(copy: Path):
    content = json.loads((copy / "manifest.json").read_text())
    assert "columns" not in content["model"]
    del content["model"]["floor"]
    older = Manifest._parsed(json.dumps(content).encode(), copy)
    (copy / "manifest.json").write_bytes(older.to_bytes())
    predict_golden(LoadedModel.load(copy))


@pytest.mark.parametrize("kept", [0, 40, 0.5])
def test_a_file_that_is_cut_short_is_told(
    plane_file: Path, write_code: WriteCode, two_numbers: str, tmp_path: Path, kept: float
):
    whole = plane_file.read_bytes()
    (tmp_path / "cut.joblib").write_bytes(whole[: int(kept if kept != 0.5 else len(whole) / 2)])
    with pytest.raises(ArtefactError, match=r"cut\.joblib does not load") as refusal:
        pack_file(tmp_path / "cut.joblib", write_code(service=two_numbers))
    assert "cut short" in (refusal.value.hint or "")


def test_a_directory_is_no_model(write_code: WriteCode, two_numbers: str, tmp_path: Path):
    code = write_code(service=two_numbers)
    with pytest.raises(ConfigurationError, match="is a directory") as refusal:
        pack_file(tmp_path, code)
    assert "joblib" in (refusal.value.hint or "")


@pytest.mark.parametrize("service", ["service", "service:"])
def test_a_service_without_its_class_is_told_which_there_are(
    plane_file: Path, write_code: WriteCode, two_numbers: str, tmp_path: Path, service: str
):
    with pytest.raises(ConfigurationError, match="has no ''") as refusal:
        pack(
            plane_file,
            service=service,
            output=tmp_path / "artefact",
            code=write_code(service=two_numbers),
        )
    assert "service:Model" in (refusal.value.hint or "")
