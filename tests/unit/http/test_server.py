from __future__ import annotations

import http.client
import json
import socket
from typing import TYPE_CHECKING

import pytest

from tonnage.domain import ConfigurationError
from tonnage.http import Exchange, Handler, Limits, Response, Server

if TYPE_CHECKING:
    from .conftest import Desk, Dial, InThread, Run, Serve, Until

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def test_a_request_reaches_the_handler_whole(run: Run, serve: Serve, dial: Dial, echo: Handler):
    async def story() -> None:
        async with serve(echo) as server, dial(server.port) as wire:
            answer = await wire.ask(
                b"PUT /a?b=%20 HTTP/1.1\r\nHost: a\r\nX-Two: 1 \r\nx-two:  2\r\n"
                b"Content-Length: 3\r\n\r\nabc"
            )
            assert answer.status == 200
            assert answer.headers == {"content-type": "text/plain", "content-length": "52"}
            assert answer.body == b"PUT\n/a?b=%20\nhost=a\nx-two=1, 2\ncontent-length=3\n\nabc"

    run(story())


def test_a_connection_is_kept_for_the_next_request(
    run: Run, serve: Serve, dial: Dial, echo: Handler
):
    async def story() -> None:
        async with serve(echo) as server, dial(server.port) as wire:
            for _ in range(3):
                assert (await wire.ask(GET)).status == 200
            assert server.connections == 1

    run(story())


def test_a_chunked_body_is_joined_and_its_trailers_dropped(
    run: Run, serve: Serve, dial: Dial, echo: Handler
):
    async def story() -> None:
        async with serve(echo) as server, dial(server.port) as wire:
            answer = await wire.ask(
                b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"3;x=1\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n"
            )
            assert answer.body.endswith(b"transfer-encoding=chunked\n\nabcde")
            assert (await wire.ask(GET)).status == 200

    run(story())


@pytest.mark.parametrize(
    ("request_bytes", "connection"),
    [
        (b"GET / HTTP/1.0\r\n\r\n", "close"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "close"),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "keep-alive"),
        (GET, None),
    ],
)
def test_the_client_says_whether_the_connection_stays(
    run: Run, serve: Serve, dial: Dial, echo: Handler, request_bytes: bytes, connection: str | None
):
    async def story() -> None:
        async with serve(echo) as server, dial(server.port) as wire:
            answer = await wire.ask(request_bytes)
            assert answer.headers.get("connection") == connection
            if connection == "close":
                assert await wire.end() == b""
            else:
                assert (await wire.ask(request_bytes)).status == 200

    run(story())


def test_head_is_answered_with_the_length_but_without_the_body(
    run: Run, serve: Serve, dial: Dial, echo: Handler
):
    async def story() -> None:
        async with serve(echo) as server, dial(server.port) as wire:
            await wire.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
            answer = await wire.answer(is_head=True)
            assert answer.headers["content-length"] == "15"
            assert (await wire.ask(GET)).body == b"GET\n/\nhost=a\n\n"

    run(story())


def test_a_client_that_expects_continue_is_told_to(
    run: Run, serve: Serve, dial: Dial, echo: Handler
):
    async def story() -> None:
        async with serve(echo) as server, dial(server.port) as wire:
            head = (
                b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
            )
            assert (await wire.ask(head)).status == 100
            assert (await wire.ask(b"ok")).body.endswith(b"\n\nok")

    run(story())


def test_continue_waits_for_the_answers_before_it(run: Run, serve: Serve, dial: Dial, desk: Desk):
    async def story() -> None:
        async with serve(desk) as server, dial(server.port) as wire:
            await wire.send(
                GET + b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
                b"Expect: 100-continue\r\n\r\n"
            )
            (await desk.hold(1))[0].respond(Response(status=201))
            assert [(await wire.answer()).status for _ in range(2)] == [201, 100]
            await wire.send(b"ok")
            (await desk.hold(2))[1].respond(Response(status=202))
            assert (await wire.answer()).status == 202

    run(story())


def test_an_upgrade_is_declined_by_answering_the_request(
    run: Run, serve: Serve, dial: Dial, echo: Handler
):
    async def story() -> None:
        async with serve(echo) as server, dial(server.port) as wire:
            offer = b"Host: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
            await wire.send(b"GET /1 HTTP/1.1\r\n" + offer + b"\r\n")
            assert (await wire.answer()).body.startswith(b"GET\n/1\n")
            await wire.send(b"POST /2 HTTP/1.1\r\n" + offer + b"Content-Length: 4\r\n\r\nab")
            await wire.send(b"cd" + GET)
            assert (await wire.answer()).body.endswith(b"\n\nabcd")
            assert (await wire.answer()).body.startswith(b"GET\n/\n")

    run(story())


def test_what_a_request_says_it_was_asked_is_answered_once(
    run: Run, serve: Serve, dial: Dial, desk: Desk
):
    async def story() -> None:
        async with serve(desk) as server, dial(server.port) as wire:
            await wire.send(GET)
            (exchange,) = await desk.hold(1)
            assert server.in_flight == 1
            with pytest.raises(ValueError, match="not a final HTTP status"):
                exchange.respond(Response(status=99))
            exchange.respond(Response(status=200))
            with pytest.raises(RuntimeError, match="answered before"):
                exchange.respond(Response(status=200))
            assert server.in_flight == 0
            assert (await wire.answer()).status == 200

    run(story())


def test_a_vanished_client_is_noticed_and_its_answer_ignored(
    run: Run, serve: Serve, dial: Dial, desk: Desk, until: Until
):
    async def story() -> None:
        async with serve(desk) as server:
            async with dial(server.port) as wire:
                await wire.send(GET)
                (exchange,) = await desk.hold(1)
                assert not exchange.is_closed
                linger = (1).to_bytes(4, "little") + (0).to_bytes(4, "little")
                sock = wire.writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            await until(lambda: exchange.is_closed)
            exchange.respond(Response(status=200))
            assert (server.connections, server.in_flight) == (0, 0)

    run(story())


def test_a_half_closed_client_still_gets_its_answers(
    run: Run, serve: Serve, dial: Dial, desk: Desk
):
    async def story() -> None:
        async with serve(desk) as server, dial(server.port) as wire:
            await wire.send(GET + GET)
            wire.half_close()
            first, second = await desk.hold(2)
            second.respond(Response(status=202))
            first.respond(Response(status=201))
            assert [(await wire.answer()).status for _ in range(2)] == [201, 202]
            assert await wire.end() == b""

    run(story())


def test_a_handler_that_raises_is_logged_and_answered_500(
    run: Run, serve: Serve, dial: Dial, caplog: pytest.LogCaptureFixture
):
    def fail(exchange: Exchange) -> None:
        raise LookupError("the secret of the house")

    async def story() -> None:
        async with serve(fail) as server, dial(server.port) as wire:
            answer = await wire.ask(GET)
            assert answer.status == 500
            assert json.loads(answer.body)["error"]["code"] == "internal"
            assert b"secret" not in answer.body
            assert (await wire.ask(GET)).status == 500

    run(story())
    assert "the secret of the house" in caplog.text


def test_a_busy_port_says_so_and_what_to_do(run: Run, serve: Serve, echo: Handler):
    async def story() -> None:
        async with serve(echo) as server:
            with pytest.raises(ConfigurationError, match=f"port {server.port} is already") as fault:
                await Server.start(echo, port=server.port)
            assert "another port" in (fault.value.hint or "")

    run(story())


def test_an_address_that_is_not_ours_says_so(run: Run, echo: Handler):
    async def story() -> None:
        with pytest.raises(ConfigurationError, match=r"cannot listen on 192\.0\.2\.1"):
            await Server.start(echo, host="192.0.2.1")

    run(story())


def test_a_socket_can_be_handed_in(run: Run, dial: Dial, echo: Handler):
    async def story() -> None:
        sock = socket.create_server(("127.0.0.1", 0))
        server = await Server.start(echo, sock=sock)
        assert server.port == sock.getsockname()[1]
        async with dial(server.port) as wire:
            assert (await wire.ask(GET)).status == 200
        await server.drain(timeout_seconds=0)

    run(story())


def test_a_connection_too_many_is_turned_away(run: Run, serve: Serve, dial: Dial, echo: Handler):
    async def story() -> None:
        async with serve(echo, Limits(max_connections=1)) as server, dial(server.port) as first:
            assert (await first.ask(GET)).status == 200
            async with dial(server.port) as second:
                answer = await second.answer()
                assert answer.status == 503
                assert json.loads(answer.body)["error"]["code"] == "too_many_connections"
                assert await second.end() == b""
            assert (await first.ask(GET)).status == 200

    run(story())


def test_a_client_that_does_not_read_is_not_read_either(run: Run, serve: Serve, dial: Dial):
    """Backpressure: unread answers stop the reading, and all arrive once the client reads."""
    answered = 0
    body = b"x" * 100_000

    def answer(exchange: Exchange) -> None:
        nonlocal answered
        answered += 1
        exchange.respond(Response(status=200, body=body))

    async def story() -> None:
        async with serve(answer) as server, dial(server.port) as wire:
            for _ in range(500):
                wire.writer.write(GET)
            for turn in range(500):
                assert len((await wire.answer()).body) == len(body)
                if turn == 0:
                    assert answered < 500
            assert answered == 500

    run(story())


def test_a_blocking_client_with_a_large_body_is_served(in_thread: InThread):
    """The standard library's own client, 5 MiB, twice over one connection."""

    def measure(exchange: Exchange) -> None:
        exchange.respond(Response(status=200, body=str(len(exchange.request.body)).encode()))

    with in_thread(measure) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        for _ in range(2):
            connection.request("POST", "/", body=b"x" * (5 << 20))
            assert connection.getresponse().read() == b"5242880"
        connection.close()


def test_requests_of_one_turn_reach_the_handler_before_any_answer_is_due(
    run: Run, serve: Serve, dial: Dial, desk: Desk
):
    """What a caller batches: all requests of one read are handed over before the loop turns."""

    async def story() -> None:
        async with serve(desk) as server, dial(server.port) as wire:
            await wire.send(GET * 20)
            await desk.hold(1)
            assert len(desk.exchanges) == 20
            for exchange in desk.exchanges:
                exchange.respond(Response(status=200))
            assert [(await wire.answer()).status for _ in range(20)] == [200] * 20

    run(story())
