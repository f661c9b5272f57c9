"""Short real load tests: Locust in its child process against a real server on loopback."""

import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tonnage.domain import (
    NO_ANSWER,
    ConfigurationError,
    TonnageError,
    TransportError,
    read_record,
    send_spread_seconds,
    write_record,
)
from tonnage.loadtest import LoadPlan, LoadProgress, load

if TYPE_CHECKING:
    from .conftest import Listener

EXAMPLE = Path(__file__).parents[3] / "examples" / "real_estate" / "locustfile.py"

PLAIN_LOCUSTFILE = """
from locust import HttpUser, constant, task

class Reader(HttpUser):
    wait_time = constant(0.1)

    @task
    def read(self):
        self.client.get("/pages")
"""


def plan(url: str, **changes: object) -> LoadPlan:
    settings: dict[str, Any] = {
        "users": 40,
        "spawn_rate_per_second": 40,
        "duration_seconds": 1.5,
        "body": {"distance": 150},
    }
    return LoadPlan(url=url, **{**settings, **changes})


def test_every_request_is_recorded_as_the_server_saw_it(listener: "Listener", tmp_path: Path):
    progress: list[LoadProgress] = []
    record = load(plan(f"{listener.url}/evaluate"), on_progress=progress.append)

    assert len(record.samples) == len(listener.requests)
    assert set(listener.requests[0][:2]) == {"/evaluate", "application/json"}
    assert all(body == {"distance": 150} for _, _, body in listener.requests)
    assert set(record.samples.status) == {200}
    # 40 users are due once or twice each in 1.5 s.
    assert 40 <= len(record.samples) <= 40 * 2
    assert record.duration_seconds >= 1.49
    assert np.all(record.samples.intended_seconds <= record.samples.sent_seconds)
    assert np.all(record.samples.sent_seconds <= record.samples.done_seconds)
    assert max(users for _, users in record.users) == 40
    assert progress[-1].users == 40
    assert "users" in str(progress[-1])
    assert record.generator["engine"] == "locust"
    assert record.generator["arrivals"] == "dephased"
    assert record.notes == ()
    again = read_record(write_record(record, tmp_path / "run"))
    assert len(again.samples) == len(record.samples)


def test_failures_keep_their_status(listener: "Listener"):
    listener.fails_every = 5
    record = load(plan(f"{listener.url}/evaluate"))
    assert int((record.samples.status == 503).sum()) == len(record.samples) // 5
    assert set(record.samples.status) == {200, 503}


def test_numbers_are_drawn_from_their_ranges(listener: "Listener"):
    record = load(
        plan(f"{listener.url}/evaluate?v=1", body=None, ranges={"distance": (1, 6500)}, seed=7)
    )
    drawn = np.array([body["distance"] for _, _, body in listener.requests])
    assert listener.requests[0][0] == "/evaluate?v=1"
    assert len(drawn) == len(record.samples)
    assert np.all((drawn >= 1) & (drawn <= 6500))
    assert len(set(drawn)) > len(drawn) // 2
    assert record.generator["seed"] == 7


def test_users_are_spread_over_the_second_unless_they_march_in_step(listener: "Listener"):
    def spread(arrivals: str) -> float:
        crowd = plan(
            listener.url,
            users=100,
            spawn_rate_per_second=100,
            duration_seconds=3.0,
            arrivals=arrivals,
        )
        return send_spread_seconds(load(crowd).samples)

    with ThreadPoolExecutor() as both:
        dephased, lockstep = both.map(spread, ["dephased", "lockstep"])
    assert dephased > 2 * lockstep


def test_a_plain_locustfile_runs_unchanged(listener: "Listener", tmp_path: Path):
    locustfile = tmp_path / "plain.py"
    locustfile.write_text(PLAIN_LOCUSTFILE)
    record = load(plan(listener.url, users=5, body=None, locustfile=locustfile))
    assert {path for path, _, _ in listener.requests} == {"/pages"}
    assert 0 <= len(listener.requests) - len(record.samples) <= 5
    assert len(record.samples) > 5
    assert record.generator["arrivals"] == "the locustfile's own"


def test_the_example_runs_under_load(listener: "Listener"):
    record = load(plan(listener.url, body=None, locustfile=EXAMPLE))
    assert len(record.samples) == len(listener.requests)
    assert all(
        path == "/evaluate" and 1 <= body["distance"] <= 6500 for path, _, body in listener.requests
    )


def test_the_example_runs_under_plain_locust(listener: "Listener"):
    subprocess.run(
        [
            *(sys.executable, "-m", "locust", "-f", EXAMPLE.name, "--host", listener.url),
            *("--headless", "--users", "5", "--spawn-rate", "5", "--run-time", "5"),
        ],
        cwd=EXAMPLE.parent,
        check=True,
        capture_output=True,
    )
    assert len(listener.requests) >= 5


def test_a_locustfile_that_does_not_import_is_the_users_to_mend(
    listener: "Listener", tmp_path: Path
):
    locustfile = tmp_path / "broken.py"
    locustfile.write_text("import a_module_that_is_not_there\n")
    with pytest.raises(ConfigurationError, match=r"broken\.py.*No module named 'a_module_that_is"):
        load(plan(listener.url, body=None, locustfile=locustfile))


def test_a_locustfile_whose_tasks_raise_says_so_in_the_record(listener: "Listener", tmp_path: Path):
    locustfile = tmp_path / "raising.py"
    locustfile.write_text(
        PLAIN_LOCUSTFILE.replace('self.client.get("/pages")', 'raise ValueError("no such page")')
    )
    record = load(
        plan(listener.url, users=2, duration_seconds=1.0, body=None, locustfile=locustfile)
    )
    assert any("no such page" in note for note in record.notes)
    assert record.generator["verdict"] == "INVALID"


def test_a_port_where_nobody_listens_is_refused_before_the_test():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/evaluate"
        with pytest.raises(TransportError, match=url):
            load(plan(url))


def test_a_generator_that_dies_is_named(listener: "Listener", tmp_path: Path):
    locustfile = tmp_path / "dying.py"
    locustfile.write_text(
        PLAIN_LOCUSTFILE.replace(
            'self.client.get("/pages")',
            'import os, sys; print("out of luck", file=sys.stderr, flush=True); os._exit(9)',
        )
    )
    with pytest.raises(TonnageError, match=r"exit code 9.*out of luck"):
        load(plan(listener.url, body=None, locustfile=locustfile))


def test_an_exception_from_the_callers_progress_ends_the_test(listener: "Listener"):
    def stop(_: LoadProgress) -> None:
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        load(plan(listener.url, duration_seconds=60.0), on_progress=stop)
    seen = len(listener.requests)
    assert seen < 40 * 60


INTERRUPTED = """
import os, signal
from tonnage.loadtest import LoadPlan, load

def interrupt(progress):
    {act}

plan = LoadPlan(
    url={url!r},
    users=20,
    spawn_rate_per_second=20,
    duration_seconds=60,
    body=1,
    web_port={web_port},
)
record = load(plan, on_progress=interrupt)
print(len(record.samples), record.generator["interrupted_by"], *record.notes)
"""


def interrupted(url: str, act: str, web_port: int | None = None) -> list[str]:
    """Run a load of a minute that interrupts itself, and return what its record says."""
    script = INTERRUPTED.format(url=url, act=act, web_port=web_port)
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout.strip().split(" ", 2)


def test_an_interruption_keeps_what_there_is(listener: "Listener"):
    count, interrupted_by, note = interrupted(listener.url, "os.kill(os.getpid(), signal.SIGTERM)")
    assert int(count) == len(listener.requests) > 0
    assert interrupted_by == "SIGTERM"
    assert note.startswith("interrupted by SIGTERM after")


def test_a_second_interruption_ends_at_once_and_keeps_the_seconds_before(listener: "Listener"):
    count, interrupted_by, _ = interrupted(listener.url, "os.kill(os.getpid(), signal.SIGINT);" * 2)
    assert 0 < int(count) <= len(listener.requests)
    assert interrupted_by == "SIGINT"


def test_locusts_own_page_is_shown_on_request(listener: "Listener"):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        web_port = free.getsockname()[1]
    page = f"urllib.request.urlopen('http://127.0.0.1:{web_port}/', timeout=10)"
    count, _, _ = interrupted(
        listener.url,
        f"import urllib.request; assert b'Locust' in {page}.read();"
        " os.kill(os.getpid(), signal.SIGINT)",
        web_port,
    )
    assert int(count) > 0


def test_the_first_user_starts_at_the_moment_asked_for(listener: "Listener"):
    moment = time.monotonic() + 2.0
    epoch_of_moment = time.time() + 2.0
    record = load(plan(listener.url, duration_seconds=1.0, start_at_monotonic_seconds=moment))
    assert time.monotonic() >= moment + 1.0
    assert record.started_at_epoch_seconds >= epoch_of_moment - 0.1
    late = record.started_at_epoch_seconds - epoch_of_moment
    assert late < 0.2 or record.notes


def test_requests_that_hang_at_the_end_are_recorded_as_unanswered(listener: "Listener"):
    listener.hangs = threading.Event()
    record = load(plan(listener.url, users=3, spawn_rate_per_second=3, duration_seconds=1.5))
    assert list(record.samples.status) == [NO_ANSWER] * 3
    assert "3 requests were still without an answer at the end" in record.notes


def test_importing_loadtest_leaves_sockets_as_they_are():
    script = "import sys, tonnage.loadtest; print({'locust', 'gevent'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "set()"
