"""What a plan refuses, and what follows from it."""

from pathlib import Path
from typing import Any

import pytest

from tonnage.domain import ConfigurationError
from tonnage.loadtest import LoadPlan
from tonnage.loadtest._command import locust_command
from tonnage.loadtest._orders import ORDERS_VARIABLE, Orders


def plan(**changes: object) -> LoadPlan:
    settings: dict[str, Any] = {
        "url": "http://127.0.0.1:8000/evaluate",
        "users": 1000,
        "spawn_rate_per_second": 20,
        "duration_seconds": 60.0,
        "body": {"distance": 150},
    }
    return LoadPlan(**{**settings, **changes})


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"url": "ftp://127.0.0.1/"}, "ftp"),
        ({"url": "127.0.0.1:8000"}, "127.0.0.1:8000"),
        ({"url": "http://127.0.0.1:eighty/"}, "eighty"),
        ({"url": "http:///evaluate"}, "http:///evaluate"),
        ({"url": "http://127.0.0.1/a b"}, "a b"),
        ({"url": "http://me:secret@127.0.0.1/"}, "password"),
        ({"users": 0}, "users is 0"),
        ({"spawn_rate_per_second": 0}, "spawn_rate_per_second is 0"),
        ({"duration_seconds": -1.0}, "duration_seconds is -1.0"),
        ({"duration_seconds": float("inf")}, "duration_seconds is inf"),
        ({"timeout_seconds": float("nan")}, "timeout_seconds is nan"),
        ({"pacing_seconds": -0.1}, "pacing_seconds is -0.1"),
        ({"arrivals": "poisson"}, "poisson"),
        ({"web_port": 70000}, "web_port is 70000"),
        ({"start_at_monotonic_seconds": float("inf")}, "start_at_monotonic_seconds"),
        ({"body": None}, "body, or fields drawn from ranges"),
        ({"ranges": {"distance": (1, 2)}}, "body, or fields drawn from ranges"),
        ({"body": {"distance": float("nan")}}, "not a JSON value"),
        ({"body": {1, 2}}, "not a JSON value"),
        ({"body": None, "ranges": {"distance": (2, 1)}}, "range of distance"),
        ({"body": None, "ranges": {"distance": (1, float("inf"))}}, "range of distance"),
        ({"body": None, "locustfile": Path("there_is_none.py")}, "there_is_none.py"),
    ],
)
def test_a_plan_that_cannot_be_run_is_refused_by_name(changes: dict[str, object], named: str):
    with pytest.raises(ConfigurationError, match=named):
        plan(**changes)


def test_a_locustfile_is_a_python_file_without_a_comma(tmp_path: Path):
    for name in ("one,two.py", "locustfile.txt"):
        file = tmp_path / name
        file.write_text("")
        with pytest.raises(ConfigurationError, match=name):
            plan(body=None, locustfile=file)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "[::1]", "localhost", "a.localhost"])
def test_loopback_needs_no_permission(host: str):
    assert plan(url=f"http://{host}:8000/").port == 8000


@pytest.mark.parametrize("host", ["example.com", "10.0.0.1", "0.0.0.0", "localhost.example.com"])
def test_any_other_host_must_be_owned_by_name(host: str):
    with pytest.raises(ConfigurationError, match=host) as refused:
        plan(url=f"http://{host}/")
    assert refused.value.hint == f"if it is yours, say so: --i-own {host}"
    with pytest.raises(ConfigurationError):
        plan(url=f"http://{host}/", i_own="example.org")
    assert plan(url=f"http://{host}/", i_own=host).port == 80


def test_the_built_in_user_posts_to_the_route():
    planned = plan(url="https://localhost/a/b?c=1#d")
    assert planned.locust_host == "https://localhost"
    assert planned.path == "/a/b?c=1"
    assert planned.port == 443
    assert plan(url="http://localhost").path == "/"


def test_a_locustfile_is_given_the_whole_url_as_its_host(tmp_path: Path):
    file = tmp_path / "users.py"
    file.write_text("")
    planned = plan(url="http://localhost:8000/stage/", body=None, locustfile=file)
    command = locust_command(planned)
    assert command[command.index("--host") + 1] == "http://localhost:8000/stage"
    assert command[command.index("-f") + 1].endswith(f"tonnage_recorder.py,{file}")


def test_the_command_runs_locust_headless_or_with_its_page():
    headless = locust_command(plan(spawn_rate_per_second=0.5))
    assert headless[1:4] == ["-P", "-m", "locust"]
    assert "--headless" in headless
    assert headless[headless.index("--users") + 1] == "1000"
    assert headless[headless.index("--spawn-rate") + 1] == "0.5"
    assert "--run-time" not in headless
    shown = locust_command(plan(web_port=8089))
    assert "--headless" not in shown
    assert shown[shown.index("--web-host") + 1] == "127.0.0.1"
    assert shown[shown.index("--web-port") + 1] == "8089"


def test_orders_reach_the_child_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    orders = Orders.of(
        plan(arrivals="lockstep", seed=3, start_at_monotonic_seconds=12.5),
        report_to=5,
        samples_in=tmp_path,
    )
    orders.write(tmp_path / "orders.json")
    monkeypatch.setenv(ORDERS_VARIABLE, str(tmp_path / "orders.json"))
    assert Orders.of_this_process() == orders
