"""
A stored model, ready to predict: one small class a format.
"""

import os
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import ModelLoadError

from ._manifest import ModelEntry

__all__ = ["OnnxPredictor", "Predictor", "load_pickle", "load_predictor"]


class Predictor(Protocol):
    """Predicts for a batch of feature rows."""

    def predict(self, features: NDArray[Any]) -> NDArray[Any]:
        """
        Return one prediction a row.

        Args:
            features: ``(n, n_features)``.

        Returns:
            ``(n,)`` or ``(n, n_outputs)``.
        """
        ...


class OnnxPredictor:
    """
    A compiled model on one thread.

    Args:
        content: The model's bytes.
    """

    def __init__(self, content: bytes) -> None:
        onnxruntime = _import_onnxruntime()
        options = onnxruntime.SessionOptions()
        # One thread each, none in a pool: an instance forks after loading, and workers are
        # what uses the cores.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            content, sess_options=options, providers=["CPUExecutionProvider"]
        )
        (feature_input,) = self._session.get_inputs()
        self._input = feature_input.name
        self._output = self._session.get_outputs()[0].name
        self._dtype = np.float64 if feature_input.type == "tensor(double)" else np.float32

    def predict(self, features: NDArray[Any]) -> NDArray[Any]:
        """Return ``(n,)`` or ``(n, n_outputs)`` for ``(n, n_features)``."""
        batch = np.ascontiguousarray(features, dtype=self._dtype)
        predictions: NDArray[Any] = self._session.run([self._output], {self._input: batch})[0]
        one_column = predictions.ndim == 2 and predictions.shape[1] == 1  # noqa: PLR2004 (matrix)
        return predictions[:, 0] if one_column else predictions


def _import_onnxruntime() -> Any:  # noqa: ANN401 (a module without types)
    # Its telemetry starts a thread at import (seen in 1.31). A server does not report on its
    # users, and a process that is to fork must have no second thread.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime


def load_predictor(entry: ModelEntry, directory: Path) -> Predictor:
    """
    Load the model of an artefact that was verified before.

    Raises:
        ModelLoadError: If it does not load.
    """
    file = directory / entry.file
    try:
        if entry.format == "onnx":
            return OnnxPredictor(file.read_bytes())
        if entry.format == "skops":
            return _load_skops(file)
        return _load_joblib(file)
    except Exception as error:
        raise ModelLoadError(
            f"{file} does not load: {type(error).__name__}: {error}",
            hint="was it packed with other library versions? manifest.json lists them",
        ) from error


def _load_skops(file: Path) -> Predictor:
    from skops.io import get_untrusted_types, load

    # Its hash was verified, so what the author packed is what is trusted here.
    predictor: Predictor = load(file, trusted=get_untrusted_types(file=file))
    return predictor


def _load_joblib(file: Path) -> Predictor:
    import joblib

    predictor: Predictor = joblib.load(file)
    return predictor


def load_pickle(file: Path) -> Any:  # noqa: ANN401 (whatever is in it)
    """Open a joblib file, which runs whatever code is in it: only for one that its user trusts."""
    import joblib

    return joblib.load(file)
