"""
How a fitted model takes its rows, and what it gives back: found by asking it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from tonnage.artefact import Features, FittedPredictor, begins_with_text, known_categories
from tonnage.domain import ConfigurationError

from ._columns import Column, Kind

__all__ = ["Answer", "Layout", "Tried", "names_of", "try_model"]

Layout = Literal["matrix", "table", "objects"]
"""A matrix of numbers, a table of named columns, or a matrix of numbers and text."""

Answer = Literal["float", "int", "bool", "str"]

_KINDS: Final[dict[str, Answer]] = {
    "f": "float",
    "i": "int",
    "u": "int",
    "b": "bool",
    "O": "str",
    "U": "str",
    "T": "str",
}
_MATRIX: Final = 2
_PLURALS: Final[dict[Kind, str]] = {
    "integer": "whole numbers",
    "number": "numbers",
    "boolean": "truth values",
    "text": "text",
}
_SHOWN: Final = 8
_ESTIMATORS: Final = {
    "lightgbm": "LGBMRegressor or LGBMClassifier",
    "xgboost": "XGBRegressor or XGBClassifier",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Tried:
    """
    What a model wants and gives.

    Attributes:
        estimator: Its class; of a pipeline, that of its end.
        layout: How it takes rows.
        answer: The type of one prediction.
        outputs: How many numbers it predicts a row; None for one without a second dimension.
        classes: A classifier's labels, in the order of its probabilities; empty for no classifier.
        has_probabilities: Whether it tells them.
    """

    estimator: str
    layout: Layout
    answer: Answer
    outputs: int | None = None
    classes: tuple[Any, ...] = ()
    has_probabilities: bool = False


def names_of(model: object) -> tuple[str, ...] | int | None:
    """Return the columns that a model was fitted on: names, else their number, else None."""
    names = getattr(model, "feature_names_in_", None)
    if names is not None:
        return tuple(map(str, names))
    count = getattr(model, "n_features_in_", None)
    return None if count is None else int(count)


def try_model(model: Any, columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> Tried:  # noqa: ANN401 (any estimator)
    """
    Predict some rows, in each layout that could be meant, and return what works.

    Args:
        model: A fitted estimator.
        columns: Its columns, in its order.
        rows: Values of the columns; None for a missing one.

    Raises:
        ConfigurationError: If none does; the message is the model's own.
    """
    failures = []
    for layout in _layouts(model, columns):
        try:
            predicted = FittedPredictor(model).predict(_features(layout, columns, rows))
            return _tried(model, layout, np.asarray(predicted), len(rows))
        except Exception as error:  # noqa: BLE001 (an estimator raises what it likes)
            failures.append(error)
    last = failures[-1]
    raise ConfigurationError(
        f"{_name_of(model)}.predict fails on these rows: {type(last).__name__}:"
        f" {' '.join(str(last).split())[:300]}; they were read as {_told(columns)}",
        hint=_hint(model, columns, rows),
    ) from last


def _told(columns: Sequence[Column]) -> str:
    """Return the columns by what they were read as, so that the one at fault can be seen."""
    by_kind: dict[str, list[str]] = {}
    for column in columns:
        by_kind.setdefault(_PLURALS[column.kind], []).append(column.name)
    told = (
        f"{kind} ({', '.join(names[:_SHOWN])}{', …' if len(names) > _SHOWN else ''})"
        for kind, names in by_kind.items()
    )
    return ", ".join(told)


def _hint(model: Any, columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> str:  # noqa: ANN401 (any estimator)
    module = type(model).__module__.partition(".")[0]
    if type(model).__name__ == "Booster" and module in {"lightgbm", "xgboost"}:
        return f"save {module}'s scikit-learn estimator instead: {_ESTIMATORS[module]}"
    if unknown := _unknown_text(model, columns, rows):
        return unknown
    dates = [column.name for column in columns if column.is_date]
    if dates:
        return (
            f"{dates[0]} holds dates, which arrive as text: fit the model on numbers made of them"
            " (year, month, days since a day), or make them in the service's features"
        )
    return (
        "give a sample of the columns that it was fitted on, in their order, with values of the"
        " same types; is it fitted?"
    )


def _unknown_text(
    model: object, columns: Sequence[Column], rows: Sequence[Sequence[Any]]
) -> str | None:
    """Name a text that the model was not fitted on; scikit-learn's message has no column's name."""
    known = known_categories(model, [column.name for column in columns])
    for column, values in zip(columns, zip(*rows, strict=True), strict=True):
        categories = known.get(column.name, ())
        for value in values if categories else ():
            if value is not None and value not in categories:
                told = ", ".join(map(repr, categories[:_SHOWN]))
                return (
                    f"{column.name} holds {value!r}, which the model was not fitted on; it knows"
                    f" {told}{', …' if len(categories) > _SHOWN else ''}"
                )
    return None


def _name_of(model: Any) -> str:  # noqa: ANN401 (any estimator)
    """Return an estimator's class; of a search that of the best, of a pipeline that of its end."""
    model = getattr(model, "best_estimator_", model)
    steps = getattr(model, "steps", None)
    return type(steps[-1][1] if steps else model).__name__


def _layouts(model: object, columns: Sequence[Column]) -> tuple[Layout, ...]:
    if begins_with_text(model):
        return ("table",)
    named = isinstance(names_of(model), tuple)
    if any(column.kind == "text" for column in columns):
        return ("table",) if named else ("objects",)
    # A pipeline that picks its columns by name takes no matrix, even of numbers alone.
    return ("matrix", "table") if named else ("matrix",)


def _features(layout: Layout, columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> Features:
    if layout == "table":
        return {
            column.name: list(values)
            for column, values in zip(columns, zip(*rows, strict=True), strict=True)
        }
    return np.array(rows, dtype=np.float64 if layout == "matrix" else object)


def _tried(model: Any, layout: Layout, predicted: Any, count: int) -> Tried:  # noqa: ANN401 (arrays)
    if predicted.shape[:1] != (count,) or predicted.ndim > _MATRIX:
        raise ValueError(f"it predicts an array of shape {predicted.shape} for {count} rows")
    if predicted.dtype.kind not in _KINDS:
        raise ValueError(f"it predicts values of type {predicted.dtype}")
    answer = _KINDS[predicted.dtype.kind]
    if answer == "str" and not all(isinstance(one, str) for one in predicted.ravel().tolist()):
        raise ValueError("it predicts what is neither numbers nor text")
    classes = getattr(model, "classes_", None)
    labels = isinstance(classes, np.ndarray) and classes.ndim == 1 and predicted.ndim == 1
    return Tried(
        estimator=_name_of(model),
        layout=layout,
        answer=answer,
        outputs=predicted.shape[1] if predicted.ndim == _MATRIX else None,
        classes=tuple(np.asarray(classes).tolist()) if labels else (),
        has_probabilities=labels and hasattr(model, "predict_proba"),
    )
