"""Short real open-loop tests: the generator's processes against real servers on loopback."""

import os
import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support import gone, until
from tonnage.domain import (
    NO_ANSWER,
    ConfigurationError,
    PiecewiseRate,
    RunRecord,
    TonnageError,
    TransportError,
    read_record,
    write_record,
)
from tonnage.loadtest import (
    LoadProgress,
    OpenLoopPlan,
    OpenLoopSession,
    Payload,
    arrival_moments,
    constant_target,
    load,
    measure_generator,
)

if TYPE_CHECKING:
    from .conftest import Listener

BODY = Payload(body={"distance": 150})
SECOND = PiecewiseRate.constant(80, 1.0)


def plan(url: str, **changes: object) -> OpenLoopPlan:
    given: dict[str, Any] = {"url": url, "profile": SECOND, "payload": BODY, **changes}
    return OpenLoopPlan(**given)


def notes_of(record: RunRecord) -> list[str]:
    """The notes, but for the one that a busy machine adds."""
    return [note for note in record.notes if "of all cores were busy" not in note]


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    with constant_target() as running:
        yield running.url


@pytest.mark.parametrize("processes", [1, 2])
def test_every_request_is_recorded_as_the_server_saw_it(
    listener: "Listener", tmp_path: Path, processes: int
):
    progress: list[LoadProgress] = []
    record = load(
        plan(f"{listener.url}/evaluate", processes=processes), on_progress=progress.append
    )
    assert len(record.samples) == len(listener.requests) == 80
    assert set(map(str, listener.requests)) == {
        "('/evaluate', 'application/json', {'distance': 150})"
    }
    moments = arrival_moments(SECOND, arrivals="constant", seed=0)
    assert np.allclose(np.sort(record.samples.intended_seconds), moments, atol=1e-6)
    assert np.all(record.samples.intended_seconds <= record.samples.sent_seconds + 1e-4)
    assert np.all(record.samples.sent_seconds < record.samples.done_seconds)
    assert np.all(np.diff(record.samples.sent_seconds) >= 0)
    assert (record.duration_seconds, notes_of(record)) == (1.0, [])
    assert (record.generator["model"], record.generator["unanswered"]) == ("open loop", {})
    assert "waiting" in str(progress[0])
    again = read_record(write_record(record, tmp_path / "run"))
    assert len(again.samples) == 80
    assert again.settings["load"]["arrivals"] == "constant"


def test_failures_keep_their_status_and_redirects_are_not_followed(listener: "Listener"):
    listener.fails_every = 5
    record = load(plan(listener.url))
    assert int((record.samples.status == 503).sum()) == 16
    assert len(listener.requests) == 80


def test_numbers_are_drawn_and_arrivals_follow_the_seed(listener: "Listener"):
    changes = {"payload": Payload(ranges={"distance": (1, 6500)}), "arrivals": "poisson", "seed": 5}
    records = [load(plan(listener.url, **changes)) for _ in range(2)]
    first, again = (np.sort(record.samples.intended_seconds) for record in records)
    assert np.allclose(first, again, atol=1e-6)
    assert np.ptp(np.diff(first)) > 0.01
    drawn = [body["distance"] for _, _, body in listener.requests]
    assert len(set(drawn)) == len(first)  # the second run draws the same again


def test_a_session_stays_warm_from_trial_to_trial(target: str):
    with OpenLoopSession.start(target, BODY, processes=2) as session:
        before = session.process_ids
        trials = [
            session.trial(PiecewiseRate.constant(rate, 0.5), seed=rate) for rate in (50, 400, 100)
        ]
        assert session.process_ids == before
    assert [len(trial.samples) for trial in trials] == [25, 200, 50]
    assert all(set(trial.samples.status) == {200} for trial in trials)
    assert gone(before)


@contextmanager
def serving(treat: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve each connection by ``treat`` in a thread; yields the URL."""
    is_over = threading.Event()
    with socket.create_server(("127.0.0.1", 0), backlog=256) as server:
        server.settimeout(0.05)

        def treat_and_close(connection: socket.socket) -> None:
            with connection, suppress(OSError):  # the generator may have gone
                treat(connection)

        def accept() -> None:
            while not is_over.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                connection.settimeout(5)
                threading.Thread(target=treat_and_close, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        finally:
            is_over.set()
            thread.join()


def answering(answer: bytes) -> Callable[[socket.socket], None]:
    def treat(connection: socket.socket) -> None:
        while connection.recv(65536):
            connection.sendall(answer)

    return treat


def reset(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hang(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


@pytest.mark.parametrize(
    ("treat", "kind"),
    [(reset, "reset"), (hang, "timed_out"), (answering(b"220 ready\r\n"), "garbage")],
)
def test_a_missing_answer_is_told_by_its_kind_and_counted_once(
    treat: Callable[[socket.socket], None], kind: str
):
    with serving(treat) as url:
        record = load(plan(url, timeout_seconds=0.4))
    assert record.generator["unanswered"] == {kind: 80}
    assert set(record.samples.status) == {NO_ANSWER}
    assert kind.replace("_", " ") in notes_of(record)[0]
    assert record.generator["verdict"] != "INVALID" or record.generator["cause"] == "late"
    if kind == "timed_out":
        assert record.samples.service_seconds.min() >= 0.4


def test_redirects_are_counted_and_not_followed():
    redirect = b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
    with serving(answering(redirect)) as url:
        record = load(plan(url))
    assert set(record.samples.status) == {302}
    assert record.samples.failed.all()
    assert notes_of(record) == ["80 answers were redirects, which are not followed"]


def test_a_target_that_goes_away_refuses():
    with OpenLoopSession.start(
        url_of_a_target_that_goes_away(), BODY, timeout_seconds=1.0
    ) as session:
        trial = session.trial(SECOND)
    assert trial.unanswered == {"refused": 80}


def url_of_a_target_that_goes_away() -> str:
    """A listener that takes the probe and the warm-up, and is gone then."""
    server = socket.create_server(("127.0.0.1", 0), backlog=64)

    def close_after_a_while() -> None:
        with server:
            for _ in range(1 + 16):  # the probe and the warm connections
                server.accept()[0].close()

    threading.Thread(target=close_after_a_while, daemon=True).start()
    return f"http://127.0.0.1:{server.getsockname()[1]}/"


def test_nothing_listening_is_said_at_once():
    with pytest.raises(TransportError, match="cannot be reached"):
        load(plan("http://127.0.0.1:9/"))


def test_a_payload_function_that_fails_is_the_users_to_mend(target: str, tmp_path: Path):
    (tmp_path / "failing_payload.py").write_text("def make(random):\n    return 1 / 0\n")
    payload = Payload(function="failing_payload:make", directory=tmp_path)
    with pytest.raises(ConfigurationError, match="ZeroDivisionError"):
        load(plan(target, payload=payload))


def test_what_a_payload_function_prints_disturbs_nobody(target: str, tmp_path: Path):
    (tmp_path / "printing_payload.py").write_text(
        'def make(random):\n    print(\'{"event": "ended"}\', flush=True)\n    return 1\n'
    )
    payload = Payload(function="printing_payload:make", directory=tmp_path)
    assert len(load(plan(target, payload=payload)).samples) == 80


def test_a_generator_that_dies_is_a_fault(target: str):
    with OpenLoopSession.start(target, BODY) as session:

        def kill(_progress: LoadProgress) -> None:
            os.kill(session.process_ids[0], signal.SIGKILL)

        with pytest.raises(TonnageError, match="killed by SIGKILL"):
            session.trial(PiecewiseRate.constant(50, 20), on_progress=kill)


def test_what_progress_raises_ends_the_test_and_the_processes(target: str):
    def refuse(_progress: LoadProgress) -> None:
        raise RuntimeError("seen enough")

    with (
        OpenLoopSession.start(target, BODY) as session,
        pytest.raises(RuntimeError, match="seen enough"),
    ):
        session.trial(PiecewiseRate.constant(50, 60), on_progress=refuse)
    until(lambda: gone(session.process_ids), "the generator to end")


def test_latency_counts_a_stall_from_the_intended_sends():
    """A server that is stopped for a second is seen by all that were due, not by one."""
    with constant_target(2000) as stalling, OpenLoopSession.start(stalling.url, BODY) as session:
        server = stalling.process_id
        resume = threading.Timer(1.0, os.kill, (server, signal.SIGCONT))

        def freeze(progress: LoadProgress) -> None:
            if not resume.is_alive() and progress.elapsed_seconds < 0.8:
                os.kill(server, signal.SIGSTOP)
                resume.start()

        trial = session.trial(PiecewiseRate.constant(100, 2.5), on_progress=freeze)
        resume.join()
    assert len(trial.samples) == 250
    assert not trial.unanswered
    stalled = trial.samples.latency_seconds > 0.05
    # A closed loop of one user would have seen one slow answer; here some 95 requests were due.
    assert stalled.sum() > 60
    assert trial.samples.latency_seconds.max() > 0.9


def test_how_much_a_core_generates_is_told_with_what_limits_it():
    capacity = measure_generator(seconds_per_rate=0.25)
    assert capacity.limit
    assert (capacity.requests_per_second == 0) == (capacity.cpu_seconds_per_request == 0)
