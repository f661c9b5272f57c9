"""``tonnage load`` with open-loop arrivals, as a user runs it."""

import json
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support import TONNAGE, Command, tonnage
from tonnage.domain import read_record
from tonnage.loadtest import constant_target

if TYPE_CHECKING:
    from .conftest import Listener

BODY = '{"distance": 150}'


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    with constant_target() as running:
        yield running.url


def finished(command: Command, *, code: int) -> dict[str, Any]:
    with command:
        assert command.exit_code() == code, command.stderr
    outcome: dict[str, Any] = json.loads(command.stdout) if command.stdout else {}
    return outcome


def test_a_rate_is_offered_and_both_latencies_are_told(target: str, tmp_path: Path):
    command = tonnage(
        *("load", target, "--body", BODY, "--rate", "80/s", "--arrivals", "constant"),
        *("--duration", "1s", "--objective", "p99 < 60s", "--json"),
        cwd=tmp_path,
    )
    outcome = finished(command, code=0)
    assert (outcome["requests"], outcome["offered"], outcome["error_fraction"]) == (80, 80.0, 0.0)
    assert set(outcome["latency"]) == {"p50", "p90", "p95", "p99", "p99.9"}
    for name, seconds in outcome["latency_from_send"].items():
        assert seconds <= outcome["latency"][name] + 1e-4
    assert outcome["arrivals"] == "constant"
    assert outcome["verdict"] in {"VALID", "DOUBTFUL", "INVALID"}
    record = read_record(tmp_path / outcome["record"])
    assert record.settings["load"]["profile"] == "constant(80/s, 1s)"


def test_a_profile_and_a_trace_bring_their_own_duration(target: str, tmp_path: Path):
    profile = tonnage(
        *("load", target, "--body", BODY, "--profile", "steps(20/s, 60/s, 500ms)"),
        *("--arrivals", "poisson", "--objective", "p99 < 60s", "--json"),
        cwd=tmp_path,
    )
    assert finished(profile, code=0)["window_seconds"] == 1.0
    (tmp_path / "trace.csv").write_text("time_seconds,rate_per_second\n0,40\n0.5,80\n1,\n")
    trace = tonnage(
        *("load", target, "--body", BODY, "--trace", "trace.csv"),
        *("--objective", "p99 < 60s", "--json"),
        cwd=tmp_path,
    )
    assert finished(trace, code=0)["requests"] == 60


def test_numbers_are_drawn_into_a_template_of_a_body(listener: "Listener", tmp_path: Path):
    command = tonnage(
        *("load", listener.url, "--body", '{"distance": 1, "city": "Taipei"}', "--rate", "80/s"),
        *("--draw", "distance=100..6000", "--duration", "500ms", "--objective", "p99 < 60s"),
        *("--json",),
        cwd=tmp_path,
    )
    finished(command, code=0)
    bodies = [body for _, _, body in listener.requests]
    assert {body["city"] for body in bodies} == {"Taipei"}
    drawn = {body["distance"] for body in bodies}
    assert len(drawn) == len(bodies) == 40
    assert all(100 <= distance <= 6000 for distance in drawn)


def test_settings_may_ask_for_an_open_loop(target: str, tmp_path: Path):
    (tmp_path / "tonnage.toml").write_text('[load]\narrivals = "poisson"\nrate = "60/s"\n')
    command = tonnage(
        *("load", target, "--body", BODY, "--duration", "1s"),
        *("--objective", "p99 < 60s", "--json"),
        cwd=tmp_path,
    )
    assert finished(command, code=0)["arrivals"] == "poisson"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--rate", "5/s", "--users", "3"], "--rate asks for an open loop and --users"),
        (["--rate", "5/s", "--profile", "constant(1/s, 1s)"], "both say how much is sent"),
        (["--profile", "constant(-5/s, 1s)"], "'-5/s' is not a rate"),
        (["--profile", "constant(5/s, 1s)", "--duration", "3s"], "a duration of its own"),
        (["--arrivals", "constant"], "an open loop needs a rate"),
        (["--trace", "trace.csv"], "line 3, column rate_per_second"),
        (["--rate", "5/s", "--payload", "no_such:thing"], "--body and --payload"),
        (["--users", "3", "--draw", "distance=1..2"], "--draw and --body do not go together"),
        (["--rate", "5/s", "--draw", "distance=9..2"], "range of distance"),
    ],
)
def test_misuse_is_named(target: str, tmp_path: Path, flags: list[str], said: str):
    (tmp_path / "trace.csv").write_text("time_seconds,rate_per_second\n0,40\n1,-3\n")
    command = tonnage("load", target, "--body", BODY, *flags, cwd=tmp_path)
    finished(command, code=2)
    assert said in command.stderr, command.stderr


def test_a_host_that_is_not_loopback_is_not_fired_at(tmp_path: Path):
    command = tonnage("load", "http://example.com/", "--body", BODY, "--rate", "5/s", cwd=tmp_path)
    finished(command, code=2)
    assert "--i-own example.com" in command.stderr


def test_a_target_that_is_not_there_has_its_own_exit_code(tmp_path: Path):
    command = tonnage("load", "http://127.0.0.1:9/", "--body", BODY, "--rate", "5/s", cwd=tmp_path)
    finished(command, code=5)


@pytest.mark.parametrize("times", [1, 2])
def test_an_interrupted_test_keeps_its_records_and_says_so(
    listener: "Listener", tmp_path: Path, times: int
):
    listener.hangs = threading.Event()
    with tonnage(
        *("load", listener.url, "--body", BODY, "--rate", "50/s", "--duration", "60s", "--json"),
        cwd=tmp_path,
    ) as command:
        command.until_line("waiting")
        for _ in range(times):
            command.send(signal.SIGINT)
        assert command.exit_code() == 130, command.stderr
    record = read_record(tmp_path / "runs" / "load")
    assert len(record.samples) > 0
    assert record.notes[0].startswith("interrupted by SIGINT after")
    assert "of 60 s" in record.notes[0]


def test_a_generator_short_of_descriptors_says_so_and_does_not_blame_the_target(tmp_path: Path):
    with constant_target(250) as slow:
        load = ("load", slow.url, "--body", BODY, "--rate", "350/s", "--duration", "1s", "--json")
        outcome = finished(
            Command(["prlimit", "--nofile=44:44", TONNAGE, *load], cwd=tmp_path), code=4
        )
    assert outcome["verdict"] == "INVALID"
    assert "descriptor limit" in outcome["reason"]
