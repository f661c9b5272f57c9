"""
The price of a house from its distance to the nearest MRT station, as a service.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from tonnage.artefact import TYPICAL_RANGE, Service


class House(BaseModel):
    """A house in Sindian District, New Taipei City."""

    model_config = ConfigDict(extra="forbid")

    distance: float = Field(
        description="Distance to the nearest MRT station, in metres.",
        gt=0,
        allow_inf_nan=False,
        examples=[150],
        json_schema_extra={"unit": "m", TYPICAL_RANGE: [1, 6500]},
    )


class Price(BaseModel):
    """What a house of that kind sells for."""

    cost: float = Field(
        description="Unit price in 10,000 New Taiwan Dollars per ping, 1 ping = 35.58 sq. ft.",
        examples=[50.3],
        json_schema_extra={"unit": "10000 TWD/ping"},
    )


class RealEstate(Service[House, Price]):
    """Estimates the unit price of a house from its distance to the nearest MRT station."""

    def features(self, rows: Sequence[House]) -> NDArray[np.float64]:
        """Return the natural logarithm of each distance, ``(n, 1) float64``."""
        return np.log([[row.distance] for row in rows])

    def results(self, predictions: NDArray[np.float64]) -> Sequence[Price]:
        """Return each unit price, rounded to 100 New Taiwan Dollars."""
        return [Price(cost=round(float(cost), 2)) for cost in predictions]
