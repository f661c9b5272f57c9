"""
Requests wait, are predicted in batches, and are answered: on the loop while that is quick, else in
one thread.

One scikit-learn or ONNX call costs much the same for one row as for fifty, so what arrives in one
turn of the loop is predicted in one call. A call that would hold the loop up is made in a thread
instead: the compiled libraries let go of the interpreter's lock, and ``/ping`` and refusals are
answered meanwhile. There is one thread, because more of them would only share the worker's core.

What cannot be predicted in time is refused when it comes, not when its time is over.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import Final, Generic, Protocol, TypeVar

from ._costs import CallCosts
from ._metrics import Tally

__all__ = ["BatchLimits", "Batcher", "Waiting"]

logger = logging.getLogger(__name__)

LOOP_SECONDS: Final = 0.005
"""A call that costs more is not made on the loop."""
_LEAST_ROWS: Final = 2
"""Without a second row beside the first nobody would ever learn what a second row costs."""

AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchLimits:
    """
    How long requests wait, and how many at once.

    Attributes:
        max_batch_rows: Rows of one call; a request of more is a call of its own.
        batch_seconds: What further rows may add to the cost of a call.
        max_queue_rows: Rows that wait; a request of more is taken when nothing else waits.
        queue_seconds: What the waiting rows may cost; beyond it a request is refused.
        deadline_seconds: A request that was not answered by then is answered 503.
    """

    max_batch_rows: int = 1024
    batch_seconds: float = 0.02
    max_queue_rows: int = 8192
    queue_seconds: float = 0.15
    deadline_seconds: float = 60.0


class Waiting(Protocol):
    """
    A request that waits.

    Attributes:
        arrived_seconds: When it came, on ``time.perf_counter``.
        count: How many rows it has.
        is_answered: Whether it was answered, in time or not.
    """

    arrived_seconds: float
    count: int
    is_answered: bool


WaitingT = TypeVar("WaitingT", bound=Waiting)


class Batcher(Generic[WaitingT, AnswerT]):
    """
    The queue, and who takes from it.

    Args:
        predict: Returns the answer of each request of a batch; raises nothing. May be called from
            the thread.
        answer: Called on the loop with each batch and its answers.
        expire: Called on the loop with each request whose deadline has passed.
        limits: How long and how many.
        tally: Where batches and the queue are counted.
        thread: Where slow calls are made: one thread.
        costs: What is known of the model's cost; None for nothing yet.
    """

    def __init__(
        self,
        *,
        predict: Callable[[list[WaitingT]], Sequence[AnswerT]],
        answer: Callable[[list[WaitingT], Sequence[AnswerT]], None],
        expire: Callable[[WaitingT], None],
        limits: BatchLimits,
        tally: Tally,
        thread: ThreadPoolExecutor,
        costs: CallCosts | None = None,
    ) -> None:
        self._predict = predict
        self._answer = answer
        self._expire = expire
        self._limits = limits
        self._tally = tally
        self._costs = costs or CallCosts()
        self._queue: deque[WaitingT] = deque()
        self._rows = 0
        self._is_due = False
        self._in_thread: list[WaitingT] | None = None
        self._thread_since_seconds = 0.0
        self._was_overdue = False
        self._is_alarm_set = False
        self._thread = thread
        self._set_limits()

    def is_full(self) -> bool:
        """Whether a request that comes now must be refused."""
        return self._rows >= self._queue_rows or self._was_overdue

    @property
    def is_stuck(self) -> bool:
        """Whether a call of the model has run for as long as any request may wait."""
        running_seconds = perf_counter() - self._thread_since_seconds
        return self._in_thread is not None and running_seconds >= self._limits.deadline_seconds

    def give_up(self) -> None:
        """Expire whatever waits: nobody will predict any more."""
        for waiting in self._in_thread or ():
            if not waiting.is_answered:
                self._expire(waiting)
        while self._queue:
            self._drop(self._queue.popleft())

    def add(self, waiting: WaitingT) -> None:
        """Put a request in the queue; the turn of the loop in which the first came ends with it."""
        self._queue.append(waiting)
        self._rows += waiting.count
        if not self._is_due and self._in_thread is None:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._end_turn)

    def _end_turn(self) -> None:
        self._is_due = False
        batch, rows = self._take()
        if not batch:
            return
        costs = self._costs
        if costs.recent_seconds < LOOP_SECONDS and costs.expected_seconds(rows) < LOOP_SECONDS:
            started = perf_counter()
            answers = self._predict(batch)
            self._learn(rows, perf_counter() - started, is_in_thread=False)
            self._answer(batch, answers)
            if self._queue and not self._is_due:
                self._is_due = True
                asyncio.get_running_loop().call_soon(self._end_turn)
        else:
            self._start_in_thread(batch, rows)

    def _take(self) -> tuple[list[WaitingT], int]:
        """Return the next batch, in the order of arrival, and its rows."""
        queue, limit = self._queue, self._batch_rows
        now = perf_counter()
        while queue and now - queue[0].arrived_seconds >= self._limits.deadline_seconds:
            self._drop(queue.popleft())
        if self._rows <= limit:
            batch, rows = list(queue), self._rows
            queue.clear()
            self._rows = 0
            self._was_overdue = False
            return batch, rows
        batch = [queue.popleft()]
        rows = batch[0].count
        while queue and rows + queue[0].count <= limit:
            batch.append(queue.popleft())
            rows += batch[-1].count
        self._rows -= rows
        # The estimate of costs may be too low for a while; how long they do wait is no estimate.
        oldest = queue[0].arrived_seconds if queue else now
        self._was_overdue = now - oldest > self._limits.queue_seconds
        return batch, rows

    def _start_in_thread(self, batch: list[WaitingT], rows: int) -> None:
        self._in_thread = batch
        self._thread_since_seconds = perf_counter()
        loop = asyncio.get_running_loop()
        self._set_alarm(batch[0].arrived_seconds)

        def finish(job: "asyncio.Future[tuple[Sequence[AnswerT], float]]") -> None:
            answers, seconds = job.result()
            self._learn(rows, seconds, is_in_thread=True)
            self._in_thread = None
            in_time = [
                (waiting, answer)
                for waiting, answer in zip(batch, answers, strict=True)
                if not waiting.is_answered
            ]
            self._answer([waiting for waiting, _ in in_time], [answer for _, answer in in_time])
            if self._queue and not self._is_due:
                self._end_turn()

        loop.run_in_executor(self._thread, self._timed, batch).add_done_callback(finish)

    def _timed(self, batch: list[WaitingT]) -> tuple[Sequence[AnswerT], float]:
        started = perf_counter()
        answers = self._predict(batch)
        return answers, perf_counter() - started

    def _set_alarm(self, oldest_seconds: float) -> None:
        """While the thread is at work nobody else looks at the deadlines; one timer is enough."""
        if self._is_alarm_set:
            return
        self._is_alarm_set = True
        wait = oldest_seconds + self._limits.deadline_seconds - perf_counter()
        asyncio.get_running_loop().call_later(max(0.0, wait) + 0.001, self._look_at_deadlines)

    def _look_at_deadlines(self) -> None:
        self._is_alarm_set = False
        if self._in_thread is None:
            return
        overdue = perf_counter() - self._limits.deadline_seconds
        for waiting in self._in_thread:
            if not waiting.is_answered and waiting.arrived_seconds <= overdue:
                self._expire(waiting)
        while self._queue and self._queue[0].arrived_seconds <= overdue:
            self._drop(self._queue.popleft())
        pending = [waiting for waiting in self._in_thread if not waiting.is_answered]
        pending.extend(list(self._queue)[:1])
        self._set_alarm(min((w.arrived_seconds for w in pending), default=perf_counter()))

    def _drop(self, waiting: WaitingT) -> None:
        self._rows -= waiting.count
        self._expire(waiting)

    def _learn(self, rows: int, seconds: float, *, is_in_thread: bool) -> None:
        self._costs.observe(rows, seconds)
        self._set_limits()
        self._tally.batch(rows, seconds, self._rows, is_in_thread=is_in_thread)

    def _set_limits(self) -> None:
        costs, limits = self._costs, self._limits
        self._batch_rows = max(
            _LEAST_ROWS, costs.rows_within(limits.batch_seconds, limits.max_batch_rows)
        )
        self._queue_rows = max(
            _LEAST_ROWS, costs.rows_within(limits.queue_seconds, limits.max_queue_rows)
        )
