"""
Where connections come from: a socket of this process alone, or one that several processes share.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from .places import Place

__all__ = ["Listener", "SharedListener", "SoleListener"]

logger = logging.getLogger(__name__)

PATIENCE_SECONDS: Final = 0.001
"""How long a connection is left to a neighbour who has fewer; an idle one takes it in 50 µs."""
_FAULT_PAUSE_SECONDS: Final = 1.0
_MOST_AT_ONCE: Final = 64
"""So many are taken in one turn of the loop: those that are there want answers, too."""
_BACKLOG: Final = 10_000


class Listener(Protocol):
    """Takes connections until it is closed."""

    @property
    def port(self) -> int:
        """The port it listens on."""
        ...

    async def close(self) -> None:
        """Take up the connections whose handshake is over, and then no more."""
        ...


class SoleListener:
    """
    A listener that is this process's own: asyncio's, which takes all there is.

    Args:
        server: That.
    """

    def __init__(self, server: asyncio.Server) -> None:
        self._server = server
        self.port: int = server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Take up the connections whose handshake is over, and then no more."""
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self._server.close()


class SharedListener:
    """
    A listener that other processes have, too: each takes about as many connections as the others.

    A loop that is told of one connection would take all that wait, and of 64 that were opened at
    once one process had them all. Here a process leaves what waits to a neighbour who has fewer.
    If none of those has given a sign of life by the end of its patience, they are busy or stand
    still, and it takes one connection itself; then two, then four: nobody waits for long, and a
    neighbour who was busy for some milliseconds still finds its share.

    Args:
        sock: A listening socket, which is closed with this.
        connect: Makes the protocol of each connection; counts it in ``place``.
        place: This process's place among them.
    """

    def __init__(
        self, sock: socket.socket, connect: Callable[[], asyncio.Protocol], place: Place
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._sock = sock
        self._connect = connect
        self._place = place
        self._arriving: set[asyncio.Task[Any]] = set()
        self._favoured: Mapping[int, int] = {}
        self._helping = 0
        self._timer: asyncio.TimerHandle | None = None
        self.port: int = sock.getsockname()[1]
        sock.setblocking(False)
        if sock.family in {socket.AF_INET, socket.AF_INET6}:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # connections inherit it
        place.open()
        self._listen()

    async def close(self) -> None:
        """Take up the connections whose handshake is over, and then no more."""
        if self._sock.fileno() < 0:
            return
        self._place.close()
        if self._timer is not None:
            self._timer.cancel()
        self._loop.remove_reader(self._sock.fileno())
        with contextlib.suppress(OSError):
            self._take(_BACKLOG)
        if self._arriving:
            await asyncio.wait(self._arriving)
        self._sock.close()

    def _listen(self) -> None:
        self._timer = None
        self._loop.add_reader(self._sock.fileno(), self._look)

    def _rest(self, seconds: float, then: Callable[[], None]) -> None:
        self._loop.remove_reader(self._sock.fileno())
        self._timer = self._loop.call_later(seconds, then)

    def _look(self) -> None:
        """Take what is this process's to take; something waits."""
        try:
            for _ in range(_MOST_AT_ONCE):
                self._favoured = self._place.favoured()
                if self._favoured:
                    self._rest(PATIENCE_SECONDS, self._look_again)
                    break
                if not self._take(1):
                    break
        except OSError as error:
            self._pause(error)
        else:
            self._place.show()

    def _look_again(self) -> None:
        """Take what nobody else has wanted in the meantime."""
        is_needed = self._place.stand_still(self._favoured)
        self._helping = max(1, 2 * self._helping) if is_needed else 0
        try:
            if self._take(self._helping) < self._helping:
                self._helping = 0
        except OSError as error:
            self._pause(error)
        else:
            self._place.show()
            self._listen()

    def _pause(self, error: OSError) -> None:
        """Wait, as for files to be closed; the neighbours see no sign of life meanwhile."""
        logger.error("no connection can be taken: %s", error)
        self._rest(_FAULT_PAUSE_SECONDS, self._listen)

    def _take(self, most: int) -> int:
        """Take up to ``most`` connections and return how many there were."""
        for taken in range(most):
            try:
                sock, _ = self._sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return taken
            sock.setblocking(False)
            self._take_up(sock)
        return most

    def _take_up(self, sock: socket.socket) -> None:
        protocol = self._connect()  # counted now, for the next one is given out by the count
        arriving = self._loop.create_task(
            self._loop.connect_accepted_socket(lambda: protocol, sock)
        )
        self._arriving.add(arriving)

        def arrived(task: asyncio.Task[Any]) -> None:
            self._arriving.discard(task)
            if task.cancelled() or task.exception() is not None:  # it was gone before it came
                sock.close()
                self._place.add(-1)

        arriving.add_done_callback(arrived)
