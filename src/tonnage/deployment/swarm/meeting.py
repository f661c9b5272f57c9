"""
How a swarm's tasks find each other: through the bucket that the results go to.

Each worker says that it is there; when all are, the master says where it listens, in which order
they come and when they begin. So the swarm needs no service discovery, and no permission that it
would not have anyway.
"""

import json
import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self, TypeVar
from urllib.request import urlopen

from tonnage.domain import TonnageError

from .results import Results

__all__ = ["MASTER_PORT", "Meeting", "call_meeting", "go_to_meeting"]

MASTER_PORT: Final = 5557
"""Where the master of a closed loop listens: Locust's own port."""

HOST_VARIABLE: Final = "TONNAGE_SWARM_HOST"
_METADATA_VARIABLE: Final = "ECS_CONTAINER_METADATA_URI_V4"
_WAITING: Final = "waiting/"
_MEETING: Final = "meeting.json"
_PATIENCE_SECONDS: Final = 300
_LOOK_SECONDS: Final = 1.0
_LEAD_SECONDS: Final = 5.0
"""For the workers to read the call, and to start what sends."""

_Found = TypeVar("_Found")


@dataclass(frozen=True, kw_only=True, slots=True)
class Meeting:
    """
    What all tasks know of each other.

    Attributes:
        host: Where the master is.
        workers: The workers' names, in their order.
        starts_at_epoch_seconds: When an open loop begins, by the wall clock.
    """

    host: str
    workers: tuple[str, ...]
    starts_at_epoch_seconds: float

    @property
    def starts_at_monotonic_seconds(self) -> float:
        """When an open loop begins, by this machine's monotonic clock."""
        return time.monotonic() + self.starts_at_epoch_seconds - time.time()

    @classmethod
    def of_json(cls, told: Mapping[str, Any]) -> Self:
        """Read what the master told."""
        return cls(**{**told, "workers": tuple(told["workers"])})


def call_meeting(results: Results, workers: int) -> Meeting:
    """
    Wait, as the master, until all workers are there, and tell them of each other.

    Raises:
        TonnageError: If some do not come.
    """

    def all_there() -> list[str] | None:
        names = results.names(_WAITING)
        return names if len(names) >= workers else None

    def missing() -> str:
        return f"{len(results.names(_WAITING))} of {workers} workers came"

    names = _awaited(all_there, missing)
    meeting = Meeting(
        host=_own_address(),
        workers=tuple(names),
        starts_at_epoch_seconds=time.time() + _LEAD_SECONDS,
    )
    results.put(_MEETING, json.dumps(asdict(meeting)).encode())
    return meeting


def go_to_meeting(results: Results, name: str) -> Meeting:
    """
    Say, as a worker, that it is there, and wait for the master's call.

    Raises:
        TonnageError: If it does not come.
    """
    results.put(_WAITING + name, b"{}")
    return Meeting.of_json(
        _awaited(lambda: results.get_json(_MEETING), lambda: "there was no call of the master")
    )


def _awaited(look: Callable[[], _Found | None], missing: Callable[[], str]) -> _Found:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise TonnageError(f"{missing()} within {_PATIENCE_SECONDS} s")
        time.sleep(_LOOK_SECONDS)
    return found


def _own_address() -> str:
    """Return the address that the workers reach this task at."""
    given = os.environ.get(HOST_VARIABLE)
    if given:
        return given
    metadata = os.environ.get(_METADATA_VARIABLE)
    if metadata is None:
        return socket.gethostbyname(socket.gethostname())
    with urlopen(metadata, timeout=10) as answer:  # noqa: S310 (ECS's own address)
        described = json.load(answer)
    return str(described["Networks"][0]["IPv4Addresses"][0])
