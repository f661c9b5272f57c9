"""
What the page loads: its script, its style, its icon, and the library that draws charts.
"""

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final

from tonnage.domain import error_body
from tonnage.http import Request, Response

__all__ = ["HEADERS", "ChartLibrary", "StaticFile", "fresh_or_unchanged"]

logger = logging.getLogger(__name__)

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = (
    ("Content-Security-Policy", _POLICY),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
)
"""What a browser is told with everything: it may load nothing from elsewhere, nor run it."""

_SCRIPT: Final = "text/javascript; charset=utf-8"


def fresh_or_unchanged(
    request: Request, body: bytes, content_type: str, *more: tuple[str, str], tag: str = ""
) -> Response:
    """Return a body, or 304 if the client has this very one."""
    tag = tag or entity_tag(body)
    headers = (*HEADERS, ("Cache-Control", "no-cache"), ("ETag", tag), *more)
    held = {one.strip().removeprefix("W/") for one in _if_none_match(request)}
    if tag in held or "*" in held:
        return Response(status=304, content_type=None, headers=headers)
    return Response(status=200, body=body, content_type=content_type, headers=headers)


def entity_tag(body: bytes) -> str:
    """Return a strong validator."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


class StaticFile:
    """
    One of the page's own files.

    Args:
        name: Its name in ``assets``.
        content_type: What it is.
    """

    def __init__(self, name: str, content_type: str) -> None:
        self._body = resources.files(__package__).joinpath("assets", name).read_bytes()
        self._tag = entity_tag(self._body)
        self._content_type = content_type

    def __call__(self, request: Request) -> Response:
        """Answer a request for it."""
        return fresh_or_unchanged(request, self._body, self._content_type, tag=self._tag)


@dataclass(slots=True, eq=False)
class ChartLibrary:
    """
    The script that draws charts, printed by a command when it is first asked for.

    Attributes:
        command: The command; empty without one.
    """

    command: Sequence[str]
    _made: tuple[bytes, str] | None = None
    _under_way: asyncio.Task[None] | None = None

    async def answer(self, request: Request) -> Response:
        """Answer a request for the script."""
        if not self.command:
            body = error_body("not_found", "this endpoint was started without charts")
            return Response(status=404, body=body, headers=HEADERS)
        if self._made is None:
            if self._under_way is None or self._under_way.done():
                self._under_way = asyncio.create_task(self._make())
            await asyncio.shield(self._under_way)
        if self._made is None:
            body = error_body("internal", "the library that draws charts could not be had")
            return Response(status=500, body=body, headers=HEADERS)
        return fresh_or_unchanged(request, self._made[0], _SCRIPT, tag=self._made[1])

    async def _make(self) -> None:
        process = await asyncio.create_subprocess_exec(
            *self.command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
        )
        try:
            printed, _ = await process.communicate()
        except BaseException:
            process.kill()
            raise
        if process.returncode == 0 and printed:
            self._made = printed, entity_tag(printed)
        else:
            logger.error("%s ended with %s", " ".join(self.command), process.returncode)

    async def close(self) -> None:
        """Give up what is under way."""
        if self._under_way is not None:
            self._under_way.cancel()
            await asyncio.gather(self._under_way, return_exceptions=True)


def _if_none_match(request: Request) -> list[str]:
    return request.headers.get("if-none-match", "").split(",")
