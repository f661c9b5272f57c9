"""
When scheduled actions run; AAS is the Application Auto Scaling User Guide, EB EventBridge's.
"""

from datetime import UTC, datetime
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tonnage.domain import ConfigurationError
from tonnage.scaling import Schedule, ScheduledAction, scheduled_runs

DAY = 86_400.0


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def runs(
    expression: str, after: str, until: str, *, timezone: str = "UTC", **values: float
) -> list[str]:
    action = ScheduledAction.of("a", expression, timezone=timezone, min_capacity=1, **values)
    return [
        datetime.fromtimestamp(moment, UTC).isoformat()[:16]
        for moment in action.runs(at(after), at(until))
    ]


# cron


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("0 10 * * ? *", ["2026-03-01T10:00", "2026-03-02T10:00", "2026-03-03T10:00"]),
        ("15 12 * * ? *", ["2026-03-01T12:15", "2026-03-02T12:15", "2026-03-03T12:15"]),
        ("0 18 ? * MON-FRI *", ["2026-03-02T18:00", "2026-03-03T18:00", "2026-03-04T18:00"]),
        ("0 8 1 * ? *", ["2026-03-01T08:00", "2026-04-01T08:00", "2026-05-01T08:00"]),
        ("0/15 * * * ? *", ["2026-03-01T00:15", "2026-03-01T00:30", "2026-03-01T00:45"]),
        ("0/10 * ? * MON-FRI *", ["2026-03-02T00:00", "2026-03-02T00:10", "2026-03-02T00:20"]),
        ("0/5 8-17 ? * MON-FRI *", ["2026-03-02T08:00", "2026-03-02T08:05", "2026-03-02T08:10"]),
        ("30 6 ? * MON *", ["2026-03-02T06:30", "2026-03-09T06:30", "2026-03-16T06:30"]),
        ("1/10 0 1 4 ? *", ["2026-04-01T00:01", "2026-04-01T00:11", "2026-04-01T00:21"]),
        ("0 0 L * ? *", ["2026-03-31T00:00", "2026-04-30T00:00", "2026-05-31T00:00"]),
        ("0 0 3W * ? *", ["2026-03-03T00:00", "2026-04-03T00:00", "2026-05-04T00:00"]),
        ("0 0 1W * ? *", ["2026-03-02T00:00", "2026-04-01T00:00", "2026-05-01T00:00"]),
        ("0 0 31W * ? *", ["2026-03-31T00:00", "2026-05-29T00:00", "2026-07-31T00:00"]),
        ("0 0 ? * 3#2 *", ["2026-03-10T00:00", "2026-04-14T00:00", "2026-05-12T00:00"]),
        ("0 0 ? * SUN#5 *", ["2026-03-29T00:00", "2026-05-31T00:00", "2026-08-30T00:00"]),
        ("0 0 ? * L *", ["2026-03-07T00:00", "2026-03-14T00:00", "2026-03-21T00:00"]),
        ("0 0 ? * FRIL *", ["2026-03-27T00:00", "2026-04-24T00:00", "2026-05-29T00:00"]),
        ("0 0 ? * sun,wed *", ["2026-03-04T00:00", "2026-03-08T00:00", "2026-03-11T00:00"]),
        ("0 0 1,15,L jan-mar ? *", ["2026-03-15T00:00", "2026-03-31T00:00", "2027-01-01T00:00"]),
        ("0 0 1/14 APR ? *", ["2026-04-01T00:00", "2026-04-15T00:00", "2026-04-29T00:00"]),
        ("0 0 29 2 ? *", ["2028-02-29T00:00", "2032-02-29T00:00", "2036-02-29T00:00"]),
        ("0 0 1 1 ? 2027-2028", ["2027-01-01T00:00", "2028-01-01T00:00"]),
        ("0 0 1 1 ? 2020", []),
    ],
)
def test_cron_expressions_run_when_aws_says(fields: str, expected: list[str]):
    """The examples of both guides, and each wildcard (AAS, EB: "Cron expressions reference")."""
    moments = Schedule.parse(f"cron({fields})").moments(at("2026-03-01T00:00"), 0.0)
    first = [datetime.fromtimestamp(moment, UTC) for moment in islice(moments, 3)]
    assert [moment.isoformat()[:16] for moment in first] == expected


def test_a_run_is_after_the_last_look_and_up_to_this_one():
    """No run is made twice, none is left out, where one look follows the other."""
    first = runs("cron(0 10 * * ? *)", "2026-03-01T00:00", "2026-03-01T10:00")
    second = runs("cron(0 10 * * ? *)", "2026-03-01T10:00", "2026-03-02T10:00")
    assert first + second == ["2026-03-01T10:00", "2026-03-02T10:00"]


@pytest.mark.parametrize(
    "fields",
    [
        "0 10 * * *",
        "0 10 * * * *",
        "0 10 ? * ? *",
        "60 10 * * ? *",
        "0 24 * * ? *",
        "0 10 32 * ? *",
        "0 10 0 * ? *",
        "0 10 * 13 ? *",
        "0 10 ? * 8 *",
        "0 10 ? * 3#6 *",
        "0 10 ? * 3#1,6#3 *",
        "0 10 ? * 2/2 *",
        "0 10 * * ? 1969",
        "0 10 * * ? 2200",
        "5-1 10 * * ? *",
        "0/0 10 * * ? *",
        "0/x 10 * * ? *",
        ", 10 * * ? *",
        "? 10 * * ? *",
        "0 10 W * ? *",
        "0 10 LW * ? *",
        "0 10 * FOO ? *",
        "-1 10 * * ? *",
        "٣ 10 * * ? *",
    ],
)
def test_what_is_no_cron_expression_is_refused(fields: str):
    """Six fields in their ranges, ? in one of the two day fields, one # alone (EB)."""
    with pytest.raises(ConfigurationError, match="is no schedule"):
        Schedule.parse(f"cron({fields})")


@settings(deadline=None)
@given(st.text(alphabet="0123456789,-*?/LW# MONSUA", max_size=24))
def test_any_text_is_a_cron_expression_or_refused(fields: str):
    try:
        schedule = Schedule.parse(f"cron({fields})")
    except ConfigurationError:
        return
    assert schedule.cron is not None
    for moment in ScheduledAction(name="a", schedule=schedule, min_capacity=None, **_ONE).runs(
        at("2026-01-01T00:00"), at("2026-01-03T00:00")
    ):
        assert moment % 60 == 0


# at and rate


def test_at_runs_once():
    """at(yyyy-mm-ddThh:mm:ss), in UTC by default; also with an hour of one digit (AAS)."""
    assert runs("at(2026-03-08T9:36:00)", "2026-03-01T00:00", "2027-01-01T00:00") == [
        "2026-03-08T09:36"
    ]
    assert runs("at(2026-03-08T09:36:00)", "2026-03-08T09:36", "2027-01-01T00:00") == []


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("5 minutes", ["2026-03-01T00:05", "2026-03-01T00:10"]),
        ("1 hour", ["2026-03-01T01:00", "2026-03-01T02:00"]),
        ("2 days", ["2026-03-03T00:00", "2026-03-05T00:00"]),
    ],
)
def test_a_rate_runs_at_its_interval_since_it_was_put(unit: str, expected: list[str]):
    """rate(value unit), minutes, hours or days (BC: PutScheduledAction; decision 0020)."""
    created = at("2026-03-01T00:00")
    seen = runs(f"rate({unit})", "2026-03-01T00:00", "2026-03-31T00:00", created_seconds=created)
    assert seen[:2] == expected


@pytest.mark.parametrize(
    "expression",
    [
        "rate(0 minutes)",
        "rate(5 seconds)",
        "rate(5)",
        "at(2026-02-30T00:00:00)",
        "at(2026-03-08 09:36)",
        "every day",
        "",
    ],
)
def test_what_is_no_schedule_is_refused(expression: str):
    """Value is a positive integer, unit minutes, hours or days (BC: PutScheduledAction)."""
    with pytest.raises(ConfigurationError, match="is no schedule"):
        Schedule.parse(expression)


# Time zones


def test_a_time_zone_follows_daylight_saving():
    """It adjusts for daylight saving time by itself (AAS)."""
    assert runs(
        "cron(0 8 * * ? *)", "2026-03-28T00:00", "2026-03-31T00:00", timezone="Europe/Berlin"
    ) == ["2026-03-28T07:00", "2026-03-29T06:00", "2026-03-30T06:00"]


def test_at_is_in_its_time_zone():
    """Timezone applies to at and cron expressions (BC: PutScheduledAction)."""
    assert runs(
        "at(2026-01-31T17:00:00)",
        "2026-01-01T00:00",
        "2027-01-01T00:00",
        timezone="America/New_York",
    ) == ["2026-01-31T22:00"]


def test_a_local_time_that_is_skipped_does_not_run_and_one_that_comes_twice_runs_once():
    """The clocks go forward at 2:00 and back at 3:00 in Berlin (decision 0020)."""
    spring = runs(
        "cron(30 2 * * ? *)", "2026-03-28T12:00", "2026-03-30T12:00", timezone="Europe/Berlin"
    )
    autumn = runs(
        "cron(30 2 * * ? *)", "2026-10-24T12:00", "2026-10-26T12:00", timezone="Europe/Berlin"
    )
    assert spring == ["2026-03-30T00:30"]
    assert autumn == ["2026-10-25T00:30", "2026-10-26T01:30"]


def test_an_unknown_time_zone_is_refused():
    """The canonical names of IANA time zones (BC: PutScheduledAction)."""
    with pytest.raises(ConfigurationError, match="'Mars/Olympus' is no time zone"):
        Schedule.parse("cron(0 8 * * ? *)", "Mars/Olympus")


# Start and end, order, bounds


def test_a_recurring_action_runs_at_its_start_and_then_as_it_recurs():
    """With a start time, it runs at that time and then by its recurrence (AAS)."""
    assert runs(
        "cron(0 10 * * ? *)",
        "2026-03-01T00:00",
        "2026-03-04T00:00",
        start_seconds=at("2026-03-02T07:30"),
    ) == ["2026-03-02T07:30", "2026-03-02T10:00", "2026-03-03T10:00"]


def test_a_rate_counts_from_its_start():
    """Start and end form the boundaries of when a rate runs (BC: PutScheduledAction)."""
    assert runs(
        "rate(12 hours)",
        "2026-03-01T00:00",
        "2026-03-09T00:00",
        start_seconds=at("2026-03-02T07:30"),
        end_seconds=at("2026-03-03T07:30"),
    ) == ["2026-03-02T07:30", "2026-03-02T19:30", "2026-03-03T07:30"]


def test_a_recurring_action_stops_at_its_end():
    """With an end time, it stops repeating after it (AAS)."""
    assert runs(
        "cron(0 10 * * ? *)",
        "2026-03-01T00:00",
        "2026-03-09T00:00",
        end_seconds=at("2026-03-02T10:00"),
    ) == ["2026-03-01T10:00", "2026-03-02T10:00"]


def test_actions_of_one_moment_run_in_the_order_they_are_given_in():
    """The order in which actions of one target run is guaranteed (AAS)."""
    late = ScheduledAction.of("late", "at(2026-03-02T00:00:00)", min_capacity=2)
    first = ScheduledAction.of("first", "at(2026-03-01T00:00:00)", min_capacity=3)
    second = ScheduledAction.of("second", "at(2026-03-01T00:00:00)", min_capacity=4)
    order = scheduled_runs((late, first, second), 0.0, at("2027-01-01T00:00"))
    assert [action.name for _, action in order] == ["first", "second", "late"]


_ONE = {"max_capacity": ScheduledAction.of("x", "rate(1 day)", max_capacity=1).max_capacity}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "neither minimum nor maximum"),
        ({"min_capacity": 3, "max_capacity": 2}, "must not be less than min_capacity"),
        ({"min_capacity": 0}, "at least 1, not 0"),
        ({"max_capacity": 0}, "at least 1, not 0"),
        ({"min_capacity": 1.5}, "whole number, not 1.5"),
        ({"min_capacity": 1, "start_seconds": 9.0, "end_seconds": 9.0}, "ends before it begins"),
    ],
)
def test_actions_that_aws_refuses_are_refused(wrong: dict[str, float], message: str):
    """At least one of the capacities; the maximum not below the minimum (AAS, BC, DG)."""
    with pytest.raises(ConfigurationError, match=message):
        ScheduledAction.of("wrong", "rate(1 day)", **wrong)
