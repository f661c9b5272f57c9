"""
The open-loop generator's processes, as their parent sees them.
"""

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import IO, Any, Final

from tonnage.domain import ConfigurationError, TonnageError

from .open_loop.orders import Setup, TrialOrders

__all__ = ["Generators"]

_PATIENCE_SECONDS: Final = 60.0
_FAREWELL_SECONDS: Final = 3.0
_Report = Mapping[str, Any]


class _Process:
    def __init__(self, setup: Setup, stderr: IO[bytes]) -> None:
        self.child = subprocess.Popen(
            [sys.executable, "-P", "-m", "tonnage.loadtest.open_loop"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            process_group=0,  # Ctrl-C on the terminal reaches the parent alone, which decides
        )
        self._held = b""
        self.order(setup.to_line())

    def order(self, line: str) -> None:
        assert self.child.stdin is not None
        with suppress(BrokenPipeError):  # its end is seen where its reports are read
            self.child.stdin.write(line.encode() + b"\n")
            self.child.stdin.flush()

    def reports(self) -> list[_Report] | None:
        """Return the reports that are there, waiting for some; None when it has ended."""
        assert self.child.stdout is not None
        data = os.read(self.child.stdout.fileno(), 65536)
        if not data:
            return None
        *lines, self._held = (self._held + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def end(self) -> None:
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        with suppress(BrokenPipeError):
            self.child.stdin.close()
        try:
            self.child.wait(_FAREWELL_SECONDS)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.child.stdout.close()


class Generators:
    """
    One or several processes that work in step.

    Args:
        setups: What each is told at its start.

    Raises:
        ConfigurationError: If one cannot make its payloads.
        TonnageError: If one dies.
    """

    def __init__(self, setups: list[Setup]) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="tonnage-load-")
        self.directory = Path(self._directory.name)
        self._stderr = (self.directory / "stderr.txt").open("wb")
        self.interrupted_by: str | None = None
        self._processes: list[_Process] = []
        try:
            self._processes = [_Process(setup, self._stderr) for setup in setups]
            self.ready = self._until_each("ready", lambda _index, _report: None)
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        return len(self._processes)

    @property
    def process_ids(self) -> tuple[int, ...]:
        """Their process ids."""
        return tuple(process.child.pid for process in self._processes)

    def run(
        self,
        orders: list[TrialOrders],
        hear: Callable[[int, _Report], None],
        while_waiting: Callable[[], None] = lambda: None,
    ) -> list[_Report]:
        """
        Run one trial in all of them and return each one's last report.

        ``while_waiting`` is called once they have their orders; it is to return before the trial
        begins.

        In the main thread SIGINT and SIGTERM end the trial, which keeps what it has; a second one
        does not wait for answers, a third kills.
        """
        self.interrupted_by = None
        with self._by_signals():
            for process, each in zip(self._processes, orders, strict=True):
                process.order(each.to_line())
            while_waiting()
            return self._until_each("ended", hear)

    def close(self) -> None:
        """End the processes and remove their files."""
        for process in self._processes:
            process.end()
        self._stderr.close()
        self._directory.cleanup()

    def _until_each(self, event: str, hear: Callable[[int, _Report], None]) -> list[_Report]:
        found: dict[int, _Report] = {}
        with selectors.DefaultSelector() as selector:
            for index, process in enumerate(self._processes):
                assert process.child.stdout is not None
                selector.register(process.child.stdout, selectors.EVENT_READ, index)
            while len(found) < len(self._processes):
                for key, _ in selector.select():
                    index = key.data
                    reports = self._processes[index].reports()
                    if reports is None:
                        raise self._fault(index)
                    for report in reports:
                        if report["event"] == "fault":
                            raise ConfigurationError(report["message"], hint=report["hint"])
                        if report["event"] == event:
                            found[index] = report
                        hear(index, report)
        return [found[index] for index in range(len(self._processes))]

    def _fault(self, index: int) -> TonnageError:
        code = self._processes[index].child.wait(_PATIENCE_SECONDS)
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        words = (self.directory / "stderr.txt").read_text(errors="replace").strip().split("\n")
        last = " | ".join(filter(None, words[-3:])) or "it said nothing"
        return TonnageError(f"the load generator ended too soon ({how}): {last}")

    @contextmanager
    def _by_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        count = 0

        def interrupt(number: int, _frame: FrameType | None) -> None:
            nonlocal count
            count += 1
            self.interrupted_by = self.interrupted_by or signal.Signals(number).name
            for process in self._processes:
                process.child.terminate() if count <= 2 else process.child.kill()  # noqa: PLR2004

        kinds = (signal.SIGINT, signal.SIGTERM)
        before = {kind: signal.signal(kind, interrupt) for kind in kinds}
        try:
            yield
        finally:
            for kind, handler in before.items():
                signal.signal(kind, handler)
