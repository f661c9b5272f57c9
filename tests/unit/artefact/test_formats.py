"""
What each kind of model becomes, and that it still predicts the same.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from tonnage.artefact import LoadedModel, PackReport, pack, predict_golden
from tonnage.domain import ArtefactError, ConfigurationError

WriteCode = Callable[..., Path]

CHANCE = np.random.default_rng(1)
FEATURES = CHANCE.uniform([-3, 0], [3, 10], (200, 2))
VALUES = np.sin(FEATURES[:, 0]) + np.sqrt(FEATURES[:, 1]) + 5
LABELS = np.where(VALUES > 7, "high", "low")


def fitted(model: Any, target: np.ndarray = VALUES) -> Any:  # noqa: ANN401
    return model.fit(FEATURES, target)


MODELS = {
    "line": (lambda: fitted(LinearRegression()), {"onnx float64"}),
    "pipeline": (
        lambda: fitted(make_pipeline(StandardScaler(), LinearRegression())),
        {"onnx float64"},
    ),
    "neighbours": (lambda: fitted(KNeighborsRegressor()), {"onnx float64"}),
    "forest": (lambda: fitted(RandomForestRegressor(10, random_state=0)), {"onnx float32"}),
    "forest of labels": (
        # Ten trees tie in one row of a hundred, and the double kernel breaks ties another way.
        lambda: fitted(RandomForestClassifier(10, random_state=0), LABELS),
        {"onnx float32"},
    ),
    "logistic": (
        lambda: fitted(LogisticRegression(), LABELS),
        {"onnx float64", "onnx float32"},
    ),
    "logistic of numbers": (
        lambda: fitted(LogisticRegression(), (VALUES > 7).astype(int)),
        {"onnx float64", "onnx float32"},
    ),
    # These two have no double kernel, and single precision may or may not be good enough.
    "support vectors": (lambda: fitted(SVR()), {"onnx float32", "skops float64"}),
    "boosting": (
        lambda: fitted(GradientBoostingRegressor(n_estimators=20, random_state=0)),
        {"onnx float32", "skops float64"},
    ),
    "histogram boosting": (
        lambda: fitted(HistGradientBoostingRegressor(max_iter=20, random_state=0)),
        {"onnx float64", "onnx float32", "skops float64"},
    ),
}


def pack_model(model: object, code: Path, place: Path, **options: Any) -> PackReport:  # noqa: ANN401
    joblib.dump(model, place / "model.joblib")
    return pack(
        place / "model.joblib",
        service="service:Model",
        output=place / "artefact",
        code=code,
        **options,
    )


def assert_parity(report: PackReport, model: Any, *, allow_pickle: bool = False) -> None:  # noqa: ANN401
    """On rows that packing has not seen, too: as close as the precision lets it be."""
    loaded = LoadedModel.load(report.directory, allow_pickle=allow_pickle)
    predict_golden(loaded)
    fresh = np.random.default_rng(7).uniform([-3, 0], [3, 10], (300, 2))
    expected = model.predict(fresh)
    predicted = loaded.predictor.predict(fresh)
    assert predicted.shape == expected.shape
    if expected.dtype.kind == "f" and report.manifest.model.precision == "float64":
        assert predicted == pytest.approx(expected, rel=1e-9)
    elif expected.dtype.kind == "f":
        assert predicted == pytest.approx(expected, rel=1e-5)
    else:
        assert predicted.tolist() == expected.tolist()


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_stored_without_a_pickle_and_predicts_the_same(
    name: str, write_code: WriteCode, two_numbers: str, tmp_path: Path
):
    make, expected = MODELS[name]
    model = make()
    report = pack_model(model, write_code(service=two_numbers), tmp_path)
    entry = report.manifest.model
    assert f"{entry.format} {entry.precision}" in expected, entry.considered
    assert entry.max_relative_difference <= entry.tolerance
    assert not (report.directory / "model.joblib").exists()
    assert_parity(report, model)


def test_text_labels_come_back_as_text(write_code: WriteCode, two_numbers: str, tmp_path: Path):
    model = fitted(LogisticRegression(), LABELS)
    report = pack_model(model, write_code(service=two_numbers), tmp_path)
    assert {result["y"] for result in report.manifest.golden.results} == {"high", "low"}


def test_every_form_that_was_tried_says_what_came_of_it(
    write_code: WriteCode, two_numbers: str, tmp_path: Path
):
    model = fitted(SVR())
    report = pack_model(model, write_code(service=two_numbers), tmp_path)
    considered = report.manifest.model.considered
    assert considered[0].startswith("onnx float64: NotImplemented")
    assert all("\n" not in line for line in considered)


@dataclass
class Homemade:
    """A model that no converter knows, and skops cannot take apart."""

    def __reduce__(self) -> tuple[Any, ...]:
        return make_homemade, ()

    def __getstate__(self) -> dict[str, Any]:
        raise TypeError("this model keeps its state to itself")

    def predict(self, features: np.ndarray) -> np.ndarray:
        return features.sum(axis=1)


def make_homemade() -> Homemade:
    return Homemade()


@pytest.fixture
def homemade(monkeypatch: pytest.MonkeyPatch) -> Homemade:
    """Importable where a pickle looks for it, as the code of a user's own library is."""
    library = ModuleType("homemade_model")
    library.make_homemade = make_homemade  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "homemade_model", library)
    monkeypatch.setattr(make_homemade, "__module__", "homemade_model")
    return Homemade()


def test_a_pickle_is_kept_only_when_its_owner_allows_it(
    homemade: Homemade, write_code: WriteCode, two_numbers: str, tmp_path: Path
):
    code = write_code(service=two_numbers)
    with pytest.raises(ArtefactError, match="cannot be stored without a pickle") as refusal:
        pack_model(homemade, code, tmp_path)
    assert "--allow-pickle" in (refusal.value.hint or "")
    assert not (tmp_path / "artefact").exists()
    report = pack_model(homemade, code, tmp_path, allow_pickle=True)
    assert report.manifest.model.format == "joblib"
    assert_parity(report, homemade, allow_pickle=True)


def test_a_better_form_is_taken_even_when_a_pickle_is_allowed(
    write_code: WriteCode, two_numbers: str, tmp_path: Path
):
    report = pack_model(
        fitted(LinearRegression()), write_code(service=two_numbers), tmp_path, allow_pickle=True
    )
    assert report.manifest.model.format == "onnx"


def test_features_that_the_model_was_not_fitted_on_are_told(
    write_code: WriteCode, two_numbers: str, tmp_path: Path
):
    model = LinearRegression().fit(FEATURES[:, :1], VALUES)
    with pytest.raises(ConfigurationError, match=r"LinearRegression\.predict fails .*\(4096, 2\)"):
        pack_model(model, write_code(service=two_numbers), tmp_path)


def test_a_model_that_is_no_onnx_packs_to_the_same_bytes_too(
    write_code: WriteCode, two_numbers: str, tmp_path: Path
):
    code = write_code(service=two_numbers)
    shas = set()
    for seed in ("first", "second"):
        (tmp_path / seed).mkdir()
        model = fitted(HistGradientBoostingRegressor(max_iter=2, random_state=0))
        shas.add(pack_model(model, code, tmp_path / seed).sha256)
    assert len(shas) == 1
