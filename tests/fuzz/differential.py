"""
The reader of requests held against h11, byte by byte.

What is asked of them is not that they refuse the same: each has its own strictness. But what both
accept they must read alike, or a proxy and this server could be made to see different requests.
"""

import h11

from tonnage.http import Limits, Request
from tonnage.http._heads import KnownHeads
from tonnage.http._reader import RequestReader

__all__ = ["LIMITS", "SEEDS", "check", "read_with_h11"]

HOST = b"HTTP/1.1\r\nHost: a\r\n"
SEEDS = (
    b"GET / " + HOST + b"\r\n",
    b"POST /a?b " + HOST + b"Content-Length: 5\r\n\r\nhello",
    b"POST / " + HOST + b"Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nT: 1\r\n\r\n",
    b"PUT / " + HOST + b"Content-Length: 2\r\nConnection: x, keep-alive\r\n\r\nhi",
    b"PUT / "
    + HOST
    + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\nhiGET / "
    + HOST
    + b"\r\n",
    b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nHEAD / " + HOST + b"\r\n",
    b"POST / " + HOST + b"Upgrade: x\r\nConnection: upgrade\r\nContent-Length: 1\r\n\r\na",
)
"""What is varied: every way to frame a request."""

LIMITS = Limits(max_body_bytes=4096, max_header_bytes=4096)
_RESPONSE = h11.Response(status_code=200, headers=[("Content-Length", "0")])


def read_with_h11(data: bytes) -> list[Request]:
    """Return the whole requests that h11 finds before it finds a fault."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(data)
    found: list[Request] = []
    try:
        while isinstance(event := connection.next_event(), h11.Request):
            body = b""
            while isinstance(part := connection.next_event(), h11.Data):
                body += bytes(part.data)
            if not isinstance(part, h11.EndOfMessage):
                break
            found.append(_request(event, body))
            if connection.their_state is not h11.DONE:
                break
            connection.send(_RESPONSE)
            connection.send(h11.EndOfMessage())
            connection.start_next_cycle()
    except h11.ProtocolError:
        pass
    return found


def _request(event: h11.Request, body: bytes) -> Request:
    headers: dict[str, str] = {}
    for raw_name, raw_value in event.headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return Request(event.method.decode("latin-1"), event.target.decode("latin-1"), headers, body)


def check(data: bytes, size: int, heads: KnownHeads) -> None:
    """
    Fail if ``data`` is read differently in one piece, in pieces, from the table, or by h11.

    Args:
        data: What a client sends.
        size: Of the pieces, in bytes.
        heads: Whatever was learned from earlier data.
    """
    whole, cut = RequestReader(LIMITS), RequestReader(LIMITS)
    requests = whole.feed(data)
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    in_pieces = [request for piece in pieces for request in cut.feed(piece)]
    assert requests == in_pieces, (requests, in_pieces)
    assert (whole.refusal is None) == (cut.refusal is None), (whole.refusal, cut.refusal)
    recalled = heads.recall(data)
    assert recalled is None or (requests == [recalled] and not whole.is_over), (recalled, requests)
    if len(requests) == 1 and not whole.is_over:
        heads.remember(data, requests[0])
    for ours, theirs in zip(requests, read_with_h11(data), strict=False):
        assert _comparable(ours) == _comparable(theirs), (ours, theirs)


def _comparable(request: Request) -> tuple[str, str, dict[str, str], bytes]:
    # h11 says a repeated, equal Content-Length once.
    headers = {name: value.strip(" \t") for name, value in request.headers.items()}
    return request.method, request.target, headers, request.body
