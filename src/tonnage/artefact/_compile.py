"""
Choosing how to store a model: the fastest form whose predictions agree with the original's.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np

from tonnage.domain import ArtefactError, ConfigurationError

from ._comparing import TOLERANCES, Predictions, difference, floor_of
from ._features import is_table, row_count
from ._manifest import ModelFormat
from ._onnx_form import to_onnx
from ._predictors import FittedPredictor, OnnxPredictor, Predictor
from ._skops_form import dumps, loads
from .classified import Classified
from .service import Outputs

__all__ = ["Stored", "first_line", "store"]

_MATRIX: Final = 2
_MAX_LINE_CHARACTERS: Final = 160


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
        floor: For each output the size below which differences count as near zero.
        columns: The columns it takes by name; None for a matrix.
        outputs: How many numbers it predicts a row, as a second dimension; None for one dimension.
        classes: A classifier's labels, if their probabilities are wanted.
        labels: The type of a classifier's labels where ONNX has whole numbers instead.
    """

    format: ModelFormat
    precision: str
    content: bytes
    predictions: Predictions
    max_relative_difference: float
    considered: tuple[str, ...]
    floor: Sequence[float] | None
    columns: Sequence[str] | None
    outputs: int | None
    classes: Sequence[Any] | None
    labels: str | None


def store(
    model: Any,  # noqa: ANN401 (any estimator)
    features: Any,  # noqa: ANN401 (a matrix or a table)
    *,
    wanted: Outputs = "predictions",
    pickle: bytes | None = None,
) -> Stored:
    """
    Return the first form of ``model`` that agrees with it: ONNX in double, in single, skops.

    Args:
        model: A fitted scikit-learn estimator.
        features: ``(n, n_features)`` or a table: what to compare predictions on.
        wanted: What the service asks for.
        pickle: The file it came from, to fall back on; opening it runs whatever code is in it.

    Raises:
        ConfigurationError: If the model itself does not predict for these features.
        ArtefactError: If none agrees.
    """
    classes = _classes(model) if wanted == "probabilities" else None
    expected = _expected(model, features, classes)
    columns = _columns(features)
    outputs, labels = _outputs(expected), _label_type(model, expected)
    floor = floor_of(expected)
    considered: list[str] = []

    def onnx(*, double: bool) -> Made:
        content = to_onnx(model, features, columns, double=double)
        return content, OnnxPredictor(
            content, columns=columns, outputs=outputs, classes=classes, labels=labels
        )

    for form, precision, make in _forms(model, classes, onnx, pickle):
        try:
            content, predictor = make()
            predictions = predictor.predict(features)
            worst = difference(predictions, expected, floor)
        except Exception as error:  # noqa: BLE001 (any converter may fail in its own way)
            considered.append(f"{form} {precision}: {first_line(error)}")
            continue
        considered.append(f"{form} {precision}: {_told(predictions, expected, worst)}")
        if worst <= TOLERANCES[precision]:
            return Stored(
                format=form,
                precision=precision,
                content=content,
                predictions=predictions,
                max_relative_difference=worst,
                considered=tuple(considered),
                floor=floor,
                columns=columns,
                outputs=outputs,
                classes=classes,
                labels=labels,
            )
    raise ArtefactError(
        f"{type(model).__name__} cannot be stored without a pickle: {'; '.join(considered)}",
        hint="--allow-pickle, or allow_pickle = true in tonnage.toml's [serving], keeps the joblib"
        " file: whoever can change it runs code on your server",
    )


def _classes(model: Any) -> list[Any]:  # noqa: ANN401 (any estimator)
    classes = getattr(model, "classes_", None)
    if not hasattr(model, "predict_proba") or classes is None:
        raise ConfigurationError(
            f"the service asks for probabilities, and {type(model).__name__} has none to give",
            hint="give the model probabilities (CalibratedClassifierCV does), or leave out outputs",
        )
    if isinstance(classes, list) or np.ndim(classes) != 1:
        raise ConfigurationError(
            f"{type(model).__name__} predicts several labels a row: their probabilities are no"
            " table",
            hint='ask for outputs = "predictions", or pack a model a label',
        )
    listed: list[Any] = np.asarray(classes).tolist()
    return listed


def _expected(model: Any, features: Any, classes: Sequence[Any] | None) -> Predictions:  # noqa: ANN401 (see store)
    name = type(model).__name__
    try:
        expected = FittedPredictor(model, classes=classes).predict(features)
    except Exception as error:
        raise ConfigurationError(
            f"{name}.predict fails on features {_described(features)}: {first_line(error)}",
            hint="does the service make the features that the model was fitted on?",
        ) from error
    count = row_count(features)
    values = expected.probabilities if isinstance(expected, Classified) else expected
    if values.ndim not in {1, _MATRIX} or len(values) != count or len(expected) != count:
        raise ConfigurationError(
            f"{name}.predict gave an array of shape {values.shape} for {count} rows",
            hint="a model predicts one number, label or line of numbers a row",
        )
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        row = int(np.argwhere(~np.isfinite(values))[0][0])
        raise ConfigurationError(
            f"{name}.predict gave {values[row]} for row {row + 1} of those compared",
            hint="nothing can be compared with it: bound the row's fields, or give other --data",
        )
    return expected


def _described(features: Any) -> str:  # noqa: ANN401 (see store)
    if is_table(features):
        return f"with the columns {', '.join(map(str, features))}"
    return f"of shape {features.shape}"


def _columns(features: Any) -> list[str] | None:  # noqa: ANN401 (see store)
    """Return the columns that a converted model takes one by one; None for a matrix of one type."""
    if is_table(features):
        return [str(name) for name in features]
    if features.dtype.kind == "O" and not all(isinstance(one, str) for one in features.flat):
        return [f"column_{place}" for place in range(features.shape[1])]
    return None


def _outputs(expected: Predictions) -> int | None:
    if isinstance(expected, Classified) or expected.ndim != _MATRIX:
        return None
    return int(expected.shape[1])


def _label_type(model: Any, expected: Predictions) -> str | None:  # noqa: ANN401 (any estimator)
    labels = expected.labels if isinstance(expected, Classified) else expected
    is_odd = hasattr(model, "classes_") and labels.dtype.kind in "bf"
    return labels.dtype.name if is_odd else None


Made = tuple[bytes, Predictor]


def _forms(
    model: Any,  # noqa: ANN401 (any estimator)
    classes: Sequence[Any] | None,
    onnx: Callable[..., Made],
    pickle: bytes | None,
) -> Iterator[tuple[ModelFormat, str, Callable[[], Made]]]:
    def skops() -> Made:
        content = dumps(model)
        return content, FittedPredictor(loads(content), classes=classes)

    yield "onnx", "float64", partial(onnx, double=True)
    yield "onnx", "float32", partial(onnx, double=False)
    yield "skops", "float64", skops
    if pickle is not None:
        yield "joblib", "float64", lambda: (pickle, FittedPredictor(model, classes=classes))


def _told(predictions: Predictions, expected: Predictions, worst: float) -> str:
    rows = f"{len(expected):,} rows"
    labels = expected.labels if isinstance(expected, Classified) else expected
    got = predictions.labels if isinstance(predictions, Classified) else predictions
    if np.isfinite(worst) or got.shape != labels.shape or labels.dtype.kind == "f":
        kind = "" if isinstance(expected, Classified) else "relative "
        return f"worst {kind}difference {worst:.3g} in {rows}"
    return f"{np.count_nonzero(got != labels):,} labels differ in {rows}"


def first_line(error: Exception) -> str:
    """Return how a foreign error is told within a message of one line."""
    line = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {line[:_MAX_LINE_CHARACTERS]}"
