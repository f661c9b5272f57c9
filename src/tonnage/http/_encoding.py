"""
Responses and requests as bytes.

Everything that becomes a line of a message is checked here, so that no value can start a line of
its own.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Final

from .messages import Response

__all__ = [
    "CONTINUE",
    "EncodedResponse",
    "decode_name",
    "encode_ok",
    "encode_request",
    "encode_response",
]

EncodedResponse = tuple[bytes, bytes]
"""Head and body; the head lacks its blank line, before which the connection adds a line."""

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_TARGET = re.compile(r"[\x21-\x7e]+")
_FRAMING: Final = frozenset({"content-length", "transfer-encoding"})
_SERVERS_OWN: Final = _FRAMING | {"connection"}
_BODILESS: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_STATUSES: Final = range(200, 1000)


@lru_cache(maxsize=1024)
def decode_name(raw: bytes) -> str:
    """Return a header's name in lower case; the same few names come with every request."""
    return raw.decode("latin-1").lower()


def encode_response(response: Response, *, is_head: bool) -> EncodedResponse:
    """
    Return the bytes of a response; 204 and 304 have no body and no ``Content-Length``.

    Args:
        response: What to answer.
        is_head: Whether the request was HEAD: the head is the same, the body stays behind.

    Raises:
        ValueError: If status or headers cannot be written.
    """
    body = response.body
    head = _response_start(response.status, response.content_type)
    if response.headers:
        head += _header_lines(response.headers, _SERVERS_OWN)
    if response.status in _BODILESS:
        return head, b""
    return b"%bContent-Length: %d\r\n" % (head, len(body)), b"" if is_head else body


def encode_ok(body: bytes, content_type: str) -> EncodedResponse:
    """Return the bytes of a 200 with a body, for a request that is no HEAD."""
    return _ok_head(content_type, len(body)), body


def encode_request(
    method: str, target: str, *, host: str, headers: Mapping[str, str], body: bytes
) -> bytes:
    """
    Return the bytes of a request; a ``Host`` among the headers replaces ``host``.

    Raises:
        ValueError: If method, target or headers cannot be written.
    """
    head = _request_line(method, target)
    if not any(name.lower() == "host" for name in headers):
        head += b"Host: %b\r\n" % host.encode("latin-1")
    if headers:
        head += _header_lines(headers.items(), _FRAMING)
    if body or method in _WITH_BODY:
        return b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)
    return head + b"\r\n"


@lru_cache(maxsize=1024)
def _ok_head(content_type: str, body_bytes: int) -> bytes:
    """Return a 200's head; the answers of one service are of a few lengths."""
    return b"%bContent-Length: %d\r\n" % (_response_start(200, content_type), body_bytes)


@lru_cache(maxsize=256)
def _response_start(status: int, content_type: str | None) -> bytes:
    if status not in _STATUSES:
        raise ValueError(f"{status} is not a final HTTP status (200 to 999)")
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = "Unknown"
    start = f"HTTP/1.1 {status} {reason}\r\n".encode("ascii")
    if content_type is None:
        return start
    return start + _header_lines([("Content-Type", content_type)], frozenset())


@lru_cache(maxsize=256)
def _request_line(method: str, target: str) -> bytes:
    if not _TOKEN.fullmatch(method):
        raise ValueError(f"{method!r} is not an HTTP method")
    if not _TARGET.fullmatch(target):
        raise ValueError(f"{target!r} is not a request target: percent-encode what is not ASCII")
    return f"{method} {target} HTTP/1.1\r\n".encode("ascii")


def _header_lines(headers: Iterable[tuple[str, str]], refused: frozenset[str]) -> bytes:
    lines = []
    for name, value in headers:
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            raise ValueError(f"{name!r}: {value!r} is not an HTTP header")
        if name.lower() in refused:
            raise ValueError(f"{name} frames the message and is written from its body")
        lines.append(f"{name}: {value}\r\n")
    return "".join(lines).encode("latin-1")
