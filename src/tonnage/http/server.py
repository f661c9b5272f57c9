"""
The server: a listener, its connections, the sweep over their deadlines, and the drain.
"""

import asyncio
import errno
import socket
from itertools import islice
from typing import Self

from tonnage.domain import ConfigurationError, PortInUseError

from ._connection import Connection
from ._listeners import Listener, SharedListener, SoleListener
from ._state import Refuse, ServerState, plainly
from .exchange import Handler
from .limits import DEFAULT_LIMITS, Limits
from .places import Place

__all__ = ["Server", "listen_error"]


class Server:
    """
    An HTTP/1.1 server on the running loop; ``Server.start`` makes one.

    It stops with ``drain`` and cannot be started again.
    """

    def __init__(self, state: ServerState, listener: Listener) -> None:
        self._state = state
        self._listener = listener
        self._sweep_seconds = state.limits.sweep_seconds
        self._timer = state.loop.call_later(self._sweep_seconds, self._sweep)

    @classmethod
    async def start(
        cls,
        handler: Handler,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        sock: socket.socket | None = None,
        place: Place | None = None,
        limits: Limits = DEFAULT_LIMITS,
        refuse: Refuse = plainly,
        backlog: int = 2048,
    ) -> Self:
        """
        Listen and serve.

        Args:
            handler: Called for each request, from the loop's thread, as soon as all of it was read.
            host: The address to listen on; ignored with ``sock``.
            port: The port; 0 takes a free one, see ``port``. Ignored with ``sock``.
            sock: A bound socket to listen on instead.
            place: This process's place among those that share ``sock``, which listens already:
                each takes about as many connections as the others. None where there are none.
            limits: What is tolerated from clients.
            refuse: Makes the answer to what is not handed to the handler: it is called with what
                is wrong and what was read so far, so that the caller can count and log it.
            backlog: How many clients may wait to be accepted.

        Raises:
            PortInUseError: If something else listens there.
            ConfigurationError: If it cannot listen there.
        """
        loop = asyncio.get_running_loop()
        state = ServerState(handler=handler, refuse=refuse, limits=limits, loop=loop, place=place)

        def connect() -> Connection:
            if place is not None:
                place.add(1)
            return Connection(state)

        if sock is not None and place is not None and place.is_shared:
            return cls(state, SharedListener(sock, connect, place))
        if place is not None:
            place.open()
        try:
            if sock is not None:
                server = await loop.create_server(connect, sock=sock, backlog=backlog)
            else:
                server = await loop.create_server(connect, host, port, backlog=backlog)
        except OSError as error:
            raise listen_error(error, host, port) from error
        return cls(state, SoleListener(server))

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._listener.port

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._state.connections)

    @property
    def in_flight(self) -> int:
        """How many requests the handler has and has not answered, vanished clients' included."""
        return self._state.in_flight

    async def drain(self, *, timeout_seconds: float, grace_seconds: float = 0.25) -> None:
        """
        Stop without losing what was accepted.

        The listener closes. A request whose first byte was read is read to its end and answered,
        with ``Connection: close``. An idle connection is closed after a grace, so that a request
        that is on its way meets an answer and not a reset. What the listener had not yet accepted
        is reset by the kernel.

        Args:
            timeout_seconds: When what is left is cut off; 0 stops at once.
            grace_seconds: How long idle connections are still listened to.
        """
        # In this order: a client that is told to close may come back, and must then be refused,
        # not taken up by the kernel and reset.
        await self._listener.close()
        self._state.is_draining = True
        grace_seconds = min(grace_seconds, timeout_seconds)
        if not await self._is_empty_within(grace_seconds):
            for connection in tuple(self._state.connections):
                connection.close_if_idle()
        if not await self._is_empty_within(timeout_seconds - grace_seconds):
            for connection in tuple(self._state.connections):
                connection.abort()
            await self._is_empty_within(1.0)
        self._timer.cancel()

    async def _is_empty_within(self, seconds: float) -> bool:
        if self._state.connections:
            self._state.emptied.clear()
            try:
                async with asyncio.timeout(max(0.0, seconds)):
                    await self._state.emptied.wait()
            except TimeoutError:
                return False
        return True

    def _sweep(self) -> None:
        loop = self._state.loop
        now_seconds = loop.time()
        for connection in tuple(self._state.connections):
            connection.expire(now_seconds)
        if self._state.place is not None and self._state.place.is_shared:
            self._even_out(self._state.place)
        self._timer = loop.call_later(self._sweep_seconds, self._sweep)

    def _even_out(self, place: Place) -> None:
        """Give connections up for a neighbour who has far fewer, as one that was replaced has."""
        place.show()
        surplus = place.surplus()
        if surplus and not self._state.is_draining:
            keep_alive = [one for one in self._state.connections if not one.is_dismissed]
            leaving = len(self._state.connections) - len(keep_alive)
            for connection in islice(keep_alive, max(0, surplus - leaving)):
                connection.dismiss()


def listen_error(error: OSError, host: str, port: int) -> ConfigurationError:
    """Return what is wrong with an address that cannot be listened on, and what to do about it."""
    if error.errno == errno.EADDRINUSE:
        return PortInUseError(
            f"port {port} is already in use on {host}",
            hint=f"choose another port, or stop what listens there (`ss -ltnp 'sport = :{port}'`)",
        )
    return ConfigurationError(
        f"cannot listen on {host}, port {port}: {error.strerror or error}",
        hint="choose an address of this machine and a port from 1024 to 65535",
    )
