"""
What AWS refuses is refused, with the value seen and the value allowed.
"""

import math

import numpy as np
import pytest

from tonnage.domain import ConfigurationError
from tonnage.scaling import (
    TARGET_TRACKING,
    AlarmRule,
    Observation,
    ScalableTarget,
    ScalingState,
    TargetTrackingPolicy,
)


@pytest.mark.parametrize(
    ("low", "high", "message"),
    [
        (0, 10, "at least 1, not 0"),
        (5, 4, "max_capacity must not be less than min_capacity"),
        (1.5, 4, "whole number, not 1.5"),
        (1, math.nan, "whole number, not nan"),
        ([1, 2, 3], [4, 5], "lengths 3, 2"),
    ],
)
def test_targets_outside_aws_rules_are_refused(low: float, high: float, message: str):
    """A variant's minimum is at least 1 (DG); the maximum is not below it (AAS)."""
    with pytest.raises(ConfigurationError, match=message):
        ScalableTarget.of(min_capacity=low, max_capacity=high)


@pytest.mark.parametrize("value", [0, -60, math.nan, math.inf])
def test_a_target_value_must_be_positive(value: float):
    """The range of ``TargetValue`` (BC), and a metric that counts is positive."""
    with pytest.raises(ConfigurationError, match="target_value must be above 0"):
        TargetTrackingPolicy.of(target_value=value)


@pytest.mark.parametrize("name", ["scale_in_cooldown_seconds", "scale_out_cooldown_seconds"])
@pytest.mark.parametrize("value", [-1, math.nan, math.inf])
def test_a_cooldown_must_be_zero_or_more(name: str, value: float):
    with pytest.raises(ConfigurationError, match=f"{name} must be 0 or more, not {value}"):
        TargetTrackingPolicy.of(target_value=60, **{name: value})


def test_cooldowns_default_to_five_minutes_and_scale_in_to_enabled():
    """300 s each for variants; DisableScaleIn is false (AAS, BC)."""
    policy = TargetTrackingPolicy.of(target_value=60)
    assert policy.scale_in_cooldown_seconds.tolist() == [300]
    assert policy.scale_out_cooldown_seconds.tolist() == [300]
    assert policy.disable_scale_in.tolist() == [False]


def test_scalars_are_repeated_for_many_policies():
    policy = TargetTrackingPolicy.of(target_value=[60, 600], scale_in_cooldown_seconds=30)
    assert policy.target_value.tolist() == [60, 600]
    assert policy.scale_in_cooldown_seconds.tolist() == [30, 30]


def test_an_observation_has_in_service_what_is_desired_unless_told():
    seen = Observation.of(metric_value=[1, math.nan], desired_instance_count=3)
    assert seen.in_service_instance_count.tolist() == [3, 3]
    assert np.isnan(seen.metric_value).tolist() == [False, True]


@pytest.mark.parametrize(
    "wrong",
    [
        {"capacity_datapoints": 0},
        {"capacity_datapoints": 4},
        {"low_ratio": 1.0},
        {"period_seconds": 0.0},
    ],
)
def test_an_alarm_rule_must_fit_together(wrong: dict[str, float]):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        AlarmRule(**wrong)


def test_a_state_keeps_what_the_longer_alarm_looks_at():
    """3 and 15 datapoints of one minute (re:Post; CDK #34472)."""
    assert ScalingState.initial(7).datapoints.shape == (TARGET_TRACKING.low_datapoints, 7)
