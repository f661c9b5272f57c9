"""
One request at a time runs in the handler's thread; the queue before it is bounded.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tonnage.serving.compat import (
    Context,
    HandlerInstance,
    HandlerOptions,
    HandlerSource,
    LoadedHandler,
)
from tonnage.serving.compat._sole_thread import SoleThread

Caller = Any
"""The client's side of exchanges, as the fixture makes it."""
Run = Callable[[Coroutine[Any, Any, None]], None]


@dataclass
class Gate:
    """A handler that works when it is let, and notes what it ran and where."""

    opened: threading.Event = field(default_factory=threading.Event)
    entered: threading.Event = field(default_factory=threading.Event)
    ran: list[bytes] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)
    at_once: int = 0

    def load(self, model_dir: Path, context: Context) -> None: ...

    def invoke(
        self, model: None, content: bytes, content_type: str, accept: str, context: Context
    ) -> bytes:
        self.at_once += 1
        assert self.at_once == 1
        self.threads.add(threading.get_ident())
        self.ran.append(content)
        self.entered.set()
        self.opened.wait(30)
        self.at_once -= 1
        return content


def instance_of(
    gate: Gate, options: HandlerOptions | None = None, **hooks: Callable[[], Any]
) -> HandlerInstance:
    source = HandlerSource(
        model_dir=Path("model"), program=None, options=options or HandlerOptions()
    )
    handler = LoadedHandler(source=source, handler=gate, model=None)
    return HandlerInstance(handler, SoleThread(), **hooks)


async def answered(caller: Caller, count: int) -> None:
    while len(caller.answered) < count:  # noqa: ASYNC110 (the caller has no event)
        await asyncio.sleep(0)


def test_requests_run_one_at_a_time_in_their_order(run: Run, caller: Caller):
    gate = Gate()
    gate.opened.set()

    async def scenario() -> None:
        instance = instance_of(gate)
        for number in range(20):
            caller.call(instance, [number])
        await answered(caller, 20)

    run(scenario())
    assert gate.ran == [b"[%d]" % number for number in range(20)]
    assert len(gate.threads) == 1
    assert threading.get_ident() not in gate.threads
    assert [(index, one.json) for _, index, one in caller.answered] == [
        (number, [number]) for number in range(20)
    ]


def test_what_exceeds_the_queue_is_refused_at_once(run: Run, caller: Caller):
    gate = Gate()

    async def scenario() -> None:
        instance = instance_of(gate, HandlerOptions(max_waiting=2))
        for number in range(5):
            caller.call(instance, [number])
        assert [index for _, index, _ in caller.answered] == [3, 4]
        assert caller.last.status == 503
        assert caller.last.headers["retry-after"] == "1"
        assert caller.last.error["code"] == "over_capacity"
        gate.opened.set()
        await answered(caller, 5)

    run(scenario())
    assert gate.ran == [b"[0]", b"[1]", b"[2]"]


def test_what_waits_too_long_is_not_run_and_what_runs_too_long_ends_the_worker(
    run: Run,
    caller: Caller,
):
    gate, stuck = Gate(), []

    async def scenario() -> None:
        instance = instance_of(
            gate, HandlerOptions(timeout_seconds=0.02), on_stuck=lambda: stuck.append(True)
        )
        caller.call(instance, [0])
        caller.call(instance, [1])
        await answered(caller, 2)
        assert {one.error["code"] for _, _, one in caller.answered} == {"deadline_exceeded"}
        caller.call(instance, [2])
        assert caller.last.error["code"] == "over_capacity"
        gate.opened.set()

    run(scenario())
    assert gate.ran == [b"[0]"]
    assert stuck == [True]


def test_ping_says_whether_every_worker_is_ready(run: Run, caller: Caller):
    ready: list[bool] = []

    async def scenario() -> None:
        instance = instance_of(Gate(), is_ready=lambda: bool(ready))
        caller.call(instance, b"", method="GET", target="/ping")
        assert caller.last.status == 503
        ready.append(True)
        caller.call(instance, b"", method="GET", target="/ping")
        assert (caller.last.status, caller.last.body) == (200, b"")

    run(scenario())


def test_an_answer_that_cannot_be_written_is_a_500(run: Run, caller: Caller):
    class Inventive(Gate):
        def invoke(self, *arguments: Any) -> bytes:  # noqa: ANN401 (the contract's)
            arguments[-1].set_response_header(0, "not a name", "value")
            return b"[]"

    async def scenario() -> None:
        caller.call(instance_of(Inventive()), [0])
        await answered(caller, 1)

    run(scenario())
    assert caller.last.status == 500
