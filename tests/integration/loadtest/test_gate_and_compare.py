"""Gates, comparisons and scaling, as a script asks for them: real services on loopback."""

import json
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support import TONNAGE, Command, free_port, tonnage
from tonnage.domain import HISTORY_COLUMNS, read_record
from tonnage.loadtest import constant_target

SERVICE = Path(__file__).with_name("delayed_service.py")
URL = "http://127.0.0.1:{port}/evaluate"
SENT = ("--body", "1")


def service(delay: float) -> str:
    return f"'{sys.executable}' '{SERVICE}' {{port}} {delay}"


def finished(command: Command, *codes: int, seconds: float = 90.0) -> dict[str, Any]:
    with command:
        assert command.exit_code(seconds) in codes, command.stderr
    outcome: dict[str, Any] = json.loads(command.stdout) if command.stdout else {}
    return outcome


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    with constant_target() as running:
        yield running.url


def test_a_gate_leaves_its_files_and_its_exit_code(target: str, tmp_path: Path):
    load = ("load", target, *SENT, "--rate", "60/s", "--duration", "1s", "--json")
    goal = ("--objective", "p99 < 60s", "--junit", "ci/junit.xml", "--markdown", "ci/summary.md")
    required = ("--require", "throughput >= 1/s", "--require", "goodput >= 5000/s")
    outcome = finished(tonnage(*load, *goal, *required, cwd=tmp_path), 3, 4)
    assert [each["state"] for each in outcome["requirements"]] == ["met", "missed"]
    suite = ET.parse(tmp_path / "ci" / "junit.xml").getroot().find("testsuite")
    assert suite is not None
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("5", "1")
    assert "goodput \\>= 5000/s" in (tmp_path / "ci" / "summary.md").read_text()
    head = (tmp_path / "runs" / "load" / "series.csv").read_text().splitlines()[0]
    assert head == ",".join(HISTORY_COLUMNS)


def test_a_met_gate_ends_with_0(target: str, tmp_path: Path):
    command = tonnage(
        *("load", target, *SENT, "--rate", "60/s", "--duration", "1s", "--json"),
        *("--objective", "p99 < 60s", "--require", "throughput >= 1/s"),
        cwd=tmp_path,
    )
    assert finished(command, 0)["requirements"][0]["state"] == "met"


def test_a_slower_head_is_worse_than_its_base(tmp_path: Path):
    """One run for all that hangs on it: the answer, the records, compare and report."""
    command = tonnage(
        *("load", URL, "--head", service(0.06), "--against", service(0.02), *SENT),
        *("--rate", "120/s", "--duration", "10s", "--junit", "junit.xml", "--json"),
        *("--objective", "p99 < 60s"),
        cwd=tmp_path,
    )
    found = finished(command, 3, 4)  # 4 when a busy machine made the generator invalid
    p50 = next(each for each in found["differences"] if each["metric"] == "p50")
    assert p50["answer"] == "worse"
    assert p50["interval"][0] > 0
    base, head = (read_record(tmp_path / "runs" / "load" / name) for name in ("base", "."))
    assert 0.02 <= p50["base"] < p50["head"]
    assert len(base.samples) == pytest.approx(len(head.samples), abs=2)
    assert "p50 not worse than the base" in (tmp_path / "junit.xml").read_text()

    again = finished(
        tonnage("compare", "runs/load/base", "runs/load", "--json", cwd=tmp_path), 3, 4
    )
    assert again["differences"] == found["differences"]

    with tonnage("report", "runs/load", "-o", "page", cwd=tmp_path) as report:
        assert report.exit_code() == 0, report.stderr
    page = (tmp_path / "page" / "report.html").read_text()
    assert page.index("Can it be believed?") < page.index("Difference to the base: worse")
    assert page.index("Difference to the base: worse") < page.index("What was measured")


def test_an_interleaved_run_that_is_interrupted_keeps_both_records(tmp_path: Path):
    import signal

    with tonnage(
        *("load", URL, "--head", service(0.001), "--against", service(0.001), *SENT),
        *("--rate", "120/s", "--duration", "60s"),
        cwd=tmp_path,
    ) as command:
        command.until_line("waiting")
        command.send(signal.SIGINT)
        assert command.exit_code() == 130, command.stderr
    for name in (".", "base"):
        record = read_record(tmp_path / "runs" / "load" / name)
        assert record.generator["interrupted_by"] == "SIGINT" or name == "base"
        assert len(record.samples) > 0


@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        (("--rate", "100/s", "--against", "/no/such/program"), 2, "cannot be started"),
        (("--rate", "100/s", "--against", "false"), 5, "exit code 1 before it served"),
        (("--rate", "100/s", "--against", "'"), 2, "cannot be read"),
        (("--users", "3", "--against", "http://127.0.0.1:9/x"), 2, "do not go together"),
        (("--against", "http://127.0.0.1:9/x"), 2, "one rate, open loop"),
        (("--rate", "100/s", "--duration", "5s", "--against", "http://127.0.0.1:9/"), 2, "10 s"),
        (("--rate", "100/s", "--against", "http://127.0.0.1:9/x"), 5, "cannot be reached"),
        (("--rate", "100/s", "--require", "speed < 3s"), 2, "nothing is called speed"),
        (("--rate", "100/s", "--require", "line >= 3/s"), 2, "finds no load line"),
    ],
)
def test_misuse_is_named(target: str, tmp_path: Path, flags: tuple[str, ...], code: int, said: str):
    command = tonnage("load", target, *SENT, *flags, cwd=tmp_path)
    finished(command, code)
    assert said in command.stderr, command.stderr


def test_base_and_head_must_not_be_one(target: str, tmp_path: Path):
    command = tonnage("load", target, *SENT, "--rate", "100/s", "--against", target, cwd=tmp_path)
    finished(command, 2)
    assert "are both" in command.stderr


def test_two_lines_are_measured_in_turn(tmp_path: Path):
    command = tonnage(
        *("line", URL, "--head", service(0.002), "--against", service(0.002), *SENT),
        *("--objective", "p99 < 1s", "--max-rate", "120/s", "--budget", "14s", "--json"),
        *("--require", "line >= 1/s"),
        cwd=tmp_path,
    )
    found = finished(command, 0, 3, 4)
    assert {each["metric"] for each in found["comparison"]["differences"]} == {"line"}
    assert (tmp_path / "runs" / "line" / "base" / "line.json").is_file()
    both = ("runs/line/base", "runs/line")
    compared = finished(tonnage("compare", *both, "--json", cwd=tmp_path), 0, 3, 4)
    assert compared["differences"][0]["metric"] == "line"


def test_a_target_that_outruns_the_generator_bounds_the_line_from_below(tmp_path: Path):
    """It answers any rate after 100 ms; the generator has room for some 30 connections."""
    port = free_port()
    with Command([sys.executable, str(SERVICE), str(port), "0.1"], cwd=tmp_path):
        wait_for(port)
        line = ("line", f"http://127.0.0.1:{port}/evaluate", *SENT, "--objective", "p99 < 1s")
        command = Command(
            [
                *("prlimit", "--nofile=60:60", TONNAGE, *line),
                *("--budget", "12s", "--json", "--require", "line >= 100000/s"),
            ],
            cwd=tmp_path,
        )
        found = finished(command, 4)
    assert found["verdict"] == "GENERATOR_LIMITED"
    assert found["interval"][1] is None
    assert found["line"] is None or found["line"] < 1000
    assert "generator-limited" in found["reason"] or "no trial can be believed" in found["reason"]


def test_the_line_is_measured_at_each_number_of_workers(tmp_path: Path):
    """The service is the same whatever the number: what is tried is that it is asked for it."""
    counted = f"'{sys.executable}' '{SERVICE}' {{port}} 0.00{{n}}"
    command = tonnage(
        *("line", URL, "--head", counted, "--workers-scaling", "1..2", *SENT, "--json"),
        *("--objective", "p99 < 1s", "--max-rate", "60/s", "--budget", "14s"),
        cwd=tmp_path,
    )
    found = finished(command, 0, 4)
    assert [each["workers"] for each in found["lines"]] == [1, 2]
    for count in (1, 2):
        assert (tmp_path / "runs" / "line" / f"workers-{count}" / "line.json").is_file()
    assert (tmp_path / "runs" / "line" / "scaling.json").is_file()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("nowhere", "--workers-scaling", "1..3"), "no packed artefact"),
        (("nowhere", "--workers-scaling", "3"), "names no counts"),
        ((URL, "--head", "true", "--workers-scaling", "1..2"), "put {n}"),
        (("nowhere", "--workers-scaling", "1..3", "--require", "line >= 1/s"), "--require is of"),
        (("nowhere", "--workers-scaling", "1..3", "--junit", "junit.xml"), "--junit is of one"),
        ((URL,), "no command is given"),
    ],
)
def test_misuse_of_scaling_is_named(flags: tuple[str, ...], said: str, tmp_path: Path):
    command = tonnage("line", *flags, *SENT, "--objective", "p99 < 1s", cwd=tmp_path)
    finished(command, 2)
    assert said in command.stderr, command.stderr


def wait_for(port: int) -> None:
    import socket

    from support import until

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    until(listens, f"port {port}")
