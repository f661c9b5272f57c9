"""
A handler as the scikit-learn container of SageMaker takes it.
"""

import json
import os

import joblib
import numpy as np

CULTIVARS = ["first", "second", "third"]


def model_fn(model_dir):  # noqa: ANN001, ANN201 (as such scripts are written)
    """Open the model."""
    return joblib.load(os.path.join(model_dir, "model.joblib"))  # noqa: PTH118 (likewise)


def input_fn(data, content_type):  # noqa: ANN001, ANN201 (likewise)
    """Read wines from ``{"instances": [[alcohol, flavanoids, colour], …]}`` or from CSV."""
    if content_type == "text/csv":
        return np.array([line.split(",") for line in data.splitlines()], dtype=float)
    return np.array(json.loads(data)["instances"], dtype=float)


def predict_fn(data, model):  # noqa: ANN001, ANN201 (likewise)
    """Return the probability of each cultivar."""
    return model.predict_proba(data)


def output_fn(prediction, accept):  # noqa: ANN001, ANN201, ARG001 (likewise)
    """Write the most probable cultivar of each wine."""
    best = prediction.argmax(axis=1)
    wines = [
        {"cultivar": CULTIVARS[one], "probability": round(float(row[one]), 3)}
        for one, row in zip(best, prediction, strict=True)
    ]
    return json.dumps({"predictions": wines})
