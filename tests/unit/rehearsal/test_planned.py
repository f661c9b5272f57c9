"""
The plan for a rehearsed ramp, and what is said of it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tonnage.domain import (
    ErrorObjective,
    FleetTimeline,
    LatencyObjective,
    Objective,
    RunRecord,
    Samples,
)
from tonnage.emulator import EndpointOptions, LocalOptions, ScalingOptions, UpOptions
from tonnage.loadtest import LoadPlan
from tonnage.rehearsal import PlanFindings, RehearsalPlan
from tonnage.rehearsal._planning import as_planned, plan_rehearsal
from tonnage.rehearsal.planned import plan_findings
from tonnage.serving import InstanceCapacity

if TYPE_CHECKING:
    from tonnage.planning import Plan

TODAY = date(2026, 11, 22)
OBJECTIVE = Objective(
    latency=LatencyObjective(percentile=0.99, threshold_seconds=0.25),
    errors=ErrorObjective(max_fraction=0.001),
)


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> RehearsalPlan:
    directory = tmp_path_factory.mktemp("rehearsal")
    return RehearsalPlan(
        up=UpOptions(
            artefact=directory / "artefact",
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
        ),
        load=LoadPlan(
            url="http://127.0.0.1:8000/evaluate",
            users=1000,
            spawn_rate_per_second=1.0,
            duration_seconds=1.0,
            body={"distance": 150},
        ),
        output=directory,
        settings={},
    )


@pytest.fixture(scope="module")
def made(rehearsal: RehearsalPlan) -> Plan:
    plan = plan_rehearsal(rehearsal, OBJECTIVE, TODAY)
    assert plan is not None
    return plan


def record(counts: list[tuple[float, int, int]], *, failed: int = 0) -> RunRecord:
    sent = np.arange(0.0, 58.0, 0.01)
    status = np.full(len(sent), 200, dtype=np.uint16)
    status[:failed] = 503
    return RunRecord(
        name="run",
        title="a run",
        started_at_epoch_seconds=0.0,
        duration_seconds=58.0,
        samples=Samples(
            intended_seconds=sent, sent_seconds=sent, done_seconds=sent + 0.01, status=status
        ),
        fleet=FleetTimeline(
            time_scale=20.0, instances=counts, invocations_per_instance=[], activities=[]
        ),
    )


AS_SET = record([(0.0, 1, 1), (9.0, 10, 1), (24.0, 10, 10)])
PLANNED = record([(0.0, 1, 1), (12.0, 2, 1), (27.0, 2, 2)])


def findings(
    made: Plan, rehearsal: RehearsalPlan, confirmation: RunRecord | None = None
) -> PlanFindings:
    return plan_findings(made, rehearsal, AS_SET, confirmation)


def test_the_original_ramp_needs_two_instances_and_a_third_of_the_hours(made: Plan):
    assert made.best is not None
    assert made.best.policy is not None
    assert (made.best.policy.min_capacity, made.best.policy.max_capacity) == (1, 2)
    as_set = next(each for each in made.candidates if each.what == "as it is set")
    assert made.best.instance_seconds <= 0.30 * as_set.instance_seconds
    assert made.best.failed_fraction < 0.001


def test_the_plan_is_made_for_as_long_as_it_is_rehearsed(made: Plan, rehearsal: RehearsalPlan):
    experiment = rehearsal.confirmation(rehearsal.up.scaling, 1)
    assert experiment.duration_seconds == 58.0
    assert made.traffic.duration_seconds == 58.0 * 20
    assert made.traffic.peak_per_second == pytest.approx(1000, rel=0.01)


def test_nobody_plans_on_an_instance_that_carries_what_this_machine_does(rehearsal: RehearsalPlan):
    uncapped = replace(rehearsal, up=replace(rehearsal.up, local=LocalOptions(time_scale=20.0)))
    assert plan_rehearsal(uncapped, OBJECTIVE, TODAY) is None


def test_the_third_experiment_runs_what_was_planned(made: Plan, rehearsal: RehearsalPlan):
    assert made.best is not None
    assert rehearsal.up.scaling is not None
    scaling = as_planned(made.best, rehearsal.up.scaling)
    assert scaling is not None
    experiment = rehearsal.confirmation(scaling, 1)
    assert experiment.up.scaling == scaling
    assert scaling.policy_name == "tracking"
    target = f"{scaling.target_value:g}"
    assert experiment.title == f"C: the plan, scaling 1 to 2, target {target} per minute"
    assert experiment.up.endpoint.initial_instance_count == 1


def test_a_fixed_fleet_is_rehearsed_without_scaling(rehearsal: RehearsalPlan):
    experiment = rehearsal.confirmation(None, 2)
    assert experiment.title == "C: the plan, 2 instances, no scaling"
    assert experiment.up.scaling is None
    assert experiment.up.endpoint.initial_instance_count == 2


def test_instance_hours_are_counted_on_the_emulator_s_clock(made: Plan, rehearsal: RehearsalPlan):
    seen = findings(made, rehearsal).as_set_rehearsed
    assert seen.instance_hours == pytest.approx((24 * 1 + 34 * 10) * 20 / 3600)
    assert seen.largest_count == 10
    assert seen.failed_fraction == 0


def test_a_plan_that_was_not_rehearsed_says_how_to(made: Plan, rehearsal: RehearsalPlan):
    found = findings(made, rehearsal)
    assert found.confirmed is None
    assert found.is_objective_met is None
    assert found.sentences()[-1] == "Not rehearsed: tonnage rehearse --confirm-plan does."
    assert len(found.section().rows) == 3


def test_a_plan_that_held_is_confirmed(made: Plan, rehearsal: RehearsalPlan):
    found = findings(made, rehearsal, PLANNED)
    assert found.is_objective_met
    assert found.sentences()[-1] == (
        "Rehearsed: 0 % failed; the objective is met: the plan is confirmed."
    )
    assert found.section().rows[-1] == ("The plan, rehearsed (C)", "0 %", "2", "0.49")


def test_a_plan_that_did_not_hold_is_not(made: Plan, rehearsal: RehearsalPlan):
    missed = record([(0.0, 1, 1)], failed=580)
    found = findings(made, rehearsal, missed)
    assert found.is_objective_met is False
    assert found.sentences()[-1].endswith("missed: the plan is NOT confirmed.")


def test_a_load_that_nothing_within_the_bounds_carries_has_no_plan(rehearsal: RehearsalPlan):
    assert rehearsal.up.scaling is not None
    alone = replace(rehearsal.up.scaling, max_capacity=1)
    hopeless = replace(rehearsal, up=replace(rehearsal.up, scaling=alone))
    made = plan_rehearsal(hopeless, OBJECTIVE, TODAY)
    assert made is not None
    assert made.best is None
    found = findings(made, hopeless)
    assert "no policy within max_capacity 1 meets it" in found.sentences()[0]
    assert found.section().title == "The plan"
