"""
Instances on real sockets, and on a loop whose time is the test's.
"""

import asyncio
import json
import selectors
import socket
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvloop
from numpy.typing import NDArray

from support import PATIENCE_SECONDS, Answer
from tonnage.artefact import LoadedModel
from tonnage.http import Exchange, Request
from tonnage.serving import Instance, InstanceCapacity
from tonnage.serving._costs import CallCosts

Run = Callable[[Coroutine[Any, Any, None]], None]


@dataclass
class CountingPredictor:
    """A real model that notes how many rows each call brought, and may fail on some."""

    model: Any
    batches: list[int] = field(default_factory=list)
    fails_on_distance: float | None = None

    def predict(self, features: NDArray[Any]) -> NDArray[Any]:
        self.batches.append(len(features))
        if self.fails_on_distance is not None and np.log(self.fails_on_distance) in features:
            raise ValueError("this row is a secret that no client may see")
        predictions: NDArray[Any] = self.model.predict(features)
        return predictions


@dataclass(frozen=True)
class Counted:
    """An instance and the predictor in it."""

    instance: Instance
    predictor: CountingPredictor


class Quick(CallCosts):
    """
    A model that is quick whatever the machine is doing.

    A call that a busy machine holds up would have the next one made in the thread, which a loop
    that jumps through time does not wait for.
    """

    def observe(self, rows: int, seconds: float) -> None:
        """Learn nothing."""


@pytest.fixture(scope="session")
def model(packed_artefact: Path) -> LoadedModel:
    return LoadedModel.load(packed_artefact)


@pytest.fixture
def make_instance(model: LoadedModel) -> Callable[..., Counted]:
    def make(capacity: InstanceCapacity | None = None, **options: object) -> Counted:
        predictor = CountingPredictor(model.predictor)
        counted = replace(model, predictor=predictor)
        if capacity is not None:
            options.setdefault("costs", Quick())
        return Counted(Instance(counted, capacity=capacity, **options), predictor)

    return make


def expected_cost(distance: float) -> float:
    return round(95.01686471 - 8.92353632 * float(np.log(distance)), 2)


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    """Runs a coroutine on a loop of each kind; what the loop could only log fails the test."""
    faults: list[dict[str, Any]] = []

    async def bounded(coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, fault: faults.append(fault))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await coroutine

    with asyncio.Runner(loop_factory=request.param) as runner:
        yield lambda coroutine: runner.run(bounded(coroutine))
    assert faults == []


class _JumpingSelector(selectors.DefaultSelector):
    """Waits for no timer: it moves the loop's time to it."""

    seconds = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout > 0:
            self.seconds += timeout
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose clock stands still while it works and jumps to the next timer."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        self._clock_resolution = 1e-9

    def time(self) -> float:
        return self._jumping.seconds


@pytest.fixture
def run_virtually() -> Iterator[Run]:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        yield runner.run


@dataclass
class Caller:
    """The client's side of exchanges: notes which were answered, when, and in what order."""

    answered: list[tuple[float, int, Answer]] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    has_left: bool = False

    def call(
        self,
        instance: Instance,
        body: object,
        *,
        method: str = "POST",
        target: str = "/invocations",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Hand one request to an instance."""
        request = Request(
            method=method,
            target=target,
            headers={"content-type": "application/json"} if headers is None else headers,
            body=body if isinstance(body, bytes) else json.dumps(body).encode(),
        )
        exchange = Exchange(request, self)
        self.exchanges.append(exchange)
        instance.handle(exchange)

    def send_answers(self) -> None:
        """Called by an exchange that was answered just now."""
        known = {index for _, index, _ in self.answered}
        for index, exchange in enumerate(self.exchanges):
            if exchange.answer is not None and index not in known:
                now = asyncio.get_running_loop().time()
                self.answered.append((now, index, _parsed(exchange.answer)))

    @property
    def last(self) -> Answer:
        return self.answered[-1][2]


def _parsed(encoded: tuple[bytes, bytes]) -> Answer:
    head, body = encoded
    status_line, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return Answer(status=int(status_line.split()[1]), headers=headers, body=body)


@pytest.fixture
def caller() -> Caller:
    return Caller()


def invocation(distance: object) -> bytes:
    """Return the bytes of one invocation, as a client writes them."""
    body = json.dumps({"distance": distance}).encode()
    return (
        b"POST /invocations HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    )


async def read_answers(stream: socket.socket, count: int) -> Sequence[Answer]:
    """Return the next ``count`` answers of a connection."""
    reader, writer = await asyncio.open_connection(sock=stream)
    try:
        answers = []
        for _ in range(count):
            head = await reader.readuntil(b"\r\n\r\n")
            parsed = _parsed((head, b""))
            body = await reader.readexactly(int(parsed.headers["content-length"]))
            answers.append(replace(parsed, body=body))
        return answers
    finally:
        writer.close()
        await writer.wait_closed()
