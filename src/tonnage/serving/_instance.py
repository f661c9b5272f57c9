"""
One instance's application: the container contract on top of a loaded model.

All invocations that arrive in one turn of the event loop are predicted in one call: a single
scikit-learn or ONNX call costs much the same for one row as for fifty.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Final

from pydantic import BaseModel

from tonnage.artefact import LoadedModel
from tonnage.domain import InvalidPayloadError, error_body
from tonnage.http import Exchange, Response

from ._capacity import InstanceCapacity, VirtualServer

__all__ = ["Instance"]

logger = logging.getLogger(__name__)

_TIMER_SLACK_SECONDS: Final = 0.0005
"""
uvloop rounds timers to the nearest millisecond; with half of one more they are never early.

An early one would have to be set again and again until its time has come, at a core's full speed.
"""
_JSON: Final = "application/json"
_PONG: Final = Response(status=200, body=b"", content_type=None)
_NOT_READY: Final = Response(
    status=503, body=error_body("not_ready", "not every worker has passed its self-test yet")
)
_REFUSED: Final = Response(
    status=503,
    body=error_body("over_capacity", "the instance's queue is full; try again later"),
    headers=(("Retry-After", "1"),),
)

Admitted = tuple[Exchange, BaseModel, float]


class Instance:
    """
    Answers ``GET /ping`` and ``POST /invocations``.

    Args:
        model: What predicts; its golden predictions were checked before.
        capacity: A cap on what this instance carries; None for what the machine carries.
        is_ready: Says whether ``/ping`` may answer 200.
    """

    def __init__(
        self,
        model: LoadedModel,
        *,
        capacity: InstanceCapacity | None = None,
        is_ready: Callable[[], bool] = lambda: True,
    ) -> None:
        self._model = model
        self._is_ready = is_ready
        self._turn: list[tuple[Exchange, BaseModel]] = []
        self._server = VirtualServer(capacity) if capacity else None
        self._outbox: deque[tuple[float, Exchange, Response]] = deque()

    def handle(self, exchange: Exchange) -> None:
        """Answer one request, now or later in this turn of the loop."""
        path, method = exchange.request.path, exchange.request.method
        if path == "/invocations":
            if method == "POST":
                self._accept(exchange)
            else:
                exchange.respond(_method_not_allowed(method, "POST"))
        elif path == "/ping":
            if method in {"GET", "HEAD"}:
                exchange.respond(_PONG if self._is_ready() else _NOT_READY)
            else:
                exchange.respond(_method_not_allowed(method, "GET"))
        else:
            message = f"there is no {path} here; there are /ping and /invocations"
            exchange.respond(Response(status=404, body=error_body("not_found", message)))

    def _accept(self, exchange: Exchange) -> None:
        headers = exchange.request.headers
        if not _is_json(headers.get("content-type", _JSON)):
            exchange.respond(_unsupported("content-type", headers["content-type"], 415))
            return
        if not _accepts_json(headers.get("accept", "*/*")):
            exchange.respond(_unsupported("accept", headers["accept"], 406))
            return
        try:
            row = self._model.parse_row(exchange.request.body)
        except InvalidPayloadError as error:
            body = error_body("invalid_payload", error.message, error.faults)
            exchange.respond(Response(status=400, body=body))
            return
        if not self._turn:
            asyncio.get_running_loop().call_soon(self._end_turn)
        self._turn.append((exchange, row))

    def _end_turn(self) -> None:
        turn, self._turn = self._turn, []
        admitted = self._admit(turn)
        if not admitted:
            return
        responses = self._predict([row for _, row, _ in admitted])
        if self._server is None:
            for (exchange, _, _), response in zip(admitted, responses, strict=True):
                exchange.respond(response)
            return
        if not self._outbox:
            self._wake_at(admitted[0][2])
        self._outbox.extend(
            (finish, exchange, response)
            for (exchange, _, finish), response in zip(admitted, responses, strict=True)
        )

    def _admit(self, turn: list[tuple[Exchange, BaseModel]]) -> list[Admitted]:
        if self._server is None:
            return [(exchange, row, 0.0) for exchange, row in turn]
        now = asyncio.get_running_loop().time()
        admitted = []
        for exchange, row in turn:
            finish = self._server.admit(now)
            if finish is None:
                exchange.respond(_REFUSED)
            else:
                admitted.append((exchange, row, finish))
        return admitted

    def _send_due(self) -> None:
        """Answer what has reached its virtual finish; one timer serves the whole queue."""
        now = asyncio.get_running_loop().time()
        while self._outbox and self._outbox[0][0] <= now:
            _, exchange, response = self._outbox.popleft()
            exchange.respond(response)
        if self._outbox:
            self._wake_at(self._outbox[0][0])

    def _wake_at(self, finish_seconds: float) -> None:
        asyncio.get_running_loop().call_at(finish_seconds + _TIMER_SLACK_SECONDS, self._send_due)

    def _predict(self, rows: list[BaseModel]) -> list[Response]:
        try:
            return [Response(status=200, body=body) for body in self._model.predict(rows)]
        except Exception:
            if len(rows) == 1:
                logger.exception("prediction failed")
                return [_FAILED]
        # One row spoils the batch: each is tried alone, so that only the bad one fails.
        return [response for row in rows for response in self._predict([row])]


_FAILED: Final = Response(
    status=500,
    body=error_body("model_error", "the model failed on this row; the log has the trace"),
)


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == _JSON


def _accepts_json(accept: str) -> bool:
    offered = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    return bool(offered & {_JSON, "application/*", "*/*", ""})


def _unsupported(header: str, value: str, status: int) -> Response:
    message = f"{header} {value!r} is not supported; {_JSON} is"
    return Response(status=status, body=error_body("unsupported_media_type", message))


def _method_not_allowed(method: str, allowed: str) -> Response:
    return Response(
        status=405,
        body=error_body("method_not_allowed", f"{method} is not allowed here; {allowed} is"),
        headers=(("Allow", allowed),),
    )
