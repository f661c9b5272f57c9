"""
A found handler → a loaded one, in the process and thread that it will run in.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tonnage.artefact import load_pickle
from tonnage.http import Request, Response

from ._context import Context
from ._functions import chosen_functions
from ._importing import Handler, handler_of, import_program
from ._invocation import respond
from ._opt_ml import lead_to
from ._source import MODEL_FILE, HandlerSource
from ._stand_in import install_stand_in

__all__ = ["LoadedHandler", "load_handler"]


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedHandler:
    """
    A handler with its model.

    Attributes:
        source: Where it came from.
        handler: The user's functions.
        model: What they loaded.
    """

    source: HandlerSource
    handler: Handler
    model: Any

    def respond(self, request: Request, request_id: str = "") -> Response:
        """Answer one request, whatever the handler does; its log lines have the id."""

        def invoke(content: bytes, content_type: str | None, accept: str, context: Context) -> Any:  # noqa: ANN401 (the user's result)
            return self.handler.invoke(self.model, content, content_type, accept, context)

        return respond(
            invoke,
            request,
            model_dir=self.source.model_dir,
            default_accept=self.source.options.default_accept,
            request_id=request_id,
        )


def load_handler(source: HandlerSource) -> LoadedHandler:
    """
    Import the user's program and load its model.

    It changes this process: ``sys.path``, the stand-in for ``sagemaker_inference`` where that is
    missing, ``/opt/ml/model`` where that is.

    Raises:
        ConfigurationError: If the program is no handler.
        ModelLoadError: If it fails while it is imported.
        Exception: Whatever the user's loading raises.
    """
    handler = _handler(source)
    model = handler.load(source.model_dir, Context(source.model_dir))
    return LoadedHandler(source=source, handler=handler, model=model)


def _handler(source: HandlerSource) -> Handler:
    if source.program is None:
        return chosen_functions({"model_fn": _load_pickle})
    lead_to(source.model_dir)
    install_stand_in(default_accept=source.options.default_accept)
    return handler_of(import_program(source.program))


def _load_pickle(model_dir: str) -> Any:  # noqa: ANN401 (the user's model)
    return load_pickle(Path(model_dir, MODEL_FILE))
