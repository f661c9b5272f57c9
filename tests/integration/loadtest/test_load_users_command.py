"""``tonnage load`` with users, as a user runs it: Locust's page, a locustfile, Ctrl-C, hosts."""

import json
import signal
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support import Command, free_port, tonnage, until
from tonnage.domain import read_record

if TYPE_CHECKING:
    from .conftest import Listener

BODY = ("--body", '{"distance": 150}')
FEW = ("--users", "4", "--spawn-rate", "40/s")

LOCUSTFILE = """
from locust import HttpUser, constant, task

class Reader(HttpUser):
    wait_time = constant(0.1)

    @task
    def read(self):
        self.client.get("/pages")
"""


def load(url: str, *flags: str, cwd: Path) -> Command:
    return tonnage("load", url, *FEW, *flags, "--json", cwd=cwd)


def page(port: int, path: str = "/") -> bytes:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            body: bytes = answer.read()
    except OSError:
        return b""
    return body


def state(port: int) -> str:
    told: dict[str, Any] = json.loads(page(port, "/stats/requests") or b"{}")
    return str(told.get("state"))


def test_locusts_page_stays_after_the_test_and_its_end_does_not_count_as_an_interruption(
    listener: "Listener", tmp_path: Path
):
    port = free_port()
    flags = ("--duration", "1s", "--web", "--web-port", str(port))
    with load(f"{listener.url}/evaluate", *BODY, *flags, cwd=tmp_path) as command:
        command.until_line(f"http://127.0.0.1:{port}")
        until(lambda: b"Locust" in page(port), "Locust's page")
        until(lambda: state(port) == "stopped", "the end of the test")
        command.send(signal.SIGINT)
        assert command.exit_code() in {0, 3, 4}, command.stderr
    record = read_record(tmp_path / "runs" / "load")
    assert record.generator["interrupted_by"] is None
    assert len(record.samples) == len(listener.requests) > 0


def test_a_locustfile_of_the_users_own_is_run_and_recorded(listener: "Listener", tmp_path: Path):
    (tmp_path / "readers.py").write_text(LOCUSTFILE)
    flags = ("--locustfile", "readers.py", "--duration", "2s", "--require", "throughput >= 1/s")
    with load(listener.url, *flags, cwd=tmp_path) as command:
        assert command.exit_code() in {0, 3, 4}, command.stderr
    outcome = json.loads(command.stdout)
    assert outcome["arrivals"] == "the locustfile's own"
    assert outcome["requirements"][0]["state"] == "met"
    assert {path for path, _, _ in listener.requests} == {"/pages"}
    record = read_record(tmp_path / "runs" / "load")
    assert record.settings["load"]["locustfile"].endswith("readers.py")
    assert 0 <= len(listener.requests) - len(record.samples) <= 4


def test_ctrl_c_twice_keeps_the_record_and_says_so(listener: "Listener", tmp_path: Path):
    with load(listener.url, *BODY, "--duration", "60s", cwd=tmp_path) as command:
        command.until_line("users")
        for _ in range(2):
            command.send(signal.SIGINT)
        assert command.exit_code() == 130, command.stderr
    record = read_record(tmp_path / "runs" / "load")
    assert len(record.samples) > 0
    assert record.notes[0].startswith("interrupted by SIGINT after")
    assert "Traceback" not in command.stderr


@pytest.mark.parametrize("engine", ["users", "arrivals"])
def test_a_host_is_fired_at_once_its_owner_says_so(
    engine: str, listener: "Listener", tmp_path: Path
):
    """The unspecified address is no loopback address by its form, and leads back to this host."""
    url = listener.url.replace("127.0.0.1", "0.0.0.0")
    users = ("--users", "4", "--spawn-rate", "40/s", "--duration", "1s")
    sent = users if engine == "users" else ("--rate", "20/s", "--duration", "1s")
    for owned, code in ((), 2), (("--i-own", "example.com"), 2), (("--i-own", "0.0.0.0"), 0):
        goal = ("--objective", "p99 < 60s")
        with tonnage("load", url, *BODY, *sent, *goal, *owned, cwd=tmp_path) as command:
            assert command.exit_code() == code, command.stderr
        assert (len(listener.requests) > 0) == (code == 0)
        assert ("--i-own 0.0.0.0" in command.stderr) == (code == 2)
