"""
One connection of a load generator: a request at a time, its end told by a call.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Literal, cast

import httptools

from ._encoding import encode_request

__all__ = ["BrokenOff", "CallbackConnection", "encode_request"]

BrokenOff = Literal["reset", "garbage"]
"""How a request ends without an answer by the peer's doing: it broke off, or spoke no HTTP/1.1."""

NO_REQUEST: Final = -1
_FINAL: Final = 200
_BODILESS: Final = frozenset({204, 304})
_FRAMES: Final = frozenset({b"content-length", b"transfer-encoding"})


class CallbackConnection(asyncio.Protocol):
    """
    One connection that never sends anything twice, keeps no body and tells the end by a call.

    ``Client`` costs a request a task, a timer, a future and a dictionary of headers, and quietly
    asks again when a pooled connection turns out closed. Whoever measures wants neither.

    Args:
        on_answer: Called with the connection, the request's token and the status, as the last byte
            is read.
        on_broken: Called with the connection, the token and how, when there will be no answer.
        on_lost: Called when an idle connection is gone.

    Attributes:
        token: The caller's number of the request under way, -1 without one.
        is_reusable: Whether it can take another request.
    """

    __slots__ = (
        "_on_answer",
        "_on_broken",
        "_on_lost",
        "_parser",
        "_status",
        "_transport",
        "_until_close",
        "is_reusable",
        "token",
    )

    def __init__(
        self,
        on_answer: Callable[["CallbackConnection", int, int], None],
        on_broken: Callable[["CallbackConnection", int, BrokenOff], None],
        on_lost: Callable[["CallbackConnection"], None],
    ) -> None:
        self._on_answer = on_answer
        self._on_broken = on_broken
        self._on_lost = on_lost
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._status = 0
        self._until_close = True
        self.is_reusable = True
        self.token = NO_REQUEST

    def send(self, message: bytes, token: int) -> None:
        """Send a request; its end is told by ``on_answer`` or ``on_broken``."""
        self.token = token
        self._status = 0
        if self._transport is None or self._transport.is_closing():
            self._break_off("reset")
        else:
            self._transport.write(message)

    def abandon(self) -> None:
        """Close without a word to anyone; a request under way is forgotten."""
        self.token = NO_REQUEST
        self.is_reusable = False
        if self._transport is not None:
            self._transport.abort()

    # asyncio calls these.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the request under way: an answer may end with the connection, any other is broken."""
        self._transport = None
        self.is_reusable = False
        if self.token == NO_REQUEST:
            self._on_lost(self)
        elif exc is None and self._status >= _FINAL and self._until_close:
            self._complete()
        else:
            self._break_off("reset")

    def data_received(self, data: bytes) -> None:
        """Read on; what nobody asked for ends the connection."""
        if self.token == NO_REQUEST:
            self.abandon()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._break_off("garbage")

    # httptools calls these, by these names.

    def on_message_begin(self) -> None:
        """Start an answer, wanted or not."""
        if self.token == NO_REQUEST:
            self.abandon()
        self._status = 0
        self._until_close = True

    def on_header(self, name: bytes, _value: bytes) -> None:
        """See whether the body has a length of its own."""
        if name.lower() in _FRAMES:
            self._until_close = False

    def on_headers_complete(self) -> None:
        """Take the status."""
        self._status = status = self._parser.get_status_code()
        if status in _BODILESS:
            self._until_close = False
        if status >= _FINAL and (self._until_close or not self._parser.should_keep_alive()):
            self.is_reusable = False

    def on_message_complete(self) -> None:
        """Tell the answer; interim ones (1xx) are skipped."""
        if self._status >= _FINAL and self.token != NO_REQUEST:
            self._complete()

    def _complete(self) -> None:
        token, self.token = self.token, NO_REQUEST
        self._on_answer(self, token, self._status)
        if not self.is_reusable and self._transport is not None:
            self._transport.close()

    def _break_off(self, how: BrokenOff) -> None:
        self.is_reusable = False
        token, self.token = self.token, NO_REQUEST
        if token != NO_REQUEST:
            self._on_broken(self, token, how)
        if self._transport is not None:
            self._transport.abort()
