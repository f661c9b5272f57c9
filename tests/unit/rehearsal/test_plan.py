"""
What a rehearsal is to do.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from tonnage.domain import ConfigurationError
from tonnage.emulator import EndpointOptions, LocalOptions, ScalingOptions, UpOptions
from tonnage.loadtest import LoadPlan
from tonnage.rehearsal import RehearsalPlan
from tonnage.serving import InstanceCapacity


def plan(**changes: object) -> RehearsalPlan:
    whole = RehearsalPlan(
        up=UpOptions(
            artefact=Path("artefact"),
            endpoint=EndpointOptions(endpoint_name="real-estate-evaluation"),
            scaling=ScalingOptions(
                policy_name="tracking",
                min_capacity=1,
                max_capacity=10,
                target_value=60.0,
                scale_in_cooldown_seconds=60.0,
                scale_out_cooldown_seconds=60.0,
            ),
            local=LocalOptions(
                capacity=InstanceCapacity(rate_per_second=600.0, queue_seconds=0.07),
                time_scale=20.0,
            ),
            port=8000,
        ),
        load=LoadPlan(
            url="http://127.0.0.1:8000/evaluate",
            users=1000,
            spawn_rate_per_second=1.0,
            duration_seconds=1.0,
            body={"distance": 150},
        ),
        output=Path("runs"),
        settings={},
    )
    return replace(whole, **changes)


def test_the_ramp_is_compressed_like_all_else():
    assert plan().spawn_rate_per_second == 20.0
    assert plan().ramp_seconds == 50.0


def test_the_pace_of_a_user_is_not_compressed():
    assert plan().load.pacing_seconds == 1.0


def test_the_first_experiment_is_one_instance_alone():
    alone, _ = plan().experiments
    assert alone.up.scaling is None
    assert alone.up.endpoint.initial_instance_count == 1
    assert alone.name == "a-one-instance"
    assert alone.title == "A: one instance that carries 600/s, no scaling"


def test_the_second_is_the_same_with_the_policy():
    whole = plan()
    alone, scaled = whole.experiments
    assert scaled.up.scaling == whole.up.scaling
    assert replace(scaled.up, scaling=None) == alone.up
    assert scaled.title == "B: the same with scaling 1 to 10, target 60 per minute"


def test_both_listen_on_ports_of_their_own():
    assert [experiment.up.port for experiment in plan().experiments] == [0, 0]


def test_each_holds_the_whole_load_after_its_ramp():
    alone, scaled = plan().experiments
    assert alone.duration_seconds == 58.0
    assert scaled.duration_seconds == 82.0
    alone, scaled = plan(alone_hold_seconds=3.0, scaled_hold_seconds=4.0).experiments
    assert (alone.duration_seconds, scaled.duration_seconds) == (53.0, 54.0)


def test_the_story_leaves_room_for_three_minutes():
    """Two load tests; what is left of 180 s is for starting, and for the report."""
    assert sum(experiment.duration_seconds for experiment in plan().experiments) <= 150


def test_an_uncapped_instance_is_called_so():
    whole = plan()
    uncapped = replace(whole, up=replace(whole.up, local=LocalOptions(time_scale=20.0)))
    assert uncapped.experiments[0].title == "A: one instance uncapped, no scaling"


def test_without_a_scaling_policy_there_is_no_story():
    whole = plan()
    with pytest.raises(ConfigurationError, match="needs a scaling policy"):
        replace(whole, up=replace(whole.up, scaling=None))
