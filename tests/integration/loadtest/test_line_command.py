"""The load line of a real endpoint on loopback, as a script asks for it."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import free_port, tonnage
from tonnage.domain import read_record

BODY = '{"distance": 150}'
CAP = 300
TERMS = ("--objective", "p99 < 2s", "--objective", "errors < 1%")


@pytest.fixture(scope="module")
def capped(example_project: Path, packed_artefact: Path) -> Iterator[str]:
    """An endpoint of one instance that carries 300 requests per second."""
    port = free_port()
    command = tonnage(
        *("up", "--port", str(port), "--set", f"local.instance_rate={CAP}/s"),
        *("--set", "scaling.enabled=false"),
        cwd=example_project,
    )
    with command:
        command.until_line("is in service")
        yield f"http://127.0.0.1:{port}/evaluate"


def test_the_line_of_a_capped_instance_is_found_within_the_budget(capped: str, tmp_path: Path):
    """How near it comes on a quiet machine is the benchmark's to say; here it is the right one."""
    command = tonnage(
        *("line", capped, "--body", BODY, *TERMS, "--budget", "20s", "--json"),
        *("--require", "line >= 1/s"),
        cwd=tmp_path,
    )
    with command:
        assert command.exit_code(90) == 0, command.stderr
    found = json.loads(command.stdout)
    assert found["verdict"] in {
        *("FOUND", "UNDECIDED", "AT_LEAST"),
        *("GENERATOR_LIMITED", "MACHINE_LIMITED"),  # on a machine that others fill
    }, found
    assert found["line"] < 2 * CAP
    assert found["elapsed_seconds"] <= 20
    assert found["arrivals"] == "constant"
    assert {"interval", "reason", "curve", "knee", "trials", "generator"} <= set(found)
    record = read_record(tmp_path / "runs" / "line")
    assert len(record.samples) >= sum(trial["requests"] for trial in found["trials"])
    assert json.loads((tmp_path / "runs" / "line" / "line.json").read_text()) == found
    assert "warm-up" in command.stderr


@pytest.mark.parametrize("times", [1, 2])
def test_an_interrupted_search_keeps_its_record_and_says_what_it_knows(
    capped: str, tmp_path: Path, times: int
):
    with tonnage(
        *("line", capped, "--body", BODY, *TERMS, "--budget", "60s", "--json"), cwd=tmp_path
    ) as command:
        command.until_line("bracket")
        for _ in range(times):
            command.send(signal.SIGINT)
        assert command.exit_code() == 130, command.stderr
    found = json.loads(command.stdout)
    assert found["trials"]
    assert any("interrupted by SIGINT after" in note for note in found["notes"])
    record = read_record(tmp_path / "runs" / "line")
    assert len(record.samples) >= sum(trial["requests"] for trial in found["trials"])
    assert "Traceback" not in command.stderr


def test_the_line_of_an_endpoint_is_found_by_signed_invocations(capped: str, tmp_path: Path):
    """An answer's failures are the endpoint's own: nothing is sent twice."""
    keys = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
    command = tonnage(
        *("line", capped.removesuffix("/evaluate"), "--endpoint", "real-estate-evaluation"),
        *("--body", '{"distance": 1}', "--draw", "distance=100..6000", *TERMS),
        *("--budget", "6s", "--max-rate", "100/s", "--require", "line >= 1/s", "--json"),
        cwd=tmp_path,
        env=keys,
    )
    with command:
        assert command.exit_code(60) in {0, 4}, command.stderr
    record = read_record(tmp_path / "runs" / "line")
    settings = record.settings["line"]
    assert settings["url"].endswith("/endpoints/real-estate-evaluation/invocations")
    assert settings["payload"]["ranges"] == {"distance": [100.0, 6000.0]}
    assert set(record.samples.status) <= {200, 0}
    assert (record.samples.status == 200).any()


def test_a_requirement_that_is_missed_has_its_own_exit_code(capped: str, tmp_path: Path):
    command = tonnage(
        *("line", capped, "--body", BODY, *TERMS, "--budget", "10s", "--max-rate", "60/s"),
        *("--require", "line >= 5000/s", "--json"),
        cwd=tmp_path,
    )
    with command:
        assert command.exit_code(60) in {3, 4}, command.stderr


def test_a_target_that_is_not_there_has_its_own_exit_code(tmp_path: Path):
    command = tonnage("line", "http://127.0.0.1:9/", "--body", BODY, *TERMS, cwd=tmp_path)
    with command:
        assert command.exit_code() == 5
    assert "cannot be reached" in command.stderr


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--objective", "speed"), "not an error objective"),
        (("--require", "p99 >= 3/s"), "line >= 1000/s"),
        (("--budget", "2s"), "for the search, which takes at least 3 s"),
        (("--body", "{"), "no JSON"),
        (("--draw", "distance"), "write distance=1..6500"),
        (("--payload", "a:b"), "--body and --payload"),
    ],
)
def test_misuse_is_named(flags: tuple[str, str], said: str, tmp_path: Path):
    command = tonnage("line", "http://127.0.0.1:9/", "--body", BODY, *flags, cwd=tmp_path)
    with command:
        assert command.exit_code() == 2, command.stderr
    assert said in command.stderr


def test_an_endpoint_is_searched_alone(tmp_path: Path):
    flags = ("--endpoint", "prices", "--against", "http://127.0.0.1:9/x")
    command = tonnage("line", "http://127.0.0.1:9/", "--body", BODY, *TERMS, *flags, cwd=tmp_path)
    with command:
        assert command.exit_code() == 2, command.stderr
    assert "--endpoint and --against do not go together" in command.stderr


def test_a_host_that_is_not_loopback_is_not_fired_at(tmp_path: Path):
    command = tonnage("line", "http://example.com/", "--body", BODY, *TERMS, cwd=tmp_path)
    with command:
        assert command.exit_code() == 2
    assert "--i-own example.com" in command.stderr
