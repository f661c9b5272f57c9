"""
One instance's application: the container contract on top of a loaded model.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Final

from tonnage.artefact import LoadedModel
from tonnage.domain import InvalidPayloadError, error_body
from tonnage.http import Exchange, Response

from ._batching import Batcher, BatchLimits
from ._calls import RETRY, Call, RequestIds, refusal
from ._capacity import InstanceCapacity, VirtualServer
from ._costs import CallCosts
from ._formats import Rows, Shape
from ._metrics import Scoreboard, Tally
from ._outbox import Outbox
from ._predicting import Answer, Predicting
from ._reception import Books, Reception
from ._request_log import RequestLog
from .codecs import Codecs, Conversion, MediaTypeError

__all__ = ["Instance"]

logger = logging.getLogger(__name__)

_JSON: Final = "application/json"
_MOST_USUAL: Final = 256
_LARGE_BODY_BYTES: Final = 64 * 1024
"""A body of more is read in the thread: half a million rows would hold the loop up for seconds."""
_MOST_LARGE_BODIES: Final = 16
_NOT_READY: Final = "not every worker has passed its self-test yet"
_FULL_MESSAGE: Final = "the instance's queue is full; try again later"
_FULL: Final = Response(status=503, body=error_body("over_capacity", _FULL_MESSAGE), headers=RETRY)
"""Without an id, which no log would hold: what is refused by the thousand must cost little."""


class Instance:
    """
    Answers ``POST /invocations``, ``GET /ping`` and ``GET /metrics``.

    Args:
        model: What predicts; its golden predictions were checked before. If its service has a
            method ``custom_attributes(received: str) -> str | None``, that is asked for each
            request that carries custom attributes, and what it returns goes back with the answer.
        capacity: A cap on what this instance carries; None for what the machine carries.
        is_ready: Says whether ``/ping`` may answer 200.
        limits: How long requests wait, and how many at once.
        default_accept: The format of answers to those who have no preference; empty for the
            request's own.
        costs: What is known of the model's cost; None for nothing yet.
        scoreboard: Where ``/metrics`` comes from; None for one of this instance's own.
        tally: Where this instance counts; None for the scoreboard's first row.
        request_log: Notes each request; None for no log.

    Attributes:
        refuse: Returns the answer to what the server would not take, counted and noted like others.
    """

    def __init__(
        self,
        model: LoadedModel,
        *,
        capacity: InstanceCapacity | None = None,
        is_ready: Callable[[], bool] = lambda: True,
        limits: BatchLimits | None = None,
        default_accept: str = "",
        costs: CallCosts | None = None,
        scoreboard: Scoreboard | None = None,
        tally: Tally | None = None,
        request_log: RequestLog | None = None,
    ) -> None:
        self._codecs = Codecs(model, default_accept)
        scoreboard = scoreboard or Scoreboard()
        self._tally = tally or scoreboard.tally()
        self._log = request_log
        self._ids = RequestIds()
        predicting = Predicting(model, self._ids)
        self._has_attributes = predicting.attributes is not None
        books = Books(
            scoreboard=scoreboard, tally=self._tally, request_log=request_log, ids=self._ids
        )
        self._reception = Reception(books, is_ready, _NOT_READY)
        self.refuse = self._reception.refuse
        self._thread = ThreadPoolExecutor(1, "predict")
        self._large_bodies = 0
        self._server = VirtualServer(capacity) if capacity else None
        self._usual: dict[bytes, Conversion] = {}
        self._outbox: Outbox[tuple[Call, Answer]] = Outbox(lambda item: self._respond(*item))
        self._batcher: Batcher[Call, Answer] = Batcher(
            predict=predicting.predict,
            answer=self._answer if self._server is None else self._answer_in_time,
            expire=self._expire,
            limits=limits or BatchLimits(),
            tally=self._tally,
            thread=self._thread,
            costs=costs,
        )

    def handle(self, exchange: Exchange) -> None:
        """Answer one request, now, at the end of this turn of the loop, or later."""
        conversion = self._usual.get(exchange.request.head)
        if conversion is not None:
            self._accept(Call(exchange, None, perf_counter(), conversion))
            return
        if self._reception.lets_through(exchange):
            self._accept_new(exchange)

    @property
    def is_stuck(self) -> bool:
        """Whether the model has not come back for as long as any request may wait."""
        return self._batcher.is_stuck

    def give_up(self) -> None:
        """Answer everything that waits with a 503: the model will not."""
        self._batcher.give_up()

    # An invocation arrives: its format, its rows, its place in the queue.

    def _accept_new(self, exchange: Exchange) -> None:
        """Take an invocation whose headers are to be read first."""
        headers = exchange.request.headers
        call = Call(exchange, self._ids.sent(headers), perf_counter(), self._codecs.usual)
        if self._log and call.request_id is None:
            call.request_id = self._ids.new()
        if self._batcher.is_full():
            self._refuse(call)
            return
        try:
            call.conversion = self._codecs.choose(
                headers.get("content-type", ""), headers.get("accept", "")
            )
        except MediaTypeError as error:
            status = 406 if error.header == "accept" else 415
            self._fail(call, status, "unsupported_media_type", error.message)
            return
        if call.request_id is None and not self._has_attributes:
            self._remember(exchange.request.head, call.conversion)
        self._accept(call)

    def _remember(self, head: bytes, conversion: Conversion) -> None:
        """Spare the next request with this head the reading of its headers."""
        if head:
            if len(self._usual) >= _MOST_USUAL:
                self._usual.clear()
            self._usual[head] = conversion

    def _accept(self, call: Call) -> None:
        if self._batcher.is_full():
            self._refuse(call)
            return
        body, conversion = call.exchange.request.body, call.conversion
        if len(body) > _LARGE_BODY_BYTES:
            self._read_in_thread(call)
            return
        try:
            rows = conversion.source.decode(body, conversion.charset)
        except InvalidPayloadError as error:
            self._fail(call, 400, "invalid_payload", error.message, error)
            return
        self._enqueue(call, rows)

    def _read_in_thread(self, call: Call) -> None:
        if self._large_bodies >= _MOST_LARGE_BODIES:
            self._refuse(call)
            return
        self._large_bodies += 1

        def finish(job: asyncio.Future[Rows]) -> None:
            self._large_bodies -= 1
            error = job.exception()
            if error is None:
                self._enqueue(call, job.result())
            elif isinstance(error, InvalidPayloadError):
                self._fail(call, 400, "invalid_payload", error.message, error)
            else:
                logger.error("a body could not be read", exc_info=error)
                self._fail(call, 500, "internal", "the body could not be read")

        conversion, body = call.conversion, call.exchange.request.body
        job = asyncio.get_running_loop().run_in_executor(
            self._thread, conversion.source.decode, body, conversion.charset
        )
        job.add_done_callback(finish)

    def _enqueue(self, call: Call, rows: Rows) -> None:
        call.rows, call.shape = rows
        call.count = len(call.rows)
        call.is_plain = (
            call.request_id is None
            and call.shape is Shape.ONE
            and call.conversion.is_json
            and not self._has_attributes
        )
        if self._server is not None:
            finish = self._server.admit(asyncio.get_running_loop().time())
            if finish is None:
                self._refuse(call)
                return
            call.finish_seconds = finish
        self._batcher.add(call)

    # And answered.

    def _answer(self, calls: list[Call], answers: Sequence[Answer]) -> None:
        if not calls:
            return
        now = perf_counter()
        # First counted, then sent: who has an answer finds it in the metrics, whoever gives them.
        self._tally.invocations(
            [200 if isinstance(answer, bytes) else answer.status for answer in answers],
            [call.arrived_seconds for call in calls],
            now,
        )
        for call, answer in zip(calls, answers, strict=True):
            call.is_answered = True
            if isinstance(answer, bytes):
                call.exchange.respond_ok(answer, _JSON)
            else:
                call.exchange.respond(answer)
        if self._log:
            for call, answer in zip(calls, answers, strict=True):
                self._note(self._log, call, answer, now - call.arrived_seconds)

    def _answer_in_time(self, calls: list[Call], answers: Sequence[Answer]) -> None:
        """Under a cap, answer each call at its virtual finish."""
        pairs = zip(calls, answers, strict=True)
        self._outbox.extend((call.finish_seconds, (call, answer)) for call, answer in pairs)

    def _expire(self, call: Call) -> None:
        message = "the service did not get to this request in time"
        self._fail(call, 503, "deadline_exceeded", message, headers=RETRY)

    def _refuse(self, call: Call) -> None:
        if call.request_id is None:
            self._respond(call, _FULL)
        else:
            self._fail(call, 503, "over_capacity", _FULL_MESSAGE, headers=RETRY)

    def _fail(
        self,
        call: Call,
        status: int,
        code: str,
        message: str,
        error: InvalidPayloadError | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        faults = error.faults if error else ()
        request_id = self._ids.of(call)
        self._respond(
            call, refusal(request_id, status, code, message, faults=faults, headers=headers)
        )

    def _respond(self, call: Call, answer: Answer) -> None:
        seconds = perf_counter() - call.arrived_seconds
        if isinstance(answer, bytes):
            answer = Response(status=200, body=answer)
        self._tally.invocation(answer.status, seconds)
        call.is_answered = True
        call.exchange.respond(answer)
        if self._log:
            self._note(self._log, call, answer, seconds)

    def _note(self, log: RequestLog, call: Call, answer: Answer, seconds: float) -> None:
        status = 200 if isinstance(answer, bytes) else answer.status
        request = call.exchange.request
        log.note(request, self._ids.of(call), status, rows=call.count, seconds=seconds)
