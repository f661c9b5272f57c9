"""
What every server computes: one file of its own each, this in common.

``BENCH_MODEL`` names the fitted model's file, ``BENCH_CASE`` the problem: ``linear`` takes
``{"distance": 150}`` and answers ``{"cost": 50.3}``; ``forest`` takes a sale's six fields, or a
list of 100 such, and answers ``{"cost": …}``, or ``{"costs": […]}``.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray

COLUMNS = (
    "transaction_date",
    "house_age",
    "mrt_distance",
    "convenience_stores",
    "latitude",
    "longitude",
)


def is_linear() -> bool:
    """Say whether the linear model is served, or else the forest."""
    return os.environ["BENCH_CASE"] == "linear"


def load_model() -> Any:  # noqa: ANN401 (any estimator)
    """Return the fitted model."""
    return joblib.load(Path(os.environ["BENCH_MODEL"]))


def features(rows: Sequence[dict[str, float]]) -> NDArray[np.float64]:
    """Return the model's input for parsed rows, ``(n, n_features) float64``."""
    if is_linear():
        return np.log([[row["distance"]] for row in rows])
    return np.array([[row[name] for name in COLUMNS] for row in rows])


def evaluate(model: Any, payload: Any) -> dict[str, Any]:  # noqa: ANN401 (any estimator, any JSON)
    """Return the answer for a parsed body: one row, or a list of them."""
    rows = payload if isinstance(payload, list) else [payload]
    costs = [round(float(cost), 2) for cost in model.predict(features(rows))]
    return {"costs": costs} if isinstance(payload, list) else {"cost": costs[0]}
