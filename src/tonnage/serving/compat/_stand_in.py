"""
The part of the package ``sagemaker_inference`` that handlers import, for where it is not installed.

Nothing of it is copied: the modules and names are the toolkit's, what they do is Tonnage's. The
real package, where there is one, is left alone.
"""

import importlib.util
import re
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from . import _errors, _formats
from ._context import Context
from ._default_handler import DefaultInferenceHandler
from ._functions import HandlerFunctions, chosen_functions
from ._invocation import accept_of, content_type_of

__all__ = ["install_stand_in"]

_PACKAGE: Final = "sagemaker_inference"
_MODEL_DIRECTORY: Final = "/opt/ml/model"


def install_stand_in(*, default_accept: str = _formats.JSON) -> bool:
    """
    Make ``import sagemaker_inference`` work in this process; do nothing if it does already.

    Args:
        default_accept: What a request without a preference gets from a ``Transformer``.

    Returns:
        Whether the stand-in is used.
    """
    if _PACKAGE in sys.modules or importlib.util.find_spec(_PACKAGE) is not None:
        return False
    package = _module(_PACKAGE, {"__path__": []})
    for name, contents in _contents(default_accept).items():
        setattr(package, name, _module(f"{_PACKAGE}.{name}", contents))
    return True


def _module(name: str, contents: Mapping[str, object]) -> ModuleType:
    module = ModuleType(name, "Tonnage's stand-in for the module of this name.")
    module.__spec__ = ModuleSpec(name, None, is_package="." not in name)
    vars(module).update(contents)
    sys.modules[name] = module
    return module


def _contents(default_accept: str) -> dict[str, dict[str, object]]:
    class Transformer(_Transformer):
        _default_accept = default_accept

    class DefaultHandlerService(_DefaultHandlerService):
        _transformer_class = Transformer

    return {
        "content_types": {
            "JSON": _formats.JSON,
            "CSV": _formats.CSV,
            "NPY": _formats.NPY,
            "OCTET_STREAM": _formats.OCTET_STREAM,
            "ANY": _formats.ANY,
            "UTF8_TYPES": list(_formats.UTF8_TYPES),
        },
        "decoder": {"decode": _formats.decode},
        "encoder": {"encode": _formats.encode},
        "errors": {
            "BaseInferenceToolkitError": _errors.BaseInferenceToolkitError,
            "GenericInferenceToolkitError": _errors.GenericInferenceToolkitError,
            "UnsupportedFormatError": _errors.UnsupportedFormatError,
        },
        "default_inference_handler": {"DefaultInferenceHandler": DefaultInferenceHandler},
        "transformer": {"Transformer": Transformer},
        "default_handler_service": {"DefaultHandlerService": DefaultHandlerService},
        "utils": {
            "read_file": _read_file,
            "write_file": _write_file,
            "retrieve_content_type_header": _retrieve_content_type_header,
            "remove_crlf": _remove_crlf,
        },
    }


class _Transformer:
    """
    Runs a handler object's methods for the requests that a service is handed.

    What the methods raise passes through: whoever calls the service answers it.
    """

    _default_accept = _formats.JSON

    def __init__(self, default_inference_handler: object | None = None) -> None:
        self._default_inference_handler = default_inference_handler or DefaultInferenceHandler()
        self._functions: HandlerFunctions | None = None
        self._model: Any = None

    def validate_and_initialize(
        self, model_dir: str = _MODEL_DIRECTORY, context: Context | None = None
    ) -> None:
        """Load the model, once."""
        self._loaded(model_dir, context)

    def transform(self, data: Sequence[Mapping[str, Any]], context: Context) -> list[Any]:
        """Return one result for each request."""
        model_dir = str(context.system_properties.get("model_dir", _MODEL_DIRECTORY))
        functions = self._loaded(model_dir, context)
        headers = context.get_all_request_header()
        content_type = content_type_of(headers.get("content-type"))
        accept = accept_of(headers.get("accept"), self._default_accept)
        results = []
        for request in data:
            result = functions.invoke(self._model, request["body"], content_type, accept, context)
            written_as = accept
            if isinstance(result, tuple):
                result, written_as = result
            context.set_response_content_type(0, written_as)
            results.append(result)
        return results

    def _loaded(self, model_dir: str, context: Context | None) -> HandlerFunctions:
        if self._functions is None:
            functions = chosen_functions({}, self._default_inference_handler)
            directory = Path(model_dir)
            self._model = functions.load(directory, context or Context(directory))
            self._functions = functions
        return self._functions


class _DefaultHandlerService:
    """What a model server of the toolkit's talks to."""

    _transformer_class: type[_Transformer] = _Transformer

    def __init__(self, transformer: _Transformer | None = None) -> None:
        self._service = transformer or self._transformer_class()

    def handle(self, data: Sequence[Mapping[str, Any]], context: Context) -> list[Any]:
        """Answer requests."""
        return self._service.transform(data, context)

    def initialize(self, context: Context) -> None:
        """Load the model."""
        self._service.validate_and_initialize(
            model_dir=str(context.system_properties["model_dir"]), context=context
        )


def _read_file(path: str, mode: str = "r") -> Any:  # noqa: ANN401 (text or bytes, as the mode says)
    with Path(path).open(mode) as file:
        return file.read()


def _write_file(path: str, data: Any, mode: str = "w") -> None:  # noqa: ANN401 (as the mode says)
    with Path(path).open(mode) as file:
        file.write(data)


def _retrieve_content_type_header(request_property: Mapping[str, str]) -> str | None:
    spellings = re.compile(r"content-?type", re.IGNORECASE)
    return next((value for name, value in request_property.items() if spellings.match(name)), None)


def _remove_crlf(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ")
