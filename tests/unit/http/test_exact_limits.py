"""
One byte less than allowed, just as much, and one more.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tonnage.http import Handler, Limits

if TYPE_CHECKING:
    from .conftest import Dial, Run, Serve

LIMITS = Limits(max_body_bytes=1000, max_header_bytes=500)
HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"
# The target, and each header with the four bytes around it.
COUNTED = len(b"/") + len(b"Hosta") + 4 + len(b"X") + 4


def with_length(size: int) -> bytes:
    return HEAD + b"Content-Length: %d\r\n\r\n%b" % (size, b"x" * size)


def in_chunks(size: int) -> bytes:
    chunks = b"".join(b"1\r\nx\r\n" for _ in range(size))
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


def in_one_chunk(size: int) -> bytes:
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (size, b"x" * size)


def with_header(size: int) -> bytes:
    return HEAD + b"X: " + b"x" * (size - COUNTED) + b"\r\n\r\n"


def with_target(size: int) -> bytes:
    target = b"/" + b"x" * (size - len(b"/Hosta") - 4)
    return b"GET " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n"


def with_many_headers(size: int) -> bytes:
    """Headers of six bytes each as they count, the last one longer."""
    count, left = divmod(size - COUNTED + len(b"X") + 4, 6)
    lines = [b"X%c:\r\n" % (65 + index % 26) for index in range(count)]
    return HEAD + b"".join(lines[:-1]) + b"XZ:" + b"y" * left + b"\r\n\r\n"


@pytest.mark.parametrize("over", [-1, 0, 1])
@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(
    ("message", "limit", "status", "code"),
    [
        (with_length, 1000, 413, "payload_too_large"),
        (in_chunks, 1000, 413, "payload_too_large"),
        (in_one_chunk, 1000, 413, "payload_too_large"),
        (with_header, 500, 431, "headers_too_large"),
        (with_target, 500, 431, "headers_too_large"),
        (with_many_headers, 500, 431, "headers_too_large"),
    ],
)
def test_a_limit_is_kept_to_the_byte(
    run: Run,
    serve: Serve,
    dial: Dial,
    echo: Handler,
    message: object,
    limit: int,
    status: int,
    code: str,
    over: int,
    at_once: bool,
):
    assert callable(message)
    data: bytes = message(limit + over)

    async def story() -> None:
        async with serve(echo, LIMITS) as server, dial(server.port) as wire:
            for _ in range(2):  # the second time its head may be known
                if at_once:
                    await wire.send(data)
                else:
                    for start in range(0, len(data), 97):
                        await wire.send(data[start : start + 97])
                answer = await wire.answer()
                if over > 0:
                    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (
                        status,
                        code,
                    )
                    assert await wire.end() == b""
                    return
                assert answer.status == 200

    run(story())
