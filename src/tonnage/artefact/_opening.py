"""
Opening the author's pickle, once, on the author's machine.
"""

import pickle
import re
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tonnage.domain import ArtefactError, ConfigurationError

from ._handlers import imported_beside, unpickling_beside
from ._onnx_form import modules_of

__all__ = ["Opened", "open_pickle"]

_KNOWN: Final = {
    b"PK\x03\x04": "a zip archive, as Keras and PyTorch write them",
    b"\x1f\x8b": "a gzip archive",
    b"\x89HDF": "an HDF5 file, as Keras wrote them",
    b"\x93NUMPY": "a NumPy array",
    b"{": "JSON",
}
"""What else a model is kept in, by its first bytes; a compressed joblib file loads all the same."""
_VERSION: Final = re.compile(rb"_sklearn_version.{1,5}?(\d+\.\d+\.\w+)", re.DOTALL)
"""Where an estimator's pickle says what it was fitted with."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """
    A model that was opened.

    Attributes:
        estimator: What was in the file.
        content: The file.
        modules: Files beside the service that the pickle's classes come from.
        warnings: What its author should know, a line each.
    """

    estimator: Any
    content: bytes
    modules: Sequence[Path]
    warnings: Sequence[str]


def open_pickle(model: Path, code: Path) -> Opened:
    """
    Open what ``joblib.dump`` wrote; classes are looked for in ``code``, too.

    Raises:
        ConfigurationError: If there is no file, or no model in it.
        ArtefactError: If it does not load.
    """
    if model.is_dir():
        raise ConfigurationError(
            f"{model} is a directory",
            hint="name the joblib file in it; `tonnage serve` serves"
            " a directory with code/inference.py as it is",
        )
    if not model.is_file():
        raise ConfigurationError(
            f"there is no model {model}", hint="save one with joblib.dump(model, 'model.joblib')"
        )
    try:
        import joblib
        import sklearn  # noqa: F401 (so that its absence is named before joblib stumbles over it)
    except ImportError as error:
        raise ConfigurationError(
            f"packing needs {error.name}", hint="pip install 'tonnage[pack]'"
        ) from error
    content = model.read_bytes()
    try:
        with warnings.catch_warnings(record=True) as caught, unpickling_beside(code) as modules:
            warnings.simplefilter("always")
            estimator = joblib.load(model)
    except Exception as error:
        raise ArtefactError(
            f"{model} does not load: {type(error).__name__}: {error}", hint=_hint(error, content)
        ) from error
    if not hasattr(estimator, "predict"):
        raise ConfigurationError(
            f"{model} holds a {type(estimator).__name__}: it has no predict",
            hint=_instead_of(estimator),
        )
    return Opened(
        estimator=estimator,
        content=content,
        # A notebook may have imported them before.
        modules=sorted({*modules, *imported_beside(modules_of(estimator), code)}),
        warnings=list(dict.fromkeys(map(_told, caught))),
    )


def _instead_of(held: object) -> str:
    """Return what to save instead of something that does not predict."""
    if isinstance(held, dict | list | tuple):
        parts = list(held.values()) if isinstance(held, dict) else list(held)
        if any(hasattr(part, "predict") for part in parts):
            kinds = ", ".join(type(part).__name__ for part in parts)
            return f"it holds {kinds}: save one pipeline of all that a prediction needs"
    return "save the fitted estimator itself, or the pipeline that ends with it"


def _hint(error: Exception, content: bytes) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        if package not in sys.modules:
            return f"install {package}, or put that module beside the service"
    if isinstance(error, AttributeError) and "__main__" in str(error):
        return "fit it again with the class in a module beside the service: a script is no module"
    for start, kind in _KNOWN.items():
        if content.startswith(start):
            return (
                f"it looks like {kind}; save a scikit-learn model with"
                " joblib.dump(model, 'model.joblib'), and give another one its own"
                " code/inference.py: tonnage serve DIR"
            )
    if isinstance(error, EOFError | pickle.UnpicklingError):
        return "it is cut short, or no joblib file: copy or save it again"
    fitted = _VERSION.search(content)
    told = f"scikit-learn {fitted[1].decode()}" if fitted else "the same library versions"
    return f"pack it where it was fitted, with {told}"


def _told(caught: warnings.WarningMessage) -> str:
    """Return a warning in one line; scikit-learn's about versions names both."""
    warning = caught.message
    fitted = getattr(warning, "original_sklearn_version", None)
    if fitted is not None:
        here = getattr(warning, "current_sklearn_version", "another")
        return (
            f"the model was fitted with scikit-learn {fitted} and is packed with {here}: it may"
            " predict something else than it did; fit it again, or pack it with the older one"
        )
    return f"{type(warning).__name__}: {' '.join(str(warning).split())[:200]}"
