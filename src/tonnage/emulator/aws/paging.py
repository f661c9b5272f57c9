"""
Pages of a list, and the token that leads to the next.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from .operations import AwsError

__all__ = ["offset_of", "page", "token_of"]

Item = TypeVar("Item")


def page(
    items: Sequence[Item], token: str | None, size: int, *, code: str
) -> tuple[list[Item], str | None]:
    """
    Return the page that a token leads to, the first without one, and the next page's token.

    Args:
        items: All of them, in an order that does not change.
        token: What the last page gave.
        size: The most on a page.
        code: The error that a bad token is.

    Raises:
        AwsError: If the token is none of ours.
    """
    start = offset_of(token, code=code)
    end = start + size
    return list(items[start:end]), token_of(end) if end < len(items) else None


def token_of(offset: int) -> str:
    """Return the token for what begins at an offset."""
    return base64.urlsafe_b64encode(f"offset={offset}".encode()).decode()


def offset_of(token: str | None, *, code: str) -> int:
    """
    Return the offset that a token stands for, 0 without one.

    Raises:
        AwsError: If the token is none of ours.
    """
    if token is None:
        return 0
    try:
        name, _, offset = (
            base64.b64decode(token, altchars=b"-_", validate=True).decode().partition("=")
        )
        if name == "offset" and offset.isdecimal():
            return int(offset)
    except (binascii.Error, ValueError):
        pass
    raise AwsError(code, "The provided token is not valid.")
