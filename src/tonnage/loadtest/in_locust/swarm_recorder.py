"""
The locustfile without users that a swarm's worker runs beside every other: it starts the recorder.

A worker records as a single process does; when the test ends is the master's to say.
"""

from locust.env import Environment
from locust.runners import WorkerRunner

from tonnage.loadtest._orders import Orders
from tonnage.loadtest.in_locust.recorder import Recorder


class WorkerRecorder(Recorder):
    """A worker's recorder."""

    def _check(self, environment: Environment) -> None:
        if not isinstance(environment.runner, WorkerRunner):
            raise TypeError("this records a worker of a swarm, not a process of its own")

    def _finish(self) -> None:
        """Send no more; the master stops the runner, with all of its workers, at this moment."""
        self._on_test_stopping()


WorkerRecorder(Orders.of_this_process()).install()
