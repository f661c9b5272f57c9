from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tonnage.domain import TransportError
from tonnage.http import Client, Exchange, Handler, Response

if TYPE_CHECKING:
    from .conftest import Desk, Dial, Run, Serve, Until

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def test_what_was_accepted_is_answered_as_the_last(run: Run, serve: Serve, dial: Dial, desk: Desk):
    async def story() -> None:
        async with serve(desk) as server, dial(server.port) as wire:
            await wire.send(GET + GET)
            first, second = await desk.hold(2)
            drained = asyncio.create_task(server.drain(timeout_seconds=10))
            for _ in range(3):  # it listens for two more turns
                await asyncio.sleep(0)
            second.respond(Response(status=202))
            first.respond(Response(status=201))
            answers = [await wire.answer() for _ in range(2)]
            assert [answer.status for answer in answers] == [201, 202]
            assert [answer.headers.get("connection") for answer in answers] == [None, "close"]
            assert await wire.end() == b""
            await wire.close()
            await drained
            assert server.connections == 0

    run(story())


def test_a_request_begun_before_the_drain_is_read_to_its_end(
    run: Run, serve: Serve, dial: Dial, echo: Handler, until: Until
):
    async def story() -> None:
        async with serve(echo) as server, dial(server.port) as wire:
            assert (await wire.ask(GET)).status == 200
            await wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
            async with dial(server.port) as witness:
                assert (await witness.ask(GET)).status == 200
                drained = asyncio.create_task(server.drain(timeout_seconds=10, grace_seconds=0.001))
                assert await witness.end() == b""
            answer = await wire.ask(b"cd")
            assert answer.body.endswith(b"abcd")
            assert answer.headers["connection"] == "close"
            assert await wire.end() == b""
            await wire.close()
            await drained

    run(story())


def test_an_idle_connection_is_served_once_more_within_the_grace(
    run: Run, serve: Serve, dial: Dial, echo: Handler
):
    async def story() -> None:
        async with serve(echo) as server, dial(server.port) as wire:
            assert (await wire.ask(GET)).status == 200
            drained = asyncio.create_task(server.drain(timeout_seconds=15, grace_seconds=10))
            for _ in range(3):  # it listens for two more turns
                await asyncio.sleep(0)
            assert (await wire.ask(GET)).headers["connection"] == "close"
            await wire.close()
            await drained

    run(story())


def test_an_idle_connection_is_closed_after_the_grace(
    run: Run, serve: Serve, dial: Dial, echo: Handler
):
    async def story() -> None:
        async with serve(echo) as server, dial(server.port) as wire:
            assert (await wire.ask(GET)).status == 200
            await server.drain(timeout_seconds=10, grace_seconds=0.01)
            assert server.connections == 0
            assert await wire.end() == b""

    run(story())


def test_a_draining_server_accepts_nobody(run: Run, serve: Serve, dial: Dial, echo: Handler):
    async def story() -> None:
        async with serve(echo) as server, dial(server.port) as wire:
            assert (await wire.ask(GET)).status == 200
            drained = asyncio.create_task(server.drain(timeout_seconds=10, grace_seconds=5))
            for _ in range(5):
                await asyncio.sleep(0)
            with pytest.raises(ConnectionRefusedError):
                async with dial(server.port):
                    pass
            await wire.close()
            await drained

    run(story())


def test_at_the_timeout_what_is_left_is_cut_off(run: Run, serve: Serve, dial: Dial, desk: Desk):
    async def story() -> None:
        async with serve(desk) as server, dial(server.port) as wire:
            await wire.send(GET)
            (exchange,) = await desk.hold(1)
            await server.drain(timeout_seconds=0.05)
            assert server.connections == 0
            assert exchange.is_closed
            assert await wire.end() == b""
            exchange.respond(Response(status=200))

    run(story())


def test_a_drain_under_load_loses_no_request_that_found_a_connection(run: Run, serve: Serve):
    """Twenty busy clients; each sees answers until it is refused, never a broken one."""

    async def story() -> None:
        accepted = answered = 0
        busy = asyncio.Event()

        def answer_later(exchange: Exchange) -> None:
            nonlocal accepted
            accepted += 1
            loop.call_later(0.002, exchange.respond, Response(status=200, body=b"ok"))

        async def ask_until_refused() -> str:
            nonlocal answered
            client = Client("127.0.0.1", server.port)
            try:
                while True:
                    response = await client.request("POST", "/", body=b"x", timeout_seconds=10)
                    assert response.body == b"ok"
                    answered += 1
                    if answered == 200:
                        busy.set()
            except TransportError as error:
                return error.message
            finally:
                await client.close()

        loop = asyncio.get_running_loop()
        async with serve(answer_later) as server:
            clients = [asyncio.create_task(ask_until_refused()) for _ in range(20)]
            await busy.wait()
            await server.drain(timeout_seconds=10)
            reasons = await asyncio.gather(*clients)
        assert accepted == answered
        assert all("cannot be reached" in reason for reason in reasons), reasons

    run(story())
