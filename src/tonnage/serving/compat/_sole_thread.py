"""
The one thread that runs a handler.

Handlers were written for servers that run one request at a time in a process, and may hold what
belongs to a thread (a database connection, a graph): loading and every invocation share one.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any

__all__ = ["SoleThread"]

_Call = tuple[Callable[[], Any], Callable[[Any], None]]


class SoleThread:
    """
    Runs calls one after another, beside the running loop.

    It is a daemon: a call that never returns does not keep the process.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._calls: queue.SimpleQueue[_Call] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="handler", daemon=True).start()

    def call(self, function: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """
        Call ``function`` there, and ``then`` on the loop with its result.

        If it raises, ``then`` gets the exception.
        """
        self._calls.put((function, then))

    def _run(self) -> None:
        while True:
            function, then = self._calls.get()
            result = _outcome(function)
            try:
                self._loop.call_soon_threadsafe(then, result)
            except RuntimeError:  # the loop is closed: nobody waits for it
                return


def _outcome(function: Callable[[], Any]) -> Any:  # noqa: ANN401 (the function's)
    try:
        return function()
    except BaseException as error:  # noqa: BLE001 (handed to whoever asked; a handler may sys.exit)
        return error
