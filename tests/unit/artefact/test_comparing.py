"""
When a stored model agrees with the original: values near zero, outputs of other sizes, labels.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression

from tonnage.artefact import Classified, LoadedModel, pack, predict_golden
from tonnage.artefact._comparing import difference, floor_of, from_json, to_json


def classified(labels: list[Any], probabilities: list[list[float]]) -> Classified:
    return Classified(
        labels=np.array(labels), probabilities=np.array(probabilities), classes=["a", "b"]
    )


def test_the_floor_is_the_median_size_of_predictions_that_are_not_zero():
    assert floor_of(np.array([0.0, 0.0, 0.0, -3.0, 1e12, 2.0])) == [3.0]
    assert floor_of(np.array([[1.0, -1e6], [2.0, 2e6], [3.0, 1e6]])) == [2.0, 1e6]
    assert floor_of(np.zeros(4)) == [0.0]


def test_labels_and_probabilities_have_no_floor():
    assert floor_of(np.array(["a", "b"])) is None
    assert floor_of(np.array([1, 2])) is None
    assert floor_of(classified(["a"], [[0.9, 0.1]])) is None


def test_a_value_near_zero_is_held_against_the_usual_size():
    expected = np.array([1e6, -1e6, 1e-9])
    predicted = expected + np.array([0.0, 0.0, 1e-4])
    assert difference(predicted, expected) > 1e4
    assert difference(predicted, expected, floor_of(expected)) == pytest.approx(1e-10)


def test_a_small_output_is_not_excused_by_a_large_one_beside_it():
    expected = np.array([[1.0, 1e6], [2.0, 2e6], [3.0, 3e6]])
    predicted = expected + np.array([1e-3, 0.0])
    assert difference(predicted, expected, floor_of(expected)) == pytest.approx(5e-4)


def test_one_huge_prediction_does_not_excuse_the_others():
    expected = np.array([1.0, 1.0, 1.0, 1e12])
    predicted = expected + np.array([0.1, 0.0, 0.0, 0.0])
    assert difference(predicted, expected, floor_of(expected)) == pytest.approx(0.1)


@pytest.mark.parametrize(
    "predicted",
    [
        classified(["a", "a"], [[0.9, 0.1], [0.4, 0.6]]),
        classified(["a"], [[0.9, 0.1]]),
        classified(["a", "b"], [[0.9, 0.1], [0.4, float("nan")]]),
        Classified(
            labels=np.array(["a", "b"]),
            probabilities=np.array([[0.9, 0.1], [0.4, 0.6]]),
            classes=["b", "a"],
        ),
        np.array(["a", "b"]),
    ],
    ids=["a label", "a row", "not a number", "the classes' order", "no probabilities"],
)
def test_what_is_not_the_same_is_infinitely_different(predicted: Any):  # noqa: ANN401
    expected = classified(["a", "b"], [[0.9, 0.1], [0.4, 0.6]])
    assert difference(predicted, expected) == float("inf")
    assert difference(expected, expected) == 0.0


def test_a_probability_differs_by_what_it_differs():
    expected = classified(["a"], [[1.0, 1e-9]])
    assert difference(classified(["a"], [[1.0, 2e-9]]), expected) == pytest.approx(1e-9)


@given(values=st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=9), error=st.floats(0, 1e-12))
def test_an_error_far_below_the_usual_size_is_always_within_tolerance(
    values: list[float], error: float
):
    expected = np.array(values)
    floor = floor_of(expected)
    assert floor is not None
    predicted = expected + error * floor[0]
    assert difference(predicted, expected, floor) <= 1e-9


@pytest.mark.parametrize(
    "predictions",
    [
        np.array([1.5, -2.0]),
        np.array([[1.5], [2.5]]),
        np.array(["high", "low"]),
        np.array([True, False]),
        classified(["a", "b"], [[0.9, 0.1], [0.4, 0.6]]),
    ],
)
def test_predictions_come_back_from_a_manifest(predictions: Any):  # noqa: ANN401
    assert difference(from_json(to_json(predictions), predictions), predictions) == 0.0


def test_a_longer_label_is_not_cut_to_the_length_of_another():
    promised = from_json(["high", "highest"], np.array(["high", "high"]))
    assert difference(np.array(["high", "high"]), promised) == float("inf")


def test_a_model_whose_predictions_cross_zero_is_compiled(
    write_code: Callable[..., Path], two_numbers: str, tmp_path: Path
):
    """In single precision too, where a purely relative measure would refuse it."""
    chance = np.random.default_rng(0)
    features = chance.uniform([-3, 0], [3, 10], (90, 2))
    joblib.dump(LinearRegression().fit(features, features[:, 0]), tmp_path / "model.joblib")
    report = pack(
        tmp_path / "model.joblib",
        service="service:Model",
        output=tmp_path / "artefact",
        code=write_code(service=two_numbers),
    )
    entry = report.manifest.model
    assert (entry.format, entry.precision) == ("onnx", "float64")
    assert entry.floor == [pytest.approx(1.5, rel=0.1)]
    assert predict_golden(LoadedModel.load(report.directory)) <= entry.tolerance
