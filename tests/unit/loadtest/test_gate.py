"""
Requirements against what was measured.
"""

import numpy as np
import pytest

from tonnage.domain import ConfigurationError, Requirement, RunRecord, Samples
from tonnage.loadtest.gate import check_line, check_load
from tonnage.loadtest.line import LoadLine


def record(status: list[int], *, seconds: float = 2.0, **settings: object) -> RunRecord:
    count = len(status)
    moments = np.arange(count) * seconds / max(1, count)
    return RunRecord(
        name="a",
        title="a",
        started_at_epoch_seconds=0.0,
        duration_seconds=seconds,
        samples=Samples(
            intended_seconds=moments,
            sent_seconds=moments,
            done_seconds=moments + 0.1,
            status=np.array(status, dtype=np.uint16),
        ),
        settings=settings,
    )


def states(of: RunRecord, *texts: str, threshold: float = 1.0) -> list[str]:
    required = [Requirement.parse(text) for text in texts]
    return [check.state for check in check_load(of, required, threshold_seconds=threshold)]


def test_each_number_is_held_against_its_requirement():
    of = record([200] * 150 + [503] * 50)
    assert states(of, "p99 < 250ms", "errors < 30%", "throughput >= 100/s") == ["met"] * 3
    assert states(of, "goodput >= 76/s", "goodput >= 74%", "offered >= 101/s") == [
        "missed",
        "met",
        "missed",
    ]
    assert states(of, "goodput >= 1%", threshold=0.05) == ["missed"]


def test_a_request_without_an_answer_counts_as_slow():
    assert states(record([200] * 9 + [0]), "p99 < 1h") == ["missed"]


def test_a_threshold_without_data_fails_and_says_so():
    assert states(record([]), "p99 < 1h", "errors < 100%") == ["no data"] * 2
    (check,) = check_load(record([0]), [Requirement.parse("p50 < 1s")], threshold_seconds=1.0)
    assert (check.state, check.seen) == ("no data", "no request was answered")


def test_one_side_of_an_interleaved_run_is_judged_by_its_own_turns():
    of = record([200] * 100)
    blocks = {"run": "x", "side": "head", "units": [[[0.0, 0.5], [1.5, 2.0]]]}
    of = record([200] * 50 + [503] * 50, comparison=blocks)
    assert states(of, "throughput >= 50/s", "errors < 51%") == ["met", "met"]
    assert states(of, "throughput >= 51/s") == ["missed"]


def test_a_load_test_has_no_line():
    with pytest.raises(ConfigurationError, match="finds no load line"):
        states(record([200]), "line >= 1/s")


def found(
    line: float | None, low: float | None, high: float | None, verdict: str = "FOUND"
) -> LoadLine:
    return LoadLine(
        verdict=verdict,
        line_per_second=line,
        interval_per_second=(low, high),
        reason="because",
        gave_way_first="",
        objective="p99 < 250 ms",
        arrivals="constant",
        level=0.95,
        threshold_seconds=0.25,
        window_seconds=4.0,
        elapsed_seconds=50.0,
    )


@pytest.mark.parametrize(
    ("line", "low", "high", "text", "state"),
    [
        (1020.0, 1001.0, 1040.0, "line >= 1000/s", "met"),
        (1020.0, 980.0, 1060.0, "line >= 1000/s", "missed"),  # it may as well be 980/s
        (990.0, 980.0, 999.0, "line < 1000/s", "met"),
        (990.0, 980.0, 1001.0, "line < 1000/s", "missed"),
        (1200.0, 1200.0, None, "line >= 1000/s", "met"),  # a bound from below is one
        (1200.0, 1200.0, None, "line < 9000/s", "no data"),
        (None, None, None, "line >= 1/s", "no data"),
    ],
)
def test_the_intervals_worse_end_decides(
    line: float | None, low: float | None, high: float | None, text: str, state: str
):
    assert check_line(found(line, low, high), Requirement.parse(text)).state == state


def test_a_line_that_is_missing_says_why():
    check = check_line(found(None, None, 3.0, "BELOW"), Requirement.parse("line >= 1/s"))
    assert check.seen == "no line: BELOW, because"


def test_a_search_measures_only_the_line():
    with pytest.raises(ConfigurationError, match="does not measure p99"):
        check_line(found(1.0, 1.0, 1.0), Requirement.parse("p99 < 1s"))


def test_a_line_shows_itself_in_a_notebook():
    assert "980.0/s to 1060.0/s" in found(1020.0, 980.0, 1060.0)._repr_html_()
