"""
An endpoint in a process of its own, beside the caller.
"""

import contextlib
import json
import logging
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import uvloop
from pydantic import TypeAdapter

from tonnage.domain import FaultEvent, FleetTimeline, ScalingActivity, TonnageError, TransportError

from ._fault_schedule import FAULTS_PATH
from ._state import STATE_PATH, TIMELINE_PATH
from ._up import run
from .faults import Fault
from .options import UpOptions

__all__ = ["BackgroundEndpoint", "main", "up_in_background"]

_READY: Final = "ready"


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

    def inject(self, fault: Fault) -> None:
        """
        Let a fault happen at its time from now.

        Raises:
            TransportError: If it was not taken.
        """
        body = TypeAdapter(Fault).dump_json(fault)
        _get_json(self.url + FAULTS_PATH, body)

    def fault_events(self) -> list[dict[str, Any]]:
        """Return the faults that happened, when, and the instances they hit."""
        events: list[dict[str, Any]] = _get_json(self.url + FAULTS_PATH)["events"]
        return events

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
            faults=[FaultEvent(**fault) for fault in described["faults"]],
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
            run(
                UpOptions.from_json(sys.argv[1]),
                lambda url: print(json.dumps({_READY: url}), flush=True),  # noqa: T201 (the pipe to the parent)
                lifeline=sys.stdin.fileno(),
            )
        )
    except TonnageError as error:
        print(json.dumps({"failed": error.message, "hint": error.hint}), flush=True)  # noqa: T201 (likewise)
        return 1
    return 0


def _get_json(url: str, body: bytes | None = None) -> dict[str, Any]:
    # Without the proxies that the environment may name: this is our own loopback URL.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, body, timeout=10) as answer:
            described: dict[str, Any] = json.load(answer)
    except OSError as error:
        raise TransportError(f"the endpoint does not answer {url}: {error}") from error
    return described
