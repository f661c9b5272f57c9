"""
AWS's event stream: frames of headers and payload, each with two checksums.

::

    total length, header length : 32 bits each     checksum of those two
    headers : length, name, 7, 16-bit length, value      payload
    checksum of all that
"""

import struct
import zlib
from typing import Final

__all__ = ["event", "stream_headers"]

_STRING: Final = 7
_PART_BYTES: Final = 1024 * 1024
_PRELUDE_BYTES: Final = 12
_TRAILER_BYTES: Final = 4


def event(body: bytes) -> bytes:
    """Return a body as the ``PayloadPart`` events of a response stream."""
    parts = (body[start : start + _PART_BYTES] for start in range(0, len(body), _PART_BYTES))
    return b"".join(map(_frame, parts))


def stream_headers(content_type: str | None) -> tuple[tuple[str, str], ...]:
    """Return the header that says what the payload is: ``Content-Type`` is the stream's own."""
    return () if content_type is None else (("X-Amzn-SageMaker-Content-Type", content_type),)


def _frame(payload: bytes) -> bytes:
    headers = b"".join(
        (
            _header(":message-type", "event"),
            _header(":event-type", "PayloadPart"),
            _header(":content-type", "application/octet-stream"),
        )
    )
    total = _PRELUDE_BYTES + len(headers) + len(payload) + _TRAILER_BYTES
    prelude = struct.pack(">II", total, len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return message + struct.pack(">I", zlib.crc32(message))


def _header(name: str, value: str) -> bytes:
    return (
        struct.pack(">B", len(name))
        + name.encode()
        + struct.pack(">BH", _STRING, len(value))
        + value.encode()
    )
