"""
Real servers and real sockets on free loopback ports, on both loops.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest
import uvloop

from tonnage.http import Exchange, Handler, Limits, Response, Server

PATIENCE_SECONDS = 20.0
"""What no test needs; beyond it something hangs."""

Run = Callable[[Coroutine[Any, Any, None]], None]
Serve = Callable[..., AbstractAsyncContextManager[Server]]
Dial = Callable[[int], AbstractAsyncContextManager["Wire"]]
Until = Callable[[Callable[[], bool]], Awaitable[None]]
InThread = Callable[[Handler], AbstractContextManager[int]]
Result = TypeVar("Result")


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    """Runs a coroutine on a loop of each kind; what the loop could only log fails the test."""
    faults: list[dict[str, Any]] = []

    async def bounded(coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, fault: faults.append(fault))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await coroutine

    with asyncio.Runner(loop_factory=request.param) as runner:
        yield lambda coroutine: runner.run(bounded(coroutine))
    assert faults == []


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One response as it was on the wire."""

    status: int
    headers: dict[str, str]
    body: bytes


class Wire:
    """A client that sends the bytes it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, *, is_head: bool = False) -> Answer:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status_line, *lines = head.rstrip("\r\n").split("\r\n")
        headers = {
            name.lower(): value for name, value in (line.split(": ", maxsplit=1) for line in lines)
        }
        length = 0 if is_head else int(headers.get("content-length", "0"))
        body = await self.reader.readexactly(length)
        return Answer(status=int(status_line.split()[1]), headers=headers, body=body)

    async def ask(self, data: bytes) -> Answer:
        await self.send(data)
        return await self.answer()

    async def end(self) -> bytes:
        """Return what comes before the server closes, a reset counting as a close."""
        try:
            return await self.reader.read()
        except ConnectionError:
            return b""

    def half_close(self) -> None:
        self.writer.write_eof()

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


@pytest.fixture
def dial() -> Dial:
    """Connects to a port of this machine."""

    @asynccontextmanager
    async def connect(port: int) -> AsyncIterator[Wire]:
        wire = Wire(*await asyncio.open_connection("127.0.0.1", port))
        try:
            yield wire
        finally:
            await wire.close()

    return connect


@pytest.fixture
def serve() -> Serve:
    """Starts a server and drains it at the end."""

    @asynccontextmanager
    async def started(handler: Handler, limits: Limits | None = None) -> AsyncIterator[Server]:
        server = await Server.start(handler, limits=limits or Limits())
        try:
            yield server
        finally:
            await server.drain(timeout_seconds=0)

    return started


class Desk:
    """A handler that keeps every exchange until the test answers it."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self._arrived = asyncio.Event()

    def __call__(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        self._arrived.set()

    async def hold(self, count: int) -> list[Exchange]:
        """Return the exchanges once ``count`` have come."""
        while len(self.exchanges) < count:
            self._arrived.clear()
            await self._arrived.wait()
        return self.exchanges


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def echo() -> Handler:
    """A handler that answers with what it understood, one part a line."""

    def answer(exchange: Exchange) -> None:
        request = exchange.request
        parts = [request.method, request.target, *(f"{k}={v}" for k, v in request.headers.items())]
        body = "\n".join(parts).encode() + b"\n\n" + request.body
        exchange.respond(Response(status=200, body=body, content_type="text/plain"))

    return answer


@pytest.fixture
def until() -> Until:
    """Turns the loop until a condition holds; the test's patience bounds it."""

    async def wait(condition: Callable[[], bool]) -> None:
        while not condition():  # noqa: ASYNC110 (what is waited for belongs to the server)
            await asyncio.sleep(0)

    return wait


@pytest.fixture
def in_thread() -> InThread:
    """Serves from another thread, for clients that block; gives the port."""

    @contextmanager
    def started(handler: Handler) -> Iterator[int]:
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()

        def call(coroutine: Coroutine[Any, Any, Result]) -> Result:
            return asyncio.run_coroutine_threadsafe(coroutine, loop).result(PATIENCE_SECONDS)

        server = call(Server.start(handler))
        try:
            yield server.port
        finally:
            call(server.drain(timeout_seconds=0))
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    return started
