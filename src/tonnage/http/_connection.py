"""
One client's connection: the order of its answers, its backpressure, its deadlines, its end.
"""

import asyncio
import logging
from collections import deque
from typing import Final, cast

from tonnage.domain import error_body

from ._encoding import CONTINUE, encode_response
from ._reader import RequestReader, Stage
from ._state import Phase, ServerState
from .exchange import Exchange
from .messages import Refusal, Request, Response

__all__ = ["Connection"]

_logger = logging.getLogger(__name__)

LINGER_BYTES: Final = 64 * 1024 * 1024
"""
How much a client may go on sending after its last answer.

Closing at once would reset the connection, and the answer would be lost with it.
"""

_PIECE_BYTES: Final = 2048
"""How much is parsed before the number of unanswered requests is looked at again."""

_STAY: Final = b"\r\n"
_STAY_ALOUD: Final = b"Connection: keep-alive\r\n\r\n"
_CLOSE: Final = b"Connection: close\r\n\r\n"
_IDLE: Final = frozenset({Phase.REQUEST, Phase.LAST_REQUEST})
_NOBODY: Final = Request("", "", {}, b"")
_CROWDED: Final = "the server has no room for a connection"
_LATE: Final = {
    Phase.HEAD: "the headers took too long to arrive",
    Phase.BODY: "the body took too long to arrive",
}


class Connection(asyncio.Protocol):
    """
    One client's connection.

    Requests go to the handler as they are read, answers leave in the same order: what is answered
    in one go leaves in one write. Deadlines cost a request nothing but a timestamp; the server's
    sweep calls ``expire``.
    """

    __slots__ = (
        "_discarded_bytes",
        "_has_eof",
        "_held",
        "_is_feeding",
        "_is_last",
        "_is_reading",
        "_is_send_due",
        "_is_write_blocked",
        "_pending",
        "_phase",
        "_reader",
        "_since_seconds",
        "_state",
        "_transport",
    )

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self._reader = RequestReader(state.limits)
        self._transport: asyncio.Transport | None = None
        self._pending: deque[Exchange] = deque()
        self._held = b""
        self._discarded_bytes = 0
        self._phase = Phase.REQUEST
        self._since_seconds = 0.0
        self._has_eof = False
        self._is_feeding = False
        self._is_last = False
        self._is_reading = True
        self._is_send_due = False
        self._is_write_blocked = False

    @property
    def has_left(self) -> bool:
        """Whether the client has gone, as far as can be told: it has closed its side at least."""
        return self._has_eof or self._transport is None

    # asyncio calls these.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take up a client, or turn it away when there are too many."""
        self._transport = cast("asyncio.Transport", transport)
        self._since_seconds = self._state.loop.time()
        self._state.connections.add(self)
        if len(self._state.connections) > self._state.limits.max_connections:
            self._refuse_now(503, "too_many_connections", _CROWDED)
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's signature)
        """Forget the client; what it still waits for is answered into the void."""
        self._transport = None
        self._phase = Phase.END
        self._reader.stop()
        self._pending.clear()
        self._held = b""
        self._state.connections.discard(self)
        if self._state.place is not None:
            self._state.place.add(-1)
        if self._state.is_draining and not self._state.connections:
            self._state.emptied.set()

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if self._phase is Phase.REQUEST:
            request = self._state.heads.recall(data)
            if request is not None:
                self._phase = Phase.SOLE_ANSWER
                self._give(request)
                return
        if self._reader.is_over:
            self._discard(len(data))
            return
        self._read(self._held + data if self._held else data)
        self._settle()

    def eof_received(self) -> bool:
        """Note that no more will come; stay open while answers are owed."""
        self._has_eof = True
        self._reader.stop()
        if self._pending:
            self._phase = Phase.ANSWER
            return True
        self._enter(Phase.END)
        return False

    def pause_writing(self) -> None:
        """Read nothing more from a client that does not read its answers."""
        self._is_write_blocked = True
        if not self._is_feeding:
            self._settle()

    def resume_writing(self) -> None:
        """Go on reading."""
        self._is_write_blocked = False
        if not self._is_feeding:
            self._go_on()

    # The exchanges call this, and the server the rest.

    def send_answers(self) -> None:
        """Note that one more request is answered, and write what is its turn."""
        self._state.in_flight -= 1
        if self._phase is Phase.SOLE_ANSWER and not self._state.is_draining:
            self._send_sole()
            return
        if self._is_feeding or self._is_send_due or not self._pending:
            return
        if len(self._pending) == 1:
            self._send_now()
        elif self._pending[0].answer is not None:
            # Its successors are likely to be answered in this very turn: one write for all.
            self._is_send_due = True
            self._state.loop.call_soon(self._send_now)

    def expire(self, now_seconds: float) -> None:
        """Do what is due if the client has kept us waiting for too long."""
        phase = self._phase
        waited_seconds = now_seconds - self._since_seconds
        if waited_seconds < self._state.timeouts_seconds[phase] or self._transport is None:
            return
        if phase in _IDLE:
            self.close()
        elif phase in _LATE:
            self._refuse_now(408, "request_timeout", _LATE[phase])
            self._settle()
        elif (
            phase is not Phase.CLIENTS_END
            or not self._transport.get_write_buffer_size()
            or waited_seconds >= self._state.limits.write_timeout_seconds
        ):
            self._transport.abort()

    def close_if_idle(self) -> None:
        """Close the connection unless a request is under way on it."""
        if self._phase in _IDLE:
            self.close()

    @property
    def is_dismissed(self) -> bool:
        """Whether it was dismissed."""
        return self._is_last

    def dismiss(self) -> None:
        """Let the next answer be the last: the client may come back to a neighbour with room."""
        self._is_last = True
        if self._phase is Phase.REQUEST:
            self._phase = Phase.LAST_REQUEST
        elif self._phase is Phase.SOLE_ANSWER:
            self._phase = Phase.ANSWER

    def close(self) -> None:
        """Close the connection once what was written has left."""
        self._reader.stop()
        if self._transport is not None:
            self._enter(Phase.END)
            self._transport.close()

    def abort(self) -> None:
        """Cut the client off."""
        if self._transport is not None:
            self._phase = Phase.END
            self._transport.abort()

    # From bytes to the handler.

    def _read(self, data: bytes) -> None:
        reader = self._reader
        self._is_feeding = True
        self._held = b""
        start = 0
        while start < len(data) and not reader.is_over:
            if self._is_full():
                self._held = data[start:]
                self._write_answers()
                if self._is_full():
                    break
                self._held = b""
            piece = data[start : start + _PIECE_BYTES]
            start += _PIECE_BYTES
            requests = reader.feed(piece)
            if len(requests) == 1 and len(piece) == len(data) and self._phase is Phase.REQUEST:
                self._remember(data, requests[0])
            for request in requests:
                # A request has come and gone: what is read next has its own deadline.
                self._phase = Phase.ANSWER
                self._give(request)
        if reader.refusal is not None:
            self._refuse(reader.refusal)
        self._is_feeding = False
        self._write_answers()

    def _is_full(self) -> bool:
        return self._is_write_blocked or len(self._pending) >= self._state.limits.max_pipelined

    def _remember(self, data: bytes, request: Request) -> None:
        if not self._reader.is_over and self._reader.stage is Stage.BETWEEN:
            self._state.heads.remember(data, request)

    def _give(self, request: Request) -> None:
        """Give a request to the handler."""
        exchange = Exchange(request, self)
        self._pending.append(exchange)
        self._state.in_flight += 1
        try:
            self._state.handler(exchange)
        except Exception:
            _logger.exception("the handler failed", extra={"method": request.method})
            if exchange.answer is None:
                body = error_body("internal", "the service failed to answer this request")
                exchange.respond(Response(status=500, body=body))

    def _refuse_now(self, status: int, code: str, message: str) -> None:
        request = self._reader.read_so_far()
        self._refuse(Refusal(status=status, code=code, message=message, request=request))

    def _refuse(self, refusal: Refusal) -> None:
        """Answer instead of the handler, when it is its turn, as the connection's last answer."""
        self._reader.stop()
        self._held = b""
        exchange = Exchange(_NOBODY, self)
        exchange.answer = encode_response(self._state.refuse(refusal), is_head=False)
        self._pending.append(exchange)
        if not self._is_feeding:
            self._write_answers()

    def _discard(self, count: int) -> None:
        if self._phase is not Phase.CLIENTS_END:
            return
        self._discarded_bytes += count
        if self._discarded_bytes > LINGER_BYTES:
            self.abort()

    # From answers to bytes.

    def _send_sole(self) -> None:
        """Answer the one request in hand, and wait for the next."""
        answer = self._pending.popleft().answer
        assert answer is not None
        assert self._transport is not None
        self._phase = Phase.REQUEST
        self._since_seconds = self._state.loop.time()
        self._transport.write(b"%b\r\n%b" % answer)  # last: it may call ``pause_writing``

    def _send_now(self) -> None:
        self._is_send_due = False
        self._write_answers()
        self._go_on()

    def _write_answers(self) -> None:
        pending = self._pending
        out: list[bytes] = []
        while pending and (answer := pending[0].answer) is not None:
            request = pending.popleft().request
            if not pending and self._is_ending():
                out += (answer[0], _CLOSE, answer[1])
                self._write(out)
                self._end()
                return
            # HTTP/1.0 must be told; to whom names the header it does no harm.
            stay = _STAY_ALOUD if "connection" in request.headers else _STAY
            out += (answer[0], stay, answer[1])
        if self._reader.wants_continue and not pending:
            self._reader.wants_continue = False
            out.append(CONTINUE)
        if out:
            self._write(out)

    def _is_ending(self) -> bool:
        reader = self._reader
        if self._held:
            return False
        is_wanted = self._state.is_draining or self._is_last
        return reader.is_over or (is_wanted and reader.stage is Stage.BETWEEN)

    def _write(self, parts: list[bytes]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(parts))

    def _end(self) -> None:
        self._reader.stop()
        if self._transport is None or self._transport.is_closing():
            return
        if self._has_eof:
            self.close()
            return
        self._transport.write_eof()
        self._enter(Phase.CLIENTS_END)

    # What comes next.

    def _go_on(self) -> None:
        if self._held and not self._is_full():
            self._read(self._held)
        self._settle()

    def _settle(self) -> None:
        """Read or not, and start the clock of what is waited for now."""
        is_wanted = self._phase is Phase.CLIENTS_END or not (self._held or self._is_full())
        if is_wanted is not self._is_reading:
            self._switch_reading(is_wanted=is_wanted)
        phase = self._next_phase()
        if phase is not self._phase:
            self._enter(phase)

    def _switch_reading(self, *, is_wanted: bool) -> None:
        if self._transport is None or self._transport.is_closing() or self._has_eof:
            return
        self._is_reading = is_wanted
        if is_wanted:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def _next_phase(self) -> Phase:
        if self._phase is Phase.CLIENTS_END or self._phase is Phase.END:
            return self._phase
        if self._is_write_blocked:
            return Phase.DRAIN_OF_WRITES
        if self._reader.is_over or not self._is_reading:
            return Phase.ANSWER
        stage = self._reader.stage
        if stage is Stage.BETWEEN:
            if self._pending:
                return Phase.ANSWER
            return Phase.LAST_REQUEST if self._is_last else Phase.REQUEST
        return Phase.HEAD if stage is Stage.HEAD else Phase.BODY

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        self._since_seconds = self._state.loop.time()
