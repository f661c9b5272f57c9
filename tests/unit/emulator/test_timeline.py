"""
What the fleet did, told in seconds since a load test began.
"""

import pytest

from tonnage.domain import FaultEvent, ScalingActivity
from tonnage.emulator._timeline import Timeline


def activity(at_seconds: float, done_seconds: float | None = None) -> ScalingActivity:
    return ScalingActivity(
        at_seconds=at_seconds,
        from_count=1,
        to_count=10,
        cause="an alarm",
        in_service_at_seconds=done_seconds,
    )


@pytest.fixture
def timeline() -> Timeline:
    timeline = Timeline(20.0)
    timeline.instances_changed(100.0, 1, 1)
    timeline.period_ended(103.0, 0.0)
    timeline.period_ended(106.0, 4000.0)
    timeline.activity_started(activity(106.0))
    timeline.instances_changed(106.0, 10, 1)
    timeline.instances_changed(121.0, 10, 10)
    timeline.activity_ended(121.0)
    return timeline


def test_times_count_from_the_origin_and_the_last_state_before_it_is_kept(timeline: Timeline):
    told = timeline.since(104.0)
    assert told.time_scale == 20.0
    assert told.instances == [(0.0, 1, 1), (2.0, 10, 1), (17.0, 10, 10)]
    assert told.invocations_per_instance == [(2.0, 4000.0)]
    assert told.activities == [activity(2.0, 17.0)]


def test_only_the_last_of_the_states_before_the_origin_is_told(timeline: Timeline):
    told = timeline.since(130.0)
    assert told.instances == [(0.0, 10, 10)]
    assert told.invocations_per_instance == []
    assert told.activities == []


def test_a_state_at_the_origin_itself_is_the_first(timeline: Timeline):
    assert timeline.since(106.0).instances == [(0.0, 10, 1), (15.0, 10, 10)]


def test_before_anything_happened_everything_is_told(timeline: Timeline):
    assert timeline.since(0.0).instances == [(100.0, 1, 1), (106.0, 10, 1), (121.0, 10, 10)]


def test_counts_that_do_not_change_are_no_change(timeline: Timeline):
    before = timeline.since(0.0)
    timeline.instances_changed(125.0, 10, 10)
    assert timeline.since(0.0) == before


def test_an_activity_under_way_has_no_end_yet():
    timeline = Timeline(1.0)
    timeline.activity_started(activity(5.0))
    assert timeline.since(0.0).activities == [activity(5.0)]


def test_an_activity_that_has_ended_keeps_its_end(timeline: Timeline):
    """An instance that is replaced later ends no activity again."""
    timeline.activity_ended(150.0)
    assert timeline.since(0.0).activities == [activity(106.0, 121.0)]


def test_faults_are_told_from_the_origin_on(timeline: Timeline):
    timeline.fault_happened(FaultEvent(at_seconds=101.0, action="slow", instances=("i-0001",)))
    timeline.fault_happened(FaultEvent(at_seconds=110.0, action="kill", instances=("i-0002",)))
    (told,) = timeline.since(104.0).faults
    assert told == FaultEvent(at_seconds=6.0, action="kill", instances=("i-0002",))
    assert [fault.at_seconds for fault in timeline.faults] == [101.0, 110.0]


def test_an_end_without_an_activity_is_nothing():
    timeline = Timeline(1.0)
    timeline.activity_ended(3.0)
    assert timeline.since(0.0).activities == []
