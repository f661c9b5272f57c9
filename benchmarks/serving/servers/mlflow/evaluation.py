"""
MLflow: a pyfunc model from code, and the scoring server that ``mlflow models serve`` starts.

Run as a script it saves the model to the directory it is given.
"""

import sys
from typing import Any

import mlflow
import pandas as pd
from problem import evaluate, load_model


class Evaluation(mlflow.pyfunc.PythonModel):
    """Predicts for the data frame that the scoring server makes of a body."""

    def load_context(self, context: Any) -> None:  # noqa: ANN401, ARG002 (MLflow's signature)
        """Load the model when the server starts."""
        self.model = load_model()

    def predict(self, context: Any, model_input: pd.DataFrame) -> list[float]:  # noqa: ANN401, ARG002
        """Answer every row of the frame."""
        costs: list[float] = evaluate(self.model, model_input.to_dict("records"))["costs"]
        return costs


if __name__ == "__main__":
    mlflow.pyfunc.save_model(sys.argv[1], python_model=__file__)
else:
    mlflow.models.set_model(Evaluation())
