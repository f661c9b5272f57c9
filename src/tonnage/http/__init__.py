"""
A small HTTP/1.1 server and client on asyncio, with httptools as the parser.

A web framework costs more per request than many a model that is served behind it, so this room has
what one service needs and no more. Bytes become requests in ``_reader``, which does no I/O;
``_connection`` keeps the order of answers, the deadlines and the backpressure of one client;
``Server`` owns the connections and the drain; ``Places`` shares one listener out among processes.
The handler is a plain function that is called for every request of a loop turn before any answer is
due, so the caller may answer all of them at once.

The price: no TLS, no HTTP/2, no streaming, no upgrades, and no methods that httptools does not
know; a proxy in front adds what is needed. It runs on asyncio's own loop and on uvloop.
"""

from typing import TYPE_CHECKING

from tonnage.domain.lazy import lazily as _lazily

if TYPE_CHECKING:
    from .callback_connection import BrokenOff, CallbackConnection, encode_request
    from .client import Client
    from .exchange import Exchange, Handler
    from .limits import Limits
    from .messages import ClientResponse, Refusal, Request, Response
    from .places import Place, Places
    from .server import Server, listen_error

__all__ = [
    "BrokenOff",
    "CallbackConnection",
    "Client",
    "ClientResponse",
    "Exchange",
    "Handler",
    "Limits",
    "Place",
    "Places",
    "Refusal",
    "Request",
    "Response",
    "Server",
    "encode_request",
    "listen_error",
]

_HOMES = {
    "BrokenOff": ".callback_connection",
    "CallbackConnection": ".callback_connection",
    "Client": ".client",
    "ClientResponse": ".messages",
    "Exchange": ".exchange",
    "Handler": ".exchange",
    "Limits": ".limits",
    "Place": ".places",
    "Places": ".places",
    "Refusal": ".messages",
    "Request": ".messages",
    "Response": ".messages",
    "Server": ".server",
    "encode_request": ".callback_connection",
    "listen_error": ".server",
}

if not TYPE_CHECKING:  # a type checker sees the names above, and no others
    __getattr__ = _lazily(__name__, _HOMES)


def __dir__() -> list[str]:
    return __all__
