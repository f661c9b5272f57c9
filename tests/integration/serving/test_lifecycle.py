"""
``tonnage serve`` starts, drains, replaces its workers, and leaves nothing behind.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import Clients, ask, children_of, gone, post, tonnage, until

if TYPE_CHECKING:
    from support import Serve

ROW = {"distance": 150}


def ping_status(url: str) -> int:
    try:
        return ask(f"{url}/ping").status
    except OSError:
        return 0


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("repetition", range(3))
def test_sigterm_under_load_loses_no_accepted_request(serve: Serve, workers: int, repetition: int):
    with serve(workers=workers) as (command, url):
        clients = Clients(f"{url}/invocations", ROW, pause_seconds=0.0005 * repetition)
        with clients.running():
            clients.until_answered(200)
            command.send(signal.SIGTERM)
            clients.join()
        assert command.exit_code() == 0, command.stderr
        assert clients.lost == []
        assert set(clients.statuses) == {200}


def test_a_request_in_hand_is_answered_before_the_end(serve: Serve, probe_artefact: Path):
    """The model takes 0.3 s over this row; SIGTERM comes while it does."""
    with serve(artefact=probe_artefact) as (command, url):
        (worker,) = children_of(command.pid)
        clients = Clients(f"{url}/invocations", {"distance": 777}, count=1)
        with clients.running():
            clients.until_answered(1)
            until(lambda: is_sleeping(worker), "the model to be at work")
            command.send(signal.SIGTERM)
            clients.join()
        assert command.exit_code() == 0
        assert clients.lost == []
        assert len(clients.statuses) >= 2


def is_sleeping(process_id: int) -> bool:
    """Say whether a thread of a process is inside ``time.sleep``."""
    threads = Path(f"/proc/{process_id}/task").iterdir()
    return any("nanosleep" in (thread / "wchan").read_text() for thread in threads)


def test_ctrl_c_is_a_sigterm(serve: Serve):
    """The terminal sends SIGINT to the whole group, workers included."""
    with serve(workers=2) as (command, url):
        clients = Clients(f"{url}/invocations", ROW)
        with clients.running():
            clients.until_answered(100)
            os.killpg(command.pid, signal.SIGINT)
            clients.join()
        assert command.exit_code() == 0
        assert clients.lost == []
        assert set(clients.statuses) == {200}
        assert "Traceback" not in command.stderr


def test_a_second_sigterm_changes_nothing(serve: Serve):
    with serve(workers=2) as (command, _):
        command.send(signal.SIGTERM)
        command.send(signal.SIGTERM)
        assert command.exit_code() == 0
        assert "Traceback" not in command.stderr


def test_a_killed_worker_is_replaced_and_only_what_it_had_in_hand_fails(serve: Serve):
    with serve(workers=2) as (command, url):
        first, second = children_of(command.pid)
        clients = Clients(f"{url}/invocations", ROW, count=6, ends_when_turned_away=False)
        with clients.running():
            clients.until_answered(100)
            os.kill(first, signal.SIGKILL)
            workers = until(
                lambda: len(now := children_of(command.pid)) == 2 and first not in now and now,
                "a new worker",
            )
            until(lambda: ping_status(url) == 200, "the instance to be healthy again")
            clients.until_answered(100)
        assert second in workers
        assert set(clients.statuses) == {200}
        assert len(clients.lost) + len(clients.turned_away) <= clients.count
        command.until_line("SIGKILL")
        command.send(signal.SIGTERM)
        assert command.exit_code() == 0


def test_the_other_worker_goes_on_predicting_while_one_is_replaced(serve: Serve):
    with serve(workers=2) as (command, url):
        first, _ = children_of(command.pid)
        os.kill(first, signal.SIGKILL)
        for _ in range(50):
            assert post(f"{url}/invocations", ROW).json == {"cost": 50.3}


def test_no_worker_outlives_a_parent_that_is_killed(serve: Serve):
    with serve(workers=2) as (command, url):
        workers = children_of(command.pid)
        assert len(workers) == 2
        command.send(signal.SIGKILL)
        assert command.exit_code() == -signal.SIGKILL
        until(lambda: gone(workers), "the workers to end")
        assert ping_status(url) == 0


def test_sigterm_during_the_start_ends_it_soon_and_leaves_nothing(packed_artefact: Path):
    """At many moments of the start: it never hangs until it has to be killed."""
    starting = ("serve", packed_artefact, "--host", "127.0.0.1", "--port", "0", "--workers", "4")
    for moment in range(8):
        with tonnage(*starting) as command:
            forked = moment % 5
            until(
                lambda command=command, forked=forked: (
                    len(children_of(command.pid)) >= forked or command.process.poll() is not None
                ),
                f"{forked} workers",
            )
            workers = children_of(command.pid)
            command.send(signal.SIGTERM)
            asked = time.monotonic()
            code = command.exit_code()
            assert code in {0, -signal.SIGTERM}, (moment, code, command.stderr)
            assert time.monotonic() - asked < 15, "it waited to be killed"
            until(lambda workers=workers: gone(workers), "its workers to end")
            assert "Traceback" not in command.stderr
            assert "killed" not in command.stderr


def test_an_artefact_with_a_changed_byte_is_refused(packed_artefact: Path, tmp_path: Path):
    changed = tmp_path / "artefact"
    shutil.copytree(packed_artefact, changed)
    content = bytearray((changed / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (changed / "model.onnx").write_bytes(content)
    with tonnage("serve", changed, "--port", "0") as command:
        assert command.exit_code() == 1
    error, *hint = command.lines
    assert "model.onnx was changed" in error
    assert all(line.startswith("hint:") for line in hint)


def test_a_missing_artefact_is_one_clear_line(tmp_path: Path):
    with tonnage("serve", tmp_path / "nothing", "--port", "0") as command:
        assert command.exit_code() == 1
    error, *hint = command.lines
    assert "there is no artefact" in error
    assert all(line.startswith("hint:") for line in hint)


def test_a_busy_port_is_one_clear_line(packed_artefact: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        arguments = ("--host", "127.0.0.1", "--port", str(port))
        with tonnage("serve", packed_artefact, *arguments) as command:
            assert command.exit_code() == 1
    error, *hint = command.lines
    assert str(port) in error
    assert all(line.startswith("hint:") for line in hint)


def test_an_address_that_is_not_this_machines_is_misuse(packed_artefact: Path):
    with tonnage("serve", packed_artefact, "--host", "203.0.113.7", "--port", "0") as command:
        assert command.exit_code() == 2
    assert "203.0.113.7" in command.lines[0]
