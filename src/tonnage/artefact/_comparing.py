"""
Holding a stored model's predictions against the original's.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .classified import Classified

__all__ = [
    "TOLERANCES",
    "Predictions",
    "difference",
    "floor_of",
    "from_json",
    "relative_difference",
    "to_json",
]

Predictions = NDArray[Any] | Classified

TOLERANCES: Final = {"float64": 1e-9, "float32": 1e-5}
"""The worst difference a compiled model may show, by precision."""

Floor = float | Sequence[float]
"""For each output the size below which a prediction counts as near zero."""


def floor_of(expected: Predictions) -> list[float] | None:
    """
    Return the floor of each output: the median size of its predictions that are not zero.

    A difference is divided by the prediction's own size or by this, whichever is larger: beside a
    million, 1e-7 is the same as zero, and a sum of large terms that comes close to zero is as exact
    as its terms. The median, because one huge prediction must not excuse all the others.

    Returns:
        None for labels, and for probabilities, whose differences are absolute.
    """
    if isinstance(expected, Classified) or not np.issubdtype(expected.dtype, np.floating):
        return None
    outputs = np.abs(expected.reshape(len(expected), -1).astype(np.float64))
    return [float(np.median(one[one > 0])) if (one > 0).any() else 0.0 for one in outputs.T]


def difference(
    predictions: Predictions, expected: Predictions, floor: Sequence[float] | None = None
) -> float:
    """Return the worst difference; infinite when a label differs, or a shape."""
    if not isinstance(expected, Classified):
        if isinstance(predictions, Classified):
            return float("inf")
        return relative_difference(predictions, expected, floor or 0.0)
    if not isinstance(predictions, Classified) or predictions.classes != expected.classes:
        return float("inf")
    return max(
        relative_difference(predictions.labels, expected.labels),
        relative_difference(predictions.probabilities, expected.probabilities, 1.0),
    )


def relative_difference(
    predictions: NDArray[Any], expected: NDArray[Any], floor: Floor = 0.0
) -> float:
    """
    Return the worst relative difference of two arrays of predictions.

    Labels are equal (0.0) or not (inf); so are arrays of different shapes.
    """
    if predictions.shape != expected.shape:
        return float("inf")
    if not np.issubdtype(expected.dtype, np.floating):
        return 0.0 if bool(np.all(predictions == expected)) else float("inf")
    least = np.asarray(floor if expected.ndim > 1 or not np.ndim(floor) else np.ravel(floor)[0])
    scale = np.maximum(np.abs(expected), np.maximum(least, np.finfo(np.float64).tiny))
    differences = np.abs(predictions.astype(np.float64) - expected) / scale
    worst = float(np.max(differences, initial=0.0))
    return worst if np.isfinite(worst) else float("inf")


def to_json(predictions: Predictions) -> list[Any]:
    """Return predictions as a manifest holds them, one a row."""
    if not isinstance(predictions, Classified):
        listed: list[Any] = predictions.tolist()
        return listed
    rows = zip(predictions.labels.tolist(), predictions.probabilities.tolist(), strict=True)
    return [{"label": label, "probabilities": probabilities} for label, probabilities in rows]


def from_json(promised: Sequence[Any], like: Predictions) -> Predictions:
    """
    Return a manifest's predictions, in the type of those they are to be compared with.

    Raises:
        KeyError, TypeError, ValueError: If they are nothing of the kind.
    """
    if not isinstance(like, Classified):
        return _array(promised, like)
    return Classified(
        labels=_array([row["label"] for row in promised], like.labels),
        probabilities=np.asarray([row["probabilities"] for row in promised], dtype=np.float64),
        classes=like.classes,
    )


def _array(values: Sequence[Any], like: NDArray[Any]) -> NDArray[Any]:
    if np.issubdtype(like.dtype, np.floating):
        return np.asarray(values, dtype=np.float64)
    # Text keeps its own width: cut to another's, it could become equal to it.
    return np.asarray(values, dtype=None if like.dtype.kind == "U" else like.dtype)
