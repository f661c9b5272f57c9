"""
``tonnage serve``: one instance, as SageMaker starts it.

The parent verifies and loads the artefact, binds the port and forks the workers; they share the
model's memory and the listening socket. A worker that dies is replaced; SIGTERM drains them all.
"""

import gc
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tonnage.artefact import LoadedModel
from tonnage.domain import ConfigurationError
from tonnage.http import listen_error

from ._supervisor import WATCHED, Supervisor
from ._worker import WorkerOptions
from .codecs import MEDIA_TYPES
from .compat import HandlerOptions, find_handler, opened

__all__ = ["DEFAULT_PORT", "serve"]

DEFAULT_PORT: Final = 8080
_BACKLOG: Final = 2048


def serve(
    artefact: Path,
    *,
    host: str = "0.0.0.0",
    port: int = DEFAULT_PORT,
    workers: int | None = None,
    options: WorkerOptions | None = None,
    handler: HandlerOptions | None = None,
    on_listening: Callable[[int], None] = lambda _port: None,
) -> None:
    """
    Serve an artefact until SIGTERM or Ctrl-C, then drain.

    Call it from a process of its own, before anything has started threads.

    Args:
        artefact: The artefact's directory, or one with a handler for SageMaker's toolkits, or the
            ``model.tar.gz`` of either.
        host: The address to bind; the container's contract is all of them.
        port: The port to bind; 0 for a free one.
        workers: How many processes; None for one a core.
        options: How each of them serves.
        handler: How a handler is found and run, if there is one; and whether a pickle is opened.
        on_listening: Called with the port when every worker has passed its self-test.

    Raises:
        ArtefactError: If the artefact is missing, changed, or fails its self-test.
        PortInUseError: If the port is taken.
        ConfigurationError: If it cannot be listened on for another reason, or ``options`` ask for
            a format of answers that there is not.
    """
    # From here on a signal waits until the supervisor looks for it: none is lost while the model is
    # loaded, and none comes between a fork and its entry in the books. (As a container's first
    # process it would not even end on a SIGTERM that it has no handler for.)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    try:
        with opened(artefact) as directory:
            handler = handler or HandlerOptions()
            source = find_handler(directory, handler)
            model = source or LoadedModel.load(directory, allow_pickle=handler.allow_pickle)
            options = options or WorkerOptions()
            if source is None:
                _check_default_accept(options.default_accept)
            gc.freeze()  # what is loaded stays shared with the workers: no collector writes to it
            gc.enable()  # the command line starts without one: loading takes less time so
            count = workers or len(os.sched_getaffinity(0))
            with _listen(host, port) as listener:
                Supervisor(model, listener, count, options, on_listening).run()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _check_default_accept(media_type: str) -> None:
    if media_type not in {"", *MEDIA_TYPES}:
        raise ConfigurationError(
            f"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT is {media_type!r}: answers cannot be written so",
            hint=f"there are {', '.join(MEDIA_TYPES)}",
        )


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise listen_error(error, host, port) from error
    listener.setblocking(False)
    return listener
