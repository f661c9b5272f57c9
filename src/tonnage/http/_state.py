"""
What the connections of one server share, and the phases each of them goes through.
"""

import asyncio
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from .exchange import Handler
from .limits import Limits

if TYPE_CHECKING:
    from ._connection import Connection

__all__ = ["LINGER_SECONDS", "Phase", "ServerState"]

LINGER_SECONDS: Final = 5.0
"""How long a client may go on sending after the last answer, so that it gets to read it."""


class Phase(Enum):
    """What a connection waits for; each but ``ANSWER`` has a deadline."""

    REQUEST = auto()
    HEAD = auto()
    BODY = auto()
    ANSWER = auto()
    DRAIN_OF_WRITES = auto()
    CLIENTS_END = auto()
    END = auto()


@dataclass(kw_only=True, slots=True, eq=False)
class ServerState:
    """
    What the connections of one server share.

    Attributes:
        handler: Takes the requests.
        limits: What is tolerated.
        loop: The loop all of it runs on.
        connections: Those that are open.
        in_flight: Requests the handler has and has not answered.
        is_draining: Whether every answer is to be a connection's last.
        emptied: Set when a draining server has no connection left.
        timeouts_seconds: How long a connection may wait for what.
    """

    handler: Handler
    limits: Limits
    loop: asyncio.AbstractEventLoop
    connections: set["Connection"] = field(default_factory=set)
    in_flight: int = 0
    is_draining: bool = False
    emptied: asyncio.Event = field(default_factory=asyncio.Event)
    timeouts_seconds: dict[Phase, float] = field(init=False)

    def __post_init__(self) -> None:
        limits = self.limits
        self.timeouts_seconds = {
            Phase.REQUEST: limits.idle_timeout_seconds,
            Phase.HEAD: limits.header_timeout_seconds,
            Phase.BODY: limits.body_timeout_seconds,
            Phase.ANSWER: float("inf"),
            Phase.DRAIN_OF_WRITES: limits.write_timeout_seconds,
            Phase.CLIENTS_END: LINGER_SECONDS,
            Phase.END: limits.write_timeout_seconds,
        }
