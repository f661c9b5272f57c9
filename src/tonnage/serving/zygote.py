"""
A warm parent that forks instances on command: ``python -m tonnage.serving.zygote``.

It loads an artefact once and then stays single-threaded, so that a new instance is a fork and a
self-test away: milliseconds, not the seconds of an interpreter and its imports. It is a process of
its own, because whoever commands it (the emulator) runs an event loop and threads.

Commands come as JSON lines on standard input, events go as JSON lines to standard output::

    → {"spawn": "i-0001"}
    ← {"event": "ready", "instance": "i-0001", "port": 40123, "process_id": 4711}
    ← {"event": "ended", "instance": "i-0001", "exit_code": 0}

When standard input closes, its instances drain and it ends.
"""

import contextlib
import gc
import json
import logging
import os
import selectors
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from tonnage.artefact import LoadedModel
from tonnage.domain import TonnageError

from ._worker import Lifeline, WorkerOptions, fork_worker

__all__ = ["ZygoteOptions", "main"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class ZygoteOptions:
    """
    What the zygote is started with, as JSON in its one argument.

    Attributes:
        artefact: The artefact's directory.
        worker: How each instance serves.
        allow_pickle: Whether an artefact's joblib file may be opened.
    """

    artefact: Path
    worker: WorkerOptions
    allow_pickle: bool = False

    def to_json(self) -> str:
        """Return the argument."""
        return TypeAdapter(ZygoteOptions).dump_json(self).decode()


def main() -> int:
    """Run until standard input closes; return the exit code."""
    logging.basicConfig(stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    options = TypeAdapter(ZygoteOptions).validate_json(sys.argv[1])
    try:
        model = LoadedModel.load(options.artefact, allow_pickle=options.allow_pickle)
    except TonnageError as error:
        _emit(event="failed", message=error.message, hint=error.hint)
        return 1
    gc.freeze()  # what is loaded stays shared with the instances: no collector writes to it
    _Zygote(model, options.worker).run()
    return 0


class _Zygote:
    def __init__(self, model: LoadedModel, options: WorkerOptions) -> None:
        self._model = model
        self._options = options
        self._lifeline = Lifeline.make()
        self._instances: dict[int, str] = {}

    def run(self) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the commander decides what Ctrl-C means
        child_ended, wakeup = socket.socketpair()
        wakeup.setblocking(False)
        child_ended.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wakeup.fileno(), warn_on_full_buffer=False)
        with selectors.DefaultSelector() as selector:
            commands = selector.register(sys.stdin.fileno(), selectors.EVENT_READ)
            selector.register(child_ended, selectors.EVENT_READ)
            _emit(event="loaded", process_id=os.getpid())
            lines = _Lines()
            while not lines.ended:
                for key, _ in selector.select():
                    if key == commands:
                        for line in lines.read(sys.stdin.fileno()):
                            self._spawn(json.loads(line)["spawn"])
                    else:
                        child_ended.recv(4096)
                        self._reap(os.WNOHANG)
        os.close(self._lifeline.writer)
        while self._instances:
            self._reap(0)

    def _spawn(self, instance: str) -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
            listener.setblocking(False)
            port = listener.getsockname()[1]
            process_id = fork_worker(
                self._model,
                listener,
                self._options,
                self._lifeline,
                on_ready=lambda: _emit(
                    event="ready", instance=instance, port=port, process_id=os.getpid()
                ),
            )
        self._instances[process_id] = instance

    def _reap(self, flags: int) -> None:
        while self._instances:
            process_id, status = os.waitpid(-1, flags)
            if process_id == 0:
                return
            instance = self._instances.pop(process_id)
            _emit(event="ended", instance=instance, exit_code=os.waitstatus_to_exitcode(status))


class _Lines:
    """Whole lines from a descriptor that is read as it fills."""

    def __init__(self) -> None:
        self._partial = b""
        self.ended = False

    def read(self, descriptor: int) -> Iterator[bytes]:
        chunk = os.read(descriptor, 65536)
        self.ended = not chunk
        *lines, self._partial = (self._partial + chunk).split(b"\n")
        yield from lines


def _emit(**event: object) -> None:
    # One write below PIPE_BUF: lines of several processes do not mix. The commander may be gone.
    with contextlib.suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), json.dumps(event).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main())
