from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from tonnage.domain import TransportError
from tonnage.http import Client, Exchange, Handler, Response, Server

if TYPE_CHECKING:
    from .conftest import Desk, Run, Serve, Until

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def talking(talk: Talk) -> AsyncIterator[int]:
    """A server that says what the test tells it to, per connection."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            await talk(reader, writer)
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@asynccontextmanager
async def client_of(port: int, **settings: float) -> AsyncIterator[Client]:
    client = Client("127.0.0.1", port, **settings)
    try:
        yield client
    finally:
        await client.close()


def saying(answer: bytes) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    return talk


def test_a_request_goes_out_and_its_answer_comes_back(run: Run, serve: Serve):
    def answer(exchange: Exchange) -> None:
        request = exchange.request
        body = f"{request.method} {request.target} {request.headers['x-a']}".encode()
        exchange.respond(
            Response(status=418, body=body + request.body, headers=(("X-B", "1"), ("x-b", "2")))
        )

    async def story() -> None:
        async with serve(answer) as server, client_of(server.port) as client:
            response = await client.request(
                "POST", "/p?q", headers={"X-A": "a"}, body=b" body", timeout_seconds=5
            )
            assert response.status == 418
            assert response.headers["x-b"] == "1, 2"
            assert response.body == b"POST /p?q a body"

    run(story())


def test_connections_are_kept_and_shared(run: Run, serve: Serve, echo: Handler):
    async def story() -> None:
        async with serve(echo) as server, client_of(server.port, max_connections=3) as client:
            for _ in range(4):
                requests = (client.request("GET", "/", timeout_seconds=5) for _ in range(10))
                answers = await asyncio.gather(*requests)
                assert [answer.status for answer in answers] == [200] * 10
            assert server.connections == 3

    run(story())


def test_head_has_headers_and_no_body(run: Run, serve: Serve, echo: Handler):
    async def story() -> None:
        async with serve(echo) as server, client_of(server.port) as client:
            for _ in range(2):
                response = await client.request("HEAD", "/", timeout_seconds=5)
                assert int(response.headers["content-length"]) > 0
                assert response.body == b""

    run(story())


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", 200, b"ab"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, b"until the end"),
        (b"HTTP/1.0 200 OK\r\n\r\n", 200, b""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
            200,
            b"abc",
        ),
        (
            b"HTTP/1.1 100 Continue\r\nX: 1\r\n\r\nHTTP/1.1 201 OK\r\nContent-Length: 0\r\n\r\n",
            201,
            b"",
        ),
        (b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", 413, b"x"),
    ],
)
def test_every_framing_of_an_answer_is_understood(
    run: Run, answer: bytes, status: int, body: bytes
):
    async def story() -> None:
        async with talking(saying(answer)) as port, client_of(port) as client:
            response = await client.request("POST", "/", timeout_seconds=5)
            assert (response.status, response.body) == (status, body)

    run(story())


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"220 smtp ready\r\n", "did not answer in HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "did not answer in HTTP"),
        (b"HTTP/1.1 101 Switch\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", "did not answer in"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", "broke off within"),
        (b"HTTP/1.1 200", "broke off within"),
        (b"", "closed the connection without an answer"),
    ],
)
def test_an_answer_that_is_none_is_a_transport_error(run: Run, answer: bytes, message: str):
    async def story() -> None:
        async with talking(saying(answer)) as port, client_of(port) as client:
            with pytest.raises(TransportError, match=message):
                await client.request("GET", "/", timeout_seconds=5)

    run(story())


def test_nobody_there_is_a_transport_error(run: Run, echo: Handler):
    async def story() -> None:
        server = await Server.start(echo)
        await server.drain(timeout_seconds=0)
        async with client_of(server.port) as client:
            with pytest.raises(TransportError, match="cannot be reached") as fault:
                await client.request("GET", "/", timeout_seconds=5)
            assert fault.value.hint

    run(story())


def test_a_late_answer_is_given_up_and_its_connection_closed(
    run: Run, serve: Serve, desk: Desk, until: Until
):
    async def story() -> None:
        async with serve(desk) as server, client_of(server.port) as client:
            with pytest.raises(TransportError, match="did not answer within 50 ms"):
                await client.request("GET", "/1", timeout_seconds=0.05)
            (exchange,) = await desk.hold(1)
            await until(lambda: exchange.is_closed)
            exchange.respond(Response(status=500))
            second = asyncio.create_task(client.request("GET", "/2", timeout_seconds=5))
            (await desk.hold(2))[1].respond(Response(status=200))
            assert (await second).status == 200

    run(story())


def test_a_cancelled_request_closes_its_connection(
    run: Run, serve: Serve, desk: Desk, until: Until
):
    async def story() -> None:
        async with serve(desk) as server, client_of(server.port, max_connections=1) as client:
            first = asyncio.create_task(client.request("GET", "/1", timeout_seconds=5))
            (exchange,) = await desk.hold(1)
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            await until(lambda: exchange.is_closed)
            exchange.respond(Response(status=500))
            second = asyncio.create_task(client.request("GET", "/2", timeout_seconds=5))
            (await desk.hold(2))[1].respond(Response(status=200))
            assert (await second).status == 200

    run(story())


def test_waiting_for_a_connection_counts_as_waiting(run: Run, serve: Serve, desk: Desk):
    async def story() -> None:
        async with serve(desk) as server, client_of(server.port, max_connections=1) as client:
            first = asyncio.create_task(client.request("GET", "/1", timeout_seconds=5))
            await desk.hold(1)
            with pytest.raises(TransportError, match="no connection to"):
                await client.request("GET", "/2", timeout_seconds=0.05)
            desk.exchanges[0].respond(Response(status=200))
            assert (await first).status == 200

    run(story())


def test_a_connection_closed_in_the_pool_is_replaced(run: Run):
    """The server answers once per connection and closes it when the next request comes."""
    connections = 0

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")

    async def story() -> None:
        async with talking(once) as port, client_of(port) as client:
            for turn in range(1, 4):
                response = await client.request("POST", "/", timeout_seconds=5)
                assert (response.status, connections) == (200, turn)

    run(story())


def test_a_request_is_sent_twice_at_most(run: Run):
    """Neither a second loss, nor one within an answer, is retried."""
    requests = 0

    async def ever_less(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        requests += 1
        if requests == 1:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        requests += 1

    async def story() -> None:
        async with talking(ever_less) as port, client_of(port) as client:
            assert (await client.request("POST", "/", timeout_seconds=5)).status == 200
            with pytest.raises(TransportError, match="without an answer"):
                await client.request("POST", "/", timeout_seconds=5)
            assert requests == 4

    run(story())


def test_words_nobody_asked_for_end_a_pooled_connection(run: Run):
    """An answer ahead of its request must not be taken for the next one's."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        ok = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"
        writer.write(ok + b"1" + ok + b"2")
        await reader.read()

    async def story() -> None:
        async with talking(talk) as port, client_of(port) as client:
            for _ in range(3):
                assert (await client.request("GET", "/", timeout_seconds=5)).body == b"1"

    run(story())


def test_closing_ends_what_is_under_way(run: Run, serve: Serve, desk: Desk):
    async def story() -> None:
        async with serve(desk) as server:
            client = Client("127.0.0.1", server.port)
            request = asyncio.create_task(client.request("GET", "/", timeout_seconds=5))
            await desk.hold(1)
            await client.close()
            with pytest.raises(TransportError, match="was closed"):
                await request
            with pytest.raises(TransportError, match="is closed"):
                await client.request("GET", "/", timeout_seconds=5)
            desk.exchanges[0].respond(Response(status=200))

    run(story())


def test_an_early_refusal_of_a_large_body_is_read(run: Run, serve: Serve, echo: Handler):
    async def story() -> None:
        async with serve(echo) as server, client_of(server.port) as client:
            response = await client.request("POST", "/", body=b"x" * 7_000_000, timeout_seconds=10)
            assert response.status == 413

    run(story())
