"""
One running server: started, seen ready, measured for memory, stopped.
"""

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import machine
from catalogue import MODELS, Ask, Server, Start

READY_WITHIN_SECONDS: Final = 90.0
POLL_SECONDS: Final = 0.005
STOP_WITHIN_SECONDS: Final = 10.0
DRAINED_WITHIN_SECONDS: Final = 60.0
TOLERANCE: Final = 0.01
"""Prices are rounded to 0.01; a compiled forest computes in single precision."""

THREADS: Final = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True, kw_only=True, slots=True)
class Instance:
    """
    A server that answers.

    Attributes:
        server: Which.
        start: How it was started.
        process: Its first process.
        ready_seconds: From its start to the first right answer.
    """

    server: Server
    start: Start
    process: int
    ready_seconds: float

    def processes(self) -> list[int]:
        """Return its living processes."""
        return machine.tree(self.process)

    def ask_for(self, case: str) -> Ask:
        """
        Return the first way to ask that it answers rightly.

        Raises:
            ValueError: If there is none; says what it answered.
        """
        seen = []
        for ask in self.server.asks[case]:
            status, body = post(self.start.port, ask)
            if status == 200 and (not self.server.answers or is_right(body, case)):
                return ask
            seen.append(f"{ask.content_type}: {status} {body[:120].decode(errors='replace')}")
        raise ValueError("; ".join(seen))

    def wait_until_drained(self, ask: Ask) -> None:
        """
        Wait until it has done what a generator that left still had in it.

        Most servers go on with what nobody waits for any more: it would fall on the next server's
        sample, and fill Multi Model Server's queue of 100 for its own.
        """
        deadline = time.monotonic() + DRAINED_WITHIN_SECONDS
        while time.monotonic() < deadline:
            status, _ = post(self.start.port, ask, timeout_seconds=DRAINED_WITHIN_SECONDS)
            if status == 200:
                return
            time.sleep(POLL_SECONDS)


@contextmanager
def running(
    server: Server, *, model: str, workers: int, cores: str, case: str
) -> Iterator[Instance]:
    """
    Start a server on ``cores`` and stop it afterwards.

    Raises:
        TimeoutError: If it gives no right answer in time, or ends; says what it wrote last.
    """
    with tempfile.TemporaryDirectory(prefix=f"bench-{server.name}-") as name:
        directory = Path(name)
        start = Start(model=model, workers=workers, port=_free_ports(), directory=directory)
        launch = server.launch(start)
        base = {"HOME": name, "LANG": "C.UTF-8", "PATH": os.environ["PATH"], **THREADS}
        log = directory / "output.log"
        with log.open("wb") as output:
            started = time.perf_counter()
            process = subprocess.Popen(
                ["taskset", "-c", cores, *launch.command],
                env={**base, **launch.variables},
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            _wait_until_right(server, start.port, case, process, log)
            ready_seconds = time.perf_counter() - started
            yield Instance(
                server=server, start=start, process=process.pid, ready_seconds=ready_seconds
            )
        finally:
            _stop(process)


def post(port: int, ask: Ask, *, timeout_seconds: float = 10) -> tuple[int, bytes]:
    """Post one body and return the status and the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_seconds)
    try:
        body = (MODELS / ask.body).read_bytes()
        connection.request("POST", ask.path, body, {"Content-Type": ask.content_type})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def is_right(body: bytes, case: str) -> bool:
    """Say whether an answer holds exactly the model's predictions, in their order."""
    expected = json.loads((MODELS / "expected.json").read_text())
    wanted = expected["linear" if case == "slow" else case]
    try:
        answer = json.loads(body)
    except ValueError:
        try:
            answer = [json.loads(line) for line in body.splitlines()]
        except ValueError:
            return False
    seen = list(_floats(answer))
    return len(seen) == len(wanted) and all(
        abs(one - other) <= TOLERANCE for one, other in zip(seen, wanted, strict=True)
    )


def _floats(value: Any) -> Iterator[float]:  # noqa: ANN401 (any JSON)
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _floats(item)


def _wait_until_right(
    server: Server, port: int, case: str, process: subprocess.Popen[bytes], log: Path
) -> None:
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    last = "nothing"
    while time.monotonic() < deadline and process.poll() is None:
        for ask in server.asks[case]:
            try:
                status, body = post(port, ask)
            except (OSError, http.client.HTTPException) as error:
                last = type(error).__name__
                continue
            if status == 200 and (not server.answers or is_right(body, case)):
                return
            last = f"{status} {body[:200].decode(errors='replace')}"
        time.sleep(POLL_SECONDS)
    tail = log.read_text(errors="replace")[-1500:]
    raise TimeoutError(f"{server.name} was not ready (last: {last}); it wrote:\n{tail}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End what was started, and only that: politely first."""
    started = machine.tree(process.pid)
    process.terminate()
    deadline = time.monotonic() + STOP_WITHIN_SECONDS
    while time.monotonic() < deadline:
        process.poll()
        alive = [one for one in started if _is_alive(one)]
        if not alive:
            break
        if time.monotonic() > deadline - STOP_WITHIN_SECONDS / 2:
            for one in alive:
                _signal(one, signal.SIGTERM)
        time.sleep(0.05)
    for one in started:
        if _is_alive(one):
            _signal(one, signal.SIGKILL)
    process.wait()


def _is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _signal(process: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, number)


def _free_ports() -> int:
    """Return a port that is free together with the next two."""
    # Below 32768: Multi Model Server refuses higher ones, and clients' own ports begin there.
    return next(
        port
        for port in random.sample(range(20_000, 32_000, 3), 4000)
        if all(_is_free(port + step) for step in range(3))
    )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
