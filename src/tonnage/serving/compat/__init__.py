"""
Handlers written for SageMaker's toolkits, run unchanged.

::

    MODEL/                    or a model.tar.gz of it
      model.joblib            whatever model_fn loads
      code/inference.py       model_fn, input_fn, predict_fn, output_fn or transform_fn;
                              or a class with default_model_fn and the like;
                              or handle(data, context)

``find_handler`` sees what is there and runs nothing. ``HandlerInstance`` loads it, in the worker,
and answers ``/ping`` and ``/invocations`` with it.

The price, against a packed artefact: the user's code opens what it likes (pickles, mostly), every
worker loads a model of its own, nothing is verified and nothing is batched, and one request runs
at a time in each worker.
"""

from typing import TYPE_CHECKING

from tonnage.domain.lazy import lazily as _lazily

if TYPE_CHECKING:
    from tonnage.artefact import ArchiveLimits, extract

    from ._context import Context
    from ._errors import InvocationError
    from ._instance import Books, HandlerInstance
    from ._loading import LoadedHandler, load_handler
    from ._source import (
        HandlerOptions,
        HandlerSource,
        find_handler,
        handler_options,
        opened,
        response_timeout_seconds,
    )
    from ._stand_in import install_stand_in

__all__ = [
    "ArchiveLimits",
    "Books",
    "Context",
    "HandlerInstance",
    "HandlerOptions",
    "HandlerSource",
    "InvocationError",
    "LoadedHandler",
    "extract",
    "find_handler",
    "handler_options",
    "install_stand_in",
    "load_handler",
    "opened",
    "response_timeout_seconds",
]

_HOMES = {
    "ArchiveLimits": "tonnage.artefact",
    "Books": "._instance",
    "Context": "._context",
    "HandlerInstance": "._instance",
    "HandlerOptions": "._source",
    "HandlerSource": "._source",
    "InvocationError": "._errors",
    "LoadedHandler": "._loading",
    "extract": "tonnage.artefact",
    "find_handler": "._source",
    "handler_options": "._source",
    "install_stand_in": "._stand_in",
    "load_handler": "._loading",
    "opened": "._source",
    "response_timeout_seconds": "._source",
}

if not TYPE_CHECKING:  # a type checker sees the names above, and no others
    __getattr__ = _lazily(__name__, _HOMES)


def __dir__() -> list[str]:
    return __all__
