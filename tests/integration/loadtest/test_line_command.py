"""The load line of a real endpoint on loopback, as a script asks for it."""

import json
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
    assert found["verdict"] in {"FOUND", "UNDECIDED", "AT_LEAST", "GENERATOR_LIMITED"}, found
    assert found["line"] < 2 * CAP
    assert found["elapsed_seconds"] <= 20
    assert found["arrivals"] == "constant"
    assert {"interval", "reason", "curve", "knee", "trials", "generator"} <= set(found)
    record = read_record(tmp_path / "runs" / "line")
    assert len(record.samples) >= sum(trial["requests"] for trial in found["trials"])
    assert json.loads((tmp_path / "runs" / "line" / "line.json").read_text()) == found
    assert "warm-up" in command.stderr


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
        (("--budget", "2s"), "budget_seconds"),
        (("--body", "{"), "no JSON"),
    ],
)
def test_misuse_is_named(flags: tuple[str, str], said: str, tmp_path: Path):
    command = tonnage("line", "http://127.0.0.1:9/", "--body", BODY, *flags, cwd=tmp_path)
    with command:
        assert command.exit_code() == 2, command.stderr
    assert said in command.stderr


def test_a_host_that_is_not_loopback_is_not_fired_at(tmp_path: Path):
    command = tonnage("line", "http://example.com/", "--body", BODY, *TERMS, cwd=tmp_path)
    with command:
        assert command.exit_code() == 2
    assert "--i-own example.com" in command.stderr
