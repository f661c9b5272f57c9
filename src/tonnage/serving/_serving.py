"""
``tonnage serve``: one instance, as SageMaker starts it.

The parent verifies and loads the artefact, binds the port and forks the workers; they share the
model's memory and the listening socket. A worker that dies is replaced; SIGTERM drains them all.
"""

import errno
import gc
import logging
import mmap
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tonnage.artefact import LoadedModel
from tonnage.domain import ConfigurationError, ModelLoadError, PortInUseError

from ._metrics import Scoreboard
from ._watch import Watch
from ._worker import DRAIN_SECONDS, Lifeline, WorkerOptions, fork_worker
from .codecs import MEDIA_TYPES
from .compat import HandlerOptions, HandlerSource, find_handler, opened

__all__ = ["DEFAULT_PORT", "serve"]

logger = logging.getLogger(__name__)

DEFAULT_PORT: Final = 8080
_BACKLOG: Final = 2048
_RESTART_PAUSE_SECONDS: Final = 0.5
_KILL_AFTER_SECONDS: Final = DRAIN_SECONDS + 3
_READY_POLL_SECONDS: Final = 0.002
_MOST_FAILED_STARTS: Final = 3
"""A place that loses so many workers before one serves makes the instance unhealthy."""
_WATCHED: Final = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGCHLD})


def serve(
    artefact: Path,
    *,
    host: str = "0.0.0.0",
    port: int = DEFAULT_PORT,
    workers: int | None = None,
    options: WorkerOptions | None = None,
    handler: HandlerOptions | None = None,
    on_listening: Callable[[int], None] = lambda _port: None,
) -> None:
    """
    Serve an artefact until SIGTERM or Ctrl-C, then drain.

    Call it from a process of its own, before anything has started threads.

    Args:
        artefact: The artefact's directory, or one with a handler for SageMaker's toolkits, or the
            ``model.tar.gz`` of either.
        host: The address to bind; the container's contract is all of them.
        port: The port to bind; 0 for a free one.
        workers: How many processes; None for one a core.
        options: How each of them serves.
        handler: How a handler is found and run, if there is one; and whether a pickle is opened.
        on_listening: Called with the port when every worker has passed its self-test.

    Raises:
        ArtefactError: If the artefact is missing, changed, or fails its self-test.
        PortInUseError: If the port is taken.
        ConfigurationError: If it cannot be listened on for another reason, or ``options`` ask for
            a format of answers that there is not.
    """
    # From here on a signal waits until the supervisor looks for it: none is lost while the model is
    # loaded, and none comes between a fork and its entry in the books. (As a container's first
    # process it would not even end on a SIGTERM that it has no handler for.)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    try:
        with opened(artefact) as directory:
            handler = handler or HandlerOptions()
            source = find_handler(directory, handler)
            model = source or LoadedModel.load(directory, allow_pickle=handler.allow_pickle)
            options = options or WorkerOptions()
            if source is None:
                _check_default_accept(options.default_accept)
            gc.freeze()  # what is loaded stays shared with the workers: no collector writes to it
            gc.enable()  # the command line starts without one: loading takes less time so
            count = workers or len(os.sched_getaffinity(0))
            with _listen(host, port) as listener:
                _Supervisor(model, listener, count, options, on_listening).run()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _check_default_accept(media_type: str) -> None:
    if media_type not in {"", *MEDIA_TYPES}:
        raise ConfigurationError(
            f"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT is {media_type!r}: answers cannot be written so",
            hint=f"there are {', '.join(MEDIA_TYPES)}",
        )


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise _listen_error(error, host, port) from error
    listener.setblocking(False)
    return listener


def _listen_error(error: OSError, host: str, port: int) -> ConfigurationError:
    if error.errno == errno.EADDRINUSE:
        return PortInUseError(
            f"port {port} is already in use on {host}",
            hint="stop what listens there, or choose another with --port",
        )
    return ConfigurationError(
        f"cannot listen on {host}, port {port}: {error.strerror or error}",
        hint="choose an address of this machine and a port from 1024 to 65535",
    )


class _Supervisor:
    """The parent of the workers: starts, replaces and stops them."""

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
        self._has_announced = False
        self._kill_at_seconds: float | None = None
        self._failure: str | None = None

    def run(self) -> None:
        for slot in range(self._count):
            self._start(slot)
        while self._slots or self._restarts:
            caught = signal.sigtimedwait(_WATCHED, self._seconds_to_wait())
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
