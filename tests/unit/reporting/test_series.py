import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.domain import RunRecord, Samples, percentile
from tonnage.reporting.series import (
    CHARTED,
    MAX_WINDOWS,
    held_at,
    steps,
    timeline,
    window_seconds,
)


def record(
    sent: Sequence[float], status: Sequence[int], latency: Sequence[float], duration_seconds: float
) -> RunRecord:
    sends = np.asarray(sent, dtype=float)
    return RunRecord(
        name="r",
        title="R",
        started_at_epoch_seconds=0.0,
        duration_seconds=duration_seconds,
        samples=Samples(
            intended_seconds=sends,
            sent_seconds=sends,
            done_seconds=sends + np.asarray(latency, dtype=float),
            status=np.asarray(status, dtype=np.uint16),
        ),
    )


def test_a_request_counts_in_the_second_it_was_sent_whenever_it_was_answered():
    line = timeline(record([0.1, 0.9, 1.0, 2.5], [200, 503, 201, 0], [5, 5, 5, 5], 3.0))
    assert line.sent_per_second.tolist() == [2, 1, 1]
    assert line.succeeded_per_second.tolist() == [1, 1, 0]
    assert line.failed_per_second.tolist() == [1, 0, 1]


def test_succeeded_and_failed_add_up_to_sent(records: list[RunRecord]):
    for line in map(timeline, records):
        total = line.succeeded_per_second + line.failed_per_second
        assert np.array_equal(total, line.sent_per_second)


def test_a_last_second_that_is_not_whole_is_left_out():
    line = timeline(record([0.1, 1.1, 2.1], [200] * 3, [0.01] * 3, 2.4))
    assert line.sent_per_second.tolist() == [1, 1]


def test_a_request_without_an_answer_has_no_latency():
    line = timeline(record([0.1, 0.2, 1.1], [200, 0, 0], [0.01, 30.0, 30.0], 2.0))
    assert line.latency_seconds["p99"][0] == pytest.approx(0.01)
    assert np.isnan(line.latency_seconds["p99"][1])


@given(
    requests=st.lists(
        st.tuples(st.floats(0, 4.99), st.floats(0.0001, 5), st.sampled_from([0, 200, 503])),
        min_size=1,
        max_size=80,
    )
)
def test_percentiles_of_a_second_are_those_of_its_answered_requests(
    requests: list[tuple[float, float, int]],
):
    sent, latency, status = map(np.array, zip(*requests, strict=True))
    run = record(sent, status, latency, 5.0)
    measured = run.samples.latency_seconds
    line = timeline(run)
    for second in range(5):
        chosen = (np.floor(sent) == second) & (status > 0)
        for name, fraction in CHARTED.items():
            expected = percentile(measured[chosen], fraction)
            assert np.array_equal(line.latency_seconds[name][second], expected, equal_nan=True)


@given(duration_seconds=st.floats(0, 1e9))
def test_windows_are_few_and_never_shorter_than_a_second(duration_seconds: float):
    width = window_seconds(duration_seconds)
    assert width >= 1
    assert duration_seconds / width <= MAX_WINDOWS * (1 + 1e-9)


def test_a_long_run_keeps_its_rate_in_wider_windows():
    sent = np.arange(0, 7200, 0.5)
    line = timeline(record(sent, [200] * len(sent), [0.01] * len(sent), 7200.0))
    assert line.window_seconds == 10
    assert set(line.sent_per_second) == {2.0}


@pytest.mark.parametrize("duration_seconds", [float("nan"), float("inf"), -3.0, 0.0])
def test_a_duration_that_says_nothing_still_gives_one_second(duration_seconds: float):
    line = timeline(record([0.5], [200], [0.01], duration_seconds))
    assert line.sent_per_second.tolist() == [1]


def test_nothing_measured_is_zero_requests_and_nothing_known(empty: RunRecord):
    line = timeline(empty)
    assert line.sent_per_second.tolist() == [0]
    for values in (line.users, line.desired, line.in_service, *line.latency_seconds.values()):
        assert np.isnan(values).all()


def test_users_and_instances_are_those_at_the_end_of_each_second(records: list[RunRecord]):
    line = timeline(records[1])
    assert line.users.tolist() == [20] * 12
    assert line.desired.tolist() == [1, 1, *[3] * 10]
    assert line.in_service.tolist() == [1] * 5 + [3] * 7


def test_a_value_holds_until_the_next_and_is_unknown_before_the_first():
    values = held_at([(1.0, 5), (3.0, 7)], np.array([0.5, 1.0, 2.9, 3.0, 99.0]))
    assert np.array_equal(values, [np.nan, 5, 5, 7, 7], equal_nan=True)


def test_steps_run_from_the_start_to_the_end_of_the_axis():
    changes = [(-20.0, 1, 0), (-10.0, 1, 1), (4.0, 3, 1), (12.0, 3, 3)]
    assert steps(changes, 10.0) == [(0.0, 1, 1), (4.0, 3, 1), (10.0, 3, 1)]
    assert steps([], 10.0) == []


def test_a_timeline_is_not_changed_by_requests_before_the_run_began(records: list[RunRecord]):
    early = dataclasses.replace(
        records[0].samples, sent_seconds=records[0].samples.sent_seconds - 1
    )
    line = timeline(dataclasses.replace(records[0], samples=early))
    assert line.sent_per_second.tolist() == [20] * 11 + [0]
