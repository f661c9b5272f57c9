"""
Scaling activities say what caused them in Application Auto Scaling's words.
"""

import re

import numpy as np
import pytest

from tonnage.scaling import (
    AlarmKind,
    AlarmState,
    Decision,
    PolicyNames,
    Reason,
    ScalableTarget,
    activity_cause,
)

NAMES = PolicyNames(
    endpoint_name="real-estate",
    variant_name="linear-model",
    policy_name="SageMaker-Invocations-ScalingPolicy",
)
TARGET = ScalableTarget.of(min_capacity=2, max_capacity=10)


def decided(
    reason: Reason,
    *,
    desired: int = 5,
    high: AlarmState = AlarmState.OK,
    low: AlarmState = AlarmState.OK,
) -> Decision:
    return Decision(
        desired_instance_count=np.array([desired]),
        reason=np.array([reason], dtype=np.int8),
        high_alarm=np.array([high], dtype=np.int8),
        low_alarm=np.array([low], dtype=np.int8),
    )


@pytest.mark.parametrize("reason", [Reason.SCALED_OUT, Reason.ALREADY_AT_MAX_CAPACITY])
def test_a_scale_out_names_the_high_alarm_and_the_policy(reason: Reason):
    """``Cause`` of a scaling activity (AAS), of one that was not scaled too."""
    cause = activity_cause(decided(reason, high=AlarmState.ALARM), TARGET, NAMES)
    assert re.fullmatch(
        r"monitor alarm TargetTracking-endpoint/real-estate/variant/linear-model-AlarmHigh-"
        r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12} in state ALARM "
        r"triggered policy SageMaker-Invocations-ScalingPolicy",
        cause,
    )


def test_a_scale_in_names_the_low_alarm():
    cause = activity_cause(decided(Reason.SCALED_IN, low=AlarmState.ALARM), TARGET, NAMES)
    assert NAMES.alarm_name(AlarmKind.LOW) in cause


@pytest.mark.parametrize(
    ("reason", "desired", "cause"),
    [
        (Reason.BROUGHT_WITHIN_BOUNDS, 2, "minimum capacity was set to 2"),
        (Reason.BROUGHT_WITHIN_BOUNDS, 10, "maximum capacity was set to 10"),
        (Reason.TARGET_SERVICE_PUT_RESOURCE_AS_UNSCALABLE, 1, "minimum capacity was set to 2"),
        (Reason.TARGET_SERVICE_PUT_RESOURCE_AS_UNSCALABLE, 12, "maximum capacity was set to 10"),
    ],
)
def test_bounds_that_moved_name_the_bound(reason: Reason, desired: int, cause: str):
    """Activities also start when the maximum or minimum is changed (AAS)."""
    assert activity_cause(decided(reason, desired=desired), TARGET, NAMES) == cause


def test_without_an_activity_there_is_no_cause():
    with pytest.raises(ValueError, match="nothing happened"):
        activity_cause(decided(Reason.NO_ALARM), TARGET, NAMES)


def test_alarm_names_are_stable_and_differ_by_kind_and_policy():
    other = PolicyNames(
        endpoint_name="real-estate", variant_name="linear-model", policy_name="another"
    )
    names = {NAMES.alarm_name(kind) for kind in AlarmKind}
    assert names == {NAMES.alarm_name(kind) for kind in AlarmKind}
    assert len(names | {other.alarm_name(AlarmKind.HIGH)}) == 3
