"""
Instances that are told to stop, and workers that are killed, while clients ask without a pause.

A request is *lost* when it was sent on a connection that had been answered before, so one that the
instance had taken up, and no whole answer came. SIGTERM may lose none: every request is answered,
the last of a connection with ``Connection: close``. SIGKILL of a worker may cost at most what the
worker had in hand, which is one request a connection, and the instance must be whole again.

Run it with the project's environment: ``.venv/bin/python benchmarks/serving/drain_campaign.py``. It
writes ``drain_campaign.json`` beside itself, and ends with 1 if a request was lost.
"""

import argparse
import asyncio
import json
import os
import platform
import random
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import uvloop

from tonnage.http import BrokenOff, CallbackConnection, encode_request
from tonnage.serving import WorkerOptions
from tonnage.serving.zygote import ZygoteOptions

ARTEFACT: Final = Path(__file__).parents[2] / "examples" / "real_estate" / "artefact"
BODY: Final = b'{"distance": 150}'
CONNECTIONS: Final = 8
MOST_ANSWERS: Final = 100
PAUSES: Final = (0.0, 0.001, 0.01)
PATIENCE_SECONDS: Final = 60.0
TONNAGE: Final = Path(sys.executable).with_name("tonnage")
HEADERS: Final = {"Content-Type": "application/json"}


@dataclass(slots=True)
class Clients:
    """
    Connections that ask again when they are answered, at once or after a pause.

    Attributes:
        port: What they ask.
        pause_seconds: Between an answer and the next request: where SIGTERM finds them idle.
        statuses: How often which status came.
        lost: How requests ended that an instance had taken up and not answered.
        turned_away: Requests on connections that were never answered.
        goal: With so many answers, ``reached`` is set.
    """

    port: int
    pause_seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    turned_away: int = 0
    goal: int = 0
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    _open: set[CallbackConnection] = field(default_factory=set)
    _answered: set[CallbackConnection] = field(default_factory=set)

    async def dial(self, count: int) -> None:
        """Connect and begin to ask."""
        loop = asyncio.get_running_loop()
        message = encode_request(
            "POST", "/invocations", host="127.0.0.1", headers=HEADERS, body=BODY
        )

        def on_answer(connection: CallbackConnection, _token: int, status: int) -> None:
            self.statuses[status] += 1
            self._answered.add(connection)
            if self.statuses.total() >= self.goal:
                self.reached.set()
            if not connection.is_reusable:
                self._leave(connection)
            elif self.pause_seconds:
                loop.call_later(self.pause_seconds, ask_again, connection)
            else:
                connection.send(message, 0)

        def ask_again(connection: CallbackConnection) -> None:
            if connection in self._open:
                connection.send(message, 0)

        def on_broken(connection: CallbackConnection, _token: int, how: BrokenOff) -> None:
            if connection in self._answered:
                self.lost[how] += 1
            else:
                self.turned_away += 1
            self._leave(connection)

        for _ in range(count):
            _, connection = await loop.create_connection(
                lambda: CallbackConnection(on_answer, on_broken, self._leave),
                "127.0.0.1",
                self.port,
            )
            self._open.add(connection)
            self.ended.clear()
            connection.send(message, 0)

    async def until_answered(self, more: int) -> None:
        """Wait for so many more answers."""
        self.goal = self.statuses.total() + more
        self.reached.clear()
        await asyncio.wait_for(self.reached.wait(), PATIENCE_SECONDS)

    async def until_ended(self) -> None:
        """Wait until every connection has had its last answer."""
        await asyncio.wait_for(self.ended.wait(), PATIENCE_SECONDS)

    def stop(self) -> None:
        """Ask no more, whatever is under way."""
        for connection in tuple(self._open):
            self._leave(connection)

    def _leave(self, connection: CallbackConnection) -> None:
        self._open.discard(connection)
        connection.abandon()
        if not self._open:
            self.ended.set()


class Zygote:
    """A warm parent that forks an instance in milliseconds."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    @asynccontextmanager
    async def started(cls, artefact: Path) -> AsyncIterator["Zygote"]:
        """Start one for the time of the block."""
        options = ZygoteOptions(artefact=artefact, worker=WorkerOptions())
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tonnage.serving.zygote", options.to_json()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        zygote = cls(process)
        try:
            await zygote.event("loaded")
            yield zygote
        finally:
            assert process.stdin is not None
            process.stdin.close()
            await process.wait()

    async def spawn(self, name: str) -> dict[str, Any]:
        """Fork an instance; return its port and its process id."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"spawn": name}).encode() + b"\n")
        return await self.event("ready")

    async def event(self, kind: str) -> dict[str, Any]:
        """Return the next event, which must be of a kind."""
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE_SECONDS)
        event: dict[str, Any] = json.loads(line)
        if event["event"] != kind:
            raise RuntimeError(f"the zygote said {event}, not {kind!r}")
        return event


async def drains(artefact: Path, count: int, chance: random.Random) -> dict[str, Any]:
    """Stop so many instances with SIGTERM, each at some moment of its load."""
    statuses: Counter[int] = Counter()
    lost: Counter[str] = Counter()
    turned_away, slowest = 0, 0.0
    exits: Counter[int] = Counter()
    async with Zygote.started(artefact) as zygote:
        for number in range(count):
            instance = await zygote.spawn(f"i-{number}")
            clients = Clients(port=instance["port"], pause_seconds=chance.choice(PAUSES))
            await clients.dial(CONNECTIONS)
            await clients.until_answered(chance.randint(CONNECTIONS, MOST_ANSWERS))
            started = time.monotonic()
            os.kill(instance["process_id"], signal.SIGTERM)
            await clients.until_ended()
            exits[(await zygote.event("ended"))["exit_code"]] += 1
            slowest = max(slowest, time.monotonic() - started)
            statuses += clients.statuses
            lost += clients.lost
            turned_away += clients.turned_away
    return {
        "sigterms": count,
        "statuses": dict(statuses),
        "lost": dict(lost),
        "turned_away": turned_away,
        "exit_codes": dict(exits),
        "slowest_seconds": round(slowest, 3),
    }


@asynccontextmanager
async def served(artefact: Path) -> AsyncIterator[tuple[int, int]]:
    """Start ``tonnage serve`` with two workers; give its process id and its port."""
    flags = ("--host", "127.0.0.1", "--port", "0", "--workers", "2")
    process = await asyncio.create_subprocess_exec(
        TONNAGE, "serve", artefact, *flags, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    try:
        line = await asyncio.wait_for(process.stderr.readline(), PATIENCE_SECONDS)
        found = re.search(rb"serving .*:(\d+)", line)
        if found is None:
            raise RuntimeError(f"it said {line!r}")
        reading = asyncio.ensure_future(process.stderr.read())
        yield process.pid, int(found[1])
        reading.cancel()
    finally:
        process.terminate()
        await process.wait()


def workers_of(process: int) -> list[int]:
    return [
        int(pid) for pid in Path(f"/proc/{process}/task/{process}/children").read_text().split()
    ]


async def ready_workers(port: int) -> int:
    """Return how many workers say that they serve."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    text = await reader.read()
    writer.close()
    found = re.search(rb"^tonnage_workers_ready (\d+)", text, re.MULTILINE)
    return int(found[1]) if found else 0


async def kills(artefact: Path, count: int, chance: random.Random) -> dict[str, Any]:
    """Kill a worker of two so many times; see what that costs, and that it is replaced."""
    failed: list[int] = []
    statuses: Counter[int] = Counter()
    async with served(artefact) as (parent, port):
        for _ in range(count):
            clients = Clients(port=port)
            await clients.dial(CONNECTIONS)
            await clients.until_answered(chance.randint(CONNECTIONS, MOST_ANSWERS))
            victim = chance.choice(workers_of(parent))
            os.kill(victim, signal.SIGKILL)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while victim in workers_of(parent) or await ready_workers(port) < 2:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            clients.stop()
            failed.append(clients.lost.total() + clients.turned_away)
            statuses += clients.statuses
    return {
        "sigkills": count,
        "statuses": dict(statuses),
        "failed_requests": sum(failed),
        "most_failed_at_once": max(failed, default=0),
        "connections": CONNECTIONS,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--artefact", type=Path, default=ARTEFACT)
    parser.add_argument("--drains", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("-o", type=Path, default=Path(__file__).with_suffix(".json"))
    arguments = parser.parse_args()
    chance, started = random.Random(arguments.seed), time.monotonic()
    load_before = os.getloadavg()
    drained = uvloop.run(drains(arguments.artefact.resolve(), arguments.drains, chance))
    killed = uvloop.run(kills(arguments.artefact, arguments.kills, chance))
    report = {
        "what": __doc__.strip().splitlines()[0],
        "machine": {
            "system": platform.platform(),
            "python": platform.python_version(),
            "cores": len(os.sched_getaffinity(0)),
            "load_average_before": load_before,
        },
        "seed": arguments.seed,
        "seconds": round(time.monotonic() - started, 1),
        "drains": drained,
        "kills": killed,
    }
    arguments.o.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps({"drains": drained, "kills": killed}, indent=1))
    sys.exit(int(bool(drained["lost"]) or killed["most_failed_at_once"] > CONNECTIONS))


if __name__ == "__main__":
    main()
