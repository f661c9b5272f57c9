"""
BentoML: a service class with typed arguments, no batching, as its quick start has it.
"""

import os
from typing import Any

import bentoml
from problem import evaluate, load_model


@bentoml.service(workers=int(os.environ.get("BENCH_WORKERS", "1")), traffic={"timeout": 60})
class Evaluation:
    """The linear model and the forest; one of them is loaded."""

    def __init__(self) -> None:
        self.model = load_model()

    @bentoml.api(route="/linear")
    def linear(self, distance: float) -> dict[str, float]:
        """Answer one row for the linear model."""
        return evaluate(self.model, {"distance": distance})

    @bentoml.api(route="/forest")
    def forest(
        self,
        transaction_date: float,
        house_age: float,
        mrt_distance: float,
        convenience_stores: float,
        latitude: float,
        longitude: float,
    ) -> dict[str, float]:
        """Answer one row for the forest."""
        return evaluate(
            self.model,
            {
                "transaction_date": transaction_date,
                "house_age": house_age,
                "mrt_distance": mrt_distance,
                "convenience_stores": convenience_stores,
                "latitude": latitude,
                "longitude": longitude,
            },
        )

    @bentoml.api(route="/forest/rows")
    def forest_rows(self, rows: list[dict[str, float]]) -> dict[str, Any]:
        """Answer a list of rows for the forest."""
        return evaluate(self.model, rows)
