"""
``tonnage up``: the endpoint on one local port, in the foreground or beside the caller.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import uvloop

from tonnage.api import Front
from tonnage.artefact import LoadedService
from tonnage.domain import FleetTimeline, ScalingActivity, TonnageError, TransportError
from tonnage.http import Limits, Server

from ._endpoint import Endpoint
from ._port import STATE_PATH, TIMELINE_PATH, Port
from .options import UpOptions

__all__ = ["BackgroundEndpoint", "up", "up_in_background"]

logger = logging.getLogger(__name__)

_DRAIN_SECONDS: Final = 10.0
_READY: Final = "ready"


def up(options: UpOptions, *, on_ready: Callable[[str], None] = lambda _url: None) -> None:
    """
    Run an endpoint until SIGTERM or Ctrl-C, then drain.

    Args:
        options: What to run.
        on_ready: Called with its URL when it answers.

    Raises:
        ArtefactError: If the artefact is missing, changed, or fails its self-test.
        PortInUseError: If the port is taken.
        CapacityError: If the first instances do not come up.
    """
    uvloop.run(_up(options, on_ready))


async def _up(
    options: UpOptions, on_ready: Callable[[str], None], *, lifeline: int | None = None
) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop.set)
    if lifeline is not None:
        _when_closed(lifeline, stop.set)
    front = Front(
        LoadedService.load(options.artefact),
        name=options.endpoint.endpoint_name,
        route=options.endpoint.route,
    )
    endpoint = Endpoint(options)
    limits = Limits(max_body_bytes=options.local.max_body_bytes)
    server = await Server.start(
        Port(endpoint, front).handle, host=options.host, port=options.port, limits=limits
    )
    try:
        await endpoint.start()
        on_ready(f"http://{options.host}:{server.port}")
        await stop.wait()
    finally:
        await server.drain(timeout_seconds=_DRAIN_SECONDS)
        await endpoint.close()


def _when_closed(lifeline: int, act: Callable[[], None]) -> None:
    """Act once when the other end of a pipe, which nothing is written to, is closed."""
    loop = asyncio.get_running_loop()

    def closed() -> None:
        loop.remove_reader(lifeline)
        act()

    loop.add_reader(lifeline, closed)


@dataclass(frozen=True, kw_only=True, slots=True)
class BackgroundEndpoint:
    """
    An endpoint that runs in a process of its own.

    Attributes:
        url: Where it listens.
        process_id: Its process.
    """

    url: str
    process_id: int

    def state(self) -> dict[str, Any]:
        """Return its instances and its clock, as they are now."""
        return _get_json(self.url + STATE_PATH)

    def next_period_monotonic_seconds(self, now_seconds: float, *, after_seconds: float) -> float:
        """Return when, on the machine's monotonic clock, the first period after a pause begins."""
        state = self.state()
        origin, period = state["period_origin_monotonic_seconds"], state["period_real_seconds"]
        elapsed = now_seconds + after_seconds - origin
        return float(origin + (elapsed // period + 1) * period)

    def timeline(self, origin_monotonic_seconds: float) -> FleetTimeline:
        """Return what its fleet did since a moment of the machine's monotonic clock."""
        described = _get_json(f"{self.url}{TIMELINE_PATH}?since={origin_monotonic_seconds!r}")
        return FleetTimeline(
            time_scale=described["time_scale"],
            instances=[tuple(change) for change in described["instances"]],
            invocations_per_instance=[
                tuple(datapoint) for datapoint in described["invocations_per_instance"]
            ],
            activities=[ScalingActivity(**activity) for activity in described["activities"]],
        )


@contextlib.contextmanager
def up_in_background(options: UpOptions) -> Iterator[BackgroundEndpoint]:
    """
    Run an endpoint in a process of its own until the block ends; then it drains.

    Raises:
        TonnageError: If it does not come up; the message is the process's own.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "tonnage.emulator", options.to_json()],
        stdin=subprocess.PIPE,  # closes when this process is gone, however it went
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        process_group=0,  # Ctrl-C on the terminal reaches this process alone, which decides
    )
    with process:
        try:
            assert process.stdout is not None
            event = json.loads(process.stdout.readline() or '{"failed": "it ended at once"}')
            if _READY not in event:
                raise TonnageError(event["failed"], hint=event.get("hint"))
            yield BackgroundEndpoint(url=event[_READY], process_id=process.pid)
        finally:
            process.terminate()


def main() -> int:
    """Run ``up`` for another process: options as JSON in the one argument, one line when ready."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.ERROR, format="%(levelname)s %(name)s: %(message)s"
    )
    try:
        uvloop.run(
            _up(
                UpOptions.from_json(sys.argv[1]),
                lambda url: print(json.dumps({_READY: url}), flush=True),  # noqa: T201 (the pipe to the parent)
                lifeline=sys.stdin.fileno(),
            )
        )
    except TonnageError as error:
        print(json.dumps({"failed": error.message, "hint": error.hint}), flush=True)  # noqa: T201 (likewise)
        return 1
    return 0


def _get_json(url: str) -> dict[str, Any]:
    # Without the proxies that the environment may name: this is our own loopback URL.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=10) as answer:
            described: dict[str, Any] = json.load(answer)
    except OSError as error:
        raise TransportError(f"the endpoint does not answer {url}: {error}") from error
    return described
