"""
What tests of real processes share: waiting for a condition, finding processes, running the CLI.
"""

import http.client
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, TypeVar
from urllib.parse import urlsplit

from tonnage.emulator import BackgroundEndpoint

EXAMPLE = Path(__file__).parents[1] / "examples" / "real_estate"
TONNAGE = Path(sys.executable).with_name("tonnage")
PATIENCE_SECONDS = 30.0
"""What nothing needs, not even on a busy machine; beyond it something hangs."""

Result = TypeVar("Result")
Serve = Callable[..., AbstractContextManager[tuple["Command", str]]]
"""Starts an instance; gives its process and its URL."""

Up = Callable[..., AbstractContextManager[BackgroundEndpoint]]
"""Starts an endpoint."""


def until(
    look: Callable[[], Result | None],
    what: str,
    *,
    seconds: float = PATIENCE_SECONDS,
) -> Result:
    """Return what ``look`` finds, looking until it is something true; fail beyond ``seconds``."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        pause.wait(0.005)
    return found


def _ports_of_this_worker() -> Iterator[int]:
    """Give pytest's workers ports of their own, in turn from where another run hardly begins."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    mine = range(20_000 + worker % 4 * 3_000, 23_000 + worker % 4 * 3_000)
    begin = os.getpid() * 37 % len(mine)
    return itertools.cycle([*mine[begin:], *mine[:begin]])


_ports = _ports_of_this_worker()


def free_port() -> int:
    """
    Return a port of loopback that nothing listens on.

    It lies below those that Linux gives to connections and to port 0, and no other worker asks for
    it; so nobody takes it before it is used.
    """
    for port in itertools.islice(_ports, 1_000):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("a thousand ports are all taken")


def is_alive(process_id: int) -> bool:
    """Say whether a process runs; one that has ended and waits to be reaped does not."""
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in {"Z", "X"}


def children_of(process_id: int) -> list[int]:
    """Return a process's children, the oldest first."""
    children = Path(f"/proc/{process_id}/task/{process_id}/children")
    try:
        return [int(child) for child in children.read_text().split() if is_alive(int(child))]
    except (FileNotFoundError, ProcessLookupError):
        return []


def descendants_of(process_id: int) -> list[int]:
    """Return a process's children, theirs, and so on."""
    children = children_of(process_id)
    return [*children, *(child for parent in children for child in descendants_of(parent))]


def gone(process_ids: Sequence[int]) -> bool:
    """Say whether none of these processes runs any more."""
    return not any(map(is_alive, process_ids))


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 (whatever the server says)
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """The envelope of a refusal, checked for its shape."""
        assert self.headers["content-type"] == "application/json", self
        assert set(self.json) == {"error"}, self
        error: dict[str, Any] = self.json["error"]
        assert set(error) <= {"code", "message", "fields"}, self
        assert error["code"].isidentifier()
        assert error["message"]
        assert b"Traceback" not in self.body
        return error


def ask(
    url: str,
    method: str = "GET",
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Send one request on a connection of its own."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE_SECONDS)
    try:
        target = parts._replace(scheme="", netloc="").geturl() or "/"
        connection.request(method, target, body=body, headers=dict(headers or {}))
        response = connection.getresponse()
        return Answer(
            status=response.status,
            headers={name.lower(): value for name, value in response.getheaders()},
            body=response.read(),
        )
    finally:
        connection.close()


def post(url: str, payload: object, content_type: str = "application/json") -> Answer:
    """POST a payload: bytes as they are, anything else as JSON."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return ask(url, "POST", body=body, headers={"Content-Type": content_type})


def _keep(stream: IO[str], lines: list[str]) -> None:
    for line in stream:
        lines.append(line)  # noqa: PERF402 (each is to be seen as it comes)


class Command:
    """
    A running command whose output is read as it comes.

    Its standard error is kept line by line, its standard output whole.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a signal to its group reaches nobody else
        )
        self.pid = self.process.pid
        self.lines: list[str] = []
        self._out: list[str] = []
        assert self.process.stderr is not None
        assert self.process.stdout is not None
        self._readers = [
            threading.Thread(target=_keep, args=(self.process.stderr, self.lines)),
            threading.Thread(target=_keep, args=(self.process.stdout, self._out)),
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            for reader in self._readers:
                reader.join(PATIENCE_SECONDS)
            for stream in (self.process.stdout, self.process.stderr):
                assert stream is not None
                stream.close()

    @property
    def stderr(self) -> str:
        return "".join(self.lines)

    @property
    def stdout(self) -> str:
        return "".join(self._out)

    def until_line(self, part: str) -> str:
        """Return the first line of standard error that holds ``part``, once it is there."""

        def look() -> str | None:
            assert self.process.poll() is None or self._readers[0].is_alive() or self.has(part), (
                f"it ended with {self.process.returncode}: {self.stderr}"
            )
            return next((line for line in self.lines if part in line), None)

        return until(look, f"a line with {part!r}")

    def has(self, part: str) -> bool:
        return any(part in line for line in self.lines)

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def exit_code(self, seconds: float = PATIENCE_SECONDS) -> int:
        """Wait for its end and return its exit code, negative for the signal that killed it."""
        code = self.process.wait(seconds)
        for reader in self._readers:
            reader.join(seconds)
        return code


def tonnage(
    *arguments: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Command:
    """Start the command line as a user does."""
    return Command([TONNAGE, *arguments], cwd=cwd, env=env)


@dataclass
class Clients:
    """
    Keep-alive clients that ask again and again until they are told to stop or are turned away.

    A request is *lost* when it was sent on a connection that had been answered on before, so one
    that the server had taken up, and no whole answer came. A connection that is new may meet a
    listener that closes; that is turned away, not lost.

    Attributes:
        url: What they POST to.
        payload: What they send.
        count: How many they are.
        pause_seconds: Between an answer and the next request.
    """

    url: str
    payload: object
    count: int = 8
    pause_seconds: float = 0.002
    statuses: list[int] = field(default_factory=list)
    answers: list[tuple[float, Any]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    turned_away: list[str] = field(default_factory=list)
    ends_when_turned_away: bool = True

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(self.count)]

    @contextmanager
    def running(self) -> Iterator["Clients"]:
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self.stop()

    def stop(self) -> None:
        self._stop.set()
        self.join()

    def join(self) -> None:
        """Wait until each has been turned away."""
        for thread in self._threads:
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive(), "a client still waits for an answer"

    def until_answered(self, count: int) -> None:
        goal = len(self.statuses) + count
        until(lambda: len(self.statuses) >= goal, f"{count} more answers")

    def _run(self) -> None:
        while not self._stop.is_set():
            connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=20)
            try:
                self._ask_on(connection)
            except (OSError, http.client.HTTPException):  # noted where it came up
                if self.ends_when_turned_away:
                    return
                self._stop.wait(0.01)
            finally:
                connection.close()

    def _ask_on(self, connection: http.client.HTTPConnection) -> None:
        body = json.dumps(self.payload)
        is_taken_up = False
        while not self._stop.is_set():
            try:
                connection.request(
                    "POST", urlsplit(self.url).path, body, {"Content-Type": "application/json"}
                )
                response = connection.getresponse()
                answer = response.read()
            except (OSError, http.client.HTTPException) as error:
                if is_taken_up:
                    self.lost.append(repr(error))
                else:
                    self.turned_away.append(repr(error))
                raise
            self.statuses.append(response.status)
            if response.status == 200:
                self.answers.append((time.monotonic(), json.loads(answer)))
            is_taken_up = True
            if response.will_close:
                return
            self._stop.wait(self.pause_seconds)
