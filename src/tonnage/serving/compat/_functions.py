"""
A handler as two calls, load and transform, whatever its author wrote them as.

Functions and methods may take one argument more than their contract says; that one is the
context. The toolkit finds out by counting, and so does this.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from tonnage.domain import ConfigurationError

from ._context import Context
from ._default_handler import DefaultInferenceHandler
from ._errors import is_unsupported_format, unsupported
from ._invocation import text_if_text

__all__ = ["FUNCTION_NAMES", "ContextualFunction", "HandlerFunctions", "chosen_functions"]

Function = Callable[..., Any]

_ARGUMENTS: Final = {
    "pre_model_fn": 1,
    "model_fn": 1,
    "model_warmup_fn": 2,
    "input_fn": 2,
    "predict_fn": 2,
    "output_fn": 2,
    "transform_fn": 4,
}
"""How many arguments each takes, the context not counted."""
FUNCTION_NAMES: Final = tuple(_ARGUMENTS)
_STEPS: Final = ("input_fn", "predict_fn", "output_fn")


@dataclass(frozen=True, kw_only=True, slots=True)
class ContextualFunction:
    """
    One of the handler's functions.

    Attributes:
        name: ``model_fn``, ``input_fn``, …
        function: What to call.
        takes_context: Whether its last argument is the context.
    """

    name: str
    function: Function
    takes_context: bool

    @classmethod
    def of(cls, name: str, function: Function) -> "ContextualFunction":
        """
        Count a function's arguments.

        Raises:
            ConfigurationError: If it can be called neither with its contract's arguments nor with
                these and the context.
        """
        return cls(name=name, function=function, takes_context=_takes_context(name, function))

    def __call__(self, *arguments: object, context: Context) -> Any:  # noqa: ANN401 (the user's)
        """Call it, with the context if it takes one."""
        return self.function(*arguments, *([context] if self.takes_context else []))


def _takes_context(name: str, function: Function) -> bool:
    expected = _ARGUMENTS[name]
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some built-in functions have none
        return False
    if len(signature.parameters) == expected + 1:
        return True
    arguments = [None] * expected
    for takes_context, given in ((False, arguments), (True, [*arguments, None])):
        try:
            signature.bind(*given)
        except TypeError:
            continue
        return takes_context
    raise ConfigurationError(
        f"{name}{signature} cannot be called with {expected} arguments",
        hint=f"it is called with {expected}, or with the context as one more",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class HandlerFunctions:
    """
    A handler's functions, defaults filled in.

    Attributes:
        functions: By name; without ``transform_fn`` its three steps are there.
    """

    functions: Mapping[str, ContextualFunction]

    def load(self, model_dir: Path, context: Context) -> Any:  # noqa: ANN401 (the user's model)
        """
        Load the model, with what its author does before and after that.

        Whatever the user's functions raise passes through.
        """
        directory = str(model_dir)
        self._call_if_there("pre_model_fn", directory, context=context)
        model = self.functions["model_fn"](directory, context=context)
        self._call_if_there("model_warmup_fn", directory, model, context=context)
        return model

    def invoke(
        self,
        model: object,
        content: bytes,
        content_type: str | None,
        accept: str,
        context: Context,
    ) -> Any:  # noqa: ANN401 (the user's result)
        """
        Return what the handler makes of one request: a body, or a body and its content type.

        Raises:
            InvocationError: With 415 or 406, when the handler does not read or write a type.
            InvalidPayloadError: If a text type's body is no UTF-8.
        """
        call, body = self.functions, text_if_text(content, content_type)
        if "transform_fn" in call:
            with _refused_as(None, content_type, accept):
                return call["transform_fn"](model, body, content_type, accept, context=context)
        with _refused_as(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, content_type, accept):
            data = call["input_fn"](body, content_type, context=context)
        prediction = call["predict_fn"](data, model, context=context)
        with _refused_as(HTTPStatus.NOT_ACCEPTABLE, content_type, accept):
            return call["output_fn"](prediction, accept, context=context)

    def _call_if_there(self, name: str, *arguments: object, context: Context) -> None:
        if name in self.functions:
            self.functions[name](*arguments, context=context)


def chosen_functions(
    written: Mapping[str, Function], handler: object | None = None
) -> HandlerFunctions:
    """
    Fill in what the user did not write.

    Args:
        written: The user's functions, by name.
        handler: An object whose ``default_*`` methods stand in for the rest; Tonnage's own
            defaults stand in for what it does not have.

    Raises:
        ConfigurationError: If ``transform_fn`` is given together with a step of it, or a function
            takes other arguments than its contract's.
    """
    steps = [name for name in _STEPS if name in written]
    if "transform_fn" in written and steps:
        raise ConfigurationError(
            f"transform_fn is given together with {' and '.join(steps)}",
            hint="transform_fn replaces input_fn, predict_fn and output_fn: keep one or the other",
        )
    functions = _defaults(handler) | dict(written)
    skipped = _STEPS if "transform_fn" in functions else ()
    return HandlerFunctions(
        functions={
            name: ContextualFunction.of(name, function)
            for name, function in functions.items()
            if name not in skipped
        }
    )


def _defaults(handler: object | None) -> dict[str, Function]:
    own = DefaultInferenceHandler()
    found = {}
    for name in _ARGUMENTS:
        function = getattr(handler, f"default_{name}", None) or getattr(
            own, f"default_{name}", None
        )
        if function is not None:
            found[name] = function
    return found


@contextmanager
def _refused_as(status: HTTPStatus | None, content_type: str | None, accept: str) -> Iterator[None]:
    """Answer an unsupported type with this status; None finds out which of the two it was."""
    try:
        yield
    except Exception as error:
        if not is_unsupported_format(error):
            raise
        raise unsupported(error, content_type, accept, status) from error
