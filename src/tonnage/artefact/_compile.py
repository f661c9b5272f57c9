"""
Choosing how to store a model: the fastest form whose predictions agree with the original's.
"""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import ArtefactError, ConfigurationError

from ._manifest import ModelFormat
from ._predictors import OnnxPredictor, Predictor

__all__ = ["TOLERANCES", "Stored", "first_line", "relative_difference", "store"]

TOLERANCES: Final = {"float64": 1e-9, "float32": 1e-5}
"""The worst relative difference a compiled model may show, by precision."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """
    A model's bytes in the form that was adopted, and how that was decided.

    Attributes:
        format: The form.
        precision: The type its features are computed in.
        content: The bytes.
        predictions: What it predicts for the features it was compared on.
        max_relative_difference: The worst difference from the original's predictions.
        considered: One line a form that was tried.
    """

    format: ModelFormat
    precision: str
    content: bytes
    predictions: NDArray[Any]
    max_relative_difference: float
    considered: tuple[str, ...]


def store(model: Any, features: NDArray[Any], *, allow_pickle: bool = False) -> Stored:  # noqa: ANN401 (any estimator)
    """
    Return the first form of ``model`` that agrees with it: ONNX in double, in single, skops.

    Args:
        model: A fitted scikit-learn estimator.
        features: ``(n, n_features)``, what to compare predictions on.
        allow_pickle: Fall back on the model's own pickle, which runs code when it is opened.

    Raises:
        ConfigurationError: If the model itself does not predict for these features.
        ArtefactError: If none agrees.
    """
    try:
        expected = np.asarray(model.predict(features))
    except Exception as error:
        raise ConfigurationError(
            f"{type(model).__name__}.predict fails on features of shape {features.shape}:"
            f" {first_line(error)}",
            hint="does the service make the features that the model was fitted on?",
        ) from error
    considered: list[str] = []
    for form, precision, make in _forms(model, features, allow_pickle=allow_pickle):
        try:
            content, predictor = make()
            predictions = np.asarray(predictor.predict(features))
            difference = relative_difference(predictions, expected)
        except Exception as error:  # noqa: BLE001 (any converter may fail in its own way)
            considered.append(f"{form} {precision}: {first_line(error)}")
            continue
        considered.append(
            f"{form} {precision}: worst relative difference {difference:.3g}"
            f" in {len(features):,} rows"
        )
        if difference <= TOLERANCES[precision]:
            return Stored(
                format=form,
                precision=precision,
                content=content,
                predictions=predictions,
                max_relative_difference=difference,
                considered=tuple(considered),
            )
    raise ArtefactError(
        f"{type(model).__name__} cannot be stored without a pickle: {'; '.join(considered)}",
        hint="--allow-pickle keeps the joblib file: whoever can change it runs code on your server",
    )


def relative_difference(predictions: NDArray[Any], expected: NDArray[Any]) -> float:
    """
    Return the worst relative difference of two arrays of predictions.

    Labels are equal (0.0) or not (inf); so are arrays of different shapes.
    """
    if predictions.shape != expected.shape:
        return float("inf")
    if not np.issubdtype(expected.dtype, np.floating):
        return 0.0 if bool(np.all(predictions == expected)) else float("inf")
    scale = np.maximum(np.abs(expected), np.finfo(np.float64).tiny)
    difference = np.abs(predictions.astype(np.float64) - expected) / scale
    return float(np.max(difference, initial=0.0)) if np.isfinite(difference).all() else float("inf")


Made = tuple[bytes, Predictor]


def _forms(
    model: Any,  # noqa: ANN401 (any estimator)
    features: NDArray[Any],
    *,
    allow_pickle: bool,
) -> Iterator[tuple[ModelFormat, str, Callable[[], Made]]]:
    width = features.shape[1]
    yield "onnx", "float64", lambda: _onnx(model, width, double=True)
    yield "onnx", "float32", lambda: _onnx(model, width, double=False)
    yield "skops", "float64", lambda: _skops(model)
    if allow_pickle:
        yield "joblib", "float64", lambda: _joblib(model)


def _onnx(model: Any, width: int, *, double: bool) -> Made:  # noqa: ANN401 (any estimator)
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

    kind = DoubleTensorType if double else FloatTensorType
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the converter's own deprecations are not the user's
        converted = to_onnx(model, initial_types=[("features", kind([None, width]))])
    content: bytes = converted.SerializeToString()
    return content, OnnxPredictor(content)


def _skops(model: Any) -> Made:  # noqa: ANN401 (any estimator)
    from skops.io import dumps, get_untrusted_types, loads

    content: bytes = dumps(model)
    return content, loads(content, trusted=get_untrusted_types(data=content))


def _joblib(model: Any) -> Made:  # noqa: ANN401 (any estimator)
    import io

    import joblib

    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    return buffer.getvalue(), model


def first_line(error: Exception) -> str:
    """Return how a foreign error is told within a message of one line."""
    line = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {line[:160]}"
