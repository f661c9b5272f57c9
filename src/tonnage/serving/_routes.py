"""
The three paths of the container's contract, and why a request is none of theirs.
"""

from dataclasses import dataclass
from typing import Final

from tonnage.http import Refusal, Request

__all__ = ["INVOCATIONS", "PING", "Misfit", "misfit", "refused_as", "unframed"]

INVOCATIONS: Final = "/invocations"
PING: Final = "/ping"
_METHODS: Final = {
    INVOCATIONS: ("POST",),
    PING: ("GET", "HEAD"),
    "/metrics": ("GET", "HEAD"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Misfit:
    """
    Why a request is turned away before it is read.

    Attributes:
        status: 404, 405, 411, or what the server refuses it with.
        code: The same for programs.
        message: The same for people.
        headers: What goes with the answer.
    """

    status: int
    code: str
    message: str
    headers: tuple[tuple[str, str], ...] = ()


def misfit(path: str, method: str) -> Misfit | None:
    """Return why there is nothing at ``path`` for ``method``; None if there is."""
    methods = _METHODS.get(path)
    if methods is None:
        message = f"there is no {path} here; there are {', '.join(_METHODS)}"
        return Misfit(status=404, code="not_found", message=message)
    if method not in methods:
        return Misfit(
            status=405,
            code="method_not_allowed",
            message=f"{method} is not allowed here; {methods[0]} is",
            headers=(("Allow", methods[0]),),
        )
    return None


def refused_as(refused: Refusal) -> Misfit:
    """Return what the server would not take; a method that HTTP does not know is one too many."""
    request = refused.request
    fault = misfit(request.path, request.method) if refused.is_method_unknown else None
    return fault or Misfit(status=refused.status, code=refused.code, message=refused.message)


def unframed(request: Request) -> Misfit | None:
    """
    Return why an invocation that says nothing of a body is refused; None if it says something.

    By HTTP's rules it has no body, and whatever follows it is the next request.
    """
    headers = request.headers
    if request.body or "content-length" in headers or "transfer-encoding" in headers:
        return None
    return Misfit(
        status=411,
        code="length_required",
        message="the request has neither Content-Length nor Transfer-Encoding, and so no body;"
        " send the row with its Content-Length",
    )
