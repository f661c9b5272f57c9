"""
Answers that are ready and wait for their time: what a cap on an instance holds back.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, Generic, TypeVar

__all__ = ["Outbox"]

ItemT = TypeVar("ItemT")

_TIMER_SLACK_SECONDS: Final = 0.0005
"""
uvloop rounds timers to the nearest millisecond; with half of one more they are never early.

An early one would have to be set again and again until its time has come, at a core's full speed.
"""


class Outbox(Generic[ItemT]):
    """
    Sends each item at its time, in the order they came; one timer serves them all.

    Args:
        send: Called on the loop with each item when its time has come.
    """

    def __init__(self, send: Callable[[ItemT], None]) -> None:
        self._send = send
        self._items: deque[tuple[float, ItemT]] = deque()

    def extend(self, items: Iterable[tuple[float, ItemT]]) -> None:
        """Add items with their times, on the loop's clock, none before the last one's."""
        is_timer_set = bool(self._items)
        self._items.extend(items)
        if self._items and not is_timer_set:
            self._wake_at(self._items[0][0])

    def _send_due(self) -> None:
        now = asyncio.get_running_loop().time()
        while self._items and self._items[0][0] <= now:
            self._send(self._items.popleft()[1])
        if self._items:
            self._wake_at(self._items[0][0])

    def _wake_at(self, seconds: float) -> None:
        asyncio.get_running_loop().call_at(seconds + _TIMER_SLACK_SECONDS, self._send_due)
