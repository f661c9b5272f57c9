"""
Handlers for SageMaker's inference toolkit; reading, predicting and writing are its defaults.
"""

import pathlib

import joblib


def model_fn(model_dir):  # noqa: ANN001, ANN201 (as such scripts are written)
    """Open the model."""
    return joblib.load(pathlib.Path(model_dir) / "model.joblib")
