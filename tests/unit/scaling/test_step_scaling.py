"""
Each rule of step scaling is one test; its docstring names the source of the rule.

AAS is the Application Auto Scaling User Guide, "Step scaling policies", BC botocore's models.
"""

import math

import pytest

from scaling_targets import Target, stepping
from tonnage.domain import ConfigurationError
from tonnage.scaling import (
    AdjustmentType,
    ComparisonOperator,
    MetricAggregationType,
    Reason,
    StepAdjustment,
    StepScaling,
    StepScalingPolicy,
)

PERCENT = AdjustmentType.PERCENT_CHANGE_IN_CAPACITY
EXACT = AdjustmentType.EXACT_CAPACITY
BELOW = ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD

GUIDE_OUT = stepping((0, 10, 0), (10, 20, 10), (20, None, 30), kind=PERCENT)
GUIDE_IN = stepping((-10, 0, 0), (-20, -10, -10), (None, -20, -30), kind=PERCENT, comparison=BELOW)


def played(policy: StepScaling, metric: float, *, instances: int = 10) -> int:
    target = Target((policy,), instances=instances)
    target.period(metric)
    return target.instances


@pytest.mark.parametrize(
    ("policy", "metric", "instances", "after"),
    [
        (GUIDE_OUT, 59, 10, 10),
        (GUIDE_OUT, 60, 10, 11),
        (GUIDE_OUT, 70, 11, 14),
        (GUIDE_IN, 41, 14, 14),
        (GUIDE_IN, 40, 14, 13),
        (GUIDE_IN, 30, 13, 10),
    ],
)
def test_the_guides_example_of_percentages_comes_out(
    policy: StepScaling, metric: float, instances: int, after: int
):
    """AAS, "Step adjustments": threshold 50, +10 % from 60, +30 % from 70, and downwards."""
    assert played(policy, metric, instances=instances) == after


@pytest.mark.parametrize(("metric", "after"), [(50, 11), (59.9, 11), (60, 12), (1e9, 12)])
def test_above_the_threshold_the_lower_bound_belongs_to_a_step(metric: float, after: int):
    """MetricIntervalLowerBound inclusive, upper exclusive above the threshold (BC)."""
    assert played(stepping((0, 10, 1), (10, None, 2)), metric) == after


@pytest.mark.parametrize(("metric", "after"), [(50, 9), (40.1, 9), (40, 8), (-1e9, 8)])
def test_below_the_threshold_the_upper_bound_belongs_to_a_step(metric: float, after: int):
    """MetricIntervalUpperBound inclusive, lower exclusive below the threshold (BC)."""
    policy = stepping((-10, 0, -1), (None, -10, -2), comparison=BELOW)
    assert played(policy, metric) == after


def test_a_change_in_capacity_adds_to_what_is_there():
    """ChangeInCapacity: from 3 by 5 to 8 (AAS)."""
    assert played(stepping((0, None, 5)), 60, instances=3) == 8


@pytest.mark.parametrize(("instances", "after"), [(3, 5), (9, 5), (5, 5)])
def test_an_exact_capacity_is_set(instances: int, after: int):
    """ExactCapacity: from 3 to 5 (AAS)."""
    assert played(stepping((0, None, 5), kind=EXACT), 60, instances=instances) == after


@pytest.mark.parametrize(
    ("instances", "percent", "change"),
    [(127, 10, 12), (67, 1, 1), (58, -1, -1), (667, -1, -6), (4, 25, 1), (10, 10, 1), (4, 0, 0)],
)
def test_percentages_are_rounded_towards_zero_but_to_one_at_least(
    instances: int, percent: int, change: int
):
    """12.7 is 12, 0.67 is 1, -0.58 is -1, -6.67 is -6 (AAS)."""
    target = Target(
        (stepping((0, None, percent), kind=PERCENT),), instances=instances, max_capacity=1000
    )
    target.period(60)
    assert target.instances - instances == change


@pytest.mark.parametrize(("percent", "after"), [(25, 6), (-25, 2), (100, 8)])
def test_a_percentage_changes_by_its_least_magnitude(percent: int, after: int):
    """MinAdjustmentMagnitude: 25 % of 4 is 1, but at least 2 (AAS, BC)."""
    policy = stepping((0, None, percent), kind=PERCENT, min_adjustment_magnitude=2)
    assert played(policy, 60, instances=4) == after


@pytest.mark.parametrize(
    ("how", "after"),
    [
        (MetricAggregationType.AVERAGE, 12),
        (MetricAggregationType.MINIMUM, 11),
        (MetricAggregationType.MAXIMUM, 13),
    ],
)
def test_the_newest_datapoints_are_aggregated_before_steps_are_looked_up(
    how: MetricAggregationType, after: int
):
    """The aggregation type is applied to the most recent datapoints (AAS; decision 0017)."""
    policy = stepping(
        (0, 10, 1),
        (10, 20, 2),
        (20, None, 3),
        metric_aggregation_type=how,
        alarm={"evaluation_periods": 3},
    )
    target = Target((policy,), instances=10)
    for metric in (55, 65, 75):
        target.period(metric)
    assert target.instances == after


def test_how_many_datapoints_are_aggregated_is_a_parameter():
    """ "The most recent" is not a number: ``aggregated_datapoints`` (decision 0017)."""
    policy = stepping(
        (0, 10, 1), (10, None, 2), aggregated_datapoints=1, alarm={"evaluation_periods": 3}
    )
    target = Target((policy,), instances=10)
    for metric in (90, 90, 51):
        target.period(metric)
    assert target.instances == 11


def test_steps_go_on_in_every_period_until_the_alarm_is_ok():
    """Adjustments continue for additional breaches until the alarm is OK (AAS)."""
    target = Target((stepping((0, None, 2)),), instances=1)
    counts = []
    for metric in (60, 60, 60, 40):
        target.period(metric)
        counts.append(target.instances)
    assert counts == [3, 5, 7, 7]


def test_an_alarm_waits_for_its_evaluation_periods():
    """The threshold must be breached for the specified number of evaluation periods (AAS)."""
    target = Target((stepping((0, None, 1), alarm={"evaluation_periods": 3}),))
    assert target.periods(2, 60) == [Reason.INSUFFICIENT_DATA] * 2
    assert target.period(60) == Reason.SCALED_OUT


def test_missing_data_that_count_as_breaching_name_no_step():
    """The alarm fires, but no metric value says how far (CW; decision 0017)."""
    target = Target((stepping((0, None, 1), alarm={"treat_missing_data": "breaching"}),))
    assert target.period(math.nan) == Reason.INSUFFICIENT_DATA
    assert target.instances == 1


def test_a_metric_outside_all_steps_changes_nothing():
    """A breach that no step covers is not acted on (AAS: steps cover what they say)."""
    target = Target((stepping((10, None, 1)),))
    assert target.period(55) == Reason.NO_STEP_ADJUSTMENT


# Cooldowns


def scaled_out_by_two(cooldown_seconds: float = 300, **values: object) -> Target:
    policy = stepping((0, 10, 2), (10, 20, 3), (20, None, 5), cooldown_seconds=cooldown_seconds)
    target = Target((policy,), instances=4, **values)  # type: ignore[arg-type]
    target.period(55)
    target.settle()
    assert target.instances == 6
    return target


def test_a_larger_step_inside_the_cooldown_adds_the_difference():
    """Two were added, the alarm asks for three: only one is added (AAS)."""
    target = scaled_out_by_two()
    assert target.period(65) == Reason.SCALED_OUT
    assert target.instances == 7


def test_a_step_that_is_not_larger_waits_for_the_cooldown():
    """Not again unless a larger scale-out is triggered or the cooldown ends (AAS)."""
    target = scaled_out_by_two()
    assert target.periods(4, 55) == [Reason.IN_SCALE_OUT_COOLDOWN] * 4
    assert target.period(55) == Reason.SCALED_OUT
    assert target.instances == 8


def test_an_exact_capacity_counts_what_was_added_already():
    """It asks for a count and not for more (decision 0017)."""
    policy = stepping((0, 10, 6), (10, None, 7), kind=EXACT, cooldown_seconds=300)
    target = Target((policy,), instances=2)
    target.period(55)
    target.settle()
    assert target.instances == 6
    assert target.period(65) == Reason.SCALED_OUT
    assert target.instances == 7


def test_a_scale_in_blocks_the_next_until_its_cooldown_ends():
    """Scale-in is blocked until the cooldown has expired (AAS)."""
    policy = stepping((None, 0, -1), comparison=BELOW, cooldown_seconds=180)
    target = Target((policy,), instances=5)
    assert target.period(30) == Reason.SCALED_IN
    target.settle()
    assert target.periods(2, 30) == [Reason.IN_SCALE_IN_COOLDOWN] * 2
    assert target.period(30) == Reason.SCALED_IN


def test_a_scale_out_interrupts_the_cooldown_of_a_scale_in():
    """Scales out at once; the scale-in's cooldown stops and does not complete (AAS)."""
    into = stepping((None, 0, -1), threshold=30, comparison=BELOW, cooldown_seconds=36000)
    target = Target((into, stepping((0, None, 2))), instances=5)
    target.period(20, 20)
    target.settle()
    assert target.period(60, 60) == Reason.SCALED_OUT
    target.settle()
    assert target.period(20, 20) == Reason.SCALED_IN


def test_bounds_hold_for_steps():
    """Policies do not scale outside the minimum and maximum (BC: RegisterScalableTarget)."""
    target = Target((stepping((0, None, 50)),), max_capacity=7)
    assert target.period(60) == Reason.SCALED_OUT
    assert target.instances == 7
    assert target.period(60) == Reason.ALREADY_AT_MAX_CAPACITY
    into = Target((stepping((None, 0, -50), comparison=BELOW),), instances=7, min_capacity=2)
    assert into.period(20) == Reason.SCALED_IN
    assert into.instances == 2
    assert into.period(20) == Reason.ALREADY_AT_MIN_CAPACITY


def test_a_step_of_zero_is_already_at_the_desired_capacity():
    """AlreadyAtDesiredCapacity: the revised capacity equals the current one (AAS)."""
    assert Target((GUIDE_OUT,), instances=10).period(55) == Reason.ALREADY_AT_DESIRED_CAPACITY


# What AWS refuses


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([(0, 10, 1), (20, None, 2)], "begin where the one below it ends"),
        ([(0, 10, 1), (5, None, 2)], "begin where the one below it ends"),
        ([(None, 0, -1), (None, 0, -2)], "begin where the one below it ends"),
        ([(0, None, 1), (0, None, 2)], "begin where the one below it ends"),
        ([(None, None, 1)], "must not both be null"),
        ([(10, 10, 1)], "greater than its lower bound"),
        ([(-10, 0, -1)], "the lowest must be null"),
        ([(0, 10, 1)], "the highest must be null"),
        ([], "1 to 20 step adjustments, not 0"),
        ([(float(k), float(k + 1), 1) for k in range(21)], "1 to 20 step adjustments, not 21"),
    ],
)
def test_steps_that_aws_refuses_are_refused(
    steps: list[tuple[float | None, float | None, int]], message: str
):
    """No gap or overlap; a null bound at each open end, and no step without bounds (AAS)."""
    with pytest.raises(ConfigurationError, match=message):
        stepping(*steps)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"adjustment_type": EXACT, "by": -1}, "ExactCapacity must be 0 or more, not -1"),
        ({"min_adjustment_magnitude": 2}, "is for the adjustment type PercentChangeInCapacity"),
        ({"cooldown_seconds": -1}, "cooldown_seconds must be 0 or more"),
        ({"aggregated_datapoints": 0}, "aggregated_datapoints must be at least 1"),
        ({"by": 1.5}, "whole number, not 1.5"),
    ],
)
def test_settings_that_aws_refuses_are_refused(wrong: dict[str, object], message: str):
    """ScalingAdjustment and MinAdjustmentMagnitude (BC)."""
    settings = {"adjustment_type": AdjustmentType.CHANGE_IN_CAPACITY} | wrong
    step = StepAdjustment(lower_bound=0, scaling_adjustment=settings.pop("by", 1))  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=message):
        StepScalingPolicy.of(steps=[step], **settings)  # type: ignore[arg-type]


def test_more_datapoints_than_the_alarm_keeps_cannot_be_aggregated():
    with pytest.raises(ConfigurationError, match="at most what the alarm looks at"):
        stepping((0, None, 1), aggregated_datapoints=4)


def test_the_cooldown_is_five_minutes_unless_given():
    """Cooldown: 300 s if not specified (BC)."""
    step = StepAdjustment(lower_bound=0, scaling_adjustment=1)
    policy = StepScalingPolicy.of(adjustment_type=AdjustmentType.CHANGE_IN_CAPACITY, steps=[step])
    assert policy.cooldown_seconds.tolist() == [300]
    assert policy.metric_aggregation_type == MetricAggregationType.AVERAGE
