"""
The connections of one generator process to its one target.
"""

import asyncio
import errno
import resource
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tonnage.http import BrokenOff, CallbackConnection

__all__ = ["Pool", "raise_descriptor_limit", "room_for_connections"]

_SPARE_DESCRIPTORS: Final = 16
_KINDS: Final = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.ETIMEDOUT: "timed_out",
    errno.EMFILE: "no_descriptor",
    errno.ENFILE: "no_descriptor",
    errno.EADDRNOTAVAIL: "no_port",
    errno.ENOBUFS: "no_descriptor",
    errno.ENOMEM: "no_descriptor",
}


class Pool:
    """
    Kept-alive connections, the most recently used first.

    Args:
        address: Host and port, resolved once by whoever makes the pool.
        encryption: The TLS context and the name to check, None for plain HTTP.
        on_answer: As in ``CallbackConnection``.
        on_broken: As in ``CallbackConnection``.

    Attributes:
        opened: How many connections were opened so far.
        open_now: How many are open or being opened.
        open_most: The most there were at once.
    """

    def __init__(
        self,
        address: tuple[str, int],
        encryption: tuple[ssl.SSLContext, str] | None,
        on_answer: Callable[[CallbackConnection, int, int], None],
        on_broken: Callable[[CallbackConnection, int, BrokenOff], None],
    ) -> None:
        self._address = address
        self._encryption = encryption
        self._on_answer = on_answer
        self._on_broken = on_broken
        self._idle: list[CallbackConnection] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.opened = 0
        self.open_now = 0
        self.open_most = 0

    def take(self) -> CallbackConnection | None:
        """Return an idle connection, None when there is none."""
        idle = self._idle
        while idle:
            connection = idle.pop()
            if connection.is_reusable:
                return connection
        return None

    def put(self, connection: CallbackConnection) -> None:
        """Take back a connection that has its answer."""
        if connection.is_reusable:
            self._idle.append(connection)
        else:
            self.forget(connection)

    def forget(self, _connection: CallbackConnection) -> None:
        """Count a connection that is gone."""
        self.open_now -= 1

    def open(
        self,
        on_open: Callable[[CallbackConnection], None],
        on_failed: Callable[[str], None],
        *,
        timeout_seconds: float,
    ) -> None:
        """Open a connection and hand it, or the kind of the failure, to one of the two."""
        self.open_now += 1
        self.open_most = max(self.open_most, self.open_now)
        task = asyncio.get_running_loop().create_task(
            self._open(on_open, on_failed, timeout_seconds)
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _open(
        self,
        on_open: Callable[[CallbackConnection], None],
        on_failed: Callable[[str], None],
        timeout_seconds: float,
    ) -> None:
        context, name = self._encryption or (None, None)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout_seconds):
                _, connection = await loop.create_connection(
                    lambda: CallbackConnection(self._on_answer, self._on_broken, self._lost),
                    *self._address,
                    ssl=context,
                    server_hostname=name,
                )
        except OSError as error:  # TimeoutError and ssl.SSLError are among them
            self.open_now -= 1
            on_failed(_kind_of(error))
            return
        self.opened += 1
        on_open(connection)

    def close(self) -> None:
        """Close what is idle and stop what is being opened."""
        for task in self._tasks:
            task.cancel()
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.abandon()

    def _lost(self, connection: CallbackConnection) -> None:
        # It broke while idle: the pool skips it when its turn comes; or it was abandoned.
        if connection in self._idle:
            self._idle.remove(connection)
            self.forget(connection)


def _kind_of(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "timed_out"
    if isinstance(error, ssl.SSLError):
        return "garbage"
    if isinstance(error, socket.gaierror):
        return "unreachable"
    return _KINDS.get(error.errno or 0, "unreachable")


def raise_descriptor_limit() -> None:
    """Allow this process as many descriptors as it may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def room_for_connections() -> int:
    """Return how many connections the descriptor limit leaves room for."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 32
    return max(0, soft - used - _SPARE_DESCRIPTORS)
