"""
Heads that were read before: a client that stays sends the same one again and again.

Parsing a head costs ten times what a look into a table does. The table is filled with what
httptools read and ``_reader`` approved, and a request is looked up only if it came whole and alone,
so it cannot be read in another way than it was the first time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from .messages import Request

__all__ = ["KnownHeads"]

_END: Final = b"\r\n\r\n"
_END_BYTES: Final = len(_END)
_MOST_HEADS: Final = 256
_MOST_BYTES: Final = 2048
_NOT_AGAIN: Final = frozenset({"connection", "expect", "transfer-encoding", "upgrade"})
"""Headers that ask for more than an answer: requests with them go through the parser every time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Head:
    raw: bytes
    method: str
    target: str
    headers: Mapping[str, str]
    body_bytes: int


class KnownHeads:
    """The table of one server: bounded, and emptied when it is full."""

    __slots__ = ("_heads",)

    def __init__(self) -> None:
        self._heads: dict[bytes, _Head] = {}

    def recall(self, data: bytes) -> Request | None:
        """Return the one request that ``data`` is, None unless its head is known."""
        end = data.find(_END) + _END_BYTES
        head = self._heads.get(data[:end])
        if head is None or len(data) - end != head.body_bytes:
            return None
        return Request(head.method, head.target, head.headers, data[end:], head.raw)

    def remember(self, data: bytes, request: Request) -> None:
        """
        Keep the head of a request that was approved and keeps its connection.

        Args:
            data: What came in one piece while nothing was under way.
            request: The one request that was read from it.
        """
        raw, separator, body = data.partition(_END)
        headers = request.headers
        if (
            len(raw) > _MOST_BYTES
            or body != request.body
            or len(body) != int(headers.get("content-length", "0"))
            or not _NOT_AGAIN.isdisjoint(headers)
        ):
            return
        if len(self._heads) >= _MOST_HEADS:
            self._heads.clear()
        raw += separator
        self._heads[raw] = _Head(
            raw=raw,
            method=request.method,
            target=request.target,
            headers=MappingProxyType(dict(headers)),
            body_bytes=len(body),
        )
