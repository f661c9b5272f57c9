"""
One trial: fire what is due, take what is answered, give up what is late.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Final

from tonnage.domain import NO_ANSWER
from tonnage.http import BrokenOff, CallbackConnection
from tonnage.loadtest._recording import Recording

from .messages import Messages
from .pool import Pool
from .timer import Timer

__all__ = ["Engine"]

_AT_ONCE: Final = 128
"""So many overdue sends go before answers are looked at again."""

HOPELESSLY_LATE_SECONDS: Final = 5.0
"""A generator that far behind measures nothing any more, and would go on for minutes."""

_LOOKS: Final = 50
_LONGEST_LOOK_SECONDS: Final = 0.1


class Engine:
    """
    Sends a schedule's requests and records how each ended.

    Args:
        pool: The connections.
        messages: What to send.
        due_seconds: When, in ``time.monotonic`` moments, ascending.
        start_seconds: The moment that the recorded times count from.
        timeout_seconds: How long an answer may take, from the actual send.
        max_outstanding: How many may wait for answers; beyond it a send is given up at once.
        recording: Where the samples go.
        on_sent: Called once the last request was sent.
        on_end: Called once every request has ended.

    Attributes:
        unanswered: Kind → how many requests ended without an answer that way.
        never_sent: How many it did not even try to send, having fallen too far behind.
        outstanding: How many wait for their answers now.
    """

    def __init__(
        self,
        *,
        pool: Pool,
        messages: Messages,
        due_seconds: Sequence[float],
        start_seconds: float,
        timeout_seconds: float,
        max_outstanding: int,
        recording: Recording,
        on_sent: Callable[[], None],
        on_end: Callable[[], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._pool = pool
        self._messages = messages
        self._due = due_seconds
        self._count = len(due_seconds)
        self._start_seconds = start_seconds
        self._timeout_seconds = timeout_seconds
        self._max_outstanding = max_outstanding
        self._recording = recording
        self._on_sent = on_sent
        self._on_end = on_end
        self._timer = Timer(self._loop, self._fire)
        self._next = 0
        self._sent: dict[int, float] = {}
        self._connections: dict[int, CallbackConnection] = {}
        self._by_age: deque[int] = deque()
        self._look_seconds = min(_LONGEST_LOOK_SECONDS, timeout_seconds / _LOOKS)
        self._look: asyncio.TimerHandle | None = None
        self._has_ended = False
        self.unanswered: Counter[str] = Counter()
        self.never_sent = 0

    @property
    def outstanding(self) -> int:
        """How many requests wait for their answers."""
        return len(self._sent)

    @property
    def is_sending(self) -> bool:
        """Whether requests are still to be sent."""
        return self._next < self._count

    def begin(self) -> None:
        """Set the timer."""
        self._timer.at(self._due[0]) if self._count else self._end_if_over()
        self._look = self._loop.call_later(self._look_seconds, self._look_at_the_oldest)

    def stop_sending(self) -> None:
        """Send no more; what is under way goes on."""
        self._timer.stop()
        self._count = self._next
        self._end_if_over()

    def cut_off(self) -> None:
        """Give up everything that is under way."""
        self.stop_sending()
        for token in list(self._sent):
            self._abandon(token, "cut_off")
        self._end_if_over()

    def answered(self, connection: CallbackConnection, token: int, status: int) -> None:
        """Note an answer."""
        now = time.monotonic()
        sent = self._sent.pop(token, None)
        self._connections.pop(token, None)
        self._pool.put(connection)
        if sent is None:
            return
        start = self._start_seconds
        self._recording.add(self._due[token] - start, sent - start, now - start, status)
        if not self._sent and self._next >= self._count:
            self._end_if_over()

    def broken(self, connection: CallbackConnection, token: int, how: BrokenOff) -> None:
        """Note that the peer gave no answer."""
        self._connections.pop(token, None)
        self._pool.forget(connection)
        self._give_up(token, how)

    def _fire(self) -> None:
        if self._next >= self._count:
            return
        now = time.monotonic()
        if now - self._due[self._next] > HOPELESSLY_LATE_SECONDS:
            self.never_sent = self._count - self._next
            self._on_sent()
            self.stop_sending()
            return
        due, last = self._due, min(self._count, self._next + _AT_ONCE)
        messages = self._messages.all
        take, sent, by_age = self._pool.take, self._sent, self._by_age
        token = self._next
        while token < last and due[token] <= now:
            self._next = token + 1
            connection = take()
            if connection is None:
                self._send_on_a_new_connection(token)
            else:
                sent[token] = time.monotonic()
                by_age.append(token)
                self._connections[token] = connection
                connection.send(messages[token % len(messages)], token)
            token += 1
        # A moment that has passed fires in the next turn, after the answers that are there.
        if self._next < self._count:
            self._timer.at(due[self._next])
        else:
            self._on_sent()
            self._end_if_over()

    def _send_on_a_new_connection(self, token: int) -> None:
        now = self._sent[token] = time.monotonic()
        if len(self._sent) > self._max_outstanding:
            self._give_up(token, "not_sent")
            return
        self._by_age.append(token)

        def opened(connection: CallbackConnection) -> None:
            if token not in self._sent:  # given up meanwhile
                self._pool.put(connection)
                return
            self._connections[token] = connection
            messages = self._messages.all
            connection.send(messages[token % len(messages)], token)

        self._pool.open(
            opened,
            lambda kind: self._give_up(token, kind),
            timeout_seconds=max(0.0, now + self._timeout_seconds - time.monotonic()),
        )

    def _look_at_the_oldest(self) -> None:
        self._look = self._loop.call_later(self._look_seconds, self._look_at_the_oldest)
        sent, by_age = self._sent, self._by_age
        before = time.monotonic() - self._timeout_seconds
        while by_age:
            moment = sent.get(by_age[0])
            if moment is None:
                by_age.popleft()
            elif moment <= before:
                self._abandon(by_age.popleft(), "timed_out")
            else:
                break
        self._end_if_over()

    def _abandon(self, token: int, kind: str) -> None:
        connection = self._connections.pop(token, None)
        if connection is not None:
            self._pool.forget(connection)
            connection.abandon()
        self._give_up(token, kind)

    def _give_up(self, token: int, kind: str) -> None:
        sent = self._sent.pop(token, None)
        if sent is None:
            return
        now, start = time.monotonic(), self._start_seconds
        self._recording.add(self._due[token] - start, sent - start, now - start, NO_ANSWER)
        self.unanswered[kind] += 1
        self._end_if_over()

    def _end_if_over(self) -> None:
        if self._sent or self._next < self._count or self._has_ended:
            return
        self._has_ended = True
        self._timer.close()
        if self._look is not None:
            self._look.cancel()
        self._on_end()
