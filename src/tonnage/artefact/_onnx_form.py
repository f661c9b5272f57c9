"""
The ONNX form: converting a fitted model, with what the converters need to be told.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Final

from ._features import as_columns
from ._fitted_columns import is_vectorizer
from ._onnx_names import name_inputs

__all__ = ["MissingConverterError", "NotPortableError", "libraries_of", "modules_of", "to_onnx"]

_BOOSTERS: Final = {
    "xgboost": ("XGBClassifier", "XGBRegressor"),
    "lightgbm": ("LGBMClassifier", "LGBMRegressor"),
}
_BOOSTER_OPERATORS: Final = 3
"""The version of ONNX's machine-learning operators that onnxmltools writes (seen with 1.16)."""


class MissingConverterError(Exception):
    """A model of a library whose converter is not installed."""


class NotPortableError(Exception):
    """A model whose compiled form would depend on the machine that it runs on."""


def to_onnx(model: Any, features: Any, names: Sequence[str] | None, *, double: bool) -> bytes:  # noqa: ANN401 (any estimator, any features)
    """
    Convert a model.

    Args:
        model: A fitted estimator.
        features: What it predicts for.
        names: A table's columns, each an input of its own; None for one input, a matrix.
        double: Compute in double precision; else in single.

    Raises:
        MissingConverterError: If onnxmltools is needed, and not there.
        NotPortableError: If it takes texts apart.
        Exception: Whatever the converter raises.
    """
    if any(is_vectorizer(part) for part in _parts_of(model)):
        # The runtime needs the locale en_US.UTF-8 for it, which a desktop has and a slim container
        # lacks: packed here, it would not load there.
        raise NotPortableError("the runtime lower-cases text by the machine's locale")
    import skl2onnx
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType
    from sklearn.base import is_classifier

    number = DoubleTensorType if double else FloatTensorType
    if names is None:
        is_text = features.dtype.kind in "OUT"
        kind = StringTensorType if is_text else number
        inputs = [("features", kind([None, features.shape[1]]))]
    else:
        columns = as_columns(features, names)
        kinds = [number if column.dtype.kind == "f" else StringTensorType for column in columns]
        inputs = [(name, kind([None, 1])) for name, kind in zip(names, kinds, strict=True)]
    # Without it probabilities come as one dictionary a row, which costs more than predicting them.
    options = {id(model): {"zipmap": False}} if is_classifier(model) else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the converters' own deprecations are not the user's
        opsets = _teach_boosters(model)
        converted = skl2onnx.to_onnx(
            model, initial_types=inputs, options=options, target_opset=opsets
        )
    if names is not None:
        name_inputs(converted.graph, names)
    content: bytes = converted.SerializeToString()
    return content


def libraries_of(model: Any) -> set[str]:  # noqa: ANN401 (any estimator)
    """Return the top packages of an estimator's class and of those in it."""
    return {name.partition(".")[0] for name in modules_of(model)}


def modules_of(model: Any) -> set[str]:  # noqa: ANN401 (any estimator)
    """Return the modules of an estimator's class and of those in it."""
    return {type(part).__module__ for part in _parts_of(model)}


def _parts_of(model: Any) -> list[Any]:  # noqa: ANN401 (any estimator)
    parts = [model]
    if hasattr(model, "get_params"):
        parts += model.get_params(deep=True).values()
    return parts


def _teach_boosters(model: Any) -> dict[str, int] | None:  # noqa: ANN401 (any estimator)
    """Register the converters that a model needs; return the operators they may use."""
    libraries = libraries_of(model) & set(_BOOSTERS)
    for library in libraries:
        try:
            convert = _booster_converter(library)
        except ImportError as error:
            raise MissingConverterError(
                f"{library} is converted by onnxmltools, which is not installed:"
                " pip install 'tonnage[boost]'"
            ) from error
        _register(library, convert)
    if not libraries:
        return None
    from skl2onnx import __max_supported_opset__

    return {"": __max_supported_opset__, "ai.onnx.ml": _BOOSTER_OPERATORS}


def _booster_converter(library: str) -> Callable[..., None]:
    if library == "xgboost":
        from onnxmltools.convert.xgboost.operator_converters import XGBoost

        converter: Callable[..., None] = XGBoost.convert_xgboost
    else:
        from onnxmltools.convert.lightgbm.operator_converters import LightGbm

        converter = LightGbm.convert_lightgbm
    return converter


def _register(library: str, convert: Callable[..., None]) -> None:
    import importlib

    from skl2onnx import update_registered_converter
    from skl2onnx.common import shape_calculator

    package = importlib.import_module(library)
    for name in _BOOSTERS[library]:
        is_classifier = name.endswith("Classifier")
        kind = "classifier" if is_classifier else "regressor"
        options: dict[str, Any] = {"zipmap": [True, False, "columns"], "nocl": [True, False]}
        if not is_classifier:
            options = {"split": None} if library == "lightgbm" else {}
        update_registered_converter(
            getattr(package, name),
            name,
            getattr(shape_calculator, f"calculate_linear_{kind}_output_shapes"),
            convert,
            options=options,
        )
