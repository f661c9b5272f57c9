"""
A service whose predictions take 1 ms of a processor each, however they are batched.
"""

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from tonnage import Service

SECONDS_PER_ROW = 1e-3


class House(BaseModel):
    """The linear model's row."""

    distance: float = Field(gt=0, le=6500)


class Price(BaseModel):
    """The unit price."""

    cost: float


class Slow(Service[House, Price]):
    """The linear model behind features that take their time."""

    def features(self, rows: Sequence[House]) -> NDArray[np.float64]:
        """Return the logarithms after 1 ms of processor time a row."""
        # The thread's own time: a wall clock would go on while another worker has the core, and
        # two workers on one core would look like two cores.
        until = time.thread_time() + SECONDS_PER_ROW * len(rows)
        while time.thread_time() < until:
            pass
        return np.log([[row.distance] for row in rows])

    def results(self, predictions: NDArray[np.float64]) -> Sequence[Price]:
        """Return each unit price, rounded to 100 New Taiwan Dollars."""
        return [Price(cost=round(float(cost), 2)) for cost in predictions]
