"""
The child process that runs Locust: start it, hear it, stop it.
"""

import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Final

from ._command import locust_command, master_command
from ._orders import ORDERS_VARIABLE, STOP_TIMEOUT_SECONDS, Orders
from ._workers import LOCUST_PORT, workers_of
from .plan import LoadPlan

__all__ = ["Ending", "run_child"]

_GRACE_SECONDS: Final = STOP_TIMEOUT_SECONDS + 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """
    How the child ended.

    Attributes:
        exit_code: Its exit code; negative is the signal that killed it.
        interrupted_by: The signal on which it was stopped, None when it came to its own end.
        words: The last lines of its standard error.
    """

    exit_code: int
    interrupted_by: str | None
    words: tuple[str, ...]


def run_child(plan: LoadPlan, directory: Path, hear: Callable[[Mapping[str, Any]], None]) -> Ending:
    """
    Run a plan in a child and hand each of its reports to ``hear``; return when it has ended.

    In the main thread SIGINT and SIGTERM stop the child, which keeps what it has; a second one
    kills it. The handlers that were there are back when this returns.
    """
    stderr_file = directory / "stderr.txt"
    stopping = _Stopping()
    reports, report_to = os.pipe()
    command, workers = _commands(plan, directory)
    with stopping.by_signals(), workers, open(reports, encoding="utf-8") as lines:  # noqa: PTH123 (a descriptor)
        try:
            stopping.watch(_start(plan, command, directory, report_to, stderr_file))
        finally:
            os.close(report_to)
        try:
            for line in lines:
                hear(json.loads(line))
        except BaseException:
            stopping.stop()
            raise
        finally:
            exit_code = stopping.wait()
    words = stderr_file.read_text(errors="replace").split("\n")
    return Ending(
        exit_code=exit_code,
        interrupted_by=stopping.signal_name,
        words=tuple(line.strip() for line in words if line.strip())[-5:],
    )


def _commands(plan: LoadPlan, directory: Path) -> tuple[list[str], AbstractContextManager[None]]:
    """Return the command of the child that reports, and the workers that run beside it."""
    if not plan.is_distributed:
        return locust_command(plan), nullcontext()
    # Locust's wire knows no password: only where hosts are to join does it leave loopback.
    bind = "*" if plan.hosts else "127.0.0.1"
    port = plan.master_port or (LOCUST_PORT if plan.hosts else _free_port())
    workers = workers_of(plan, directory, host="127.0.0.1", port=port)
    return master_command(plan, bind=bind, port=port), workers


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _start(
    plan: LoadPlan, command: list[str], directory: Path, report_to: int, stderr_file: Path
) -> subprocess.Popen[bytes]:
    orders_file = directory / "orders.json"
    Orders.of(plan, report_to=report_to, samples_in=directory).write(orders_file)
    with stderr_file.open("wb") as stderr:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stderr,
            stderr=stderr,
            pass_fds=[report_to],
            env={**os.environ, ORDERS_VARIABLE: str(orders_file)},
            process_group=0,  # Ctrl-C on the terminal reaches the parent alone, which decides
        )


class _Stopping:
    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self.signal_name: str | None = None

    def watch(self, child: subprocess.Popen[bytes]) -> None:
        """Take the child that signals stop; one that came before it was there counts, too."""
        self._child = child
        if self.signal_name is not None:
            child.terminate()

    @contextmanager
    def by_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        kinds = (signal.SIGINT, signal.SIGTERM)
        before = {kind: signal.signal(kind, self._on_signal) for kind in kinds}
        try:
            yield
        finally:
            for kind, handler in before.items():
                signal.signal(kind, handler)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        is_first = self.signal_name is None
        self.signal_name = self.signal_name or signal.Signals(number).name
        if self._child is not None:
            self.stop() if is_first else self._child.kill()

    def stop(self) -> None:
        """Ask the child to end, and kill it when it does not hear."""
        assert self._child is not None
        self._child.terminate()
        killer = threading.Timer(_GRACE_SECONDS, self._child.kill)  # harmless once it has ended
        killer.daemon = True
        killer.start()

    def wait(self) -> int:
        """Return the exit code of the child, which has closed its pipe or been asked to end."""
        assert self._child is not None
        try:
            return self._child.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            return self._child.wait()
