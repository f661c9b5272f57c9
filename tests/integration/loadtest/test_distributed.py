"""Closed-loop users shared by several Locust processes: one record of what all of them saw."""

import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from support import children_of, free_port, gone, tonnage, until
from tonnage.domain import NO_ANSWER, read_record
from tonnage.loadtest import LoadPlan, LoadProgress, load

if TYPE_CHECKING:
    from .conftest import Listener

LOCUSTFILE = """
from locust import HttpUser, constant, task

class Reader(HttpUser):
    wait_time = constant(0.1)

    @task
    def read(self):
        self.client.get("/pages")
"""


def plan(url: str, **changes: object) -> LoadPlan:
    settings: dict[str, Any] = {
        "users": 20,
        "spawn_rate_per_second": 40,
        "duration_seconds": 2.0,
        "body": {"distance": 150},
        "workers": 2,
    }
    return LoadPlan(url=url, **{**settings, **changes})


def test_one_record_holds_what_all_workers_saw(listener: "Listener"):
    record = load(plan(f"{listener.url}/evaluate"))
    assert len(record.samples) == len(listener.requests) > 20
    assert record.generator["workers"] == 2
    assert record.generator["arrivals"] == "dephased"
    assert set(record.samples.status) == {200}
    assert np.all(record.samples.intended_seconds <= record.samples.sent_seconds)
    assert np.all(np.diff(record.samples.sent_seconds) >= 0)
    assert not record.notes, record.notes


def test_a_locustfile_of_the_users_own_is_recorded_from_its_workers(
    listener: "Listener", tmp_path: Path
):
    (tmp_path / "locustfile.py").write_text(LOCUSTFILE)
    record = load(plan(listener.url, locustfile=tmp_path / "locustfile.py", body=None, users=4))
    assert {path for path, _, _ in listener.requests} == {"/pages"}
    assert len(record.samples) == len(listener.requests) > 4
    assert record.generator["arrivals"] == "the locustfile's own"


def test_what_hangs_at_the_end_is_recorded_as_unanswered(listener: "Listener"):
    listener.hangs = threading.Event()
    record = load(plan(listener.url, users=4))
    assert list(record.samples.status) == [NO_ANSWER] * 4
    assert "4 requests were still without an answer at the end" in record.notes


def test_a_worker_that_is_killed_is_named(listener: "Listener"):
    killed: list[int] = []

    def kill(_progress: LoadProgress) -> None:
        workers = [pid for pid in children_of(os.getpid()) if "--worker" in _command(pid)]
        if not killed and workers:
            killed.append(workers[0])
            os.kill(workers[0], signal.SIGKILL)

    record = load(plan(listener.url, duration_seconds=4.0), on_progress=kill)
    assert killed
    assert any("1 of 2 workers were lost" in note for note in record.notes), record.notes
    assert len(record.samples) > 0


def test_an_interruption_keeps_what_all_workers_saw_and_ends_them(
    listener: "Listener", tmp_path: Path
):
    with tonnage(
        *("load", listener.url, "--body", "1", "--users", "10", "--spawn-rate", "50/s"),
        *("--workers", "2", "--duration", "60s", "--json"),
        cwd=tmp_path,
    ) as command:
        command.until_line("requests/s")
        until(lambda: len(listener.requests) > 30, "some requests")
        children = children_of(command.pid)
        assert len(children) == 3  # the master and its two workers
        command.send(signal.SIGINT)
        assert command.exit_code() == 130, command.stderr
    assert gone(children)
    record = read_record(tmp_path / "runs" / "load")
    assert len(record.samples) == len(listener.requests)
    assert record.notes[0].startswith("interrupted by SIGINT")


def test_another_host_joins(listener: "Listener", tmp_path: Path):
    """Loopback stands for the other host: the joining command has nothing but the address."""
    port = str(free_port())
    sent = ("--body", '{"distance": 150}', "--users", "10", "--spawn-rate", "50/s")
    master = ("load", listener.url, *sent, "--duration", "2s", "--hosts", "1", "--json")
    goal = ("--master-port", port, "--objective", "p99 < 60s", "--set", "objective.errors='< 50%'")
    with (
        tonnage(*master, *goal, cwd=tmp_path) as command,
        tonnage("load", listener.url, *sent, "--worker-of", f"127.0.0.1:{port}", cwd=tmp_path) as w,
    ):
        assert command.exit_code(60) in {0, 4}, command.stderr
        assert w.exit_code(60) == 0, w.stderr
    record = read_record(tmp_path / "runs" / "load")
    assert len(record.samples) == len(listener.requests) > 0
    assert record.generator["workers"] == 1


def _command(process_id: int) -> str:
    try:
        return Path(f"/proc/{process_id}/cmdline").read_text()
    except OSError:
        return ""
