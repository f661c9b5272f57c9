"""
A target whose behaviour is known: it gives one answer, at once or as one server of known speed.

``python -m tonnage.loadtest.open_loop.constant_target [RATE]`` prints its port and serves on
loopback until its standard input is closed. With a rate it is one first-come-first-served queue
with constant service time, kept in virtual finish times; without, it answers as fast as it can.
"""

import asyncio
import os
import sys
import time
from collections import deque
from typing import Final

import uvloop

from tonnage.http import Exchange, Response, Server

from .timer import Timer

__all__ = ["main"]

_ANSWER: Final = Response(status=200, body=b'{"cost": 50.3}')


class _Queue:
    """One server with constant service time; an answer leaves when its service is over."""

    def __init__(self, rate_per_second: float) -> None:
        self._service_seconds = 1 / rate_per_second
        self._free_at = 0.0
        self._waiting: deque[tuple[float, Exchange]] = deque()
        self._timer = Timer(asyncio.get_running_loop(), self._answer)

    def take(self, exchange: Exchange) -> None:
        self._free_at = max(time.monotonic(), self._free_at) + self._service_seconds
        self._waiting.append((self._free_at, exchange))
        if len(self._waiting) == 1:
            self._timer.at(self._free_at)

    def _answer(self) -> None:
        now = time.monotonic()
        while self._waiting and self._waiting[0][0] <= now:
            self._waiting.popleft()[1].respond(_ANSWER)
        if self._waiting:
            self._timer.at(self._waiting[0][0])


async def _serve(rate_per_second: float | None) -> None:
    def at_once(exchange: Exchange) -> None:
        exchange.respond(_ANSWER)

    handler = at_once if rate_per_second is None else _Queue(rate_per_second).take
    server = await Server.start(handler, backlog=4096)
    os.write(1, b"%d\n" % server.port)
    gone = asyncio.Event()

    def hear() -> None:
        if not os.read(0, 4096):
            gone.set()

    asyncio.get_running_loop().add_reader(0, hear)
    await gone.wait()
    await server.drain(timeout_seconds=0)


def main() -> None:
    """Serve until the standard input is closed."""
    rate = float(sys.argv[1]) if len(sys.argv) > 1 else None
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(rate))


if __name__ == "__main__":
    main()
