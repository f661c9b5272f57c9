"""
Scaling activities in AWS's words; AAS is the Application Auto Scaling User Guide, DG SageMaker's.
"""

import math

import pytest

from scaling_targets import Target, stepping, tracking
from tonnage.scaling import (
    INSUFFICIENT_CAPACITY,
    ActivityStatus,
    NotScaledReason,
    PolicyNames,
    Reason,
    ScalableTarget,
    ScheduledAction,
    activity_failed,
    activity_in_progress,
    activity_not_scaled,
    activity_overridden,
    activity_succeeded,
    activity_unfulfilled,
    policy_cause,
    resource_limit_exceeded,
    scheduled_activity,
    target_cause,
)

NAMES = PolicyNames(endpoint_name="shop", variant_name="blue", policy_name="unused")
CAUSE = "monitor alarm web-app-cpu-lt-25 in state ALARM triggered policy web-app-cpu-lt-25"


def cause_of(target: Target) -> str:
    return target_cause(target.decision, target.policies, target.state.target, NAMES)


def test_an_activity_that_succeeded_says_so():
    """The guide's example, and one of a SageMaker variant (AAS: "Scaling activities")."""
    words = activity_succeeded(48, CAUSE)
    assert words.description == "Setting desired instance count to 48."
    assert words.cause == CAUSE
    assert words.status_code == "Successful"
    assert words.status_message == (
        "Successfully set desired instance count to 48. Change successfully fulfilled by sagemaker."
    )


def test_an_activity_under_way_waits_for_sagemaker():
    """InProgress after the target has responded (AAS; the text: decision 0021)."""
    words = activity_in_progress(2, CAUSE)
    assert words.status_code == ActivityStatus.IN_PROGRESS
    assert "Waiting for change to be fulfilled by sagemaker." in words.status_message


def test_an_activity_over_the_quota_failed():
    """ResourceLimitExceeded: the guide's example (DG: endpoint auto scaling and quotas)."""
    reason = resource_limit_exceeded("ml.c5.large", limit=1000, in_use=997, asked_for=20)
    words = activity_failed(110, "minimum capacity was set to 110", reason)
    assert words.status_code == ActivityStatus.FAILED
    assert words.status_message.startswith(
        "Failed to set desired instance count to 110. Reason: The account-level service limit"
        " 'ml.c5.large for endpoint usage' is 1000 Instances, with current utilization of 997"
        " Instances and a request delta of 20 Instances."
    )
    assert "Error Code: ResourceLimitExceeded" in words.status_message


def test_other_ends_of_an_activity_have_awss_codes():
    """Overridden, Unfulfilled and Failed (AAS: "Scaling activities"; texts: decision 0021)."""
    assert activity_overridden(2, CAUSE).status_code == "Overridden"
    unfulfilled = activity_unfulfilled(2, CAUSE, INSUFFICIENT_CAPACITY)
    assert unfulfilled.status_code == "Unfulfilled"
    assert "InsufficientInstanceCapacity" in unfulfilled.status_message


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (
            Reason.ALREADY_AT_MAX_CAPACITY,
            NotScaledReason(code="AlreadyAtMaxCapacity", max_capacity=9),
        ),
        (
            Reason.ALREADY_AT_MIN_CAPACITY,
            NotScaledReason(code="AlreadyAtMinCapacity", min_capacity=2),
        ),
        (
            Reason.ALREADY_AT_DESIRED_CAPACITY,
            NotScaledReason(code="AlreadyAtDesiredCapacity", current_capacity=5),
        ),
        (
            Reason.AUTO_SCALING_ANTICIPATED_FLAPPING,
            NotScaledReason(code="AutoScalingAnticipatedFlapping", current_capacity=5),
        ),
        (
            Reason.TARGET_SERVICE_PUT_RESOURCE_AS_UNSCALABLE,
            NotScaledReason(code="TargetServicePutResourceAsUnscalable", current_capacity=5),
        ),
    ],
)
def test_what_was_not_scaled_says_why(reason: Reason, expected: NotScaledReason):
    """The guide's example of a not scaled activity (AAS: "Including not scaled activities")."""
    bounds = ScalableTarget.of(min_capacity=2, max_capacity=9)
    words = activity_not_scaled(reason, CAUSE, bounds, current=5)
    assert words is not None
    assert words.description == "Attempting to scale due to alarm triggered"
    assert words.status_code == ActivityStatus.FAILED
    assert words.status_message == ""
    assert words.not_scaled_reasons == (expected,)


@pytest.mark.parametrize(
    "reason",
    [
        Reason.NO_ALARM,
        Reason.IN_SCALE_OUT_COOLDOWN,
        Reason.SCALE_OUT_SUSPENDED,
        Reason.OTHER_POLICIES_NOT_READY,
        Reason.NO_STEP_ADJUSTMENT,
        Reason.NOT_DUE,
    ],
)
def test_where_aws_has_no_reason_code_there_is_no_activity(reason: Reason):
    """Five codes and no more (AAS, BC: NotScaledReason)."""
    bounds = ScalableTarget.of(min_capacity=2, max_capacity=9)
    assert activity_not_scaled(reason, CAUSE, bounds, current=5) is None


def test_a_scheduled_action_names_itself_and_the_bounds():
    """The guide's example: an activity of its own, before the capacity's (AAS)."""
    both = ScheduledAction.of("my-action", "rate(1 day)", min_capacity=5, max_capacity=10)
    words = scheduled_activity(both)
    assert words.description == "Setting min capacity to 5 and max capacity to 10"
    assert words.cause == "scheduled action name my-action was triggered"
    assert words.status_message == "Successfully set min capacity to 5 and max capacity to 10"
    one = ScheduledAction.of("my-action", "rate(1 day)", max_capacity=10)
    assert scheduled_activity(one).description == "Setting max capacity to 10"


def test_a_scheduled_action_that_contradicts_a_bound_failed():
    """Maximum capacity cannot be less than minimum capacity (decision 0019)."""
    action = ScheduledAction.of("my-action", "rate(1 day)", min_capacity=50)
    words = scheduled_activity(action, was_run=False)
    assert words.status_code == ActivityStatus.FAILED
    assert "Maximum capacity cannot be less than minimum capacity" in words.status_message


def test_the_cause_names_the_policy_that_won():
    """``Cause``: the alarm and the policy (AAS)."""
    target = Target((tracking(60, name="one"), stepping((0, None, 7), name="many")))
    target.periods(3, 90, math.nan)
    assert cause_of(target).startswith("monitor alarm TargetTracking-endpoint/shop/variant/blue-A")
    assert cause_of(target).endswith(" in state ALARM triggered policy one")
    target.period(90, 60)
    assert cause_of(target) == "monitor alarm busy in state ALARM triggered policy many"
    assert "AlarmHigh" in policy_cause(target.decision, target.policies, 0, NAMES)


def test_capacity_that_follows_a_scheduled_action_names_the_bound():
    """Two activities: the action's, then "minimum capacity was set to" (AAS)."""
    target = Target((tracking(60),))
    target.schedule(min_capacity=3)
    target.now()
    assert cause_of(target) == "minimum capacity was set to 3"


def test_a_bound_that_waits_for_a_busy_endpoint_is_named_too():
    target = Target((), min_capacity=3)
    target.busy = True
    target.now()
    assert cause_of(target) == "minimum capacity was set to 3"


def test_where_nothing_was_asked_there_is_no_cause():
    target = Target((tracking(60),), instances=3)
    target.period(57)
    with pytest.raises(ValueError, match="asked for nothing"):
        cause_of(target)
