"""
Which species of iris a flower is, and how sure the model is.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from tonnage.artefact import TYPICAL_RANGE, Classified, Service


def centimetres(low: float, high: float) -> Any:  # noqa: ANN401 (what pydantic's Field is)
    """Return a length's field: positive, usually between two lengths."""
    return Field(gt=0, le=100, json_schema_extra={"unit": "cm", TYPICAL_RANGE: [low, high]})


class Flower(BaseModel):
    """The measurements of one flower."""

    model_config = ConfigDict(extra="forbid")

    sepal_length: float = centimetres(4.3, 7.9)
    sepal_width: float = centimetres(2.0, 4.4)
    petal_length: float = centimetres(1.0, 6.9)
    petal_width: float = centimetres(0.1, 2.5)


class Species(BaseModel):
    """The most probable species, and the probability of each."""

    label: str
    probabilities: dict[str, float]


class Iris(Service[Flower, Species]):
    """Tells setosa, versicolor and virginica apart."""

    outputs = "probabilities"

    def features(self, rows: Sequence[Flower]) -> NDArray[np.float64]:
        """Return the four lengths, ``(n, 4) float64``, in the order of the fit."""
        return np.array(
            [[row.sepal_length, row.sepal_width, row.petal_length, row.petal_width] for row in rows]
        )

    def results(self, predictions: Classified) -> Sequence[Species]:
        """Return each label with its probabilities, rounded to a thousandth."""
        labels = predictions.labels.tolist()
        return [
            Species(label=label, probabilities={name: round(p, 3) for name, p in each.items()})
            for label, each in zip(labels, predictions.by_class(), strict=True)
        ]
