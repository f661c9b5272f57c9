"""
The forest as a Tonnage service: six fields of a sale to a price.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from tonnage import Service


class Sale(BaseModel):
    """One sale's six fields."""

    transaction_date: float = Field(ge=2012, le=2014)
    house_age: float = Field(ge=0, le=50)
    mrt_distance: float = Field(gt=0, le=6500)
    convenience_stores: float = Field(ge=0, le=10)
    latitude: float = Field(ge=24.9, le=25.1)
    longitude: float = Field(ge=121.4, le=121.6)


class Price(BaseModel):
    """The unit price."""

    cost: float


class Forest(Service[Sale, Price]):
    """Estimates a unit price with 100 trees."""

    def features(self, rows: Sequence[Sale]) -> NDArray[np.float64]:
        """Return the six fields of each sale, ``(n, 6) float64``."""
        return np.array(
            [
                (
                    row.transaction_date,
                    row.house_age,
                    row.mrt_distance,
                    row.convenience_stores,
                    row.latitude,
                    row.longitude,
                )
                for row in rows
            ]
        )

    def results(self, predictions: NDArray[np.float64]) -> Sequence[Price]:
        """Return each unit price, rounded to 100 New Taiwan Dollars."""
        return [Price(cost=round(float(cost), 2)) for cost in predictions]
