"""
Beside target tracking on invocations: schedules, steps, the metric of 10 seconds.
"""

from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tonnage.cli._convert_scaling import policy_of
from tonnage.config import read_settings
from tonnage.domain import (
    ErrorObjective,
    LatencyObjective,
    Objective,
    PiecewiseRate,
    RateProfile,
    join_profiles,
)
from tonnage.planning import (
    CONCURRENCY,
    UNKNOWN_CALENDAR,
    Calendar,
    FleetTrial,
    Front,
    Plan,
    SearchSpace,
    plan,
    plan_table,
    planned_settings,
    what_if,
)
from tonnage.scaling import ScalableTarget, TargetTrackingPolicy
from tonnage.simulation import FleetModel, simulate

TODAY = date(2026, 11, 22)
MONDAY = Calendar.parse("2026-11-02T00:00")
HOUR = 3600.0
DAY = 24 * HOUR
QUICK = FleetModel(line_per_second=1.0, provisioning_delay_seconds=30.0)
WAVES = join_profiles(
    *(
        PiecewiseRate.constant(500, 2400),
        PiecewiseRate.ramp(500, 1900, 360),
        PiecewiseRate.constant(1900, 1200),
        PiecewiseRate.ramp(1900, 500, 360),
    )
    * 3
)
FEW = SearchSpace(max_capacity=5, target_shares=(0.24, 0.5, 0.82, 1.0), alternatives=("schedules",))
OBJECTIVE = Objective(
    latency=LatencyObjective(percentile=0.99, threshold_seconds=0.25),
    errors=ErrorObjective(max_fraction=0.001),
)
STRICT = replace(OBJECTIVE, errors=ErrorObjective(max_fraction=0.0001))


def days_with_a_peak(hours: list[float], days: int = 4) -> PiecewiseRate:
    """Return days at 100 per second, each jumping to 2,500 for an hour at an hour of its own."""
    knots, rates = [0.0], [100.0]
    for day in range(days):
        start = day * DAY + hours[day % len(hours)] * HOUR
        knots += [start, start + HOUR]
        rates += [2500.0, 100.0]
    return PiecewiseRate.held(np.array([*knots, days * DAY]), np.array(rates))


def planned(traffic: RateProfile, **changed: object) -> Plan:
    arguments: dict[str, Any] = {
        "objective": OBJECTIVE,
        "fronts": [Front.NONE],
        "types": (),
        "calendar": MONDAY,
        "space": FEW,
        "today": TODAY,
    }
    return plan(traffic, {"ml.c5.large": 600.0}, **arguments | changed)


@pytest.fixture(scope="module")
def recurrent() -> Plan:
    return planned(days_with_a_peak([9.0]))


def test_a_peak_that_comes_each_day_is_awaited_by_a_schedule(recurrent: Plan):
    best = recurrent.best
    assert best is not None
    assert best.what == "scheduled"
    assert best.policy is not None
    plain = next(option for option in recurrent.candidates if option.what in ("scaled", "fixed"))
    assert best.instance_seconds < 0.5 * plain.instance_seconds
    assert best.failed_fraction < 0.001
    assert best.held_out_failed_fraction is not None
    assert best.held_out_failed_fraction < 0.001
    up = best.policy.kind.scheduled[0]
    assert up.schedule == "cron(50 8 * * ? *)"
    assert up.min_capacity == 5


def test_it_says_what_each_step_of_the_schedule_is_for(recurrent: Plan):
    said = "\n".join(recurrent.why)
    assert "5 from 08:50 every day UTC because 2,500 requests per second come" in said
    assert "5 carry 3,000" in said
    assert "on days that its schedule was not made from" in said
    assert "Without scaling, 5 x ml.c5.large would be needed" in said


def test_candidates_table_and_json_have_it(recurrent: Plan):
    assert "scheduled" in plan_table(recurrent)
    made = recurrent.to_json()["best"]
    assert made["settings"]["scaling"]["scheduled"][0]["schedule"] == "cron(50 8 * * ? *)"
    assert made["held_out_failed_fraction"] < 0.001
    assert made["assumed"] is None


def test_the_settings_it_writes_are_read_as_the_very_policy(recurrent: Plan, tmp_path: Path):
    assert recurrent.best is not None
    own = {"scaling": {"policy_name": "p", "step": [{"policy_name": "mine", "threshold": 1}]}}
    file = tmp_path / "tonnage.plan.toml"
    file.write_text(planned_settings(recurrent.best, own))
    assert "[[scaling.scheduled]]" in file.read_text()
    settings = read_settings(file)
    assert policy_of(settings) == recurrent.best.policy
    assert settings.scaling.step == []


def test_a_schedules_cost_is_recomputed_to_the_cent(recurrent: Plan):
    """From the counts that the simulator gives for these settings, by hand."""
    best = recurrent.best
    assert best is not None
    assert best.policy is not None
    policy = best.policy
    again = simulate(
        days_with_a_peak([9.0]),
        TargetTrackingPolicy.of(
            target_value=policy.target_value,
            scale_in_cooldown_seconds=policy.scale_in_cooldown_seconds,
            scale_out_cooldown_seconds=policy.scale_out_cooldown_seconds,
        ),
        ScalableTarget.of(min_capacity=policy.min_capacity, max_capacity=policy.max_capacity),
        FleetModel(line_per_second=600.0, initial_instance_count=policy.min_capacity),
        scheduled_actions=policy.kind.actions(),
        starts_at_seconds=MONDAY.starts_at_seconds,
        keep_timeline=False,
    ).instances()
    ends = [at for at, _ in again[1:]] + [4 * DAY]
    seconds = sum(
        (Decimal(repr(end)) - Decimal(repr(at))) * count
        for (at, count), end in zip(again, ends, strict=True)
    )
    month = (seconds / 3600 * Decimal("0.102") * 730 / 96).quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert best.cost.instances.quantize(Decimal("0.01"), ROUND_HALF_UP) == month


def test_without_a_calendar_a_schedule_is_shown_and_not_chosen():
    made = planned(days_with_a_peak([9.0], days=2), calendar=None)
    assert made.best is not None
    assert made.best.what != "scheduled"
    shown = next(option for option in made.candidates if option.what == "scheduled")
    assert shown.is_assumed
    assert any("nobody has said that the traffic begins at midnight" in said for said in made.why)
    assert made.trial.starts_at_seconds == UNKNOWN_CALENDAR.starts_at_seconds


def test_peaks_at_hours_of_their_own_make_no_schedule():
    """It would fit the days it was made from, and fail the days between."""
    made = planned(days_with_a_peak([3.0, 9.0, 15.0, 21.0]))
    assert made.best is not None
    assert made.best.what != "scheduled"
    assert not [option for option in made.candidates if option.what == "scheduled"]
    assert any("on days that it was not made from: left out" in said for said in made.why)


def test_weekends_are_days_of_their_own():
    """Working days peak, Saturday and Sunday do not."""
    week = days_with_a_peak([9.0], days=5).then(PiecewiseRate.constant(100.0, 2 * DAY))
    made = planned(week)
    assert made.best is not None
    assert made.best.policy is not None
    schedules = [action.schedule for action in made.best.policy.kind.scheduled]
    assert "cron(50 8 ? * MON-FRI *)" in schedules


def test_a_peak_known_beforehand_gets_a_date():
    coming = PiecewiseRate.held(np.array([0.0, 2, 3, 6]) * HOUR, np.array([100.0, 2500.0, 100.0]))
    berlin = Calendar.parse("2026-12-01T08:00", "Europe/Berlin")
    made = planned(coming, calendar=berlin)
    assert made.best is not None
    assert made.best.policy is not None
    first, last = made.best.policy.kind.scheduled
    assert (first.schedule, first.timezone) == ("at(2026-12-01T09:40:00)", "Europe/Berlin")
    assert first.min_capacity == 5
    assert last.schedule == "at(2026-12-01T11:10:00)"
    assert any("ten minutes early or late" in said for said in made.why)


def test_what_is_over_gets_no_dates():
    past = PiecewiseRate.held(np.array([0.0, 2, 3, 6]) * HOUR, np.array([100.0, 2500.0, 100.0]))
    made = planned(past, calendar=MONDAY)
    assert not [option for option in made.candidates if option.what == "scheduled"]


@pytest.mark.parametrize("is_allowed", [False, True])
def test_the_metric_of_10_s_is_chosen_only_where_it_is_allowed(is_allowed: bool):
    """Half a minute instead of three counts where instances come within a minute."""
    made = planned(
        WAVES,
        calendar=None,
        objective=STRICT,
        fleet=QUICK,
        space=SearchSpace(
            max_capacity=6,
            alternatives=("high resolution",),
            allow_high_resolution=is_allowed,
        ),
    )
    shown = next(option for option in made.candidates if option.what == "10 s metric")
    assert shown.is_assumed is not is_allowed
    assert shown.settings()["scaling"]["metric"] == CONCURRENCY
    assert made.best is not None
    assert (made.best.what == "10 s metric") is is_allowed
    if is_allowed:
        assert len(what_if(made).values) > 20


def test_steps_are_tried_and_written_as_settings(tmp_path: Path):
    made = planned(WAVES, fleet=QUICK, space=SearchSpace(max_capacity=6, alternatives=("steps",)))
    option = next(each for each in made.candidates if each.what == "steps")
    assert option.keeps_margin
    assert "steps" in plan_table(made)
    file = tmp_path / "tonnage.toml"
    file.write_text(planned_settings(option, {}))
    assert "[[scaling.step]]" in file.read_text()
    assert policy_of(read_settings(file)) == option.policy


def test_a_trial_of_many_kinds_gives_each_row_its_own(recurrent: Plan):
    """Rows of several kinds, mixed: each as if it were tried alone."""
    policies = recurrent.searched.policies
    rows = np.array([0, len(policies) - 1, 1, len(policies) // 2], dtype=np.intp)
    together = recurrent.trial(policies.take(rows))
    for at, row in enumerate(rows):
        alone = recurrent.trial(policies.take(rows[[at]]))
        assert together.instance_seconds[at] == alone.instance_seconds[0]
        assert together.failed[at] == alone.failed[0]
        assert alone.instance_seconds[0] == recurrent.searched.outcomes.instance_seconds[row]


def test_nothing_but_target_tracking_is_tried_where_nothing_else_is_wanted():
    made = planned(days_with_a_peak([9.0], days=2), space=replace(FEW, alternatives=()))
    assert made.searched.policies.is_plain.all()


def test_a_trial_begins_with_what_its_schedule_has_set(recurrent: Plan):
    """Traffic that begins within the peak meets the instances of the morning."""
    assert recurrent.best is not None
    assert recurrent.best.policy is not None
    noon = PiecewiseRate.constant(2500, 600)
    begins = Calendar.parse("2026-11-03T09:10").starts_at_seconds
    trial = FleetTrial(
        traffic=noon, fleet=FleetModel(line_per_second=600.0), starts_at_seconds=begins
    )
    policies = recurrent.searched.policies
    row = np.array([each.row for each in recurrent.searched.alternatives][:1], dtype=np.intp)
    assert trial(policies.take(row)).failed_fraction[0] < 0.001
