"""
Several servers behind one listening socket: in one loop, as they are in as many processes.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tonnage.http import Handler, Limits, Places, Response, Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .conftest import Desk, Dial, Run, Until, Wire

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@asynccontextmanager
async def shared(
    handler: Handler,
    serving: int,
    *,
    places: Places | None = None,
    limits: Limits | None = None,
) -> AsyncIterator[tuple[list[Server], int, Places]]:
    """Servers with one listener, their port and their table."""
    places = places or Places(serving)
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        servers = [
            await Server.start(
                handler,
                sock=listener.dup(),
                place=places.place(number),
                limits=limits or Limits(),
            )
            for number in range(serving)
        ]
        port = listener.getsockname()[1]
        listener.close()
        try:
            yield servers, port, places
        finally:
            for server in servers:
                await server.drain(timeout_seconds=0)


async def dialled(stack: AsyncExitStack, dial: Dial, port: int, count: int) -> list[Wire]:
    return await asyncio.gather(*(stack.enter_async_context(dial(port)) for _ in range(count)))


@pytest.mark.parametrize("at_once", [True, False])
def test_connections_are_shared_out_evenly(
    run: Run, dial: Dial, echo: Handler, until: Until, at_once: bool
):
    async def story() -> None:
        async with shared(echo, 2) as (servers, port, places), AsyncExitStack() as stack:
            if at_once:
                wires = await dialled(stack, dial, port, 64)
            else:
                wires = [wire for _ in range(64) for wire in await dialled(stack, dial, port, 1)]
            await until(lambda: sum(server.connections for server in servers) == 64)
            counts = [server.connections for server in servers]
            assert counts == places.connections()
            assert max(counts) - min(counts) <= 4
            for wire in wires:
                assert (await wire.ask(GET)).status == 200

    run(story())


def test_two_connections_are_one_each(run: Run, dial: Dial, echo: Handler, until: Until):
    async def story() -> None:
        async with shared(echo, 2) as (servers, port, _), AsyncExitStack() as stack:
            await dialled(stack, dial, port, 2)
            await until(lambda: [server.connections for server in servers] == [1, 1])

    run(story())


def test_connections_that_end_make_room(run: Run, dial: Dial, echo: Handler, until: Until):
    async def story() -> None:
        async with shared(echo, 2) as (servers, port, places):
            for _ in range(3):
                async with AsyncExitStack() as stack:
                    await dialled(stack, dial, port, 10)
                    await until(lambda: sum(server.connections for server in servers) == 10)
                    counts = [server.connections for server in servers]
                    assert max(counts) - min(counts) <= 2
                await until(lambda: places.connections() == [0, 0])

    run(story())


def test_a_neighbour_that_stands_still_holds_nobody_up(
    run: Run, dial: Dial, echo: Handler, until: Until
):
    """It has a place and never looks: each connection would be its own to take."""

    async def story() -> None:
        places = Places(2)
        places.place(1).open()
        async with (
            shared(echo, 1, places=places) as ((server,), port, _),
            AsyncExitStack() as stack,
        ):
            wires = await dialled(stack, dial, port, 200)
            await until(lambda: server.connections == 200)
            for wire in wires:
                assert (await wire.ask(GET)).status == 200

    run(story())


def test_what_waits_when_a_server_drains_is_taken_up_and_answered(
    run: Run, dial: Dial, desk: Desk, until: Until
):
    """It would be left to the neighbour, who has fewer and never comes."""

    async def story() -> None:
        places = Places(2)
        places.place(1).open()
        async with (
            shared(desk, 1, places=places) as ((server,), port, _),
            AsyncExitStack() as stack,
        ):
            wires = await dialled(stack, dial, port, 20)
            drained = asyncio.create_task(server.drain(timeout_seconds=10, grace_seconds=5))
            await until(lambda: server.connections == 20)
            for _ in range(5):  # it listens no more once it has taken them up
                await asyncio.sleep(0)
            for wire in wires:
                await wire.send(GET)
            for exchange in await desk.hold(20):
                exchange.respond(Response(status=200))
            for wire in wires:
                answer = await wire.answer()
                assert (answer.status, answer.headers["connection"]) == (200, "close")
                await wire.close()
            await drained

    run(story())


def test_who_has_far_more_dismisses_some_with_an_answer_and_they_come_to_the_other(
    run: Run, dial: Dial, echo: Handler
):
    async def story() -> None:
        places = Places(2)
        limits = Limits(header_timeout_seconds=0.2)  # connections are looked at each 50 ms
        async with (
            shared(echo, 1, places=places, limits=limits) as (_, port, _),
            AsyncExitStack() as stack,
        ):
            wires = await dialled(stack, dial, port, 20)
            for wire in wires:
                assert (await wire.ask(GET)).status == 200
            newcomer = places.place(1)
            newcomer.open()
            dismissed = 0
            while dismissed < 10:
                newcomer.show()  # as its own sweep does
                wire = wires[0]
                answer = await wire.ask(GET)
                assert answer.status == 200
                if answer.headers.get("connection") == "close":
                    assert await wire.end() == b""
                    dismissed += 1
                    newcomer.add(1)
                    wires.remove(wire)
                else:
                    wires.append(wires.pop(0))
                await asyncio.sleep(0)
            for _ in range(2):
                for wire in wires:
                    assert "connection" not in (await wire.ask(GET)).headers

    run(story())
