import dataclasses

import pytest

from tonnage.domain import RunRecord
from tonnage.reporting.scales import Scales, emulated_cap_per_second
from tonnage.reporting.series import timeline


def scales(records: list[RunRecord]) -> Scales:
    return Scales.around(records, [timeline(record) for record in records])


def test_axes_hold_every_record(records: list[RunRecord]):
    longer = dataclasses.replace(records[1], duration_seconds=30.0)
    shared = scales([records[0], longer])
    assert shared.end_seconds == 30
    assert 20 < shared.requests_per_second < 25
    assert shared.instances > 3
    assert shared.latency_milliseconds == (10, 50)


def test_axes_of_nothing_are_still_axes(empty: RunRecord):
    shared = scales([empty])
    assert shared.end_seconds == 1
    assert shared.requests_per_second > 0
    assert shared.latency_milliseconds == (1, 1000)


def test_latency_ticks_are_few_and_within_the_axis():
    narrow = Scales(
        end_seconds=1,
        requests_per_second=1,
        users=1,
        instances=1,
        latency_milliseconds=(2, 200),
    )
    assert narrow.latency_ticks == [2, 5, 10, 20, 50, 100, 200]
    wide = dataclasses.replace(narrow, latency_milliseconds=(0.1, 50000))
    assert wide.latency_ticks == [0.1, 1, 10, 100, 1000, 10000]


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ({"instance_rate": "600/s"}, 600),
        ({"instance_rate": 600}, 600),
        ({"instance_rate_per_second": 600.0}, 600),
        ({"instance_rate": "fast"}, None),
        ({"instance_rate": None}, None),
        ({"instance_rate": float("inf")}, None),
        ({}, None),
        ("none", None),
    ],
)
def test_an_emulated_cap_is_read_from_the_settings(
    records: list[RunRecord], local: object, expected: float | None
):
    record = dataclasses.replace(records[0], settings={"local": local})
    assert emulated_cap_per_second(record) == expected
