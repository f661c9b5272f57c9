"""
What is no invocation: pings, metrics, and requests that are turned away; each counted and noted.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tonnage.domain import error_body
from tonnage.http import Exchange, Refusal, Request, Response

from ._calls import RequestIds, refusal
from ._metrics import CONTENT_TYPE, Scoreboard, Tally
from ._request_log import RequestLog
from ._routes import INVOCATIONS, PING, Misfit, misfit, refused_as, unframed

__all__ = ["Books", "Reception"]

_PONG: Final = Response(status=200, body=b"", content_type=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Books:
    """
    Where an instance notes what it answers.

    Attributes:
        scoreboard: Where ``/metrics`` comes from.
        tally: This worker's row of it.
        request_log: Notes each request; None for no log.
        ids: The names of requests.
    """

    scoreboard: Scoreboard
    tally: Tally
    request_log: RequestLog | None = None
    ids: RequestIds = field(default_factory=RequestIds)

    @classmethod
    def own(cls) -> "Books":
        """Make some for one instance."""
        scoreboard = Scoreboard()
        return cls(scoreboard=scoreboard, tally=scoreboard.tally())

    def name_of(self, request: Request) -> str:
        """Return a request's own id, or a new one."""
        return self.ids.sent(request.headers) or self.ids.new()

    def note(self, request: Request, status: int, request_id: str | None = None) -> None:
        """Count and log what is no invocation."""
        self.tally.request(request.path, status)
        if self.request_log:
            named = request_id or self.name_of(request)
            self.request_log.note(request, named, status, rows=0, seconds=0.0)


class Reception:
    """
    Sees every request whose head is new, and lets invocations through.

    Args:
        books: Where it notes what it answers.
        is_ready: Says whether ``/ping`` may answer 200.
        not_ready: What ``/ping`` says until then.
    """

    def __init__(self, books: Books, is_ready: Callable[[], bool], not_ready: str) -> None:
        self._books = books
        self._is_ready = is_ready
        self._not_ready = Response(status=503, body=error_body("not_ready", not_ready))

    def lets_through(self, exchange: Exchange) -> bool:
        """Say whether a request is an invocation, and answer it at once if it is not."""
        request = exchange.request
        turned_away = misfit(request.path, request.method)
        if turned_away is None and request.path == INVOCATIONS:
            turned_away = unframed(request)
            if turned_away is None:
                return True
        if turned_away is not None:
            request_id = self._books.name_of(request)
            self._reply(exchange, _told(turned_away, request_id), request_id)
        elif request.path == PING:
            self._reply(exchange, _PONG if self._is_ready() else self._not_ready)
        else:
            text = self._books.scoreboard.render()
            self._reply(exchange, Response(status=200, body=text, content_type=CONTENT_TYPE))
        return False

    def refuse(self, refused: Refusal) -> Response:
        """Return the answer to what the server would not take, counted and noted like any other."""
        fault, request_id = refused_as(refused), self._books.name_of(refused.request)
        self._books.note(refused.request, fault.status, request_id)
        return _told(fault, request_id)

    def _reply(self, exchange: Exchange, response: Response, request_id: str | None = None) -> None:
        self._books.note(exchange.request, response.status, request_id)
        exchange.respond(response)


def _told(why: Misfit, request_id: str) -> Response:
    return refusal(request_id, why.status, why.code, why.message, headers=why.headers)
