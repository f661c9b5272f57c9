from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from tonnage.http import Exchange, Handler, Limits, Response
from tonnage.http._connection import Connection
from tonnage.http._state import ServerState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Desk, Dial, Run, Serve, Until

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
SHORT = 0.05


@pytest.mark.parametrize(
    ("limits", "beginning"),
    [
        (Limits(header_timeout_seconds=SHORT), b"GET / HT"),
        (Limits(header_timeout_seconds=SHORT), GET + b"GET / HTTP/1.1\r\nHo"),
        (
            Limits(body_timeout_seconds=SHORT),
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
        ),
    ],
)
def test_a_request_that_takes_too_long_is_answered_408(
    run: Run, serve: Serve, dial: Dial, echo: Handler, limits: Limits, beginning: bytes
):
    async def story() -> None:
        async with serve(echo, limits) as server, dial(server.port) as wire:
            await wire.send(beginning)
            if beginning.startswith(GET):
                assert (await wire.answer()).status == 200
            answer = await wire.answer()
            assert answer.status == 408
            assert json.loads(answer.body)["error"]["code"] == "request_timeout"
            assert await wire.end() == b""

    run(story())


def test_an_idle_connection_is_closed_without_a_word(
    run: Run, serve: Serve, dial: Dial, echo: Handler
):
    async def story() -> None:
        limits = Limits(idle_timeout_seconds=SHORT)
        async with serve(echo, limits) as server, dial(server.port) as fresh:
            async with dial(server.port) as used:
                assert (await used.ask(GET)).status == 200
                assert await used.end() == b""
            assert await fresh.end() == b""

    run(story())


def test_a_handler_may_take_longer_than_any_deadline_of_the_client(
    run: Run, serve: Serve, dial: Dial, desk: Desk
):
    """While the server owes an answer, no deadline runs against the client."""

    async def story() -> None:
        limits = Limits(
            header_timeout_seconds=SHORT, body_timeout_seconds=SHORT, idle_timeout_seconds=SHORT
        )
        async with serve(desk, limits) as server, dial(server.port) as wire:
            async with dial(server.port) as witness:
                await wire.send(GET)
                (exchange,) = await desk.hold(1)
                assert await witness.end() == b""
            assert not exchange.is_closed
            exchange.respond(Response(status=200))
            assert (await wire.answer()).status == 200

    run(story())


def test_a_client_that_never_reads_is_cut_off(run: Run, serve: Serve, dial: Dial, until: Until):
    async def story() -> None:
        limits = Limits(write_timeout_seconds=SHORT)

        def answer(exchange: Exchange) -> None:
            exchange.respond(Response(status=200, body=b"x" * 20_000_000))

        async with serve(answer, limits) as server, dial(server.port) as wire:
            await wire.send(GET)
            await until(lambda: server.connections == 1)
            await until(lambda: server.connections == 0)

    run(story())


class StandingLoop(asyncio.SelectorEventLoop):
    """A loop whose time is moved by hand; nothing runs on it."""

    now_seconds = 0.0

    def time(self) -> float:
        return self.now_seconds


class Sink(asyncio.Transport):
    """A transport that keeps what is written, and that it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.is_closed = False

    def write(self, data: bytes) -> None:
        self.written += data

    def write_eof(self) -> None:
        self.written += b"<eof>"

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed

    def get_write_buffer_size(self) -> int:
        return 0


@pytest.fixture
def standing(echo: Handler) -> Iterator[tuple[StandingLoop, Connection, Sink]]:
    """A connection in a time that stands still."""
    loop = StandingLoop()
    connection = Connection(ServerState(handler=echo, limits=Limits(), loop=loop))
    sink = Sink()
    connection.connection_made(sink)
    yield loop, connection, sink
    loop.close()


def test_each_request_starts_the_idle_time_anew(standing: tuple[StandingLoop, Connection, Sink]):
    loop, connection, sink = standing
    for _ in range(3):
        loop.now_seconds += 70
        connection.expire(loop.now_seconds)
        connection.data_received(GET)
    loop.now_seconds += 74
    connection.expire(loop.now_seconds)
    assert not sink.is_closed
    loop.now_seconds += 1
    connection.expire(loop.now_seconds)
    assert sink.is_closed


def test_each_request_has_a_header_deadline_of_its_own(
    standing: tuple[StandingLoop, Connection, Sink],
):
    """A client whose reads always end within a head is not late for that."""
    loop, connection, sink = standing
    connection.data_received(GET[:9])
    for _ in range(3):
        loop.now_seconds += 9
        connection.expire(loop.now_seconds)
        connection.data_received(GET[9:] + GET[:9])
    assert b"408" not in sink.written
    loop.now_seconds += 10
    connection.expire(loop.now_seconds)
    assert b"408" in sink.written
    assert sink.written.endswith(b"<eof>")


def test_deadlines_are_looked_at_as_often_as_the_shortest_asks():
    assert Limits().sweep_seconds == 1.0
    assert Limits(body_timeout_seconds=0.2).sweep_seconds == pytest.approx(0.05)
