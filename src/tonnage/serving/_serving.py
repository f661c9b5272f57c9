"""
``tonnage serve``: one instance, as SageMaker starts it.

The parent verifies and loads the artefact, binds the port and forks the workers; they share the
model's memory and the listening socket. A worker that dies is replaced; SIGTERM drains them all.
"""

import gc
import logging
import mmap
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Final

from tonnage.artefact import LoadedModel
from tonnage.domain import ModelLoadError, PortInUseError

from ._worker import DRAIN_SECONDS, Lifeline, WorkerOptions, fork_worker

__all__ = ["DEFAULT_PORT", "serve"]

logger = logging.getLogger(__name__)

DEFAULT_PORT: Final = 8080
_BACKLOG: Final = 2048
_RESTART_PAUSE_SECONDS: Final = 0.5
_KILL_AFTER_SECONDS: Final = DRAIN_SECONDS + 3


def serve(
    artefact: Path,
    *,
    host: str = "0.0.0.0",
    port: int = DEFAULT_PORT,
    workers: int | None = None,
    options: WorkerOptions | None = None,
    on_listening: Callable[[int], None] = lambda _port: None,
) -> None:
    """
    Serve an artefact until SIGTERM or Ctrl-C, then drain.

    Call it from a process of its own, before anything has started threads.

    Args:
        artefact: The artefact's directory.
        host: The address to bind; the container's contract is all of them.
        port: The port to bind; 0 for a free one.
        workers: How many processes; None for one a core.
        options: How each of them serves.
        on_listening: Called with the port when every worker has passed its self-test.

    Raises:
        ArtefactError: If the artefact is missing, changed, or fails its self-test.
        PortInUseError: If the port is taken.
    """
    model = LoadedModel.load(artefact)
    gc.freeze()  # what is loaded stays shared with the workers: no collector writes to it
    count = workers or len(os.sched_getaffinity(0))
    with _listen(host, port) as listener:
        _Supervisor(model, listener, count, options or WorkerOptions(), on_listening).run()


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PortInUseError(
            f"port {port} cannot be bound on {host}: {error.strerror}",
            hint="stop what listens there, or choose another with --port",
        ) from error
    listener.listen(_BACKLOG)
    listener.setblocking(False)
    return listener


class _Supervisor:
    """The parent of the workers: starts, replaces and stops them."""

    def __init__(
        self,
        model: LoadedModel,
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
        self._lifeline = Lifeline.make()
        self._stopping = False

    def run(self) -> None:
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signal_number, self._stop)
        signal.signal(signal.SIGALRM, self._kill)
        for slot in range(self._count):
            self._start(slot)
        self._await_ready()
        if not self._stopping:
            self._on_listening(self._listener.getsockname()[1])
        while self._slots:
            self._reap_one()
        os.close(self._lifeline.writer)
        os.close(self._lifeline.reader)

    def _start(self, slot: int) -> None:
        def mark_ready() -> None:
            self._ready[slot] = 1

        def all_ready() -> bool:
            return self._ready[:].count(1) == self._count

        process_id = fork_worker(
            self._model,
            self._listener,
            self._options,
            self._lifeline,
            on_ready=mark_ready,
            is_ready=all_ready,
        )
        self._slots[process_id] = slot

    def _await_ready(self) -> None:
        """Wait for every worker's self-test; one that fails it stops them all."""
        while not self._stopping and self._ready[:].count(1) < self._count:
            process_id, status = os.waitpid(-1, os.WNOHANG)
            if process_id:
                del self._slots[process_id]
                self._stop()
                while self._slots:
                    self._reap_one()
                raise ModelLoadError(
                    f"a worker ended before it was ready ({_how(status)}); its log says why"
                )
            time.sleep(0.002)

    def _reap_one(self) -> None:
        process_id, status = os.wait()
        slot = self._slots.pop(process_id, None)
        if slot is None or self._stopping:
            return
        logger.error("worker %d ended (%s); a new one takes its place", process_id, _how(status))
        self._ready[slot] = 0
        time.sleep(_RESTART_PAUSE_SECONDS)  # a worker that cannot live must not spin
        if not self._stopping:
            self._start(slot)

    def _stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        self._stopping = True
        signal.setitimer(signal.ITIMER_REAL, _KILL_AFTER_SECONDS)
        for process_id in self._slots:
            os.kill(process_id, signal.SIGTERM)

    def _kill(self, _signal: int, _frame: FrameType | None) -> None:
        for process_id in self._slots:
            logger.error("worker %d did not drain in time and is killed", process_id)
            os.kill(process_id, signal.SIGKILL)


def _how(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
