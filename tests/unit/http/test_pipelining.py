from __future__ import annotations

import random
from typing import TYPE_CHECKING

from tonnage.http import Handler, Limits, Response

if TYPE_CHECKING:
    from .conftest import Desk, Dial, Run, Serve


def get(number: int) -> bytes:
    return b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number


def test_answers_leave_in_the_order_of_the_requests(run: Run, serve: Serve, dial: Dial, desk: Desk):
    async def story() -> None:
        async with serve(desk) as server, dial(server.port) as wire:
            await wire.send(b"".join(get(number) for number in range(30)))
            exchanges = list(await desk.hold(30))
            random.Random(7).shuffle(exchanges)
            for exchange in exchanges:
                exchange.respond(Response(status=200, body=exchange.request.target.encode()))
            answers = [(await wire.answer()).body for _ in range(30)]
            assert answers == [b"/%d" % number for number in range(30)]

    run(story())


def test_reading_pauses_above_the_allowed_pipeline_and_loses_nothing(
    run: Run, serve: Serve, dial: Dial, desk: Desk
):
    async def story() -> None:
        limits = Limits(max_pipelined=4)
        async with serve(desk, limits) as server, dial(server.port) as wire:
            await wire.send(b"".join(get(number) for number in range(2000)))
            for number in range(2000):
                exchanges = await desk.hold(number + 1)
                # One piece of 2 KiB may hold some 80 requests on top.
                assert server.in_flight <= 4 + 80
                exchanges[number].respond(
                    Response(status=200, body=exchanges[number].request.target.encode())
                )
            for number in range(2000):
                assert (await wire.answer()).body == b"/%d" % number

    run(story())


def test_a_long_pipeline_that_is_answered_at_once_flows(
    run: Run, serve: Serve, dial: Dial, echo: Handler
):
    async def story() -> None:
        async with serve(echo) as server, dial(server.port) as wire:
            await wire.send(b"".join(get(number) for number in range(5000)))
            for number in range(5000):
                assert (await wire.answer()).body.startswith(b"GET\n/%d\n" % number)

    run(story())


def test_a_fault_is_answered_after_the_requests_before_it(
    run: Run, serve: Serve, dial: Dial, desk: Desk
):
    async def story() -> None:
        async with serve(desk) as server, dial(server.port) as wire:
            await wire.send(get(1) + get(2) + b"NONSENSE\r\n\r\n")
            first, second = await desk.hold(2)
            second.respond(Response(status=202))
            first.respond(Response(status=201))
            assert [(await wire.answer()).status for _ in range(3)] == [201, 202, 400]
            assert await wire.end() == b""

    run(story())


def test_what_follows_a_closing_request_is_ignored(
    run: Run, serve: Serve, dial: Dial, echo: Handler
):
    async def story() -> None:
        async with serve(echo) as server, dial(server.port) as wire:
            await wire.send(b"GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + get(2))
            assert (await wire.answer()).headers["connection"] == "close"
            assert await wire.end() == b""

    run(story())
