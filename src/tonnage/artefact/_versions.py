"""
Which versions a model was packed with, and which it is served with.
"""

import platform
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from ._manifest import ModelFormat
from ._onnx_form import libraries_of

__all__ = ["mismatches", "versions_of"]

_ALWAYS: Final = (
    "tonnage",
    "numpy",
    "scikit-learn",
    "skl2onnx",
    "onnxruntime",
    "skops",
    "pydantic",
)
_MODULES: Final = {
    "onnxruntime": "onnxruntime",
    "scikit-learn": "sklearn",
    "skops": "skops",
    "xgboost": "xgboost",
    "lightgbm": "lightgbm",
    "numpy": "numpy",
}
_MATTER: Final[Mapping[str, tuple[str, ...]]] = {
    "onnx": ("onnxruntime",),
    "skops": ("scikit-learn", "xgboost", "lightgbm"),
    "joblib": ("scikit-learn", "xgboost", "lightgbm", "numpy"),
}
"""What each form is read with. A compiled model does not care which scikit-learn it was."""


def versions_of(model: Any) -> dict[str, str]:  # noqa: ANN401 (any estimator)
    """Return the versions that a model is packed with."""
    versions = {"python": platform.python_version()}
    for name in _ALWAYS:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    for library in sorted(libraries_of(model) & {"xgboost", "lightgbm"}):
        versions[library] = sys.modules[library].__version__  # it has more than one package
    return versions


def mismatches(packed: Mapping[str, str], form: ModelFormat) -> list[str]:
    """
    Return in words each library that a loaded model of this form is read with in another version.

    A runtime's patch release counts as the same.
    """
    found = []
    for name in _MATTER[form]:
        module = sys.modules.get(_MODULES[name])
        here = getattr(module, "__version__", None)
        there = packed.get(name)
        if here and there and _shown(here, form) != _shown(there, form):
            found.append(f"{name} {there} (here {here})")
    return found


def _shown(text: str, form: ModelFormat) -> str:
    return ".".join(text.split(".")[:2]) if form == "onnx" else text
