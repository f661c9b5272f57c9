"""
A generator's process: it hears orders, runs trials, and tells how they go.
"""

import asyncio
import gc
import json
import math
import os
import signal
import ssl
import sys
import time
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import uvloop

from tonnage.domain import TonnageError
from tonnage.http import BrokenOff, CallbackConnection
from tonnage.loadtest._recording import Recording

from .engine import Engine
from .messages import Messages, messages_for
from .orders import Setup, TrialOrders
from .pool import Pool, raise_descriptor_limit, room_for_connections
from .precedence import take_precedence
from .vitals import CollectorPauses, Vitals, machine_seconds, stolen_seconds

__all__ = ["main"]

_BREATH_SECONDS: Final = 0.5
"""How long answers are waited for after an interruption."""

_MISUSE: Final = 2


def main() -> None:
    """Serve the parent until it closes the standard input."""
    # What a payload function prints must not be taken for a report.
    reports = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def tell(**report: Any) -> None:  # noqa: ANN401 (JSON)
        reports.write(json.dumps(report) + "\n")

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    raise_descriptor_limit()
    setup = Setup.from_line(sys.stdin.readline())
    scheduling = take_precedence(processes=setup.processes)
    try:
        messages = messages_for(setup.target, seed=setup.seed)
    except TonnageError as error:
        tell(event="fault", message=error.message, hint=error.hint)
        sys.exit(_MISUSE)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_Generator(setup, messages, tell).serve(scheduling))


class _Generator:
    def __init__(self, setup: Setup, messages: Messages, tell: Callable[..., None]) -> None:
        self._setup = setup
        self._messages = messages
        self._tell = tell
        self._engine: Engine | None = None
        self._collector = CollectorPauses()
        room = room_for_connections()
        self._max_outstanding = min(setup.max_outstanding, room)
        self._pool = Pool(setup.address, _encryption(setup), self._answered, self._broken)
        self._interruptions = 0

    async def serve(self, scheduling: str) -> None:
        loop = asyncio.get_running_loop()
        orders: asyncio.Queue[str] = asyncio.Queue()
        gone = asyncio.Event()
        _hear(loop, orders, gone)
        loop.add_signal_handler(signal.SIGTERM, self._interrupt, gone)
        await self._warm_up()
        gc.collect()
        gc.freeze()  # what is there stays, and need not be looked at again
        self._tell(event="ready", max_outstanding=self._max_outstanding, scheduling=scheduling)
        leaving = asyncio.create_task(gone.wait())
        while not gone.is_set():
            order = asyncio.create_task(orders.get())
            await asyncio.wait({order, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if order.done():
                trial = asyncio.create_task(self._trial(TrialOrders.from_line(order.result())))
                await asyncio.wait({trial, leaving}, return_when=asyncio.FIRST_COMPLETED)
                if trial.done():
                    trial.result()
            else:
                order.cancel()
        self._pool.close()

    async def _trial(self, orders: TrialOrders) -> None:
        over = asyncio.Event()
        start = orders.start_at_monotonic_seconds
        due = _due_moments(Path(orders.schedule), start)
        recording = Recording(Path(orders.samples))
        self._pool.open_most, opened = self._pool.open_now, self._pool.opened
        engine = self._engine = Engine(
            pool=self._pool,
            messages=self._messages,
            due_seconds=due,
            start_seconds=start,
            timeout_seconds=self._setup.target.timeout_seconds,
            max_outstanding=self._max_outstanding,
            recording=recording,
            on_sent=lambda: self._drain(orders.drain_seconds),
            on_end=over.set,
        )
        self._tell(event="prepared", late_seconds=max(0.0, time.monotonic() - start))
        if (wait := start - time.monotonic() - orders.report_every_seconds / 100) > 0:
            await asyncio.sleep(wait)
        self._collector.take_longest()
        gc.collect(0)
        first = Vitals.read()
        busy, whole = machine_seconds()
        stolen = stolen_seconds()
        engine.begin()
        ticking = asyncio.create_task(self._tick(engine, recording, start, orders))
        await over.wait()
        ticking.cancel()
        spent = Vitals.read().since(first)
        busy_now, whole_now = machine_seconds()
        recording.flush()
        self._engine = None
        self._interruptions = 0
        self._tell(
            event="ended",
            elapsed_seconds=time.monotonic() - start,
            cpu_seconds=spent["cpu_fraction"] * spent["span_seconds"],
            unanswered=dict(engine.unanswered),
            never_sent=engine.never_sent,
            opened=self._pool.opened - opened,
            open_most=self._pool.open_most,
            machine_busy_fraction=(busy_now - busy) / max(whole_now - whole, 1.0),
            stolen_fraction=(stolen_seconds() - stolen) / max(whole_now - whole, 1.0),
        )

    async def _tick(
        self, engine: Engine, recording: Recording, start: float, orders: TrialOrders
    ) -> None:
        before = Vitals.read()
        while True:
            was_sending = engine.is_sending
            await asyncio.sleep(orders.report_every_seconds)
            now = Vitals.read()
            requests, failures, p99 = recording.flush()
            spent = now.since(before)
            before = now
            self._messages.renew(now.at_seconds)
            self._tell(
                event="second",
                elapsed_seconds=now.at_seconds - start,
                is_sending=was_sending,
                requests=requests,
                failures=failures,
                p99_seconds=None if math.isnan(p99) else p99,
                outstanding=engine.outstanding,
                collector_pause_seconds=self._collector.take_longest(),
                **spent,
            )

    def _answered(self, connection: CallbackConnection, token: int, status: int) -> None:
        if self._engine is None:
            self._pool.put(connection)
        else:
            self._engine.answered(connection, token, status)

    def _broken(self, connection: CallbackConnection, token: int, how: BrokenOff) -> None:
        if self._engine is None:
            self._pool.forget(connection)
        else:
            self._engine.broken(connection, token, how)

    async def _warm_up(self) -> None:
        waiting = self._setup.warm_connections
        opened = asyncio.Event()

        def one_less(connection: CallbackConnection | None) -> None:
            nonlocal waiting
            waiting -= 1
            if connection is not None:
                self._pool.put(connection)
            if waiting == 0:
                opened.set()

        for _ in range(waiting):
            self._pool.open(one_less, lambda _kind: one_less(None), timeout_seconds=2.0)
        if waiting:
            await opened.wait()

    def _interrupt(self, gone: asyncio.Event) -> None:
        self._interruptions += 1
        if self._engine is None:
            gone.set()
        elif self._interruptions == 1:
            self._drain(_BREATH_SECONDS)
            self._engine.stop_sending()
        else:
            self._engine.cut_off()

    def _drain(self, seconds: float) -> None:
        engine = self._engine

        def cut_off() -> None:
            if engine is not None and engine is self._engine:
                engine.cut_off()

        asyncio.get_running_loop().call_later(seconds, cut_off)


def _due_moments(schedule: Path, start_seconds: float) -> "array[float]":
    # An array's items become floats one at a time, as they are due; a list would hold them all.
    return array("d", (np.fromfile(schedule, dtype=np.float64) + start_seconds).tobytes())


def _hear(loop: asyncio.AbstractEventLoop, orders: asyncio.Queue[str], gone: asyncio.Event) -> None:
    held = b""

    def read() -> None:
        nonlocal held
        data = os.read(0, 65536)
        if not data:
            loop.remove_reader(0)
            gone.set()
            return
        *lines, held = (held + data).split(b"\n")
        for line in lines:
            orders.put_nowait(line.decode())

    loop.add_reader(0, read)


def _encryption(setup: Setup) -> tuple[ssl.SSLContext, str] | None:
    if not setup.target.is_encrypted:
        return None
    return ssl.create_default_context(), setup.target.host
