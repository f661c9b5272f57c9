"""
What the two experiments showed, from records whose truth is known.
"""

import math
import re
from collections.abc import Callable

import numpy as np
import pytest

from tonnage.domain import (
    ErrorObjective,
    FleetTimeline,
    LatencyObjective,
    Objective,
    RunRecord,
    Samples,
    ScalingActivity,
)
from tonnage.rehearsal import alone_findings, scaled_findings

OBJECTIVE = Objective(
    latency=LatencyObjective(percentile=0.99, threshold_seconds=0.25),
    errors=ErrorObjective(max_fraction=0.001),
)
RAMP_SECONDS = 50.0
USERS = 1000


def ramp(hold_seconds: float) -> np.ndarray:
    """Return the sends of a ramp of 20 requests per second and second, then 1,000 a second."""
    whole = int(USERS * (RAMP_SECONDS / 2 + hold_seconds))
    index = np.arange(whole, dtype=np.float64)
    in_ramp = np.sqrt(index * 2 * RAMP_SECONDS / USERS)
    return np.where(
        index < USERS * RAMP_SECONDS / 2,
        in_ramp,
        RAMP_SECONDS + (index - USERS * RAMP_SECONDS / 2) / USERS,
    )


def record(
    sent: np.ndarray,
    fails: Callable[[np.ndarray], np.ndarray],
    *,
    latency_seconds: float = 0.01,
    fleet: FleetTimeline | None = None,
    hold_seconds: float = 8.0,
) -> RunRecord:
    return RunRecord(
        name="run",
        title="a run",
        started_at_epoch_seconds=0.0,
        duration_seconds=RAMP_SECONDS + hold_seconds,
        samples=Samples(
            intended_seconds=sent,
            sent_seconds=sent,
            done_seconds=sent + latency_seconds,
            status=np.where(fails(sent), 503, 200).astype(np.uint16),
        ),
        fleet=fleet,
    )


def nothing(sent: np.ndarray) -> np.ndarray:
    return np.zeros(len(sent), dtype=bool)


def above_600(sent: np.ndarray) -> np.ndarray:
    """Refuse all that is more than 600 a second, evenly."""
    offered = np.minimum(USERS / RAMP_SECONDS * sent, USERS)
    surplus = np.maximum(0.0, 1.0 - 600.0 / np.maximum(offered, 1.0))
    refused: np.ndarray = np.diff(np.floor(np.cumsum(surplus)), prepend=0.0) > 0
    return refused


def test_failures_begin_where_one_instance_ends():
    found = alone_findings(record(ramp(8.0), above_600))
    assert found.onset is not None
    assert found.onset.at_seconds == pytest.approx(30.5, abs=0.5)
    assert found.onset.offered_per_second == pytest.approx(600, abs=15)
    assert found.onset.failed_fraction_before < 0.001


def test_after_the_onset_it_answers_its_rate_and_400_of_1000_fail_at_the_peak():
    found = alone_findings(record(ramp(8.0), above_600))
    assert found.goodput_after_onset_per_second == pytest.approx(600, rel=0.01)
    assert found.offered_at_peak_per_second == pytest.approx(1000, abs=1)
    assert found.failed_per_second_at_peak == pytest.approx(400, abs=1)


def test_the_sentences_of_the_first_experiment_say_so():
    first, second = alone_findings(record(ramp(8.0), above_600)).sentences()
    assert re.fullmatch(
        r"Failures begin at (5[89]|60)\d requests per second \(30\.\d s into the run\);"
        r" 0 % failed before that\.",
        first,
    )
    assert second == (
        "From there on it answers 600/s; at the end 400 of 1000 requests fail each second."
    )


def test_one_instance_that_carries_it_all_has_no_onset():
    found = alone_findings(record(ramp(8.0), nothing))
    assert found.onset is None
    assert found.failed_per_second_at_peak == 0
    assert found.sentences() == [
        "Nothing failed for three seconds on end: one instance carried 1000/s."
    ]


def test_a_hiccup_of_two_seconds_is_no_onset():
    def hiccup(sent: np.ndarray) -> np.ndarray:
        failed: np.ndarray = (sent > 20.0) & (sent < 22.0)
        return failed

    found = alone_findings(record(ramp(8.0), hiccup))
    assert found.onset is None
    assert found.whole.failed == pytest.approx(840, abs=1)


def scaled_fleet(in_service_at_seconds: float | None = 24.0) -> FleetTimeline:
    return FleetTimeline(
        time_scale=20.0,
        instances=[(0.0, 1, 1), (9.0, 10, 1), (24.0, 10, 10)],
        invocations_per_instance=[(3.0, 1800.0), (6.0, 5400.0), (9.0, 9000.0), (12.0, 12600.0)],
        activities=[
            ScalingActivity(
                at_seconds=9.0,
                from_count=1,
                to_count=10,
                cause="an alarm",
                in_service_at_seconds=in_service_at_seconds,
            ),
            ScalingActivity(at_seconds=70.0, from_count=10, to_count=9, cause="another"),
        ],
    )


def test_the_first_action_its_datapoint_and_the_margin_are_found():
    run = record(ramp(32.0), nothing, fleet=scaled_fleet(), hold_seconds=32.0)
    found = scaled_findings(run, OBJECTIVE, 600.0)
    assert found.first_action == (1, 10)
    assert found.metric_value == 9000.0
    assert found.decided_at_seconds == 9.0
    assert found.in_service_at_seconds == 24.0
    assert found.offered_then_per_second == pytest.approx(470, abs=1)
    assert found.is_objective_met
    assert found.held.window_seconds == 30.0
    assert found.held.throughput_per_second == pytest.approx(1000, abs=1)
    assert found.whole.failed == 0


def test_the_sentences_of_the_second_experiment_say_so():
    run = record(ramp(32.0), nothing, fleet=scaled_fleet(), hold_seconds=32.0)
    assert scaled_findings(run, OBJECTIVE, 600.0).sentences() == [
        "It holds 1000 requests per second for 30 s, 0 % of them failed; p50 10 ms, p99 10 ms.",
        "0 of 57000 requests failed in the whole run (0 %).",
        (
            "One action takes the fleet from 1 to 10 at 9.0 s, on 9,000 invocations per instance"
            " and minute."
        ),
        "Margin: 470 of 600 requests per second when the new instances came (24.0 s).",
    ]


def test_without_a_cap_the_margin_names_no_limit():
    run = record(ramp(32.0), nothing, fleet=scaled_fleet(), hold_seconds=32.0)
    margin = scaled_findings(run, OBJECTIVE, None).sentences()[-1]
    assert margin.startswith("Margin: 470 requests per second when")


def test_instances_that_never_came_have_no_margin():
    run = record(ramp(32.0), above_600, fleet=scaled_fleet(None), hold_seconds=32.0)
    found = scaled_findings(run, OBJECTIVE, 600.0)
    assert found.in_service_at_seconds is None
    assert not any(sentence.startswith("Margin") for sentence in found.sentences())
    assert not found.is_objective_met


def test_a_fleet_that_never_scaled_is_told_as_that():
    idle = FleetTimeline(instances=[(0.0, 1, 1)])
    run = record(ramp(32.0), above_600, fleet=idle, hold_seconds=32.0)
    found = scaled_findings(run, OBJECTIVE, 600.0)
    assert found.first_action is None
    assert math.isnan(found.metric_value)
    assert found.sentences()[-1] == "It never scaled."
    assert "400" not in found.sentences()[0]
    assert "40 % of them failed" in found.sentences()[0]


def test_slow_answers_miss_the_objective():
    run = record(ramp(32.0), nothing, latency_seconds=0.3, fleet=scaled_fleet(), hold_seconds=32.0)
    assert not scaled_findings(run, OBJECTIVE, 600.0).is_objective_met


def test_only_the_last_seconds_are_held_against_the_objective():
    def early(sent: np.ndarray) -> np.ndarray:
        failed: np.ndarray = sent < 40.0
        return failed

    run = record(ramp(32.0), early, fleet=scaled_fleet(), hold_seconds=32.0)
    assert scaled_findings(run, OBJECTIVE, 600.0).is_objective_met
    whole = scaled_findings(run, OBJECTIVE, 600.0, held_seconds=60.0)
    assert not whole.is_objective_met
    assert whole.held.window_seconds == 60.0
