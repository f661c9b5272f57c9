from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING

import pytest

from tonnage.http import Exchange, Handler, Limits, Response

if TYPE_CHECKING:
    from .conftest import Desk, Dial, InThread, Run, Serve

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LIMITS = Limits(max_body_bytes=1000, max_header_bytes=500)


def code_of(body: bytes) -> str:
    return json.loads(body)["error"]["code"]


@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n", 413, "payload_too_large"),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n",
            413,
            "payload_too_large",
        ),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3E9\r\n"
            + b"x" * 1001,
            413,
            "payload_too_large",
        ),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 500 + b"\r\n\r\n", 431, "headers_too_large"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 9000, 431, "headers_too_large"),
        (b"GET /" + b"x" * 9000, 431, "headers_too_large"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 90 + b"\r\n", 431, "headers_too_large"),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: "
            + b"x" * 9000,
            431,
            "headers_too_large",
        ),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 9000,
            431,
            "headers_too_large",
        ),
        (b"\r\n" * 5000, 431, "headers_too_large"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "malformed_request"),
        (b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed_request"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "malformed_request"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "malformed_request"),
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 400, "malformed_request"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "malformed_request"),
        (b"GET /\r\n\r\n", 400, "malformed_request"),
        (b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed_request"),
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, "malformed_request"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n", 400, "malformed_request"),
        (b"GET / HTTP/1.1\nHost: a\n\n", 400, "malformed_request"),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            400,
            "malformed_request",
        ),
        (
            b"POST / HTTP/1.1\r\nHost:\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\na",
            400,
            "malformed_request",
        ),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400, "malformed_request"),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
            400,
            "malformed_request",
        ),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
            400,
            "malformed_request",
        ),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            400,
            "malformed_request",
        ),
        (
            b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
            "malformed_request",
        ),
    ],
)
def test_a_faulty_request_is_refused_at_once_and_ends_the_connection(
    run: Run, serve: Serve, dial: Dial, echo: Handler, request_bytes: bytes, status: int, code: str
):
    async def story() -> None:
        async with serve(echo, LIMITS) as server:
            async with dial(server.port) as wire:
                answer = await wire.ask(request_bytes)
                assert (answer.status, code_of(answer.body)) == (status, code)
                assert answer.headers["connection"] == "close"
                assert await wire.end() == b""
            async with dial(server.port) as wire:
                assert (await wire.ask(GET)).status == 200

    run(story())


def test_bodies_and_headers_up_to_the_limit_are_taken(
    run: Run, serve: Serve, dial: Dial, echo: Handler
):
    async def story() -> None:
        async with serve(echo, LIMITS) as server, dial(server.port) as wire:
            large = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000
            assert (await wire.ask(large)).status == 200
            room = 500 - len(b"/") - len(b"Hosta") - 4 - len(b"X") - 4
            wide = b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * room + b"\r\n\r\n"
            assert (await wire.ask(wide)).status == 200
            wider = b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * (room + 1) + b"\r\n\r\n"
            assert (await wire.ask(wider)).status == 431

    run(story())


def test_a_blocking_client_gets_to_read_the_413_for_its_7_megabytes(
    in_thread: InThread, echo: Handler
):
    """It sends all of its body before it reads, as curl and http.client do."""
    with in_thread(echo) as port:
        for encode_chunked in (False, True):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            body = b"x" * 7_000_000
            headers = {"Transfer-Encoding": "chunked"} if encode_chunked else {}
            connection.request(
                "POST",
                "/",
                body=[body] if encode_chunked else body,
                headers=headers,
                encode_chunked=encode_chunked,
            )
            response = connection.getresponse()
            assert response.status == 413
            assert code_of(response.read()) == "payload_too_large"
            connection.close()


def test_input_after_a_refusal_is_not_taken_for_a_request(
    run: Run, serve: Serve, dial: Dial, desk: Desk
):
    """Nothing may be smuggled behind a body that was refused."""

    async def story() -> None:
        async with serve(desk, LIMITS) as server, dial(server.port) as wire:
            await wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n" + GET)
            assert (await wire.answer()).status == 413
            await wire.send(GET * 10)
            assert await wire.end() == b""
            assert desk.exchanges == []

    run(story())


def test_a_handler_that_raises_after_its_answer_does_no_harm(run: Run, serve: Serve, dial: Dial):
    def answer_and_fail(exchange: Exchange) -> None:
        exchange.respond(Response(status=201))
        raise LookupError("too late")

    async def story() -> None:
        async with serve(answer_and_fail) as server, dial(server.port) as wire:
            assert (await wire.ask(GET)).status == 201
            assert (await wire.ask(GET)).status == 201

    run(story())
