"""
A stored model, ready to predict: one small class a format.
"""

import io
import logging
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import ModelLoadError

from ._comparing import Predictions
from ._features import InputForm, as_columns, as_model_input
from ._handlers import unpickling_beside
from ._manifest import ModelEntry
from ._skops_form import loads
from .classified import Classified

__all__ = ["FittedPredictor", "OnnxPredictor", "Predictor", "load_pickle", "load_predictor"]

logger = logging.getLogger(__name__)

_MATRIX: Final = 2
_DTYPES: Final = {"tensor(double)": np.float64, "tensor(float)": np.float32}


class Predictor(Protocol):
    """Predicts for a batch of feature rows."""

    # ``Any``: an array, or a ``Classified`` for a service that asks for probabilities.
    def predict(self, features: Any) -> Any:  # noqa: ANN401
        """
        Return one prediction a row.

        Args:
            features: ``(n, n_features)``, or a table of as many rows.

        Returns:
            ``(n,)`` or ``(n, n_outputs)``; or labels and probabilities.
        """
        ...


class OnnxPredictor:
    """
    A compiled model on one thread.

    Args:
        content: The model's bytes.
        columns: The columns it takes by name; None for a matrix.
        outputs: How many numbers it predicts a row, as a second dimension; None for one dimension.
        classes: A classifier's labels, when their probabilities are wanted.
        labels: The type of its labels; None for what the runtime makes of them.
    """

    def __init__(
        self,
        content: bytes,
        *,
        columns: Sequence[str] | None = None,
        outputs: int | None = None,
        classes: Sequence[Any] | None = None,
        labels: str | None = None,
    ) -> None:
        onnxruntime = _import_onnxruntime()
        options = onnxruntime.SessionOptions()
        # One thread each, none in a pool: an instance forks after loading, and workers are
        # what uses the cores.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 4  # what fails is raised, too
        self._session = onnxruntime.InferenceSession(
            content, sess_options=options, providers=["CPUExecutionProvider"]
        )
        inputs = self._session.get_inputs()
        self._dtypes = {one.name: _DTYPES.get(one.type, object) for one in inputs}
        self._columns = columns
        if columns is None:
            ((self._input, self._dtype),) = self._dtypes.items()
        self._output = [output.name for output in self._session.get_outputs()]
        if classes is None:
            del self._output[1:]
        self._is_flat = outputs is None
        self._classes = classes
        self._labels = labels

    def predict(self, features: Any) -> Predictions:  # noqa: ANN401 (a matrix or a table)
        """Return ``(n,)`` or ``(n, n_outputs)`` for ``n`` rows; or labels and probabilities."""
        feed: Mapping[str, NDArray[Any]]
        if self._columns is None:
            feed = {self._input: np.ascontiguousarray(features, dtype=self._dtype)}
        else:
            feed = self._table(features, self._columns)
        predictions: list[NDArray[Any]] = self._session.run(self._output, feed)
        if self._labels is not None:
            predictions[0] = predictions[0].astype(self._labels)
        if self._classes is not None:
            labels, probabilities = predictions
            return Classified(labels=labels, probabilities=probabilities, classes=self._classes)
        (values,) = predictions
        if self._is_flat:
            one_column = values.ndim == _MATRIX and values.shape[1] == 1
            return values[:, 0] if one_column else values
        return values if values.ndim == _MATRIX else values[:, None]

    def _table(self, features: Any, names: Sequence[str]) -> Mapping[str, NDArray[Any]]:  # noqa: ANN401 (see above)
        """Return each column as an input; the converter leaves out those the model ignores."""
        feed = {}
        for name, column in zip(names, as_columns(features, names), strict=True):
            dtype = self._dtypes.get(name)
            if dtype is object and (column.dtype.kind == "f" or None in column):
                raise ValueError(f"{name} must be text in every row")
            if dtype is not None:
                feed[name] = column.astype(dtype)[:, None]
        return feed


class FittedPredictor:
    """
    A fitted estimator as it is.

    Args:
        model: Anything with ``predict``.
        classes: A classifier's labels, when their probabilities are wanted.
    """

    def __init__(self, model: Any, *, classes: Sequence[Any] | None = None) -> None:  # noqa: ANN401 (any estimator)
        self._model = model
        self._form = InputForm.of(model)
        self._classes = classes
        # The service makes the features in the model's order; a matrix has no names to show it.
        warnings.filterwarnings("ignore", message="X does not have valid feature names")

    def predict(self, features: Any) -> Predictions:  # noqa: ANN401 (a matrix or a table)
        """Return what it predicts for ``n`` rows."""
        taken = as_model_input(features, self._form)
        labels: NDArray[Any] = np.asarray(self._model.predict(taken))
        if self._classes is None:
            return labels
        probabilities: NDArray[Any] = np.asarray(self._model.predict_proba(taken))
        return Classified(labels=labels, probabilities=probabilities, classes=self._classes)


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
        content = file.read_bytes()
        if entry.format == "onnx":
            return OnnxPredictor(
                content,
                columns=entry.columns,
                outputs=entry.outputs,
                classes=entry.classes,
                labels=entry.labels,
            )
        if entry.format in {"skops", "joblib"}:
            with warnings.catch_warnings():
                # The manifest knows the versions, too, and says so more clearly.
                warnings.filterwarnings("ignore", message="Trying to unpickle estimator")
                is_skops = entry.format == "skops"
                model = loads(content) if is_skops else _load_joblib(content, directory / "code")
            return FittedPredictor(model, classes=entry.classes)
    except Exception as error:
        raise ModelLoadError(
            f"{file} does not load: {type(error).__name__}: {error}",
            hint="was it packed with other library versions? manifest.json lists them",
        ) from error
    raise ModelLoadError(f"{file} is of the unknown format {entry.format!r}")


def _load_joblib(content: bytes, code: Path) -> Any:  # noqa: ANN401 (any estimator)
    import joblib

    logger.warning("the artefact's model is a pickle: opening it runs whatever code is in it")
    with unpickling_beside(code):
        return joblib.load(io.BytesIO(content))


def load_pickle(file: Path) -> Any:  # noqa: ANN401 (whatever is in it)
    """Open a joblib file, which runs whatever code is in it: only for one that its user trusts."""
    import joblib

    return joblib.load(file)
