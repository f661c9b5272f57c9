"""
The client: requests to one host and port over a pool of kept-alive connections.
"""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tonnage.domain import TransportError, format_duration

from ._client_connection import ClientConnection, UnansweredError
from ._encoding import encode_request
from .messages import ClientResponse

__all__ = ["Client"]

_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


class Client:
    """
    Requests to one host and port.

    A connection serves one request at a time and the most recently used one goes first, so that a
    light load uses few. One that the server closed while it lay in the pool is noticed when a
    request finds it closed before any byte of an answer has come; that request is sent once more,
    on a fresh connection. It is safe here, POST included, because an invocation is pure: to predict
    twice changes nothing. Do not use this client for requests where that does not hold.

    Args:
        host: Name or address of the server.
        port: Its port.
        max_connections: Further requests wait for one of these; the wait counts as their own.
        connect_timeout_seconds: How long a new connection may take.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        max_connections: int = 512,
        connect_timeout_seconds: float = 5.0,
    ) -> None:
        self._host = host
        self._port = port
        self._peer = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._connect_timeout_seconds = connect_timeout_seconds
        self._places = asyncio.Semaphore(max_connections)
        self._idle: list[ClientConnection] = []
        self._open: set[ClientConnection] = set()
        self._is_closed = False
        self._all_lost = asyncio.Event()

    async def request(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] = _NO_HEADERS,
        body: bytes = b"",
        timeout_seconds: float,
    ) -> ClientResponse:
        """
        Send a request and return its answer, whatever its status.

        Args:
            method: As it goes on the wire.
            target: Path and query, percent-encoded.
            headers: More headers; ``Host`` and ``Content-Length`` are written anyway.
            body: The whole body.
            timeout_seconds: For all of it: the wait for a connection, connecting, the answer.

        Raises:
            TransportError: If there is no whole answer in time.
            ValueError: If method, target or headers cannot be written as HTTP.
        """
        if self._is_closed:
            raise TransportError(f"the client of {self._peer} is closed")
        message = encode_request(method, target, host=self._peer, headers=headers, body=body)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_seconds
        await self._take_place(deadline, timeout_seconds)
        try:
            if connection := self._take_idle():
                try:
                    return await self._ask(connection, message, method, deadline, timeout_seconds)
                except UnansweredError:
                    if self._is_closed:
                        raise
            connection = await self._connect(deadline)
            return await self._ask(connection, message, method, deadline, timeout_seconds)
        finally:
            self._places.release()

    async def close(self) -> None:
        """Close every connection; requests under way end with a ``TransportError``."""
        self._is_closed = True
        self._idle.clear()
        for connection in tuple(self._open):
            connection.fail(TransportError(f"the client of {self._peer} was closed"))
        if self._open:
            await self._all_lost.wait()

    async def _take_place(self, deadline: float, timeout_seconds: float) -> None:
        if not self._places.locked():
            await self._places.acquire()
            return
        try:
            async with asyncio.timeout_at(deadline):
                await self._places.acquire()
        except TimeoutError as error:
            waited = format_duration(timeout_seconds)
            raise TransportError(
                f"no connection to {self._peer} was free within {waited}",
                hint="allow more connections, or send less",
            ) from error

    def _take_idle(self) -> ClientConnection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_reusable:
                return connection
        return None

    async def _ask(
        self,
        connection: ClientConnection,
        message: bytes,
        method: str,
        deadline: float,
        timeout_seconds: float,
    ) -> ClientResponse:
        loop = asyncio.get_running_loop()
        answer = connection.send(message, is_head=method == "HEAD", loop=loop)
        timer = loop.call_at(deadline, connection.expire, timeout_seconds)
        try:
            response = await answer
        except BaseException:
            # Above all when the caller was cancelled: an answer may still come, to nobody.
            connection.fail(TransportError("the request was given up"))
            raise
        finally:
            timer.cancel()
        if connection.is_reusable and not self._is_closed:
            self._idle.append(connection)
        else:
            connection.close()
        return response

    async def _connect(self, deadline: float) -> ClientConnection:
        loop = asyncio.get_running_loop()
        seconds = max(0.0, min(self._connect_timeout_seconds, deadline - loop.time()))
        try:
            async with asyncio.timeout(seconds):
                _, connection = await loop.create_connection(self._new, self._host, self._port)
        except TimeoutError as error:
            raise TransportError(
                f"{self._peer} could not be connected to within {format_duration(seconds)}"
            ) from error
        except OSError as error:
            raise TransportError(
                f"{self._peer} cannot be reached: {error.strerror or error}",
                hint="see whether a server is running there",
            ) from error
        self._open.add(connection)
        if self._is_closed:
            connection.close()
        return connection

    def _new(self) -> ClientConnection:
        return ClientConnection(self._peer, self._lost)

    def _lost(self, connection: ClientConnection) -> None:
        self._open.discard(connection)
        if self._is_closed and not self._open:
            self._all_lost.set()
