"""
How a search for the load line ends the command, and what is kept of it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tonnage.cli._comparing import measured_line
from tonnage.cli._line_against import _exit_code
from tonnage.cli._line_outcome import line_exit_code, line_outcome
from tonnage.cli._sections import line_section
from tonnage.domain import Requirement, RunRecord, Samples
from tonnage.loadtest.compare import compare_lines
from tonnage.loadtest.gate import check_line
from tonnage.loadtest.line import LineMeasurement, LinePair, LoadLine

if TYPE_CHECKING:
    from pathlib import Path

HERE = (590.0, 600.0, 610.0)


def measured(
    verdict: str,
    *,
    line: float | None = 600.0,
    generator: str = "VALID",
    **changes: object,
) -> LineMeasurement:
    low = None if line is None else 0.98 * line
    high = low if verdict == "FOUND" else None
    given: dict[str, Any] = {
        "verdict": verdict,
        "line_per_second": line,
        "interval_per_second": (low, high),
        "reason": "because",
        "gave_way_first": "",
        "objective": "p99 < 250 ms",
        "arrivals": "constant",
        "level": 0.95,
        "threshold_seconds": 0.25,
        "window_seconds": 4.0,
        "elapsed_seconds": 50.0,
        **changes,
    }
    record = RunRecord(
        name="line",
        title="The load line",
        started_at_epoch_seconds=0.0,
        duration_seconds=50.0,
        samples=Samples.empty(),
        generator={"verdict": generator},
    )
    return LineMeasurement(line=LoadLine(**given), record=record)


def shared(here: tuple[float, float, float] = HERE) -> LineMeasurement:
    return measured("MACHINE_LIMITED", generator="DOUBTFUL", here_per_second=here)


def ended(of: LineMeasurement, *required: str) -> int:
    return line_exit_code(of, [check_line(of.line, Requirement.parse(text)) for text in required])


@pytest.mark.parametrize(
    ("verdict", "line", "code"),
    [
        ("FOUND", 600.0, 0),
        ("AT_LEAST", 600.0, 0),
        ("MACHINE_LIMITED", 600.0, 4),
        ("GENERATOR_LIMITED", 600.0, 4),
        ("UNDECIDED", 600.0, 4),
        ("BELOW", None, 3),
        ("NOT_STATIONARY", None, 0),
        ("HYSTERETIC", None, 0),
    ],
)
def test_every_verdict_has_its_exit_code(verdict: str, line: float | None, code: int):
    assert ended(measured(verdict, line=line)) == code


def test_a_bound_that_meets_a_requirement_settles_it():
    assert ended(shared(), "line >= 500/s") == 0
    assert ended(shared(), "line >= 700/s") == 4
    assert ended(shared(), "line < 700/s") == 4


def test_an_interrupted_search_says_so_first():
    assert ended(measured("FOUND", interrupted_by="SIGINT"), "line >= 1/s") == 130


def test_what_the_machine_carried_is_kept_and_read_again(tmp_path: Path):
    outcome = line_outcome(shared(), tmp_path)
    (tmp_path / "line.json").write_text(json.dumps(outcome))
    again = measured_line(tmp_path)
    assert (again.line, again.interval, again.here) == (600.0, (588.0, None), HERE)
    section = line_section(outcome)
    assert section.title == "The load line: >= 600.0/s (MACHINE_LIMITED)"
    assert ("Beside its generator", "600.0/s, 590.0/s to 610.0/s") in section.rows


def test_two_lines_that_one_machine_limited_are_compared_by_what_they_were_on_it(tmp_path: Path):
    found = []
    for name, here in (("base", HERE), ("head", (490.0, 500.0, 510.0))):
        directory = tmp_path / name
        directory.mkdir()
        outcome = line_outcome(shared(here), directory)
        (directory / "line.json").write_text(json.dumps(outcome))
        found.append(measured_line(directory))
    comparison = compare_lines(*found)
    (difference,) = comparison.differences
    assert (comparison.answer, comparison.is_believed) == ("worse", True)
    assert difference.change == pytest.approx(-1 / 6)
    assert comparison.notes[0].startswith("both lines are what this machine carried")
    pair = LinePair(base=shared(), head=shared())
    same = compare_lines(found[0], found[0])
    assert _exit_code(pair, comparison, ()) == 3
    assert _exit_code(pair, same, ()) == 0
    missed = check_line(pair.head.line, Requirement.parse("line >= 700/s"))
    assert _exit_code(pair, same, [missed]) == 4
