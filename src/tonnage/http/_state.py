"""
What the connections of one server share, and the phases each of them goes through.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from tonnage.domain import error_body

from ._heads import KnownHeads
from .exchange import Handler
from .limits import Limits
from .messages import Refusal, Response
from .places import Place

if TYPE_CHECKING:
    from ._connection import Connection

__all__ = ["LINGER_SECONDS", "Phase", "Refuse", "ServerState", "plainly"]

LINGER_SECONDS: Final = 5.0
"""How long a client may go on sending after the last answer, so that it gets to read it."""


class Phase(Enum):
    """
    What a connection waits for; each but ``ANSWER`` and ``SOLE_ANSWER`` has a deadline.

    ``SOLE_ANSWER`` is the usual case of ``ANSWER``: one request came whole, with a head that is
    known, and nothing has happened on the connection since. Whatever does happen leaves it.
    ``LAST_REQUEST`` is ``REQUEST`` on a connection that was dismissed: it takes the long way.
    """

    REQUEST = auto()
    LAST_REQUEST = auto()
    HEAD = auto()
    BODY = auto()
    ANSWER = auto()
    SOLE_ANSWER = auto()
    DRAIN_OF_WRITES = auto()
    CLIENTS_END = auto()
    END = auto()


Refuse = Callable[[Refusal], Response]
"""Makes the answer to what the server turns away by itself; its connection closes after it."""


def plainly(refusal: Refusal) -> Response:
    """Return the answer that names the fault."""
    return Response(status=refusal.status, body=error_body(refusal.code, refusal.message))


@dataclass(kw_only=True, slots=True, eq=False)
class ServerState:
    """
    What the connections of one server share.

    Attributes:
        handler: Takes the requests.
        refuse: Makes the answer to what is not handed to the handler.
        limits: What is tolerated.
        loop: The loop all of it runs on.
        connections: Those that are open.
        place: Where they are counted, if other processes have the same listener.
        heads: Heads of requests that were read before.
        in_flight: Requests the handler has and has not answered.
        is_draining: Whether every answer is to be a connection's last.
        emptied: Set when a draining server has no connection left.
        timeouts_seconds: How long a connection may wait for what.
    """

    handler: Handler
    refuse: Refuse = plainly
    limits: Limits
    loop: asyncio.AbstractEventLoop
    connections: set["Connection"] = field(default_factory=set)
    place: Place | None = None
    heads: KnownHeads = field(default_factory=KnownHeads)
    in_flight: int = 0
    is_draining: bool = False
    emptied: asyncio.Event = field(default_factory=asyncio.Event)
    timeouts_seconds: dict[Phase, float] = field(init=False)

    def __post_init__(self) -> None:
        limits = self.limits
        self.timeouts_seconds = {
            Phase.REQUEST: limits.idle_timeout_seconds,
            Phase.LAST_REQUEST: limits.idle_timeout_seconds,
            Phase.HEAD: limits.header_timeout_seconds,
            Phase.BODY: limits.body_timeout_seconds,
            Phase.ANSWER: float("inf"),
            Phase.SOLE_ANSWER: float("inf"),
            Phase.DRAIN_OF_WRITES: limits.write_timeout_seconds,
            Phase.CLIENTS_END: LINGER_SECONDS,
            Phase.END: limits.write_timeout_seconds,
        }
