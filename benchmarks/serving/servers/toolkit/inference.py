"""
A handler for the sagemaker-inference toolkit, as a container's author writes it.
"""

import json
from typing import Any

from problem import evaluate, load_model


def model_fn(model_dir: str, *_context: object) -> Any:  # noqa: ANN401, ARG001 (any estimator)
    """Load the model when a worker starts."""
    return load_model()


def input_fn(body: str | bytes, content_type: str, *_context: object) -> Any:  # noqa: ANN401, ARG001
    """Parse the body."""
    return json.loads(body)


def predict_fn(payload: Any, model: Any, *_context: object) -> dict[str, Any]:  # noqa: ANN401
    """Answer one row or a list of rows."""
    return evaluate(model, payload)


def output_fn(prediction: dict[str, Any], accept: str, *_context: object) -> str:  # noqa: ARG001
    """Write the answer."""
    return json.dumps(prediction)
