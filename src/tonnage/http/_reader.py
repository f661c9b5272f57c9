"""
Bytes to requests, without any I/O: httptools tokenises, and what it lets through is judged here.

It is stricter than httptools where two parties could read one message differently: one ``Host``,
one framing, no transfer coding but ``chunked``, HTTP/1.0 and 1.1 only.
"""

import re
from enum import Enum, auto
from typing import Final

import httptools

from tonnage.domain import format_bytes

from ._encoding import decode_name
from .limits import Limits
from .messages import Refusal, Request

__all__ = ["RequestReader", "Stage"]

_LINE_OVERHEAD_BYTES: Final = 4
"""The colon, the space and the line end of a header."""
_REQUEST_LINE: Final = (
    rb"(?:\r\n)*([!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}) ([\x21-\x7e]{1,2000}) HTTP/1\.[01]\r\n"
)


class Stage(Enum):
    """How far the next request has been read."""

    BETWEEN = auto()
    HEAD = auto()
    BODY = auto()


class _StopReading(Exception):  # noqa: N818 (it is no error: it gets out of httptools)
    """Raised inside a callback once ``refusal`` is set."""


class RequestReader:
    """
    Reads the requests of one connection.

    Memory is bounded whatever arrives: by the limits, and one piece fed on top.

    Attributes:
        stage: How far the next request has been read.
        refusal: Why nothing more is read, if the client is at fault.
        is_over: Whether the last request has been read: what is fed from now on is ignored.
        wants_continue: Whether the client waits for ``100 Continue`` before it sends a body.
    """

    __slots__ = (
        "_body",
        "_body_bytes",
        "_completed",
        "_head_bytes",
        "_headers",
        "_keep_alive",
        "_limits",
        "_method",
        "_parser",
        "_quiet_bytes",
        "_raw_bytes_due",
        "_target",
        "is_over",
        "refusal",
        "stage",
        "wants_continue",
    )

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._parser = httptools.HttpRequestParser(self)
        self._completed: list[Request] = []
        self._quiet_bytes = 0
        self._raw_bytes_due = 0
        self._keep_alive = True
        self._method = ""
        self.refusal: Refusal | None = None
        self.is_over = False
        self.wants_continue = False
        self.on_message_begin()
        self.stage = Stage.BETWEEN

    def feed(self, data: bytes) -> list[Request]:
        """Return the requests that ``data`` completes; look at ``refusal`` afterwards."""
        completed: list[Request] = []
        self._completed = completed
        beginning = data if self.stage is Stage.BETWEEN else b""
        self._quiet_bytes += len(data)
        try:
            while data and not self.is_over:
                data = self._feed_some(data)
        except httptools.HttpParserCallbackError:
            if self.refusal is None:
                raise
        except httptools.HttpParserError as error:
            # Behind a `Connection: close` there is nothing to read and nobody to blame.
            if not self.is_over:
                self._refuse_malformed(error, b"" if completed else beginning)
        except _StopReading:
            pass
        # Unfinished lines, chunk extensions and trailers call nothing back while they grow.
        if self._quiet_bytes > self._limits.max_header_bytes and not self.is_over:
            self._note_headers_too_large()
        return completed

    def read_so_far(self) -> Request:
        """Return what is known of the request under way; empty where nothing is."""
        if self.stage is Stage.BETWEEN:
            return Request("", "", {}, b"")
        target = self._target.decode("latin-1")
        # The method is known with the end of the headers; before that, this is the last one's.
        method = self._method if self.stage is Stage.BODY else ""
        return Request(method, target, self._headers, b"")

    def stop(self) -> None:
        """Read nothing more from here on."""
        self.is_over = True

    def _feed_some(self, data: bytes) -> bytes:
        if self._raw_bytes_due:
            return self._take_raw_body(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            # Upgrades are declined by answering the request as the ordinary one it also is.
            return data[upgrade.args[0] :]
        return b""

    def _take_raw_body(self, data: bytes) -> bytes:
        piece = data[: self._raw_bytes_due]
        self._raw_bytes_due -= len(piece)
        self.on_body(piece)
        if not self._raw_bytes_due:
            self.on_message_complete()
        return data[len(piece) :]

    # httptools calls what follows, by these names.

    def on_message_begin(self) -> None:
        """Start a request."""
        self.stage = Stage.HEAD
        self._target = b""
        self._headers: dict[str, str] = {}
        self._head_bytes = 0
        self._body: bytes | bytearray = b""
        self._body_bytes = 0

    def on_url(self, piece: bytes) -> None:
        """Take the request target, or a piece of it."""
        self._quiet_bytes = 0
        self._target += piece
        self._count_head(len(piece))

    def on_header(self, raw_name: bytes, raw_value: bytes) -> None:
        """Take one header; trailers, which come after the body, are dropped."""
        self._quiet_bytes = 0
        if self.stage is Stage.BODY:
            return
        self._count_head(len(raw_name) + len(raw_value) + _LINE_OVERHEAD_BYTES)
        name = decode_name(raw_name)
        value = raw_value.decode("latin-1").rstrip(" \t")
        headers = self._headers
        if name in headers:
            if name == "host":
                self._refuse(400, "malformed_request", "there is more than one Host header")
            value = f"{headers[name]}, {value}"
        headers[name] = value

    def on_headers_complete(self) -> None:
        """Judge the head before any of the body is read."""
        self._quiet_bytes = 0
        self.stage = Stage.BODY
        parser = self._parser
        headers = self._headers
        self._method = parser.get_method().decode("ascii")
        self._keep_alive = parser.should_keep_alive()
        if "connection" in headers or "host" not in headers or not self._keep_alive:
            self._check_version()
        if self._method == "CONNECT":
            self._refuse(400, "malformed_request", "CONNECT is for proxies, and this is none")
        if "content-length" in headers:
            self._expect_body(int(headers["content-length"]))
        elif "transfer-encoding" in headers:
            self._expect_chunks()

    def on_body(self, piece: bytes) -> None:
        """Take a piece of the body."""
        self._quiet_bytes = 0
        self._body_bytes += len(piece)
        if self._body_bytes > self._limits.max_body_bytes:
            self._refuse_body()
        if not self._body:
            self._body = piece
            return
        # One buffer, not a list of pieces: tiny chunks would cost fifty times their size.
        if isinstance(self._body, bytes):
            self._body = bytearray(self._body)
        self._body += piece

    def on_message_complete(self) -> None:
        """Hand out the request."""
        if self._raw_bytes_due:
            return
        self._quiet_bytes = 0
        self.stage = Stage.BETWEEN
        self.wants_continue = False
        self.is_over = not self._keep_alive
        self._completed.append(
            Request(self._method, self._target.decode("latin-1"), self._headers, bytes(self._body))
        )

    def _check_version(self) -> None:
        version = self._parser.get_http_version()
        if version not in ("1.0", "1.1"):
            self._refuse(400, "malformed_request", f"HTTP/{version} is not spoken here")
        if version == "1.1" and "host" not in self._headers:
            self._refuse(400, "malformed_request", "HTTP/1.1 asks for a Host header")

    def _expect_body(self, announced_bytes: int) -> None:
        if announced_bytes > self._limits.max_body_bytes:
            self._refuse_body()
        if self._parser.should_upgrade():
            # httptools leaves the body of an upgrade request to us.
            self._raw_bytes_due = announced_bytes
        self.wants_continue = announced_bytes > 0 and self._is_continue_expected()

    def _expect_chunks(self) -> None:
        coding = self._headers["transfer-encoding"].lower()
        if coding != "chunked" or self._parser.get_http_version() != "1.1":
            self._refuse(400, "malformed_request", "no transfer coding but chunked is understood")
        if self._parser.should_upgrade():
            self._refuse(400, "malformed_request", "an upgrade cannot have a chunked body")
        self.wants_continue = self._is_continue_expected()

    def _is_continue_expected(self) -> bool:
        return self._headers.get("expect", "").lower() == "100-continue"

    def _count_head(self, count: int) -> None:
        self._head_bytes += count
        if self._head_bytes > self._limits.max_header_bytes:
            self._note_headers_too_large()
            raise _StopReading

    def _refuse_body(self) -> None:
        allowed = format_bytes(self._limits.max_body_bytes)
        self._refuse(413, "payload_too_large", f"the body is larger than {allowed}")

    def _note_headers_too_large(self) -> None:
        allowed = format_bytes(self._limits.max_header_bytes)
        self._note_refusal(431, "headers_too_large", f"the headers are larger than {allowed}")

    def _refuse_malformed(self, error: httptools.HttpParserError, beginning: bytes) -> None:
        self._note_refusal(400, "malformed_request", f"this is not HTTP/1.1: {error}")
        # httptools gives up at a method's first wrong letter. If the line came in one piece, who
        # answers is told what was asked for.
        line = re.match(_REQUEST_LINE, beginning)
        if line is not None and isinstance(error, httptools.HttpParserInvalidMethodError):
            method, target = (part.decode("ascii") for part in line.groups())
            self.refusal = Refusal(
                status=400,
                code="malformed_request",
                message=f"{method} is no method of HTTP",
                request=Request(method, target, {}, b""),
                is_method_unknown=True,
            )

    def _refuse(self, status: int, code: str, message: str) -> None:
        self._note_refusal(status, code, message)
        raise _StopReading

    def _note_refusal(self, status: int, code: str, message: str) -> None:
        request = self.read_so_far()
        self.refusal = Refusal(status=status, code=code, message=message, request=request)
        self.is_over = True
