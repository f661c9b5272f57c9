"""
What a fitted model remembers of its columns, wherever in it that is stored.
"""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import BaggingRegressor, RandomForestRegressor
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder

from tonnage.artefact import FittedPredictor, begins_with_text, known_categories
from tonnage.artefact._fitted_columns import object_columns

TABLE = pd.DataFrame(
    {
        "size": [1.0, 2.0, 3.0, 4.0] * 3,
        "code": ["10", "20", "10", "20"] * 3,
        "kind": ["a", "b", "b", "a"] * 3,
    }
)
VALUES = np.arange(12.0)
LABELS = TABLE["kind"]
NAMES = list(TABLE)
BOTH = {"code": ["10", "20"], "kind": ["a", "b"]}


def one_hot(columns: Any, end: Any = None) -> Any:  # noqa: ANN401 (any selection, any estimator)
    chosen = make_column_transformer((OneHotEncoder(), columns))
    return make_pipeline(chosen, end or LinearRegression())


@pytest.mark.parametrize(
    "columns",
    [
        ["code", "kind"],
        [1, 2],
        [-2, -1],
        [False, True, True],
        np.array([1, 2]),
        slice(1, None),
        slice("code", "kind"),
        slice("code", None),
        lambda table: ["code", "kind"],
    ],
    ids=lambda columns: "a function" if callable(columns) else str(columns),
)
def test_columns_are_found_however_they_were_chosen(columns: Any):  # noqa: ANN401
    assert known_categories(one_hot(columns).fit(TABLE, VALUES), NAMES) == BOTH


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(
            make_column_transformer(
                (make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder()), [1, 2]),
                remainder="passthrough",
            ),
            LinearRegression(),
        ),
        make_pipeline(
            make_column_transformer((make_union(OneHotEncoder(), OrdinalEncoder()), [1, 2])),
            LinearRegression(),
        ),
        CalibratedClassifierCV(one_hot([1, 2], LogisticRegression()), cv=2),
    ],
    ids=["imputed", "united", "calibrated"],
)
def test_columns_are_found_within(model: Any):  # noqa: ANN401
    target = LABELS if isinstance(model, CalibratedClassifierCV) else VALUES
    assert known_categories(model.fit(TABLE, target), NAMES) == BOTH


@pytest.mark.parametrize(
    "model",
    [
        RandomForestRegressor(3),
        make_pipeline(FunctionTransformer(np.log1p), LinearRegression()),
        BaggingRegressor(LinearRegression(), 3, max_features=1.0),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_model_of_numbers_knows_no_categories(model: Any):  # noqa: ANN401
    model.fit(TABLE[["size"]], VALUES)
    assert known_categories(model, ["size"]) == {}
    assert object_columns(model, ["size"]) == {}
    assert not begins_with_text(model)


def test_numbers_as_categories_are_no_text():
    encoder = OneHotEncoder().fit(TABLE[["size"]])
    assert known_categories(encoder, ["size"]) == {}
    assert object_columns(encoder, ["size"]) == {}


def test_what_an_unknown_step_makes_of_the_columns_is_not_guessed():
    model = make_pipeline(FunctionTransformer(lambda table: table), OneHotEncoder())
    assert known_categories(model.fit(TABLE), NAMES) == {}


def test_an_object_that_is_no_estimator_knows_nothing():
    assert known_categories(object(), ["a"]) == {}
    assert not begins_with_text(object())


def test_a_vectorizer_takes_any_text():
    model = make_pipeline(CountVectorizer(), LogisticRegression()).fit(
        TABLE["kind"] + " is", LABELS
    )
    assert begins_with_text(model)
    assert known_categories(model, ["mail"]) == {"mail": ()}


@pytest.mark.parametrize("missing", [None, np.nan], ids=str)
@pytest.mark.parametrize("handled", ["error", "ignore"])
def test_a_missing_text_is_what_the_model_has_for_it(missing: float | None, handled: str):
    """Whether it is alone in its batch or not, and not an unknown category."""
    kinds = pd.Series(["a", missing, "b", missing] * 3, dtype=object)
    table = TABLE.assign(kind=kinds)
    model = one_hot(["kind"])
    model[0].transformers[0][1].set_params(handle_unknown=handled)
    model.fit(table, [1.0, 5.0, 2.0, 5.0] * 3)
    predictor = FittedPredictor(model)

    def predict(*given: str | None) -> list[float]:
        count = len(given)
        features = {"size": [1.0] * count, "code": ["10"] * count, "kind": list(given)}
        return [round(float(one), 6) for one in predictor.predict(features)]

    assert predict("a", None, "b") == [1.0, 5.0, 2.0]
    assert predict(None) == [5.0]
