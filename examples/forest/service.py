"""
How far a patient's diabetes will have progressed after a year, from four measurements.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from tonnage.artefact import TYPICAL_RANGE, Service


class Patient(BaseModel):
    """What was measured of one patient."""

    model_config = ConfigDict(extra="forbid")

    age: float = Field(ge=0, le=130, json_schema_extra={TYPICAL_RANGE: [19, 79]})
    bmi: float = Field(gt=0, le=100, json_schema_extra={TYPICAL_RANGE: [18, 42.2]})
    bp: float = Field(gt=0, le=300, json_schema_extra={TYPICAL_RANGE: [62, 133]})
    s5: float = Field(gt=0, le=20, json_schema_extra={TYPICAL_RANGE: [3.26, 6.11]})


class Progression(BaseModel):
    """The measure of the disease's progression, from 25 to 346 in the data."""

    progression: float


class Diabetes(Service[Patient, Progression]):
    """Averages what a hundred trees say."""

    def features(self, rows: Sequence[Patient]) -> NDArray[np.float64]:
        """Return the four measurements, ``(n, 4) float64``, in the order of the fit."""
        return np.array([[row.age, row.bmi, row.bp, row.s5] for row in rows], dtype=np.float64)

    def results(self, predictions: NDArray[Any]) -> Sequence[Progression]:
        """Return each progression, rounded to a tenth."""
        return [Progression(progression=round(one, 1)) for one in predictions.tolist()]
