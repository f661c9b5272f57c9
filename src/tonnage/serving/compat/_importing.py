"""
The user's module → a handler, by what is in it.
"""

import importlib.util
import inspect
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from tonnage.domain import ConfigurationError, ModelLoadError

from ._context import Context
from ._errors import InvocationError
from ._functions import FUNCTION_NAMES, chosen_functions

__all__ = ["Handler", "handler_of", "import_program"]

logger = logging.getLogger(__name__)


class Handler(Protocol):
    """What answers for a model: it loads it, once, and then invokes it."""

    def load(self, model_dir: Path, context: Context) -> Any:  # noqa: ANN401 (the user's model)
        """Return the loaded model."""
        ...

    def invoke(
        self,
        model: Any,  # noqa: ANN401 (the user's model)
        content: bytes,
        content_type: str | None,
        accept: str,
        context: Context,
    ) -> Any:  # noqa: ANN401 (the user's result)
        """Return a body, or a body and its content type."""
        ...


class _Service:
    """
    A module with ``handle(data, context)``: the custom service of Multi Model Server.

    That calls it once without data when a worker starts; a service that loads at its first request
    is told to do so at once.
    """

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def load(self, model_dir: Path, context: Context) -> None:  # noqa: ARG002 (the context has it)
        self._module.handle(None, context)
        for value in list(vars(self._module).values()):
            is_service = not inspect.isclass(value) and callable(getattr(value, "handle", None))
            initialize = getattr(value, "initialize", None)
            if is_service and callable(initialize):
                takes_context = bool(inspect.signature(initialize).parameters)
                initialize(*([context] if takes_context else []))

    def invoke(
        self,
        model: None,  # noqa: ARG002 (the service keeps it)
        content: bytes,
        content_type: str | None,  # noqa: ARG002 (the context has it)
        accept: str,  # noqa: ARG002 (the context has it)
        context: Context,
    ) -> Any:  # noqa: ANN401 (the user's result)
        results = self._module.handle([{"body": content}], context)
        if not isinstance(results, list | tuple) or len(results) != 1:
            raise InvocationError(500, "the service did not answer one request with a list of one")
        return results[0]


def import_program(program: Path) -> ModuleType:
    """
    Import the user's module from its file; what lies beside it can be imported by it.

    Raises:
        ModelLoadError: If it fails while it is imported.
    """
    sys.dont_write_bytecode = True  # a model's directory is read-only
    sys.path.insert(0, str(program.parent))
    spec = importlib.util.spec_from_file_location(program.stem, program)
    if spec is None or spec.loader is None:
        raise ConfigurationError(f"{program} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[program.stem] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        logger.exception("%s failed while it was imported", program)
        raise ModelLoadError(
            f"{program} cannot be imported: {type(error).__name__}: {error}",
            hint="requirements.txt is not installed at start; install what it names beforehand",
        ) from error
    return module


def handler_of(module: ModuleType) -> Handler:
    """
    Return the handler that a module holds.

    Functions come first, then ``handle(data, context)``, then an object or a class with
    ``default_*_fn`` methods.

    Raises:
        ConfigurationError: If it holds none, or does not say which.
    """
    written = {
        name: function
        for name in FUNCTION_NAMES
        if callable(function := getattr(module, name, None))
    }
    if not written and callable(getattr(module, "handle", None)):
        return _Service(module)
    return chosen_functions(written, None if written else _handler_object(module))


def _handler_object(module: ModuleType) -> object:
    objects = [value for value in vars(module).values() if _is_handler(type(value))]
    if len(objects) == 1:
        return objects[0]
    classes = list(_most_derived(module))
    if len(classes) == 1:
        make: Callable[[], object] = classes[0]
        return make()
    names = ", ".join(kind.__name__ for kind in classes)
    raise ConfigurationError(
        f"{module.__file__} holds several handlers: {names}"
        if classes
        else f"{module.__file__} holds no handler",
        hint="write model_fn(model_dir), and input_fn, predict_fn, output_fn or transform_fn where"
        " the defaults do not do; or one class with default_model_fn and the like",
    )


def _most_derived(module: ModuleType) -> Iterator[type]:
    kinds = {value for value in vars(module).values() if inspect.isclass(value)}
    handlers = {kind for kind in kinds if _is_handler(kind)}
    for kind in handlers:
        if not any(other is not kind and issubclass(other, kind) for other in handlers):
            yield kind


def _is_handler(kind: type) -> bool:
    is_toolkits = kind.__module__.startswith(("sagemaker_inference", "tonnage."))
    return not is_toolkits and any(hasattr(kind, f"default_{name}") for name in FUNCTION_NAMES)
