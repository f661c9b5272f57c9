"""
What happens where a handler says nothing: the toolkit's defaults, and a prediction.
"""

from typing import Any

import numpy as np

from ._formats import decode, encode

__all__ = ["DefaultInferenceHandler"]


class DefaultInferenceHandler:
    """
    The defaults of every function but ``model_fn``; handler objects are subclasses of it.

    Its name and methods are those of sagemaker-inference-toolkit.
    """

    def default_model_fn(self, model_dir: str) -> Any:  # noqa: ANN401 (the user's model)
        """Only the user knows how the model is loaded."""
        raise NotImplementedError(
            f"write model_fn(model_dir), which loads the model from {model_dir} and returns it"
        )

    def default_input_fn(self, input_data: str | bytes, content_type: str) -> Any:  # noqa: ANN401 (the user's data)
        """Read JSON, CSV or NPY into an array."""
        return decode(input_data, content_type)

    def default_predict_fn(self, data: Any, model: Any) -> Any:  # noqa: ANN401 (the user's)
        """Predict; a flat list is one row, which ``predict`` alone would refuse."""
        if isinstance(data, np.ndarray) and data.ndim == 1:
            data = data.reshape(1, -1)
        return model.predict(data)

    def default_output_fn(self, prediction: Any, accept: str) -> tuple[str | bytes, str]:  # noqa: ANN401 (the user's)
        """Write JSON, CSV or NPY."""
        return encode(prediction, accept), accept
