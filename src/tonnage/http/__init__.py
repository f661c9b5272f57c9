"""
A small HTTP/1.1 server and client on asyncio, with httptools as the parser.

A web framework costs more per request than many a model that is served behind it, so this room has
what one service needs and no more. Bytes become requests in ``_reader``, which does no I/O;
``_connection`` keeps the order of answers, the deadlines and the backpressure of one client;
``Server`` owns the listener and the drain. The handler is a plain function that is called for every
request of a loop turn before any answer is due, so the caller may answer all of them at once.

The price: no TLS, no HTTP/2, no streaming, no upgrades, and no methods that httptools does not
know; a proxy in front adds what is needed. It runs on asyncio's own loop and on uvloop.
"""

from .callback_connection import BrokenOff, CallbackConnection, encode_request
from .client import Client
from .exchange import Exchange, Handler
from .limits import Limits
from .messages import ClientResponse, Refusal, Request, Response
from .server import Server

__all__ = [
    "BrokenOff",
    "CallbackConnection",
    "Client",
    "ClientResponse",
    "Exchange",
    "Handler",
    "Limits",
    "Refusal",
    "Request",
    "Response",
    "Server",
    "encode_request",
]
