"""
One worker's application when a handler answers: one request at a time, in a thread.

The handler's functions take whole bodies, so nothing is batched. They run beside the loop, so that
``/ping`` is answered while they work.
"""

import asyncio
import logging
import os
import signal
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, Final

from tonnage.domain import ModelLoadError, TonnageError, error_body
from tonnage.http import Exchange, Response
from tonnage.serving._calls import REQUEST_ID, RETRY
from tonnage.serving._reception import Books, Reception

from ._loading import LoadedHandler, load_handler
from ._sole_thread import SoleThread
from ._source import HandlerOptions, HandlerSource

__all__ = ["Books", "HandlerInstance"]

logger = logging.getLogger(__name__)

_NOT_READY: Final = "not every worker has loaded its model yet"
_REFUSED: Final = Response(
    status=503,
    body=error_body("over_capacity", "the worker's queue is full; try again later"),
    headers=RETRY,
)
_EXPIRED: Final = Response(
    status=503,
    body=error_body("deadline_exceeded", "the handler did not answer in time"),
    headers=RETRY,
)
_FAILED: Final = Response(
    status=500,
    body=error_body("model_error", "the model's handler failed; the log has the trace"),
)


@dataclass(eq=False, kw_only=True, slots=True)
class _Invocation:
    exchange: Exchange
    request_id: str
    arrived_seconds: float
    deadline: asyncio.TimerHandle | None = None


class HandlerInstance:
    """
    Answers ``GET /ping`` and ``POST /invocations`` through a loaded handler.

    Args:
        handler: What answers.
        thread: Where it was loaded.
        is_ready: Says whether ``/ping`` may answer 200.
        books: Where it notes what it answers; None for some of its own.
        on_stuck: Called when a running invocation outlives its deadline: it cannot be stopped, so
            its process has to go.

    Attributes:
        refuse: Returns the answer to what the server would not take, counted and noted like others.
    """

    def __init__(
        self,
        handler: LoadedHandler,
        thread: SoleThread,
        *,
        is_ready: Callable[[], bool] = lambda: True,
        books: Books | None = None,
        on_stuck: Callable[[], None] | None = None,
    ) -> None:
        self._handler = handler
        self._options: HandlerOptions = handler.source.options
        self._thread = thread
        self._books = books or Books.own()
        self._reception = Reception(self._books, is_ready, _NOT_READY)
        self.refuse = self._reception.refuse
        self._on_stuck = on_stuck or _end_this_worker
        self._waiting: deque[_Invocation] = deque()
        self._running: _Invocation | None = None
        self._is_stuck = False

    @classmethod
    async def start(
        cls,
        source: HandlerSource,
        *,
        stop: asyncio.Event,
        is_ready: Callable[[], bool] = lambda: True,
        books: Books | None = None,
    ) -> "HandlerInstance | None":
        """
        Load the handler in a thread of its own and return the instance.

        Args:
            source: What to load.
            stop: Set when it is no longer wanted; None is returned then.
            is_ready: Says whether ``/ping`` may answer 200.
            books: Where the instance notes what it answers.

        Raises:
            ConfigurationError: If it is no handler.
            ModelLoadError: If it does not load; the log has the trace.
        """
        thread = SoleThread()
        loaded: asyncio.Future[LoadedHandler | BaseException]
        loaded = asyncio.get_running_loop().create_future()
        thread.call(lambda: load_handler(source), loaded.set_result)
        stopped = asyncio.ensure_future(stop.wait())
        either: set[asyncio.Future[Any]] = {loaded, stopped}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not loaded.done():
            loaded.cancel()
            return None
        outcome = loaded.result()
        if isinstance(outcome, BaseException):
            raise _load_fault(source, outcome)
        return cls(outcome, thread, is_ready=is_ready, books=books)

    def handle(self, exchange: Exchange) -> None:
        """Answer one request, now or when its turn has come."""
        if self._reception.lets_through(exchange):
            self._accept(exchange)

    def _accept(self, exchange: Exchange) -> None:
        invocation = _Invocation(
            exchange=exchange,
            request_id=self._books.name_of(exchange.request),
            arrived_seconds=perf_counter(),
        )
        if self._is_stuck or len(self._waiting) >= self._options.max_waiting:
            self._answer(invocation, _REFUSED)
            return
        invocation.deadline = asyncio.get_running_loop().call_later(
            self._options.timeout_seconds, self._expire, invocation
        )
        self._waiting.append(invocation)
        self._run_next()

    def _run_next(self) -> None:
        if self._running is not None or not self._waiting:
            return
        running = self._running = self._waiting.popleft()
        request, request_id = running.exchange.request, running.request_id
        self._thread.call(
            lambda: self._handler.respond(request, request_id),
            lambda outcome: self._finish(running, outcome),
        )

    def _finish(self, running: _Invocation, outcome: Response | BaseException) -> None:
        self._running = None
        if isinstance(outcome, BaseException):  # a handler that calls sys.exit
            logger.error("the handler ended its thread's work", exc_info=outcome)
            outcome = _FAILED
        self._answer(running, outcome)
        self._run_next()

    def _expire(self, late: _Invocation) -> None:
        if late is self._running:
            logger.error(
                "an invocation did not end within %g s: its worker ends and is replaced",
                self._options.timeout_seconds,
                extra={"request_id": late.request_id},
            )
            self._is_stuck = True
            self._on_stuck()
            while self._waiting:
                self._answer(self._waiting.popleft(), _EXPIRED)
        else:
            self._waiting.remove(late)
        self._answer(late, _EXPIRED)

    def _answer(self, invocation: _Invocation, response: Response) -> None:
        """Answer an invocation, if its deadline has not."""
        exchange, request_id = invocation.exchange, invocation.request_id
        if invocation.deadline is not None:
            invocation.deadline.cancel()
        if exchange.answer is not None:
            return
        seconds = perf_counter() - invocation.arrived_seconds
        try:
            headers = ((REQUEST_ID, request_id), *response.headers)
            exchange.respond(replace(response, headers=headers))
        except ValueError as error:  # a header that the handler made up
            logger.error("the handler's answer is no HTTP: %s", error)  # noqa: TRY400 (no trace)
            response = _FAILED
            exchange.respond(replace(response, headers=((REQUEST_ID, request_id),)))
        self._books.tally.invocation(response.status, seconds)
        if self._books.request_log:
            self._books.request_log.note(
                exchange.request, request_id, response.status, rows=0, seconds=seconds
            )


def _load_fault(source: HandlerSource, fault: BaseException) -> TonnageError:
    if isinstance(fault, TonnageError):
        return fault
    logger.error("the handler failed to load its model", exc_info=fault)
    error = ModelLoadError(
        f"the handler in {source.program or source.model_dir} does not load its model:"
        f" {type(fault).__name__}: {fault}"
    )
    error.__cause__ = fault
    return error


def _end_this_worker() -> None:
    # As whoever started it does: it answers what it can, ends, and is replaced.
    os.kill(os.getpid(), signal.SIGTERM)
