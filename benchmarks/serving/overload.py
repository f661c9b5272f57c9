"""
One instance from 1 to 10 times the load it carries: what is still done, and how fast it says no.

The model takes 2 ms of processor time a row, in pure Python, so that it keeps the interpreter's
lock: the hardest kind for the loop beside it. One worker serves it on one core; open-loop clients
on the other core send at constant intervals and count latency from the intended send.

Every round first finds the line: the goodput at an offered rate just below one row per 2 ms. Then
it offers multiples of that. A request is good when it is answered 200 within the objective.

Run it with the project's environment: ``.venv/bin/python benchmarks/serving/overload.py``. It
writes ``overload.json`` beside itself.
"""

import argparse
import asyncio
import json
import os
import platform
import signal
import socket
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import uvloop
from numpy.typing import NDArray
from pydantic import BaseModel, TypeAdapter

from tonnage.artefact import Golden, LoadedModel, Manifest, ModelEntry, Service
from tonnage.http import BrokenOff, CallbackConnection, encode_request
from tonnage.serving import WorkerOptions
from tonnage.serving._metrics import Scoreboard
from tonnage.serving._worker import Lifeline, fork_worker

ROW_SECONDS: Final = 0.002
OBJECTIVE_SECONDS: Final = 0.25
MULTIPLES: Final = (1, 1.5, 2, 3, 5, 10)
SERVER_CORE, CLIENT_CORE = 0, 1
CONNECTIONS: Final = 1024
HEADERS: Final = {"Content-Type": "application/json"}


class Row(BaseModel):
    """One number."""

    x: float


class Result(BaseModel):
    """The same number."""

    y: float


class Busy(Service[Row, Result]):
    """What the service does beside the model is next to nothing."""

    def features(self, rows: Sequence[Row]) -> NDArray[np.float64]:
        """Return the numbers."""
        return np.array([[row.x] for row in rows])

    def results(self, predictions: NDArray[np.float64]) -> Sequence[Result]:
        """Return the numbers."""
        return [Result(y=float(y)) for y in predictions]


class BusyPredictor:
    """Burns 2 ms of this thread's processor time a row, without letting go of the lock."""

    def predict(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the numbers, late."""
        until = time.thread_time() + ROW_SECONDS * len(features)
        while time.thread_time() < until:
            pass
        return features[:, 0]


def busy_model() -> LoadedModel:
    rows = [{"x": float(x)} for x in range(8)]
    manifest = Manifest(
        handler="overload:Busy",
        model=ModelEntry(
            format="joblib",
            file="none",
            precision="float64",
            estimator="BusyPredictor",
            source_sha256="",
            considered=(),
            max_relative_difference=0.0,
            tolerance=0.0,
        ),
        files={},
        versions={},
        row_schema=Row.model_json_schema(),
        result_schema=Result.model_json_schema(),
        golden=Golden(
            rows=rows,
            predictions=[row["x"] for row in rows],
            results=[{"y": row["x"]} for row in rows],
            origin="made here",
        ),
    )
    return LoadedModel(
        manifest=manifest, service=Busy(), predictor=BusyPredictor(), encode=TypeAdapter(Result)
    )


@dataclass
class Sent:
    """What became of the requests of one stretch of open-loop load."""

    statuses: Counter[str] = field(default_factory=Counter)
    good: int = 0
    seconds_by_status: dict[int, list[float]] = field(default_factory=dict)
    ping_seconds: list[float] = field(default_factory=list)
    late_seconds: list[float] = field(default_factory=list)


class Load:
    """Requests at constant intervals over a pool of connections, pings beside them."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[CallbackConnection] = []
        self._intended: dict[int, float] = {}
        self._pings: set[int] = set()
        self._sent = Sent()
        body = b'{"x": 1.0}'
        self._invoke = encode_request("POST", "/invocations", host="a", headers=HEADERS, body=body)
        self._ping = encode_request("GET", "/ping", host="a", headers={}, body=b"")

    async def connect(self, count: int) -> None:
        """Open so many connections."""
        loop = asyncio.get_running_loop()
        for _ in range(count):
            _, connection = await loop.create_connection(
                lambda: CallbackConnection(self._answered, self._broken, self._lost),
                "127.0.0.1",
                self._port,
            )
            self._idle.append(connection)

    async def offer(self, rate: float, seconds: float) -> Sent:
        """Offer a rate for a while, wait for what is under way, and return what became of it."""
        self._sent = sent = Sent()
        start, token, next_ping = time.perf_counter(), 0, 0.0
        while (elapsed := time.perf_counter() - start) < seconds:
            while token < elapsed * rate:
                intended = start + token / rate
                sent.late_seconds.append(time.perf_counter() - intended)
                self._send(self._invoke, token, intended)
                token += 1
            if elapsed >= next_ping:
                self._pings.add(-2 - token)
                self._send(self._ping, -2 - token, time.perf_counter())
                next_ping += 0.05
            await asyncio.sleep(0.0005)
        while self._intended:  # noqa: ASYNC110 (the benchmark's clients wait for no event)
            await asyncio.sleep(0.01)
        return sent

    def _send(self, message: bytes, token: int, intended: float) -> None:
        if not self._idle:
            self._sent.statuses["no connection"] += 1
            return
        self._intended[token] = intended
        self._idle.pop().send(message, token)

    def _answered(self, connection: CallbackConnection, token: int, status: int) -> None:
        self._idle.append(connection)
        seconds = time.perf_counter() - self._intended.pop(token)
        if token in self._pings:
            self._sent.ping_seconds.append(seconds)
            return
        self._sent.statuses[str(status)] += 1
        self._sent.seconds_by_status.setdefault(status, []).append(seconds)
        self._sent.good += status == 200 and seconds <= OBJECTIVE_SECONDS

    def _broken(self, _connection: CallbackConnection, token: int, how: BrokenOff) -> None:
        self._intended.pop(token, None)
        self._sent.statuses[how] += 1

    def _lost(self, connection: CallbackConnection) -> None:
        self._idle.remove(connection)


def percentile(values: list[float], fraction: float) -> float | None:
    """Return an order statistic in milliseconds: the smallest that so many do not exceed."""
    if not values:
        return None
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(fraction * len(ordered)))] * 1e3, 2)


def described(multiple: float, rate: float, seconds: float, sent: Sent) -> dict[str, object]:
    refused = sent.seconds_by_status.get(503, [])
    return {
        "multiple": multiple,
        "offered_per_second": round(rate, 1),
        "goodput_per_second": round(sent.good / seconds, 1),
        "statuses": dict(sent.statuses),
        "answered_ms": {
            "p50": percentile(sent.seconds_by_status.get(200, []), 0.5),
            "p99": percentile(sent.seconds_by_status.get(200, []), 0.99),
        },
        "refused_ms": {
            "p50": percentile(refused, 0.5),
            "p99": percentile(refused, 0.99),
            "max": percentile(refused, 1.0),
        },
        "ping_ms": {
            "p50": percentile(sent.ping_seconds, 0.5),
            "p99": percentile(sent.ping_seconds, 0.99),
            "max": percentile(sent.ping_seconds, 1.0),
        },
        "sent_late_ms_p99": percentile(sent.late_seconds, 0.99),
    }


async def rounds(port: int, count: int, seconds: float) -> list[dict[str, object]]:
    load = Load(port)
    await load.connect(CONNECTIONS)
    results = []
    for number in range(count):
        await load.offer(0.5 / ROW_SECONDS, 1.0)
        saturated = await load.offer(1.2 / ROW_SECONDS, seconds)
        line = saturated.good / seconds
        stretches = []
        for multiple in MULTIPLES:
            sent = await load.offer(multiple * line, seconds)
            stretch = described(multiple, multiple * line, seconds, sent)
            stretch["goodput_of_line"] = round(sent.good / seconds / line, 3)
            stretches.append(stretch)
            print(number, json.dumps(stretch), file=sys.stderr)
        results.append({"line_per_second": round(line, 1), "stretches": stretches})
    return results


def summary(results: list[dict[str, Any]]) -> list[dict[str, object]]:
    """Return the median and the spread over the rounds, for each multiple."""
    table = []
    for index, multiple in enumerate(MULTIPLES):
        of = [result["stretches"][index] for result in results]
        goodput = [stretch["goodput_of_line"] for stretch in of]
        table.append(
            {
                "multiple": multiple,
                "goodput_of_line": {
                    "median": statistics.median(goodput),
                    "min": min(goodput),
                    "max": max(goodput),
                },
                "refused_ms_p99": [stretch["refused_ms"]["p99"] for stretch in of],
                "ping_ms_p99": [stretch["ping_ms"]["p99"] for stretch in of],
            }
        )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each stretch")
    parser.add_argument("-o", type=Path, default=Path(__file__).with_suffix(".json"))
    arguments = parser.parse_args()
    cores = os.sched_getaffinity(0)
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    listener.setblocking(False)
    ready = Scoreboard(1)
    os.sched_setaffinity(0, {SERVER_CORE})
    worker = fork_worker(
        busy_model(),
        listener,
        WorkerOptions(),
        Lifeline.make(),
        on_ready=lambda: None,
        scoreboard=ready,
    )
    os.sched_setaffinity(0, {CLIENT_CORE})
    port = listener.getsockname()[1]
    listener.close()
    try:
        results = uvloop.run(rounds(port, arguments.rounds, arguments.seconds))
    finally:
        os.kill(worker, signal.SIGTERM)
        os.waitpid(worker, 0)
    report = {
        "what": __doc__.strip().splitlines()[0],
        "machine": {
            "system": platform.platform(),
            "python": platform.python_version(),
            "cores": len(cores),
            "load_average": os.getloadavg(),
        },
        "row_seconds": ROW_SECONDS,
        "objective_seconds": OBJECTIVE_SECONDS,
        "connections": CONNECTIONS,
        "seconds_each": arguments.seconds,
        "summary": summary(results),
        "rounds": results,
    }
    arguments.o.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report["summary"], indent=1))


if __name__ == "__main__":
    main()
