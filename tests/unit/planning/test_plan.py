"""
``plan``: the answer, its numbers, its reasons, and its refusals.
"""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

import tonnage.planning
from tonnage.domain import (
    ConfigurationError,
    ErrorObjective,
    LatencyObjective,
    Objective,
    PiecewiseRate,
    RateProfile,
)
from tonnage.planning import (
    Front,
    Limits,
    Plan,
    Policies,
    PolicySettings,
    SearchSpace,
    plan,
    plan_table,
    policy_timeline,
    what_if,
)

TODAY = date(2026, 11, 22)
RAMP = PiecewiseRate.ramp(0, 1000, 1000)
OBJECTIVE = Objective(
    latency=LatencyObjective(percentile=0.99, threshold_seconds=0.25),
    errors=ErrorObjective(max_fraction=0.001),
)
ORIGINAL = PolicySettings(
    min_capacity=1,
    max_capacity=10,
    target_value=60.0,
    scale_in_cooldown_seconds=60.0,
    scale_out_cooldown_seconds=60.0,
)


def planned(traffic: RateProfile = RAMP, **changed: object) -> Plan:
    arguments: dict[str, Any] = {
        "objective": OBJECTIVE,
        "fronts": [Front.NONE],
        "types": (),
        "today": TODAY,
    }
    lines = changed.pop("lines", {"ml.c5.large": 600.0})
    return plan(traffic, lines, **arguments | changed)


@pytest.fixture(scope="module")
def whole() -> Plan:
    """The original's ramp, everything considered."""
    return plan(
        RAMP,
        {"ml.c5.large": 600.0},
        objective=OBJECTIVE,
        current=("ml.c5.large", ORIGINAL),
        today=TODAY,
    )


def test_the_best_meets_the_objective_and_is_the_cheapest_of_the_measured(whole: Plan):
    assert whole.best is not None
    assert whole.best is whole.candidates[0]
    measured = [option for option in whole.candidates if option.meets and not option.is_assumed]
    assert whole.best.cost.total == min(option.cost.total for option in measured)
    assert whole.best.failed_fraction < 0.001
    assert whole.best.keeps_margin


def test_candidates_are_ordered_by_cost_within_measured_assumed_and_failing(whole: Plan):
    groups = [
        [option for option in whole.candidates if option.meets and not option.is_assumed],
        [option for option in whole.candidates if option.meets and option.is_assumed],
        [option for option in whole.candidates if not option.meets],
    ]
    assert [*groups[0], *groups[1], *groups[2]] == list(whole.candidates)
    for group in groups[:2]:
        costs = [option.cost.total for option in group]
        assert costs == sorted(costs)


def test_the_month_is_the_trace_times_730_hours_over_its_duration(whole: Plan):
    """By hand: instance-seconds x price a second x 730 h / 1,000 s."""
    best = whole.best
    assert best is not None
    by_hand = (
        Decimal(repr(best.instance_seconds))
        * Decimal("0.102")
        / 3600
        * (Decimal(730 * 3600) / Decimal(1000))
    ).quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert abs(best.cost.split()["instances"] - by_hand) <= Decimal("0.01")
    assert best.to_json()["cost_usd_month"] == pytest.approx(
        sum(best.to_json()["cost_usd_month_split"].values())
    )


def test_it_says_why_with_numbers(whole: Plan):
    said = "\n".join(whole.why)
    assert "1 at rest is enough: the traffic reaches 540 requests per second before" in said
    assert "one carries 600" in said
    assert "AWS's recipe, 18,000, fails 3.2 % of requests" in said
    assert "the plan needs 0.26 of those instance-hours" in said
    assert "The front costs more than what it stands before" in said
    assert "nobody has measured it" in said


def test_the_cheapest_front_is_taken_and_the_others_are_named(whole: Plan):
    assert whole.best is not None
    assert whole.best.front is Front.HTTP
    others = {option.front for option in whole.candidates if option.what.startswith("front ")}
    assert others == {Front.REST, Front.CHALICE}


def test_types_without_a_line_are_marked_and_never_chosen(whole: Plan):
    by_type = {option.line.kind.name: option for option in whole.candidates if option.policy}
    assert by_type["ml.c6g.large"].to_json()["line"] == "assumed"
    assert by_type["ml.c6g.large"].to_json()["line_scaled_from"] == "ml.c5.large"
    assert by_type["ml.c6g.large"].to_json()["prices_not_confirmed"] == ["instance.ml.c6g.large"]
    assert whole.best is not None
    assert by_type["ml.c6g.large"].cost.total < whole.best.cost.total


def test_a_measured_line_makes_a_type_eligible():
    made = planned(lines={"ml.c5.large": 600.0, "ml.c6g.large": 600.0})
    assert made.best is not None
    assert made.best.line.kind.name == "ml.c6g.large"
    assert any("unconfirmed" in warning for warning in made.warnings)


def test_old_prices_are_warned_of(whole: Plan):
    assert any("serverless.1024" in warning and "a year" in warning for warning in whole.warnings)


def test_serverless_sizes_are_candidates(whole: Plan):
    sizes = {o.serverless.memory_mb for o in whole.candidates if o.serverless is not None}
    assert sizes == {1024, 2048, 3072, 4096, 5120, 6144}


def test_an_objective_that_nothing_meets_is_refused_with_the_nearest():
    made = planned(PiecewiseRate.ramp(0, 8000, 1200), space=SearchSpace(max_capacity=10))
    assert made.best is None
    assert made.refusal is not None
    assert made.refusal.startswith("no policy within max_capacity 10 meets it; the nearest fails ")
    assert made.to_json()["best"] is None
    assert made.candidates


def test_the_refusal_says_where_it_fails():
    made = planned(
        PiecewiseRate.ramp(0, 2000, 400).then(PiecewiseRate.constant(2000, 3600)),
        space=SearchSpace(max_capacity=3),
    )
    assert made.refusal is not None
    assert made.refusal.startswith(
        "no policy within max_capacity 3 meets it; the nearest fails 9.5 % of requests at the peak"
    )


def test_a_burstable_type_runs_at_a_fixed_count_only():
    made = planned(lines={"ml.t2.medium": 600.0})
    assert made.best is not None
    assert made.best.policy is not None
    assert not made.best.policy.scales
    assert any("ml.t2.medium cannot be scaled" in reason for reason in made.refused)
    assert made.best.settings()["scaling"]["enabled"] is False


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"lines": {"ml.t3.medium": 600.0}}, "ml.t3.medium is not a hosting type"),
        ({"lines": {"ml.c5.huge": 600.0}}, "unknown instance type ml.c5.huge"),
        ({"lines": {"ml.c5.large": 0.0}}, "must be above 0/s"),
        ({"lines": {}}, "needs a load line"),
        ({"types": ["ml.c5.lorge"]}, "unknown instance type ml.c5.lorge"),
        ({"limits": Limits(instances=4)}, "quota of 4 ml.c5.large"),
        ({"space": SearchSpace(min_capacity=0)}, "at least 1, not 0"),
        ({"traffic": PiecewiseRate.constant(0, 60)}, "no requests"),
        (
            {"traffic": PiecewiseRate.constant(20_000, 60), "fronts": [Front.REST]},
            "no front carries this traffic",
        ),
    ],
)
def test_what_cannot_be_planned_is_refused(changed: dict[str, Any], says: str):
    traffic = changed.pop("traffic", RAMP)
    with pytest.raises(ConfigurationError, match=says):
        planned(traffic, **changed)


def test_a_gap_is_told():
    traffic = PiecewiseRate.held(
        PiecewiseRate.steps([100, 0, 100], 600).knots_seconds,
        PiecewiseRate.steps([100, 0, 100], 600).start_per_second,
        PiecewiseRate.steps([1], 1).knots_seconds.reshape(1, 2) * 600 + 600,
    )
    made = planned(traffic)
    assert any("33.3%" in warning and "gap" in warning for warning in made.warnings)


def test_what_if_moves_one_setting_and_holds_the_others(whole: Plan):
    moved = what_if(whole, "target_value", [3_000, 18_000])
    assert moved.failed_fraction[0] < 0.001 < moved.failed_fraction[1]
    assert moved.usd_month[0] > moved.usd_month[1]
    assert len(what_if(whole).values) == 42


def test_the_timeline_has_the_plans_instances(whole: Plan):
    assert whole.best is not None
    assert whole.best.policy is not None
    line = policy_timeline(whole.trial, whole.best.line, whole.best.policy)
    assert line.in_service.max() == 2
    assert line.capacity_per_second.max() == 1200
    assert line.offered_per_second.sum() == pytest.approx(500_000)


def test_a_notebook_can_try_a_policy_of_its_own(whole: Plan):
    mine = Policies.of([PolicySettings(min_capacity=1, max_capacity=2, target_value=3000.0)])
    outcomes = whole.trial(mine)
    assert outcomes.failed_fraction[0] < 0.001
    assert outcomes.instance_seconds[0] / 5680 < 0.30


def test_the_table_shows_the_cheapest_first_and_what_it_is_compared_with(whole: Plan):
    table = plan_table(whole)
    lines = table.splitlines()
    assert "1 to 2 x ml.c5.large" in lines[1]
    assert "AWS's recipe, misses the objective" in table
    assert "as it is set" in table
    assert "ml.c6g.large *?" in table


def test_all_of_the_rooms_names_are_there():
    assert sorted(tonnage.planning.__all__) == sorted(set(tonnage.planning.__all__))
    for name in tonnage.planning.__all__:
        assert hasattr(tonnage.planning, name)
