"""
What each kind of model becomes, that it predicts the same, and that the page says so.
"""

import hashlib
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

from artefact_conversions import (
    CASES,
    HOMES,
    NUMBERS,
    PAGE,
    PLAIN,
    SURE,
    WITH_GAPS,
    Case,
    line,
    magnitude,
    pack_case,
    packed,
)
from tonnage.artefact import Classified, LoadedModel, pack
from tonnage.artefact._onnx_form import MissingConverterError
from tonnage.artefact._skops_form import dumps

COMPILED = {name for name in CASES if not name.startswith("Hist") and "that tie" not in name}
SINGLE_TOLERANCE = 1e-5


def on_new_rows(name: str) -> tuple[Any, Any]:
    """Return features that packing has not seen, as the model takes them and as a service does."""
    if not name.startswith("Column"):
        fresh = np.random.default_rng(7).uniform([-3, 0], [3, 10], (300, 2))
        return fresh, fresh
    homes = (WITH_GAPS if "imputer" in name else HOMES).sample(frac=1.0, random_state=3)
    return homes, {column: homes[column].tolist() for column in homes}


@pytest.mark.parametrize("name", CASES)
def test_a_packed_model_predicts_what_the_original_does(name: str):
    """On rows that packing has not seen; a label may differ where probabilities tie."""
    model, report = packed(name)
    entry = report.manifest.model
    assert entry.max_relative_difference <= entry.tolerance
    assert entry.format in {"onnx", "skops"}
    theirs, ours = on_new_rows(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # LightGBM misses names that it made up
        expected = model.predict(theirs)
        probable = model.predict_proba(theirs) if CASES[name].service == SURE else None
    predicted = LoadedModel.load(report.directory).predictor.predict(ours)
    if probable is None:
        assert predicted.shape == expected.shape
        if expected.dtype.kind == "f":
            assert predicted == pytest.approx(expected, rel=SINGLE_TOLERANCE, abs=1e-3)
        else:
            assert predicted.tolist() == expected.tolist()
        return
    assert isinstance(predicted, Classified)
    assert list(predicted.classes) == model.classes_.tolist()
    assert predicted.probabilities == pytest.approx(probable, abs=SINGLE_TOLERANCE)
    assert np.mean(predicted.labels == expected) >= 0.99


@pytest.mark.parametrize("name", sorted(COMPILED))
def test_what_the_runtime_knows_is_compiled(name: str):
    entry = packed(name)[1].manifest.model
    assert entry.format == "onnx", entry.considered


@pytest.mark.parametrize("name", sorted(set(CASES) - COMPILED))
def test_what_it_does_not_know_is_stored_without_a_pickle(name: str):
    entry = packed(name)[1].manifest.model
    assert entry.format == "skops", entry.considered


def page_lines() -> dict[str, list[str]]:
    rows = [text for text in PAGE.read_text(encoding="utf-8").splitlines() if text[:2] == "| "]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]
    return {name: rest for name, *rest in cells}


def power(cell: str) -> int:
    return -12 if cell == "none" else int(cell.partition("e")[2])


def test_the_page_names_every_model_and_no_other():
    assert list(page_lines()) == list(CASES)


@pytest.mark.parametrize("name", CASES)
def test_the_page_says_what_each_model_got(name: str):
    """To one power of ten: the last digits of a difference are the machine's."""
    form, difference, why = page_lines()[name]
    told = line(name)
    assert form == told.form, "write it again: .venv/bin/python tests/artefact_conversions.py"
    assert without_powers(why) == without_powers(told.why)
    assert abs(power(difference) - power(told.difference)) <= 1


def without_powers(text: str) -> list[str]:
    return [word for word in text.split() if not word.startswith("1e-")]


def test_a_magnitude_is_a_power_of_ten_above_the_difference():
    assert [magnitude(x) for x in (0.0, 3e-16, 9e-8, 1.1e-7)] == ["none", "1e-12", "1e-7", "1e-6"]


def test_text_labels_and_probabilities_are_in_the_answer():
    model, report = packed("LogisticRegression, three classes")
    loaded = LoadedModel.load(report.directory)
    (answer,) = loaded.predict([loaded.parse_row(b'{"a": 1, "b": 2}')])
    result = loaded.service.result.model_validate_json(answer)
    assert result.label == model.predict([[1.0, 2.0]])[0]
    assert list(result.probabilities) == ["high", "low", "middle"]
    assert list(result.probabilities.values()) == pytest.approx(
        model.predict_proba([[1.0, 2.0]])[0].tolist(), abs=1e-9
    )


def test_a_missing_value_of_a_table_reaches_the_imputer():
    model, report = packed("ColumnTransformer (imputer, scaler, one-hot), Ridge")
    loaded = LoadedModel.load(report.directory)
    row = loaded.parse_row(b'{"area": 80, "rooms": 3, "kind": "loft", "age": null, "lift": true}')
    frame = WITH_GAPS.iloc[[0]].assign(area=80.0, rooms=3, kind="loft", age=np.nan, lift=True)
    predicted = loaded.predictor.predict(loaded.service.features([row]))
    assert predicted == pytest.approx(model.predict(frame), rel=SINGLE_TOLERANCE)


OBJECTS = "np.array([[row.size, row.kind] for row in rows], dtype=object)"
MIXED = """
import numpy as np
from typing import Literal
from pydantic import BaseModel, Field
from tonnage import Service

class Row(BaseModel):
    size: float = Field(ge=0, le=10)
    kind: Literal["a", "b"]

class Answer(BaseModel):
    y: float

class Model(Service[Row, Answer]):
    def features(self, rows):
        return np.array([[row.size, row.kind] for row in rows], dtype=object)

    def results(self, predictions):
        return [Answer(y=one) for one in predictions.tolist()]
"""


def mixed_case(service: str) -> Case:
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    chance = np.random.default_rng(2)
    sizes, kinds = chance.uniform(0, 10, 90), chance.choice(["a", "b"], 90)
    table = np.array([[size, str(kind)] for size, kind in zip(sizes, kinds, strict=True)], object)
    return Case(
        make=lambda: make_pipeline(
            ColumnTransformer([("n", StandardScaler(), [0]), ("c", OneHotEncoder(), [1])]), Ridge()
        ),
        service=service,
        features=table,
        target=sizes + (kinds == "a"),
    )


@pytest.mark.parametrize(
    "features",
    [
        OBJECTS,
        "{'size': [row.size for row in rows], 'kind': [row.kind for row in rows]}",
        "__import__('pandas').DataFrame([row.model_dump() for row in rows])",
    ],
    ids=["objects", "columns", "data frame"],
)
def test_a_table_may_come_as_objects_columns_or_a_data_frame(features: str, tmp_path: Path):
    """The model here was fitted on a matrix of objects, which has no names."""
    service = MIXED.replace(OBJECTS, features)
    model, report = pack_case(mixed_case(service), tmp_path)
    assert report.manifest.model.format == "onnx"
    loaded = LoadedModel.load(report.directory)
    (answer,) = loaded.predict([loaded.parse_row(b'{"size": 3, "kind": "a"}')])
    (expected,) = model.predict(np.array([[3.0, "a"]], dtype=object))
    assert loaded.service.result.model_validate_json(answer).y == pytest.approx(expected)


def test_labels_keep_their_type(tmp_path: Path):
    """The runtime knows whole numbers and text only."""
    from sklearn.linear_model import LogisticRegression

    for index, labels in enumerate((VALUES_OVER, VALUES_OVER.astype(float), VALUES_OVER * 2 - 1)):
        place = tmp_path / str(index)
        place.mkdir()
        case = Case(make=LogisticRegression, service=PLAIN, target=labels)
        model, report = pack_case(case, place)
        predicted = LoadedModel.load(report.directory).predictor.predict(NUMBERS)
        assert predicted.tolist() == model.predict(NUMBERS).tolist()
        assert {type(one) for one in predicted.tolist()} == {type(labels.tolist()[0])}


VALUES_OVER = NUMBERS[:, 0] > 0


def test_without_its_converter_a_booster_is_skops_and_the_hint_names_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    def absent(library: str) -> Any:  # noqa: ANN401 (never returns)
        raise ImportError(library)

    monkeypatch.setattr("tonnage.artefact._onnx_form._booster_converter", absent)
    for name in ("XGBRegressor", "LGBMClassifier"):
        place = tmp_path / name
        place.mkdir()
        model, report = pack_case(CASES[name], place)
        entry = report.manifest.model
        assert entry.format == "skops"
        assert entry.max_relative_difference == 0
        assert MissingConverterError.__name__ in entry.considered[0]
        assert "pip install 'tonnage[boost]'" in entry.considered[0]
        assert {"xgboost", "lightgbm"} & set(report.manifest.versions)
        predicted = LoadedModel.load(report.directory).predictor.predict(NUMBERS)
        labels = predicted.labels if isinstance(predicted, Classified) else predicted
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            assert labels.tolist() == model.predict(NUMBERS).tolist()


@pytest.mark.parametrize(
    "name",
    ["HistGradientBoostingClassifier", "LGBMRegressor", "RandomForestClassifier, trees that tie"],
)
def test_packing_twice_gives_the_same_bytes_in_every_form(name: str, tmp_path: Path):
    """From models that were loaded anew, so at other addresses."""
    model, report = packed(name)
    joblib.dump(model, tmp_path / "model.joblib")
    (tmp_path / "service.py").write_text(CASES[name].service)
    again = pack(
        tmp_path / "model.joblib",
        service="service:Model",
        output=tmp_path / "artefact",
        code=tmp_path,
    )
    assert again.manifest.files == report.manifest.files
    assert again.sha256 == report.sha256


FOREIGN = """
import hashlib, joblib, sys
from tonnage.artefact._skops_form import dumps
held = [bytearray(b"left over") * size for size in range(5000)]
del held
print(*(hashlib.sha256(dumps(joblib.load(file))).hexdigest() for file in sys.argv[1:]))
"""


def test_skops_archives_are_the_same_bytes_in_every_process(tmp_path: Path):
    """Whatever the seed of its hashes, and whatever its memory held before."""
    files = []
    for number, name in enumerate(("RandomForestClassifier", "LGBMClassifier", "SVR")):
        files.append(tmp_path / f"{number}.joblib")
        joblib.dump(packed(name)[0], files[-1])
    here = [hashlib.sha256(dumps(joblib.load(file))).hexdigest() for file in files]
    finished = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FOREIGN, *files],
        env={**os.environ, "PYTHONHASHSEED": "77"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.split() == here
