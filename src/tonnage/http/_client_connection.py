"""
One connection of the client: one request at a time, and its answer.
"""

import asyncio
from collections.abc import Callable
from typing import Final, cast

import httptools

from tonnage.domain import TransportError, format_bytes, format_duration

from ._encoding import decode_name
from .messages import ClientResponse

__all__ = ["ClientConnection", "UnansweredError"]

MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024
"""More than this is no answer to an invocation; the connection is given up."""

_FINAL: Final = 200
_BODILESS: Final = frozenset({204, 304})


class UnansweredError(TransportError):
    """The connection ended before a byte of the answer came."""


class ClientConnection(asyncio.Protocol):
    """
    One connection of the client.

    Attributes:
        is_reusable: Whether it can take another request.
    """

    __slots__ = (
        "_answer",
        "_body",
        "_headers",
        "_is_head",
        "_on_lost",
        "_parser",
        "_peer",
        "_received_bytes",
        "_status",
        "_transport",
        "_until_close",
        "is_reusable",
    )

    def __init__(self, peer: str, on_lost: Callable[["ClientConnection"], None]) -> None:
        self._peer = peer
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[ClientResponse] | None = None
        self._is_head = False
        self._received_bytes = 0
        self.is_reusable = True
        self._forget()

    def send(
        self, message: bytes, *, is_head: bool, loop: asyncio.AbstractEventLoop
    ) -> asyncio.Future[ClientResponse]:
        """Send a request and return its answer to come, or the ``TransportError`` instead."""
        self._answer = answer = loop.create_future()
        self._is_head = is_head
        self._received_bytes = 0
        if self._transport is None or self._transport.is_closing():
            self.fail(UnansweredError(f"{self._peer} closed the connection"))
        else:
            self._transport.write(message)
        return answer

    def expire(self, waited_seconds: float) -> None:
        """Give up waiting."""
        waited = format_duration(waited_seconds)
        self.fail(
            TransportError(
                f"{self._peer} did not answer within {waited}",
                hint="see whether it is overloaded, or allow more time",
            )
        )

    def fail(self, error: TransportError) -> None:
        """End the request under way, if there is one, and the connection with it."""
        self.is_reusable = False
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_exception(error)
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Close the connection."""
        self.is_reusable = False
        if self._transport is not None:
            self._transport.close()

    # asyncio calls these.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Complete an answer that ends with the connection; any other is broken."""
        self._transport = None
        self.is_reusable = False
        if self._until_close and exc is None:
            self._complete()
        elif self._received_bytes:
            self.fail(TransportError(f"{self._peer} broke off within its answer"))
        else:
            reason = f": {exc}" if exc else ""
            self.fail(
                UnansweredError(
                    f"{self._peer} closed the connection without an answer{reason}",
                    hint="see its log; it may have been stopped or restarted",
                )
            )
        self._on_lost(self)

    def data_received(self, data: bytes) -> None:
        """Read on; what nobody asked for ends the connection."""
        if self._answer is None:
            self.close()
            return
        self._received_bytes += len(data)
        if self._received_bytes > MAX_ANSWER_BYTES:
            allowed = format_bytes(MAX_ANSWER_BYTES)
            self.fail(TransportError(f"{self._peer} answered with more than {allowed}"))
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.fail(TransportError(f"{self._peer} did not answer in HTTP/1.1: {error}"))

    # httptools calls these, by these names.

    def on_message_begin(self) -> None:
        """Start an answer, wanted or not."""
        if self._answer is None:
            self.is_reusable = False
        self._forget()

    def on_header(self, raw_name: bytes, raw_value: bytes) -> None:
        """Take one header."""
        name = decode_name(raw_name)
        value = raw_value.decode("latin-1").rstrip(" \t")
        headers = self._headers
        headers[name] = f"{headers[name]}, {value}" if name in headers else value

    def on_headers_complete(self) -> None:
        """See how the body will end."""
        self._status = status = self._parser.get_status_code()
        if not self._parser.should_keep_alive() and status >= _FINAL:
            self.is_reusable = False
        if self._is_head and status >= _FINAL:
            # The parser waits for the body that HEAD announces, so the connection ends here.
            self.is_reusable = False
            self._complete()
        elif status >= _FINAL and status not in _BODILESS:
            headers = self._headers
            self._until_close = not ("content-length" in headers or "transfer-encoding" in headers)

    def on_body(self, piece: bytes) -> None:
        """Take a piece of the body."""
        self._body.append(piece)

    def on_message_complete(self) -> None:
        """Hand out the answer; interim answers (1xx) are skipped."""
        if self._status >= _FINAL:
            self._complete()

    def _complete(self) -> None:
        answer, self._answer = self._answer, None
        self._until_close = False
        if answer is not None and not answer.done():
            body = self._body
            answer.set_result(
                ClientResponse(
                    status=self._status,
                    headers=self._headers,
                    body=body[0] if len(body) == 1 else b"".join(body),
                )
            )

    def _forget(self) -> None:
        self._status = 0
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._until_close = False
