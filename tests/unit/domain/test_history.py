"""
A record second by second, under Locust's names.
"""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.domain import (
    HISTORY_COLUMNS,
    NO_ANSWER,
    RunRecord,
    Samples,
    history_csv,
    percentile,
    write_series,
)


def record(
    done: list[float], latency: list[float], status: list[int], *, duration: float, **more: object
) -> RunRecord:
    ended = np.array(done, dtype=np.float64)
    return RunRecord(
        name="a",
        title="a",
        started_at_epoch_seconds=1000.0,
        duration_seconds=duration,
        samples=Samples(
            intended_seconds=ended - np.array(latency, dtype=np.float64),
            sent_seconds=ended - np.array(latency, dtype=np.float64),
            done_seconds=ended,
            status=np.array(status, dtype=np.uint16),
        ),
        **more,
    )


def rows(of: RunRecord) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(history_csv(of))))


def test_a_request_counts_in_the_second_it_ended():
    seen = rows(
        record(
            [0.5, 1.5, 1.6, 3.2],
            [0.010, 0.020, 0.030, 0.040],
            [200, 503, NO_ANSWER, 200],
            duration=4.0,
            users=[(0.0, 0), (1.0, 7)],
        )
    )
    assert [row["Timestamp"] for row in seen] == ["1001", "1002", "1003", "1004"]
    assert [row["Requests/s"] for row in seen] == ["1", "2", "0", "1"]
    assert [row["Failures/s"] for row in seen] == ["0", "2", "0", "0"]
    assert [row["User Count"] for row in seen] == ["7", "7", "7", "7"]
    assert [row["Total Request Count"] for row in seen] == ["1", "3", "3", "4"]
    assert seen[1]["100%"] == "20.000"  # the one without an answer has no response time
    assert seen[2]["50%"] == "N/A"
    last = seen[-1]
    assert (last["Total Median Response Time"], last["Total Max Response Time"]) == (
        "20.000",
        "40.000",
    )


def test_the_columns_are_locusts_own():
    """Its class is read from its source: importing Locust here would replace this socket."""
    import ast
    import importlib.util

    origin = importlib.util.find_spec("locust").origin
    source = (Path(origin).parent / "stats.py").read_text()
    fixed = [
        node.value
        for assigned in ast.walk(ast.parse(source))
        if isinstance(assigned, ast.Assign)
        and getattr(assigned.targets[0], "attr", "") == "stats_history_csv_columns"
        for node in assigned.value.elts
        if isinstance(node, ast.Constant)
    ]
    assert fixed
    assert [name for name in HISTORY_COLUMNS if not name.endswith("%")] == fixed


@given(st.lists(st.floats(0.001, 5.0), min_size=1, max_size=300))
def test_the_totals_are_those_of_all_answers_so_far(latency: list[float]):
    done = np.linspace(0.0, 2.99, len(latency)).tolist()
    last = rows(record(done, latency, [200] * len(latency), duration=3.0))[-1]
    milliseconds = np.array(latency) * 1000
    assert float(last["Total Median Response Time"]) == pytest.approx(
        percentile(milliseconds, 0.5), abs=0.01
    )
    assert float(last["Total Min Response Time"]) == pytest.approx(milliseconds.min(), abs=0.01)


def test_a_run_without_requests_has_its_seconds():
    assert [row["50%"] for row in rows(record([], [], [], duration=2.0))] == ["N/A", "N/A"]


def test_a_record_that_claims_an_eternity_has_only_rows_with_requests(tmp_path: Path):
    of = record([1.0, 1e15], [0.01, 0.01], [200, 200], duration=1e300)
    assert len(write_series(of, tmp_path).read_text().splitlines()) == 3


def test_a_record_shows_itself_with_everything_escaped():
    shown = record([0.5], [0.01], [200], duration=1.0, notes=["<script>"])._repr_html_()
    assert "&lt;script&gt;" in shown
    assert "p99" in shown
