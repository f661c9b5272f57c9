"""
The parent's loop: it starts the workers, replaces those that end or stand still, and stops them.
"""

import logging
import mmap
import os
import signal
import socket
import time
from collections.abc import Callable
from typing import Final

from tonnage.artefact import LoadedModel
from tonnage.domain import ModelLoadError

from ._metrics import Scoreboard
from ._watch import Watch
from ._worker import DRAIN_SECONDS, Lifeline, WorkerOptions, fork_worker
from .compat import HandlerSource

__all__ = ["WATCHED", "Supervisor"]

logger = logging.getLogger(__name__)

_RESTART_PAUSE_SECONDS: Final = 0.5
_KILL_AFTER_SECONDS: Final = DRAIN_SECONDS + 3
_READY_POLL_SECONDS: Final = 0.002
_MOST_FAILED_STARTS: Final = 3
"""A place that loses so many workers before one serves makes the instance unhealthy."""
WATCHED: Final = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGCHLD})


class Supervisor:
    """
    The parent of the workers: starts, replaces and stops them.

    Args:
        model: What the workers serve.
        listener: The socket they share.
        count: How many there are to be.
        options: How each of them serves.
        on_listening: Called with the port when every worker has passed its self-test.
    """

    def __init__(
        self,
        model: LoadedModel | HandlerSource,
        listener: socket.socket,
        count: int,
        options: WorkerOptions,
        on_listening: Callable[[int], None],
    ) -> None:
        self._model = model
        self._listener = listener
        self._options = options
        self._on_listening = on_listening
        self._slots: dict[int, int] = {}
        self._count = count
        self._ready = mmap.mmap(-1, count)  # one shared byte a worker
        self._scoreboard = Scoreboard(count)
        self._lifeline = Lifeline.make()
        self._watch = Watch(self._scoreboard, options.batching.deadline_seconds)
        self._restarts: list[tuple[float, int]] = []
        self._beats_at_start = [0] * count
        self._failed_starts = [0] * count
        self._began_seconds = time.monotonic()
        self._has_announced = False
        self._kill_at_seconds: float | None = None
        self._failure: str | None = None

    def run(self) -> None:
        """
        Run until a SIGTERM or Ctrl-C has been obeyed, with ``WATCHED`` held back.

        Raises:
            ModelLoadError: If one of the first workers ends before it is ready.
        """
        for slot in range(self._count):
            self._start(slot)
        while self._slots or self._restarts:
            caught = signal.sigtimedwait(WATCHED, self._seconds_to_wait())
            if caught is not None and caught.si_signo != signal.SIGCHLD:
                self._stop()
            self._reap()
            self._announce()
            self._do_what_is_due()
        os.close(self._lifeline.writer)
        os.close(self._lifeline.reader)
        if self._failure is not None:
            raise ModelLoadError(
                f"a worker ended before it was ready ({self._failure}); its log says why"
            )

    @property
    def _is_stopping(self) -> bool:
        return self._kill_at_seconds is not None

    def _start(self, slot: int) -> None:
        def mark_ready() -> None:
            self._ready[slot] = 1

        self._beats_at_start[slot] = self._scoreboard.tally(slot).beats
        self._watch.begin(slot)
        process_id = fork_worker(
            self._model,
            self._listener,
            self._options,
            self._lifeline,
            on_ready=mark_ready,
            is_ready=self._all_ready,
            scoreboard=self._scoreboard,
            slot=slot,
        )
        self._slots[process_id] = slot

    def _all_ready(self) -> bool:
        return self._ready[:].count(1) == self._count

    def _announce(self) -> None:
        if not self._has_announced and not self._is_stopping and self._all_ready():
            self._has_announced = True
            self._watch.bound_starts(time.monotonic() - self._began_seconds)
            self._on_listening(self._listener.getsockname()[1])

    def _seconds_to_wait(self) -> float:
        """Return how long nothing is to be done unless a signal comes."""
        if not self._has_announced and not self._is_stopping:
            return _READY_POLL_SECONDS
        due = [at for at, _ in self._restarts]
        if self._kill_at_seconds is not None:
            due.append(self._kill_at_seconds)
        seconds = min(due) - time.monotonic() if due else self._watch.look_seconds
        return min(max(0.0, seconds), self._watch.look_seconds)

    def _reap(self) -> None:
        """Take leave of the workers that have ended."""
        while self._slots:
            process_id, status = os.waitpid(-1, os.WNOHANG)
            if process_id == 0:
                return
            self._ended(process_id, self._slots.pop(process_id), _how(status))

    def _ended(self, process_id: int, slot: int, how: str) -> None:
        tally = self._scoreboard.tally(slot)
        has_served = tally.beats > self._beats_at_start[slot]
        tally.set_ready(is_ready=False)
        self._scoreboard.places.place(slot).vacate()
        if self._is_stopping:
            return
        if not self._has_announced:  # one that fails its self-test stops them all
            self._failure = how
            self._stop()
            return
        logger.error("worker %d ended (%s); a new one takes its place", process_id, how)
        # Its place stays marked as ready: the others serve, and a /ping that failed for its sake
        # would have SageMaker replace the whole instance. If its successors cannot even start, it
        # should. A worker that cannot live must not spin.
        self._failed_starts[slot] = 0 if has_served else self._failed_starts[slot] + 1
        if self._failed_starts[slot] >= _MOST_FAILED_STARTS:
            self._ready[slot] = 0
        self._restarts.append((time.monotonic() + _RESTART_PAUSE_SECONDS, slot))

    def _do_what_is_due(self) -> None:
        now = time.monotonic()
        due = [slot for at, slot in self._restarts if at <= now]
        self._restarts = [(at, slot) for at, slot in self._restarts if at > now]
        for slot in due:
            self._start(slot)
        if not self._is_stopping:
            self._kill_those_that_stand_still(now)
        if self._kill_at_seconds is not None and self._kill_at_seconds <= now:
            self._kill()

    def _kill_those_that_stand_still(self, now: float) -> None:
        places = {slot: process_id for process_id, slot in self._slots.items()}
        for slot in self._watch.look(places, now):
            logger.error("worker %d stands still and is killed", places[slot])
            if not self._scoreboard.tally(slot).is_ready:  # for so long, it has failed often enough
                self._failed_starts[slot] = _MOST_FAILED_STARTS
            os.kill(places[slot], signal.SIGKILL)

    def _stop(self) -> None:
        if self._is_stopping:
            return
        self._kill_at_seconds = time.monotonic() + _KILL_AFTER_SECONDS
        self._restarts.clear()
        # Else the kernel would go on taking connections that nobody is there to answer.
        self._listener.close()
        for process_id in self._slots:
            os.kill(process_id, signal.SIGTERM)

    def _kill(self) -> None:
        self._kill_at_seconds = time.monotonic() + _KILL_AFTER_SECONDS
        for process_id in self._slots:
            logger.error("worker %d did not drain in time and is killed", process_id)
            os.kill(process_id, signal.SIGKILL)


def _how(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
