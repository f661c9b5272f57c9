"""
The skops form: a zip of arrays and a schema, opened without a pickle, the same for the same model.

skops writes memory addresses, random names, the time of day and what memory held before into its
archive. Here they become numbers in the order in which they come, and zeros, so that packing twice
gives the same bytes.
"""

import io
import json
from typing import Any, Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np

__all__ = ["TRUSTED", "UntrustedTypeError", "dumps", "loads"]

TRUSTED: Final = frozenset(
    {
        "collections.OrderedDict",
        "lightgbm.basic.Booster",
        "lightgbm.sklearn.LGBMClassifier",
        "lightgbm.sklearn.LGBMRegressor",
        "numpy.dtype",
        "scipy.interpolate._bsplines.BSpline",
        "sklearn._loss.loss.HalfTweedieLossIdentity",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.compose._column_transformer._RemainderColsList",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.feature_selection._univariate_selection.f_classif",
        "sklearn.feature_selection._univariate_selection.f_regression",
        "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
        "sklearn.gaussian_process.kernels.ConstantKernel",
        "sklearn.gaussian_process.kernels.Matern",
        "sklearn.gaussian_process.kernels.Product",
        "sklearn.gaussian_process.kernels.RBF",
        "sklearn.gaussian_process.kernels.Sum",
        "sklearn.gaussian_process.kernels.WhiteKernel",
        "sklearn.metrics._dist_metrics.EuclideanDistance64",
        "sklearn.metrics._dist_metrics.ManhattanDistance64",
        "sklearn.metrics._dist_metrics.MinkowskiDistance64",
        "sklearn.neighbors._ball_tree.BallTree",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
        "sklearn.tree._tree.Tree",
        "sklearn.utils._bunch.Bunch",
        "xgboost.core.Booster",
        "xgboost.sklearn.XGBClassifier",
        "xgboost.sklearn.XGBRegressor",
    }
)
"""
What is opened beyond skops's own list: types that fitted models are made of.

None of them runs what a file says. A crafted tree can crash the process that predicts with it, for
which skops leaves trees out; a file whose hash was checked is as its author made it.
"""

_SCHEMA: Final = "schema.json"
_EARLIEST: Final = (1980, 1, 1, 0, 0, 0)
"""The first moment that a zip can name."""


class UntrustedTypeError(ValueError):
    """A model is made of something that is not known to be safe to open."""


def dumps(model: Any) -> bytes:  # noqa: ANN401 (any estimator)
    """Return a model's archive: the same bytes for the same model, whenever and wherever."""
    import skops.io

    with ZipFile(io.BytesIO(skops.io.dumps(model))) as archive:
        names: dict[str, str] = {}
        schema = _Renumbered(set(archive.namelist()), names).of(json.loads(archive.read(_SCHEMA)))
        buffer = io.BytesIO()
        with ZipFile(buffer, "w", ZIP_STORED) as stable:
            for old, new in names.items():
                stable.writestr(ZipInfo(new, _EARLIEST), _without_padding(new, archive.read(old)))
            text = json.dumps(schema, separators=(",", ":"))
            stable.writestr(ZipInfo(_SCHEMA, _EARLIEST), text)
    return buffer.getvalue()


def _without_padding(name: str, content: bytes) -> bytes:
    """
    Return an array's file with zeros between its fields.

    A tree's nodes are records with gaps, and what lies there is what lay in memory before.
    """
    if not name.endswith(".npy"):
        return content
    array = np.load(io.BytesIO(content), allow_pickle=False)
    if array.dtype.names is None:
        return content
    # Not zeros_like, and not np.save: both copy field by field, and leave the gaps as they are.
    clean = np.zeros(array.shape, array.dtype)
    for field in array.dtype.names:
        clean[field] = array[field]
    buffer = io.BytesIO()
    header = np.lib.format.header_data_from_array_1_0(clean)
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue() + clean.tobytes()


def loads(content: bytes) -> Any:  # noqa: ANN401 (any estimator)
    """
    Open a model's archive.

    Raises:
        UntrustedTypeError: If it holds a type that is neither skops's own nor in ``TRUSTED``.
    """
    import skops.io

    unknown = set(skops.io.get_untrusted_types(data=content)) - TRUSTED
    if unknown:
        raise UntrustedTypeError(f"it holds {', '.join(sorted(unknown))}, which is not trusted")
    return skops.io.loads(content, trusted=sorted(TRUSTED))


class _Renumbered:
    """
    A schema whose addresses and file names are numbers in the order of their first appearance.

    Args:
        files: The archive's file names.
        names: Filled with the new name of each file that the schema names.
    """

    def __init__(self, files: set[str], names: dict[str, str]) -> None:
        self._files = files
        self._names = names
        self._addresses: dict[int, int] = {}
        self._count = 0

    def of(self, node: Any) -> Any:  # noqa: ANN401 (JSON)
        if isinstance(node, list):
            return [self.of(item) for item in node]
        if not isinstance(node, dict):
            return node
        return {key: self._value(node, key, value) for key, value in node.items()}

    def _value(self, node: dict[str, Any], key: str, value: Any) -> Any:  # noqa: ANN401 (JSON)
        if key == "__id__" and isinstance(value, int):
            # Plain values are shared or not as the interpreter pleases, and it makes no difference.
            return self._next() if node.get("__loader__") == "JsonNode" else self._address(value)
        if key == "file" and isinstance(value, str) and value in self._files:
            suffix = value.rpartition(".")[2]
            return self._names.setdefault(value, f"{len(self._names)}.{suffix}")
        return self.of(value)

    def _address(self, address: int) -> int:
        if address not in self._addresses:
            self._addresses[address] = self._next()
        return self._addresses[address]

    def _next(self) -> int:
        self._count += 1
        return self._count
