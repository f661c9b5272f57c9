"""
``tonnage load`` and ``tonnage report`` as scripts call them.
"""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from support import Command, descendants_of, free_port, gone, tonnage, until
from tonnage.domain import read_record

if TYPE_CHECKING:
    from pathlib import Path

BODY = ("--body", '{"distance": 150}')
FEW = ("--users", "5", "--spawn-rate", "50/s")


def load(url: str, *flags: str, directory: Path) -> Command:
    return tonnage("load", url, *BODY, *FEW, *flags, cwd=directory)


@pytest.fixture(scope="module")
def measured(instance: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Command]:
    directory = tmp_path_factory.mktemp("measured")
    with load(instance, "--duration", "3s", "--json", directory=directory) as command:
        command.exit_code()
    return directory, command


def outcome_of(command: Command) -> dict[str, Any]:
    """Return the one JSON object that standard output is."""
    assert command.stdout.count("\n") == 1
    outcome: dict[str, Any] = json.loads(command.stdout)
    return outcome


def test_json_has_what_scripts_rely_on(measured: tuple[Path, Command]):
    _, command = measured
    outcome = outcome_of(command)
    assert outcome["verdict"] in {"VALID", "DOUBTFUL"}
    assert outcome["offered"] == pytest.approx(5, abs=1)
    assert outcome["throughput"] == pytest.approx(outcome["offered"], abs=0.5)
    assert outcome["error_fraction"] == 0
    latency = [outcome["latency"][name] for name in ("p50", "p90", "p95", "p99", "p99.9")]
    assert latency == sorted(latency)
    assert latency[0] > 0
    assert outcome["failed"] == 0
    assert outcome["window_seconds"] == pytest.approx(3, abs=0.5)


def test_the_record_holds_the_samples_and_the_settings(measured: tuple[Path, Command]):
    directory, command = measured
    outcome = outcome_of(command)
    record = read_record(directory / outcome["record"])
    assert len(record.samples) == outcome["requests"]
    assert set(record.samples.status) == {200}
    assert record.settings["load"]["users"] == 5
    assert record.generator["interrupted_by"] is None


def test_a_record_is_rendered_as_a_report(measured: tuple[Path, Command]):
    directory, command = measured
    record = outcome_of(command)["record"]
    with tonnage("report", record, "-o", "report", "--json", cwd=directory) as reporting:
        assert reporting.exit_code(60) == 0, reporting.stderr
    files = outcome_of(reporting)
    assert (directory / files["page"]).read_text().startswith("<!doctype html>")
    assert (directory / files["summary"]).is_file()


def test_an_objective_that_is_missed_is_exit_code_3(instance: str, tmp_path: Path):
    """Every request fails; unless the generator itself was late, that is the service's."""
    flags = ("--duration", "2s", "--objective", "errors < 1%", "--json")
    with load(f"{instance}/nowhere", *flags, directory=tmp_path) as command:
        code = command.exit_code()
    outcome = outcome_of(command)
    assert outcome["error_fraction"] == 1.0
    assert outcome["objective_met"] is False
    assert code == (3 if outcome["verdict"] == "VALID" else 4)


def test_nobody_there_is_exit_code_5(tmp_path: Path):
    url = f"http://127.0.0.1:{free_port()}/evaluate"
    with load(url, "--duration", "2s", "--json", directory=tmp_path) as command:
        assert command.exit_code() == 5
    error, hint = command.lines
    assert error.startswith(f"error: {url} cannot be reached")
    assert hint.startswith("hint: ")
    assert command.stdout == ""
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_load_keeps_its_record_and_is_exit_code_130(
    instance: str, tmp_path: Path, number: signal.Signals
):
    """Ctrl-C on a terminal reaches the whole group."""
    with load(instance, "--duration", "60s", "--json", directory=tmp_path) as command:
        command.until_line("users")
        family = descendants_of(command.pid)
        os.killpg(command.pid, number)
        assert command.exit_code() == 130, command.stderr
        until(lambda: gone(family), "the generator to end")
    record = read_record(tmp_path / outcome_of(command)["record"])
    assert len(record.samples) > 0
    assert record.generator["interrupted_by"] == number.name
    assert any(f"interrupted by {number.name}" in note for note in record.notes)
    assert "Traceback" not in command.stderr


MISUSES = {
    "no users": (("--users", "0"), "--users"),
    "no spawn rate": (("--spawn-rate", "0/s"), "spawn_rate"),
    "no duration": (("--duration", "0s"), "duration"),
    "no unit it knows": (("--duration", "5 parsecs"), "--duration"),
    "no JSON": (("--body", "{"), "--body"),
    "no objective": (("--objective", "p99 is fast"), "p99 is fast"),
    "another's host": ((), "i-own"),
}


@pytest.mark.parametrize(("flags", "words"), MISUSES.values(), ids=list(MISUSES))
def test_misuse_is_exit_code_2_before_a_request_is_sent(
    tmp_path: Path, flags: tuple[str, ...], words: str
):
    url = "http://192.0.2.1/evaluate" if words == "i-own" else f"http://127.0.0.1:{free_port()}/e"
    with load(url, *flags, directory=tmp_path) as command:
        assert command.exit_code() == 2, command.stderr
    assert words in command.stderr
    assert "Traceback" not in command.stderr
