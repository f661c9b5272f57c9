"""
Users that send at a constant pace and say when they meant to.
"""

import random
import time
from typing import Any, ClassVar

import gevent
from locust import FastHttpUser
from locust.env import Environment
from locust.exception import StopUser

from tonnage.loadtest.plan import Arrivals

from .pacing import Pacer

__all__ = ["IN_FLIGHT", "PacedUser"]

IN_FLIGHT: dict[int, tuple[float, float]] = {}
"""User → (intended, sent) of its request without an answer yet, on ``time.perf_counter``."""


class PacedUser(FastHttpUser):
    """
    A user whose tasks start every ``pacing_seconds``, spread evenly among the users by default.

    Locust's ``constant_pacing`` counts from the moment a user is made, and users are made in
    batches, so they fire nearly in step. These wait a random part of the pace before they begin
    and keep that phase, after a stall of the service, too. A subclass that has its own ``on_start``
    calls ``super().on_start()``, best last.

    Attributes:
        pacing_seconds: Time between the starts of a user's tasks.
        arrivals: ``dephased``, or ``lockstep`` to fire as ``constant_pacing`` does.
        draws: Where the phases are drawn from.
        sends_no_more: Set when the test is over. Locust kills users that wait; one that wakes
            before that reaches it would begin a request and be cut off in it.
    """

    abstract = True
    pacing_seconds: ClassVar[float] = 1.0
    arrivals: ClassVar[Arrivals] = "dephased"
    draws: ClassVar[random.Random] = random.Random()  # noqa: S311 (no secret, and seedable)
    sends_no_more: ClassVar[bool] = False

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._pacer: Pacer | None = None
        self._intended_seconds: float | None = None

    def on_start(self) -> None:
        """Wait for this user's first tick."""
        self._pacer, self._intended_seconds = self._begin()
        gevent.sleep(max(0.0, self._intended_seconds - time.perf_counter()))

    def wait_time(self) -> float:
        """Return the seconds until this user's next send; Locust asks after each task."""
        IN_FLIGHT.pop(id(self), None)
        if self._pacer is None:  # a subclass's on_start did not call this one's
            self._pacer, self._intended_seconds = self._begin()
        else:
            now = time.perf_counter()
            self._intended_seconds = self._pacer.next_send_seconds(now)
        return max(0.0, self._intended_seconds - time.perf_counter())

    def context(self) -> dict[str, Any]:
        """Return when the request was meant to go, and goes; Locust asks just before it sends."""
        if type(self).sends_no_more:
            raise StopUser
        sent = time.perf_counter()
        # A timer may fire a little early; and a task's second request was meant for when it goes.
        intended = sent if self._intended_seconds is None else min(self._intended_seconds, sent)
        self._intended_seconds = None
        IN_FLIGHT[id(self)] = (intended, sent)
        return {"tonnage_user": id(self), "tonnage_intended": intended, "tonnage_sent": sent}

    def _begin(self) -> tuple[Pacer, float]:
        first = time.perf_counter()
        if self.arrivals == "dephased":
            first += self.draws.random() * self.pacing_seconds
        pacer = Pacer(
            pacing_seconds=self.pacing_seconds,
            keeps_phase=self.arrivals == "dephased",
            tick_seconds=first,
        )
        return pacer, first
