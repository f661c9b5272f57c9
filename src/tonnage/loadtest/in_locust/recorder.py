"""
Tonnage's ear in Locust: it applies the orders, records every request, and reports to the parent.

Each report is one JSON object on a line of the inherited pipe: ``loaded`` and ``ready`` once,
``began``, ``second`` and ``ended`` for each test.
"""

import gc
import json
import math
import os
import random
import time
from pathlib import Path
from typing import Any

import gevent
import locust
from locust.env import Environment
from locust.exception import CatchResponseError
from locust.runners import LocalRunner

from tonnage.domain import NO_ANSWER
from tonnage.loadtest._orders import Orders
from tonnage.loadtest._recording import Recording

from .users import IN_FLIGHT, PacedUser

__all__ = ["Recorder"]


class Recorder:
    """
    One child's recorder: it listens to Locust's events from the moment it is installed.

    Listeners for the test's start are added last, when the locustfile's own have been: the clock
    starts right before the first user does.
    """

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._tests = 0
        self._test: _Test | None = None

    def install(self) -> None:
        """Listen, and say so."""
        events: Any = locust.events
        events.init.add_listener(self._on_init)
        events.request.add_listener(self._on_request)
        self._report("loaded")

    def _on_init(self, environment: Environment, **_: object) -> None:
        self._check(environment)
        self._environment = environment
        PacedUser.pacing_seconds = self._orders.pacing_seconds
        PacedUser.arrivals = self._orders.arrivals
        PacedUser.network_timeout = self._orders.timeout_seconds
        PacedUser.connection_timeout = self._orders.timeout_seconds
        PacedUser.draws = random.Random(self._seed)  # noqa: S311 (repeatable, not secret)
        events: Any = environment.events
        events.test_start.add_listener(self._on_test_start)
        events.test_stopping.add_listener(self._on_test_stopping)
        events.test_stop.add_listener(self._on_test_stop)
        self._report("ready")

    @property
    def _seed(self) -> int:
        return self._orders.seed

    def _check(self, environment: Environment) -> None:
        if not isinstance(environment.runner, LocalRunner):
            raise TypeError("Tonnage records one Locust process, neither masters nor workers")

    def _on_test_start(self, **_: object) -> None:
        is_first = self._tests == 0
        self._tests += 1
        gc.collect()
        gc.freeze()  # what is loaded by now stays: no collection needs to look at it again
        late = self._wait_for_the_moment() if is_first else 0.0
        random.seed(self._seed)
        PacedUser.sends_no_more = False
        IN_FLIGHT.clear()
        samples = Path(self._orders.samples_in) / f"samples-{self._tests}.bin"
        self._test = test = _Test(samples)
        self._report(
            "began",
            started_at_epoch_seconds=test.began_epoch_seconds,
            late_seconds=late,
            samples=str(samples),
            version=locust.__version__,
            arrivals=_arrivals(self._environment),
        )
        gevent.spawn(self._tick, test)
        if is_first:
            gevent.spawn_later(self._orders.duration_seconds, self._finish)

    def _wait_for_the_moment(self) -> float:
        moment = self._orders.start_at_monotonic_seconds
        if moment is None:
            return 0.0
        while (left := moment - time.monotonic()) > 0:
            gevent.sleep(left)
        return -left

    def _finish(self) -> None:
        runner = self._environment.runner
        assert runner is not None
        self._on_test_stopping()  # Locust takes some 20 ms before it says so itself
        if self._orders.stays:
            runner.stop()
        else:
            runner.quit()

    def _on_request(
        self,
        response_time: float,
        start_time: float,
        response: object = None,
        exception: BaseException | None = None,
        context: dict[str, Any] | None = None,
        **_: object,
    ) -> None:
        test = self._test
        if test is None:
            return
        if context and "tonnage_sent" in context:
            IN_FLIGHT.pop(context["tonnage_user"], None)
            intended = context["tonnage_intended"] - test.began_seconds
            sent = context["tonnage_sent"] - test.began_seconds
        else:
            intended = sent = start_time - test.began_epoch_seconds
        status = _status(response, exception)
        if isinstance(exception, CatchResponseError) and 200 <= status <= 299:  # noqa: PLR2004
            test.marked_failed += 1
        test.recording.add(intended, sent, sent + response_time / 1000, status)

    def _tick(self, test: "_Test") -> None:
        second = 0
        while test.ended_after_seconds is None:
            second += 1
            gevent.sleep(max(0.0, test.began_seconds + second - time.perf_counter()))
            if test.ended_after_seconds is None:
                self._report_second(test)

    def _report_second(self, test: "_Test") -> None:
        runner = self._environment.runner
        assert runner is not None
        elapsed, passed, cpu_seconds = test.lap()
        requests, failures, p99 = test.recording.flush()
        self._report(
            "second",
            elapsed_seconds=elapsed,
            users=runner.user_count,
            requests_per_second=requests / passed,
            failures_per_second=failures / passed,
            p99_seconds=None if math.isnan(p99) else p99,
            cpu_fraction=self._cpu_fraction(cpu_seconds / passed),
        )

    def _cpu_fraction(self, own: float) -> float:
        return own

    def _on_test_stopping(self, **_: object) -> None:
        PacedUser.sends_no_more = True
        if self._test is not None and self._test.ended_after_seconds is None:
            self._test.ended_after_seconds = self._test.elapsed_seconds

    def _on_test_stop(self, **_: object) -> None:
        test, self._test = self._test, None
        if test is None:
            return
        unanswered = test.give_up_in_flight()
        test.recording.flush()
        runner = self._environment.runner
        assert runner is not None
        ending = self._ending(
            duration_seconds=test.ended_after_seconds,
            cpu_seconds=time.process_time() - test.began_cpu_seconds,
            unanswered=unanswered,
            marked_failed=test.marked_failed,
            exceptions=[
                f"{row['msg']} ({row['count']} times)" for row in runner.exceptions.values()
            ],
        )
        self._report("ended", **ending)

    def _ending(self, **own: Any) -> dict[str, Any]:  # noqa: ANN401 (a report's values)
        return own

    def _report(self, event: str, **values: object) -> None:
        line = json.dumps({"event": event, **values}) + "\n"
        try:
            os.write(self._orders.report_to, line.encode())
        except BrokenPipeError:
            os._exit(1)  # the parent is gone: nobody is left to load anything for


class _Test:
    def __init__(self, samples: Path) -> None:
        self.recording = Recording(samples)
        self.marked_failed = 0
        self.ended_after_seconds: float | None = None
        self.began_epoch_seconds = time.time()
        self.began_seconds = time.perf_counter()
        self.began_cpu_seconds = time.process_time()
        self._lap = (0.0, self.began_cpu_seconds)

    @property
    def elapsed_seconds(self) -> float:
        return time.perf_counter() - self.began_seconds

    def lap(self) -> tuple[float, float, float]:
        """Return the time since the beginning and, since the last lap, time and CPU seconds."""
        before, cpu_before = self._lap
        self._lap = now, cpu_now = self.elapsed_seconds, time.process_time()
        return now, now - before, cpu_now - cpu_before

    def give_up_in_flight(self) -> int:
        """Record the requests that the end cut off: a service that hangs must not look unasked."""
        now = self.elapsed_seconds
        for intended, sent in IN_FLIGHT.values():
            self.recording.add(
                intended - self.began_seconds, sent - self.began_seconds, now, NO_ANSWER
            )
        count = len(IN_FLIGHT)
        IN_FLIGHT.clear()
        return count


def _status(response: object, exception: BaseException | None) -> int:
    code = getattr(response, "status_code", None)
    if code is None:  # no answer at all, or another protocol's client, which knows only failure
        return 200 if exception is None else NO_ANSWER
    status = int(code)
    # A 2xx whose body broke off is no answer; one that the locustfile disliked is.
    broke_off = exception is not None and not isinstance(exception, CatchResponseError)
    return NO_ANSWER if broke_off and 200 <= status <= 299 else status  # noqa: PLR2004


def _arrivals(environment: Environment) -> str:
    kinds = {
        kind.arrivals if issubclass(kind, PacedUser) else "the locustfile's own"
        for kind in environment.user_classes
    }
    return " and ".join(sorted(kinds))
