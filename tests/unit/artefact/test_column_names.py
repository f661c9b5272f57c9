"""
Columns are called what their author calls them, and the compiled model takes them by that name.
"""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from tonnage.artefact._compile import Stored, store
from tonnage.artefact._predictors import OnnxPredictor

CHANCE = np.random.default_rng(5)
NAMES = [
    ["living area (m²)", "living area [m²]"],  # the converter makes the same identifier of both
    ["a b", "a_b"],
    ["1st", "a-b"],
    ["variable", "plot area"],  # the converter's own name for what a regressor predicts
    ["label", "probabilities"],  # … and a classifier
    ["scaled_input", "variable_1"],
]


def table(names: list[str]) -> pd.DataFrame:
    return pd.DataFrame({name: CHANCE.uniform(0, 9, 200) for name in names})


def columns(frame: pd.DataFrame) -> dict[str, list[Any]]:
    return {str(name): frame[name].tolist() for name in frame}


def compiled(stored: Stored) -> OnnxPredictor:
    assert stored.format == "onnx", stored.considered
    return OnnxPredictor(stored.content, columns=stored.columns, classes=stored.classes)


@pytest.mark.parametrize("names", NAMES, ids=" and ".join)
@pytest.mark.parametrize(
    ("end", "precision"),
    [(LinearRegression(), "float64"), (RandomForestRegressor(3, random_state=0), "float32")],
    ids=["linear", "forest"],
)
def test_a_table_with_any_column_names_is_compiled(
    names: list[str], end: BaseEstimator, precision: str
):
    frame = table(names)
    steps = make_column_transformer((StandardScaler(), names[::-1]))
    model = make_pipeline(steps, end).fit(frame, 3 * frame[names[0]] + frame[names[1]])
    stored = store(model, columns(frame))
    assert stored.precision == precision, stored.considered
    fresh = table(names)
    assert compiled(stored).predict(columns(fresh)) == pytest.approx(model.predict(fresh), rel=1e-5)


@pytest.mark.parametrize("names", NAMES, ids=" and ".join)
def test_so_is_a_classifier_with_its_probabilities(names: list[str]):
    frame = table(names)
    steps = make_column_transformer((StandardScaler(), names))
    model = make_pipeline(steps, LogisticRegression()).fit(frame, frame[names[0]] > frame[names[1]])
    predictor = compiled(store(model, columns(frame), wanted="probabilities"))
    fresh = table(names)
    told: Any = predictor.predict(columns(fresh))
    assert told.probabilities == pytest.approx(model.predict_proba(fresh), abs=1e-6)


def test_a_text_column_of_any_name_is_fed_as_text():
    frame = table(["living area (m²)"])
    frame["sub-urb"] = CHANCE.choice(["east", "west"], len(frame))
    steps = make_column_transformer(
        (OneHotEncoder(), ["sub-urb"]), (StandardScaler(), ["living area (m²)"])
    )
    model = make_pipeline(steps, LinearRegression()).fit(
        frame, frame["living area (m²)"] + (frame["sub-urb"] == "east")
    )
    predictor = compiled(store(model, columns(frame)))
    assert predictor.predict(columns(frame)) == pytest.approx(model.predict(frame))
