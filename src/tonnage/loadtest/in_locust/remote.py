"""
Recording in several processes: workers send what they saw to their master over Locust's own wire.

A worker records as a single process does and sends each second's rows with its report. The master
puts all of them on its own clock: each worker says by the wall clock when its test began, so hosts
that are joined should keep their clocks by NTP; workers of one machine share one.
"""

import time
from pathlib import Path
from typing import Any, Final

import gevent
import numpy as np
from locust.env import Environment
from locust.rpc import Message
from locust.runners import MasterRunner, WorkerRunner

from .recorder import Recorder

__all__ = ["MasterRecorder", "WorkerRecorder"]

REPORT: Final = "tonnage_report"
"""Worker to master: one report, as the recorder makes it, with the rows that are new."""

FLUSH: Final = "tonnage_flush"
"""Master to workers: send what you have, the test is over."""

_LAST_REPORTS_SECONDS: Final = 3.0
_LOOK_SECONDS: Final = 0.02
_COLUMNS: Final = 4
_SEEDS_APART: Final = 1009


class WorkerRecorder(Recorder):
    """A worker's recorder; it has no pipe to the parent, its reports go to the master."""

    def _check(self, environment: Environment) -> None:
        runner = environment.runner
        if not isinstance(runner, WorkerRunner):
            raise TypeError("this records a worker, not a process of its own")
        self._runner: WorkerRunner | None = runner
        self._sent_bytes = 0
        self._file: Path | None = None
        runner.register_message(FLUSH, lambda **_: self._flush())

    def _on_test_start(self, **_: object) -> None:
        self._sent_bytes = 0
        super()._on_test_start()

    @property
    def _seed(self) -> int:
        runner = self._runner
        index = runner.worker_index if runner is not None else 0
        return self._orders.seed + _SEEDS_APART * (index + 1)

    def _finish(self) -> None:
        """Send no more; when the test is over is the master's to say."""
        self._on_test_stopping()

    def _flush(self) -> None:
        self._on_test_stopping()
        self._on_test_stop()

    def _report(self, event: str, **values: object) -> None:
        runner = getattr(self, "_runner", None)
        if runner is None:
            return  # not joined yet: there is nobody to report to
        if event == "began":
            self._file = Path(str(values["samples"]))
        message = {"event": event, **values, "rows": self._fresh_rows()}
        runner.send_message(REPORT, message)

    def _fresh_rows(self) -> bytes:
        if self._file is None or not self._file.is_file():
            return b""
        with self._file.open("rb") as stream:
            stream.seek(self._sent_bytes)
            fresh = stream.read()
        self._sent_bytes += len(fresh)
        return fresh


class MasterRecorder(Recorder):
    """A master's recorder: it makes no request, and keeps what its workers report."""

    def _check(self, environment: Environment) -> None:
        runner = environment.runner
        if not isinstance(runner, MasterRunner):
            raise TypeError("this records a master, not a process of its own")
        self._runner = runner
        self._began: dict[str, float] = {}
        self._last: dict[str, dict[str, Any]] = {}
        self._cpu: dict[str, float] = {}
        self._lost: set[str] = set()
        runner.register_message(REPORT, self._on_report)

    def _on_test_start(self, **_: object) -> None:
        self._began, self._last, self._cpu = {}, {}, {}
        super()._on_test_start()

    def _finish(self) -> None:
        self._on_test_stopping()
        self._runner.stop()  # waits for the requests that the workers have under way
        for worker in self._began:  # Locust forgets a worker that has stopped, and never ends it
            leave = Message("quit", None, worker)  # type: ignore[no-untyped-call]
            self._runner.server.send_to_client(leave)
        if not self._orders.stays:
            self._runner.quit()

    def _on_report(self, msg: Any, **_: object) -> None:  # noqa: ANN401 (Locust's message)
        report, worker = msg.data, msg.node_id
        if report["event"] == "began":
            self._began[worker] = report["started_at_epoch_seconds"]
        test = self._test
        if test is None or worker not in self._began:
            return
        rows = np.frombuffer(report["rows"], dtype=np.float64).reshape(-1, _COLUMNS).copy()
        rows[:, :3] += self._began[worker] - test.began_epoch_seconds
        test.recording.add_rows(rows)
        if report["event"] == "second":
            self._cpu[worker] = report["cpu_fraction"]
        if report["event"] == "ended":
            self._last[worker] = report

    def _cpu_fraction(self, own: float) -> float:
        """Return the busiest process's: a worker that is at its limit is the generator's limit."""
        return max([own, *self._cpu.values()])

    def _on_test_stop(self, **_: object) -> None:
        if self._test is not None:
            self._wait_for_last_reports()
        super()._on_test_stop()

    def _ending(self, **own: Any) -> dict[str, Any]:  # noqa: ANN401 (a report's values)
        reports = self._last.values()
        told = {
            "unanswered": sum(report["unanswered"] for report in reports),
            "marked_failed": sum(report["marked_failed"] for report in reports),
            "cpu_seconds": own["cpu_seconds"] + sum(report["cpu_seconds"] for report in reports),
            "exceptions": [line for report in reports for line in report["exceptions"]],
            "workers": len(self._began),
            "workers_lost": len(self._began.keys() - self._last.keys()),
        }
        return {**own, **told}

    def _wait_for_last_reports(self) -> None:
        if self._began.keys() <= self._last.keys():
            return
        self._runner.send_message(FLUSH)
        until = time.monotonic() + _LAST_REPORTS_SECONDS
        while self._began.keys() - self._last.keys() and time.monotonic() < until:
            gevent.sleep(_LOOK_SECONDS)
