"""
Requests and responses, as the caller sees them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["ClientResponse", "Refusal", "Request", "Response"]


@dataclass(slots=True)
class Request:
    """
    One whole request, as it came.

    Read it, do not change it: it is not frozen, and not keyword-only, because one is made for every
    request and either would double what that costs (0.2 µs).

    Attributes:
        method: As sent: ``GET``, ``POST``.
        target: The raw request target: ``/evaluate?x=1``.
        headers: Lower-case name → value; repeated headers are joined with ``", "``.
        body: All of it, without transfer coding.
        head: The bytes of target and headers if the server has seen them before, else empty: what
            was worked out for one request holds for every other with the same head.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    head: bytes = field(default=b"", compare=False, repr=False)

    @property
    def path(self) -> str:
        """The target without query, still percent-encoded: decoding is left to the caller."""
        path = self.target.partition("?")[0]
        if path.startswith("/"):
            return path
        _, is_absolute, after_scheme = path.partition("://")
        return "/" + after_scheme.partition("/")[2] if is_absolute else path

    @property
    def query(self) -> str:
        """What follows the first ``?`` of the target, still percent-encoded."""
        return self.target.partition("?")[2]


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """
    Why the server does not hand a request to its handler: it is broken, too large or too slow.

    Attributes:
        status: 400, 408, 413, 431, or 503 for a connection too many.
        code: What kind of fault it is, for programs.
        message: What is wrong and what is allowed, for people.
        request: What was read of it before; empty where nothing was.
        is_method_unknown: Whether all that is wrong is a method that HTTP does not know; method and
            target are in ``request``.
    """

    status: int
    code: str
    message: str
    request: Request
    is_method_unknown: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """
    What to answer. One object may answer many requests.

    Attributes:
        status: 200 to 999.
        body: All of it; ``Content-Length`` is derived from it.
        content_type: None writes no ``Content-Type``.
        headers: More headers, as ``(name, value)``; what frames the message (``Content-Length``,
            ``Transfer-Encoding``, ``Connection``) is the server's to write and refused here.
    """

    status: int
    body: bytes = b""
    content_type: str | None = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientResponse:
    """
    What a server answered.

    Attributes:
        status: The status of the final answer; interim ones (1xx) are skipped.
        headers: Lower-case name → value; repeated headers are joined with ``", "``.
        body: All of it, without transfer coding.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
