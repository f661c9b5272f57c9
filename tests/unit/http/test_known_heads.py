"""
What is read from the table of heads is what the parser would have read.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tonnage.http import Exchange, Handler, Limits, Request, Response
from tonnage.http._heads import KnownHeads
from tonnage.http._reader import RequestReader

if TYPE_CHECKING:
    from .conftest import Desk, Dial, Run, Serve, Until

HEAD = b"POST /a?b HTTP/1.1\r\nHost: a\r\nX-One: 1\r\nX-One: 2\r\nContent-Length: 3\r\n\r\n"


def read(data: bytes) -> Request:
    (request,) = RequestReader(Limits()).feed(data)
    return request


def taught(data: bytes) -> KnownHeads:
    heads = KnownHeads()
    heads.remember(data, read(data))
    return heads


def test_a_known_head_makes_the_request_that_the_parser_makes():
    again = taught(HEAD + b"abc").recall(HEAD + b"xyz")
    assert again == Request("POST", "/a?b", dict(read(HEAD + b"xyz").headers), b"xyz")
    assert again.head == HEAD


@pytest.mark.parametrize(
    "data",
    [
        HEAD + b"ab",  # not all of it is there
        HEAD + b"abcd",  # another one begins
        HEAD + b"abc" + HEAD + b"abc",
        b"\r\n" + HEAD + b"abc",
        HEAD[:-1],
        HEAD.replace(b"Length: 3", b"Length: 4") + b"abcd",
        HEAD.lower() + b"abc",
        b"abc",
        b"",
    ],
)
def test_anything_else_is_left_to_the_parser(data: bytes):
    assert taught(HEAD + b"abc").recall(data) is None


@pytest.mark.parametrize(
    "data",
    [
        b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1\r\n\r\na",
        b"POST / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na",
        b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\na",
        b"POST / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\na",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 2048 + b"\r\n\r\n",
    ],
)
def test_heads_that_ask_for_more_than_an_answer_are_not_kept(data: bytes):
    assert taught(data).recall(data) is None


def test_the_table_is_bounded_and_goes_on_learning():
    heads = KnownHeads()
    messages = [b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(1000)]
    for message in messages:
        heads.remember(message, read(message))
    known = [message for message in messages if heads.recall(message) is not None]
    assert 0 < len(known) <= 256
    assert messages[-1] in known


def test_headers_that_requests_share_cannot_be_changed():
    request = taught(HEAD + b"abc").recall(HEAD + b"abc")
    assert request is not None
    with pytest.raises(TypeError):
        request.headers["x-one"] = "3"  # type: ignore[index]


pairs = st.lists(
    st.tuples(
        st.sampled_from(["GET /1", "POST /2", "PUT /3?x=1"]),
        st.binary(max_size=12),
        st.sampled_from(["", "Connection: keep-alive\r\n", "X: \u00ff\r\n", "Expect: other\r\n"]),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=300, deadline=None)
@given(pairs, st.data())
def test_a_table_changes_nothing_whatever_came_before(
    story: list[tuple[str, bytes, str]], data: st.DataObject
):
    heads = KnownHeads()
    for what, body, more in story * 2:
        head = f"{what} HTTP/1.1\r\nHost: a\r\n{more}Content-Length: {len(body)}\r\n\r\n"
        message = head.encode("latin-1") + body
        mangled = bytearray(message)
        for _ in range(data.draw(st.integers(0, 2))):
            mangled[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
        for sent in (bytes(mangled), message):
            reader = RequestReader(Limits())
            requests = reader.feed(sent)
            recalled = heads.recall(sent)
            if recalled is not None:
                assert requests == [recalled]
                assert not reader.is_over
            if len(requests) == 1 and not reader.is_over:
                heads.remember(sent, requests[0])


def invocation(body: bytes) -> bytes:
    return b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def test_a_connection_learns_and_goes_on_whatever_comes_between(
    run: Run, serve: Serve, dial: Dial, echo: Handler
):
    async def story() -> None:
        async with serve(echo) as server, dial(server.port) as wire:
            for number in range(4):
                answer = await wire.ask(invocation(b"%d" % number))
                assert answer.body.endswith(b"content-length=1\n\n%d" % number)
                chunked = b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                answer = await wire.ask(chunked + b"1\r\n%d\r\n0\r\n\r\n" % number)
                assert answer.body.endswith(b"transfer-encoding=chunked\n\n%d" % number)
                await wire.send(invocation(b"a") + invocation(b"b"))
                answers = [(await wire.answer()).body[-1:] for _ in range(2)]
                assert answers == [b"a", b"b"]

    run(story())


def test_what_follows_a_known_head_at_once_waits_for_its_turn(
    run: Run, serve: Serve, dial: Dial, desk: Desk
):
    async def story() -> None:
        async with serve(desk) as server, dial(server.port) as wire:
            await wire.send(invocation(b"0"))
            (await desk.hold(1))[0].respond(Response(status=200))
            assert (await wire.answer()).status == 200
            await wire.send(invocation(b"1"))
            await desk.hold(2)
            await wire.send(invocation(b"2")[:-1])
            await wire.send(b"2" + invocation(b"3"))
            held = await desk.hold(4)
            for exchange in (held[3], held[2], held[1]):
                exchange.respond_ok(exchange.request.body, "text/plain")
            assert [(await wire.answer()).body for _ in range(3)] == [b"1", b"2", b"3"]
            assert server.in_flight == 0

    run(story())


def test_a_client_that_leaves_a_known_request_behind_does_no_harm(
    run: Run, serve: Serve, dial: Dial, desk: Desk, until: Until
):
    async def story() -> None:
        async with serve(desk) as server:
            async with dial(server.port) as wire:
                await wire.send(invocation(b"0"))
                (await desk.hold(1))[0].respond(Response(status=200))
                await wire.answer()
                await wire.send(invocation(b"1"))
                await desk.hold(2)
            await until(lambda: desk.exchanges[1].is_closed)
            desk.exchanges[1].respond_ok(b"", "text/plain")
            await until(lambda: server.connections == 0)
            assert server.in_flight == 0

    run(story())


def test_a_client_that_half_closes_after_a_known_request_gets_its_answer(
    run: Run, serve: Serve, dial: Dial, desk: Desk, until: Until
):
    async def story() -> None:
        async with serve(desk) as server, dial(server.port) as wire:
            await wire.send(invocation(b"0"))
            (await desk.hold(1))[0].respond(Response(status=200))
            await wire.answer()
            await wire.send(invocation(b"1"))
            await desk.hold(2)
            wire.half_close()
            await until(lambda: desk.exchanges[1].is_closed)
            desk.exchanges[1].respond_ok(b"late", "text/plain")
            answer = await wire.answer()
            assert (answer.body, answer.headers["connection"]) == (b"late", "close")
            assert await wire.end() == b""

    run(story())


def test_a_known_request_is_the_last_of_a_draining_server(
    run: Run, serve: Serve, dial: Dial, desk: Desk
):
    async def story() -> None:
        async with serve(desk) as server, dial(server.port) as wire:
            await wire.send(invocation(b"0"))
            (await desk.hold(1))[0].respond(Response(status=200))
            await wire.answer()
            await wire.send(invocation(b"1"))
            await desk.hold(2)
            drained = asyncio.ensure_future(server.drain(timeout_seconds=10))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            desk.exchanges[1].respond_ok(b"last", "text/plain")
            answer = await wire.answer()
            assert (answer.body, answer.headers["connection"]) == (b"last", "close")
            await wire.close()
            await drained

    run(story())


def test_a_client_that_reads_nothing_is_not_read_either_when_its_head_is_known(
    run: Run, serve: Serve, dial: Dial
):
    large = b"x" * 1_000_000
    count = 0

    def answer(exchange: Exchange) -> None:
        nonlocal count
        count += 1
        exchange.respond_ok(large, "text/plain")

    async def story() -> None:
        async with serve(answer) as server, dial(server.port) as wire:
            await wire.ask(invocation(b"0"))
            for _ in range(50):
                await wire.send(invocation(b"1"))
                await asyncio.sleep(0)
            for _ in range(50):
                assert len((await wire.answer()).body) == len(large)
            assert count == 51

    run(story())


def test_a_request_cannot_be_answered_twice(run: Run, serve: Serve, dial: Dial):
    faults = []

    def answer(exchange: Exchange) -> None:
        exchange.respond_ok(b"once", "text/plain")
        try:
            exchange.respond_ok(b"twice", "text/plain")
        except RuntimeError as error:
            faults.append(str(error))

    async def story() -> None:
        async with serve(answer) as server, dial(server.port) as wire:
            assert (await wire.ask(invocation(b"0"))).body == b"once"
        assert faults == ["POST / was answered before"]

    run(story())
