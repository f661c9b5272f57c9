"""
The rent of a flat from numbers, a category, and a year that may not be known.
"""

from collections.abc import Sequence
from typing import Any, Literal

from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from tonnage.artefact import TYPICAL_RANGE, Features, Service


class Flat(BaseModel):
    """A flat to let."""

    model_config = ConfigDict(extra="forbid")

    area: float = Field(gt=0, le=1000, json_schema_extra={"unit": "m2", TYPICAL_RANGE: [18, 160]})
    rooms: int = Field(ge=1, le=30, json_schema_extra={TYPICAL_RANGE: [1, 6]})
    district: Literal["centre", "north", "south"]
    built: int | None = Field(
        default=None, ge=1500, le=2100, json_schema_extra={TYPICAL_RANGE: [1890, 2023]}
    )


class Rent(BaseModel):
    """What a flat of that kind is let for."""

    rent: float


class Flats(Service[Flat, Rent]):
    """Estimates the monthly rent of a flat."""

    def features(self, rows: Sequence[Flat]) -> Features:
        """Return the columns that the pipeline was fitted on; None is a missing number."""
        return {
            "area": [row.area for row in rows],
            "rooms": [row.rooms for row in rows],
            "district": [row.district for row in rows],
            "built": [row.built for row in rows],
        }

    def results(self, predictions: NDArray[Any]) -> Sequence[Rent]:
        """Return each rent, rounded to a whole unit."""
        return [Rent(rent=round(rent)) for rent in predictions.tolist()]
