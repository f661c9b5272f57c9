"""
Levels over a day, and the calendar that they are of.
"""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.domain import ConfigurationError, PiecewiseRate
from tonnage.planning import Calendar
from tonnage.planning.calendars import DayLoads
from tonnage.planning.levels import few_levels, needed_instances
from tonnage.planning.timetables import Timetables

HOUR = 3600.0


@given(
    needed=st.lists(st.integers(1, 9), min_size=1, max_size=96),
    stretches=st.integers(1, 8),
    shortest_dip=st.integers(0, 5),
)
def test_levels_are_never_below_what_is_needed(
    needed: list[int], stretches: int, shortest_dip: int
):
    parts = few_levels(np.array(needed), stretches=stretches, shortest_dip=shortest_dip)
    assert len(parts) <= stretches
    assert [part.start for part in parts[1:]] == [part.end for part in parts[:-1]]
    assert (parts[0].start, parts[-1].end) == (0, len(needed))
    for part in parts:
        assert max(needed[part.start : part.end]) <= part.level <= max(needed)


def test_a_dip_that_ends_before_it_could_be_used_is_filled():
    parts = few_levels(np.array([1, 3, 3, 2, 3, 1]), stretches=6, shortest_dip=1)
    assert [part.level for part in parts] == [1, 3, 1]


def test_the_step_that_costs_least_is_joined_first():
    parts = few_levels(np.array([1] * 10 + [2] * 2 + [5] * 10), stretches=2, shortest_dip=0)
    assert [(part.start, part.level) for part in parts] == [(0, 1), (10, 5)]


def test_a_rate_at_the_line_needs_no_instance_more():
    needed = needed_instances(np.array([0.0, 600.0, 600.1, 9000.0]), 600.0, least=1, most=10)
    assert needed.tolist() == [1, 1, 2, 10]


def test_days_are_local_and_a_peak_keeps_its_hour_when_clocks_change():
    """In Berlin clocks went back on 25 October 2026: nine o'clock is an hour later in UTC."""
    calendar = Calendar.parse("2026-10-24T00:00", "Europe/Berlin")
    knots = np.array([0.0, 9, 10, 34, 35, 49]) * HOUR
    traffic = PiecewiseRate.held(knots, np.array([10.0, 90, 10, 90, 10]))
    days = DayLoads.of(traffic, calendar)
    assert days.peak_per_second.shape == (2, 96)
    assert np.flatnonzero(days.peak_per_second[0] == 90).tolist() == [36, 37, 38, 39]
    assert np.flatnonzero(days.peak_per_second[1] == 90).tolist() == [36, 37, 38, 39]
    assert days.weekday.tolist() == [5, 6]


def test_a_gap_says_nothing_of_its_hours():
    gap = np.array([[6 * HOUR, 24 * HOUR]])
    knots = np.array([0.0, 6, 24, 48]) * HOUR
    traffic = PiecewiseRate.held(knots, np.array([10.0, 0, 10]), gap)
    days = DayLoads.of(traffic, Calendar.parse("2026-11-02T00:00"))
    assert days.whole.tolist() == [False, True]
    assert np.isnan(days.peak_per_second[0, 24:]).all()


def test_an_instance_is_ordered_before_midnight_for_what_comes_at_midnight():
    """On weekends nothing comes: Monday's first instances are ordered on Sunday."""
    night = [2500.0, 100.0]
    rates = [*night * 5, 100.0, 100.0, 100.0, 100.0]
    knots = np.concatenate([day * 24.0 + np.array([0.0, 6.0]) for day in range(7)])
    traffic = PiecewiseRate.held(np.append(knots, 168.0) * HOUR, np.array(rates))
    calendar = Calendar.parse("2026-11-02T00:00")
    maker = Timetables(
        days=DayLoads.of(traffic, calendar),
        calendar=calendar,
        line_per_second=600.0,
        lead_seconds=600.0,
        least=1,
        most=10,
    )
    recipe = next(each for each in maker.recipes(0.1) if each.splits_weekend)
    table = maker.fit(recipe)
    assert table is not None
    actions = {action.schedule: action.min_capacity for action in table.kind.scheduled}
    assert actions["cron(50 23 ? * SUN-THU *)"] == 5
    assert actions["cron(0 0 ? * SAT,SUN *)"] == 1
    assert actions["cron(0 6 ? * MON-FRI *)"] == 1


def test_days_that_are_all_alike_and_low_need_no_schedule():
    calendar = Calendar.parse("2026-11-02T00:00")
    maker = Timetables(
        days=DayLoads.of(PiecewiseRate.constant(100, 72 * HOUR), calendar),
        calendar=calendar,
        line_per_second=600.0,
        lead_seconds=600.0,
        least=1,
        most=10,
    )
    assert [maker.fit(recipe) for recipe in maker.recipes(0.1)] == [None] * 4


def test_a_forecast_is_ahead_and_a_recording_is_not():
    today = date(2026, 11, 22)
    assert Calendar.parse("2026-11-23T08:00").is_ahead_of(today)
    assert not Calendar.parse("2026-11-20T08:00").is_ahead_of(today)


@pytest.mark.parametrize(
    ("text", "zone", "says"),
    [
        ("tomorrow", "UTC", "is not a date and time"),
        ("2026-11-02T00:00", "Mars/Olympus", "is no time zone"),
    ],
)
def test_a_beginning_that_is_none_is_refused(text: str, zone: str, says: str):
    with pytest.raises(ConfigurationError, match=says):
        Calendar.parse(text, zone)
