"""
Whole scalable targets: several policies, moved bounds, suspended scaling, busy endpoints.

AAS is the Application Auto Scaling User Guide, DG the SageMaker Developer Guide, BC botocore's
service models.
"""

import math
from dataclasses import replace

import numpy as np
import pytest

from scaling_targets import Target, stepping, tracking
from tonnage.domain import ConfigurationError
from tonnage.scaling import (
    CONCURRENT_REQUESTS_PER_MODEL,
    INVOCATIONS_PER_INSTANCE,
    PREDEFINED_METRICS,
    AlarmRule,
    AlarmState,
    ComparisonOperator,
    PolicyMemory,
    Reason,
    ScalableTarget,
    Statistic,
    SuspendedState,
    TargetObservation,
    TargetState,
    TrackedMetric,
    change_policies,
    decide_target,
    evaluate_target,
    lengths,
    put,
    spread,
    take,
)

CPU = TrackedMetric(name="CPUUtilization", namespace="/aws/sagemaker/Endpoints")
BELOW = ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD


def two_trackers(**values: object) -> tuple[object, object]:
    return tracking(60, name="invocations", **values), tracking(50, name="cpu", metric=CPU)


# Metrics


def test_the_concurrency_metric_scales_out_after_thirty_seconds():
    """Emitted every 10 s, detection up to six times faster (DG, ML blog; decision 0016)."""
    target = Target((tracking(5, metric=CONCURRENT_REQUESTS_PER_MODEL),))
    seen = target.periods(3, 12, seconds=10)
    assert seen == [Reason.INSUFFICIENT_DATA] * 2 + [Reason.SCALED_OUT]
    assert target.instances == 3


def test_the_concurrency_metric_scales_in_at_ordinary_speed():
    """Scale-in is as slow as with other metrics: 15 minutes (DG; decision 0016)."""
    target = Target((tracking(5, metric=CONCURRENT_REQUESTS_PER_MODEL),), instances=4)
    seen = target.periods(90, 1, seconds=10)
    # The first of the 15 minutes has a datapoint as soon as it has a sample.
    assert seen.index(Reason.SCALED_IN) == 84


def test_a_blip_of_ten_seconds_within_a_low_minute_does_not_stop_a_scale_in():
    """AlarmLow of a high-resolution metric looks at means of a minute (decision 0016)."""
    target = Target((tracking(5, metric=CONCURRENT_REQUESTS_PER_MODEL),), instances=4)
    target.periods(60, 1, seconds=10)
    target.period(20, seconds=10)
    assert Reason.SCALED_IN in target.periods(29, 1, seconds=10)


def test_a_minute_of_missing_high_resolution_data_keeps_alarm_low_from_firing():
    """Missing data stop scaling in both directions (AAS; decision 0012)."""
    target = Target((tracking(5, metric=CONCURRENT_REQUESTS_PER_MODEL),), instances=4)
    target.periods(60, 1, seconds=10)
    target.periods(12, math.nan, seconds=10)
    assert Reason.SCALED_IN not in target.periods(18, 1, seconds=10)


def test_any_metric_that_falls_as_capacity_rises_can_be_tracked():
    """A customised metric, of any statistic, in proportion to capacity (AAS, BC)."""
    target = Target((tracking(50, metric=CPU),), instances=4)
    target.periods(3, 90)
    assert target.instances == 8


def test_predefined_metrics_have_awss_names_and_periods():
    """``PredefinedMetricType`` of a variant (BC); one minute, and 10 s (AAS, DG)."""
    assert set(PREDEFINED_METRICS) == {
        "SageMakerVariantInvocationsPerInstance",
        "SageMakerVariantConcurrentRequestsPerModelHighResolution",
    }
    assert INVOCATIONS_PER_INSTANCE.rule.period_seconds == 60
    assert INVOCATIONS_PER_INSTANCE.statistic == Statistic.SUM
    assert CONCURRENT_REQUESTS_PER_MODEL.rule.period_seconds == 10


def test_an_alarm_rule_needs_at_least_one_period_in_a_low_datapoint():
    with pytest.raises(ConfigurationError, match="low_periods_per_datapoint"):
        AlarmRule(low_periods_per_datapoint=0)


# Several policies


@pytest.mark.parametrize("metrics", [(90, 10), (10, 75), (90, 75)])
def test_any_policy_can_scale_out(metrics: tuple[float, float]):
    """Out if any of the target tracking policies is ready for scale-out (AAS)."""
    target = Target(two_trackers(), instances=2)
    assert target.periods(3, *metrics)[-1] == Reason.SCALED_OUT
    assert target.instances == 3


def test_the_largest_capacity_that_any_policy_asks_for_wins():
    """Precedence to the policy that provides the largest capacity (AAS, BC: PutScalingPolicy)."""
    target = Target(two_trackers(), instances=2)
    target.periods(3, 90, 200)
    assert target.instances == 8
    assert target.decision.policy.tolist() == [1]
    assert target.asked(0) == Reason.SCALED_OUT


def test_the_api_references_example_of_three_and_200_per_cent_comes_out():
    """From 10, one adds 3 and another 200 per cent: 30 (BC: PutScalingPolicy)."""
    policies = (
        stepping((0, None, 3)),
        stepping((0, None, 200), kind="PercentChangeInCapacity", name="double"),
    )
    target = Target(policies, instances=10, max_capacity=100)
    target.period(60, 60)
    assert target.instances == 30


def test_target_tracking_scales_in_only_when_all_agree():
    """In only if all target tracking policies are ready to scale in (AAS)."""
    target = Target(two_trackers(), instances=10)
    assert target.periods(15, 12, 48)[-1] == Reason.OTHER_POLICIES_NOT_READY
    assert target.instances == 10
    assert Reason.SCALED_IN in target.periods(15, 12, 20)


def test_the_larger_of_two_scale_ins_wins():
    """The largest capacity, for scale-in too (AAS)."""
    target = Target(two_trackers(), instances=10)
    target.periods(15, 12, 20)
    assert target.instances == 4
    assert target.decision.policy.tolist() == [1]


def test_a_policy_without_scale_in_has_no_vote_on_it():
    """All policies "with the scale-in portion enabled" (AAS)."""
    target = Target(two_trackers(disable_scale_in=True), instances=10)
    assert target.periods(15, 59, 20)[-1] == Reason.SCALED_IN
    assert target.instances == 4


def test_missing_data_of_one_policy_keeps_all_from_scaling_in():
    """A policy in INSUFFICIENT_DATA does not scale in, so not all are ready (AAS)."""
    target = Target(two_trackers(), instances=10)
    assert Reason.SCALED_IN not in target.periods(20, 12, math.nan)


def test_a_step_policys_scale_in_is_not_blocked_by_target_tracking():
    """The step policy's scale-in will not be blocked (AAS, BC: PutScalingPolicy)."""
    target = Target((tracking(60), stepping((None, 0, -2), comparison=BELOW)), instances=5)
    assert target.period(57, 30) == Reason.SCALED_IN
    assert target.instances == 3


def test_a_scale_out_beats_a_scale_in():
    """Availability first: the largest capacity (AAS)."""
    target = Target((tracking(60), stepping((None, 0, -2), comparison=BELOW)), instances=5)
    assert target.periods(3, 90, math.nan)[-1] == Reason.SCALED_OUT
    assert target.period(90, 30) == Reason.SCALED_OUT


def test_policies_of_other_periods_are_asked_when_theirs_end():
    """A metric of 10 s and one of 60 s on one target: each policy in its own period (AAS)."""
    fast = tracking(5, metric=CONCURRENT_REQUESTS_PER_MODEL, name="fast")
    target = Target((tracking(60, name="slow"), fast), instances=2)
    for _ in range(2):
        target.periods(5, None, 3, seconds=10)
        assert target.period(90, 3, seconds=10) != Reason.SCALED_OUT
    assert target.periods(5, None, 3, seconds=10) == [Reason.INSUFFICIENT_DATA] * 5
    assert target.asked(0) == Reason.NOT_DUE
    assert target.period(90, 3, seconds=10) == Reason.SCALED_OUT


def test_policies_of_other_periods_agree_on_a_scale_in():
    """Ready is a state, which lasts between two datapoints of the slower policy (AAS)."""
    fast = tracking(5, metric=CONCURRENT_REQUESTS_PER_MODEL, name="fast")
    target = Target((tracking(60, name="slow"), fast), instances=10)
    reasons = []
    for _ in range(15):
        reasons += target.periods(5, None, 1, seconds=10)
        reasons.append(target.period(12, 1, seconds=10))
    assert reasons.count(Reason.SCALED_IN) == 1
    assert reasons[-1] == Reason.SCALED_IN


def test_a_cooldown_is_of_the_targets_activity_and_as_long_as_each_policy_says():
    """To wait for a previous activity to take effect (BC; decision 0018)."""
    patient = tracking(60, name="patient", scale_out_cooldown_seconds=600)
    eager = tracking(50, name="eager", metric=CPU, scale_out_cooldown_seconds=60)
    target = Target((patient, eager), instances=1)
    target.periods(3, 120, 51)
    target.settle()
    assert target.instances == 2
    assert target.period(90, 60) == Reason.SCALED_OUT
    assert target.asked(0) == Reason.IN_SCALE_OUT_COOLDOWN


def test_policies_must_have_as_many_metric_values():
    with pytest.raises(ConfigurationError, match="2 policies need as many metric values, not 1"):
        Target(two_trackers()).period(60)


# Bounds that move


def test_a_scheduled_action_brings_capacity_up_at_once():
    """Below the new minimum: scales out to it, whatever the policies say (AAS)."""
    target = Target((tracking(60),), instances=2)
    assert target.schedule(min_capacity=5)
    assert target.now() == Reason.BROUGHT_WITHIN_BOUNDS
    assert (target.instances, target.decision.policy.tolist()) == (5, [-1])


def test_a_scheduled_action_does_not_wait_for_a_cooldown_and_starts_none():
    """It can trigger an activity without waiting for the cooldown (AAS; decision 0013)."""
    target = Target((tracking(60, scale_in_cooldown_seconds=3600),), instances=10)
    target.periods(15, 36)
    target.settle()
    assert target.instances == 6
    assert target.schedule(max_capacity=4)
    assert target.now() == Reason.BROUGHT_WITHIN_BOUNDS
    assert target.instances == 4
    assert target.period(36) == Reason.IN_SCALE_IN_COOLDOWN


def test_policies_go_on_within_the_bounds_of_a_scheduled_action():
    """After it runs, policies scale further between the new bounds (AAS)."""
    target = Target((tracking(60),), instances=2)
    target.schedule(min_capacity=3, max_capacity=6)
    target.now()
    target.periods(3, 600)
    assert target.instances == 6
    target.periods(15, 0)
    assert target.instances == 3


def test_a_scheduled_action_sets_one_bound_or_both():
    """MinCapacity and MaxCapacity: both or just one (BC: ScalableTargetAction)."""
    target = Target((), instances=2, max_capacity=9)
    target.schedule(min_capacity=2)
    assert target.state.target.max_capacity.tolist() == [9]
    target.schedule(max_capacity=3)
    assert target.state.target.min_capacity.tolist() == [2]


def test_an_action_that_contradicts_the_other_bound_is_not_carried_out():
    """The maximum cannot be less than the minimum (BC; decision 0019)."""
    target = Target((), max_capacity=9)
    assert not target.schedule(min_capacity=10)
    assert target.state.target.min_capacity.tolist() == [1]


def test_without_policies_bounds_are_still_kept():
    """RegisterScalableTarget changes capacity to a value inside the range (BC)."""
    target = Target((), min_capacity=3)
    assert target.now() == Reason.BROUGHT_WITHIN_BOUNDS
    assert target.instances == 3


# Suspended scaling


def test_suspended_scale_out_keeps_policies_from_adding_capacity():
    """DynamicScalingOutSuspended (AAS, BC)."""
    target = Target((tracking(60),))
    target.suspend(dynamic_scaling_out_suspended=True)
    assert target.periods(5, 600)[-1] == Reason.SCALE_OUT_SUSPENDED
    assert target.instances == 1


def test_suspended_scale_in_keeps_policies_from_removing_capacity():
    """DynamicScalingInSuspended (AAS, BC)."""
    target = Target((tracking(60),), instances=5)
    target.suspend(dynamic_scaling_in_suspended=True)
    assert target.periods(16, 0)[-1] == Reason.SCALE_IN_SUSPENDED
    assert target.periods(3, 90)[-1] == Reason.SCALED_OUT


def test_suspension_holds_for_step_policies_too():
    """When a target tracking *or step* policy is triggered (AAS)."""
    target = Target((stepping((0, None, 1)),))
    target.suspend(dynamic_scaling_out_suspended=True)
    assert target.period(60) == Reason.SCALE_OUT_SUSPENDED


def test_on_resuming_alarms_that_are_in_alarm_ask_again():
    """Evaluates policies whose alarm thresholds are in breach (AAS)."""
    target = Target((tracking(60),))
    target.suspend(dynamic_scaling_out_suspended=True)
    target.periods(5, 600)
    target.suspend()
    assert target.period(600) == Reason.SCALED_OUT


def test_suspended_schedules_do_not_run():
    """ScheduledScalingSuspended: actions whose time passes are not run (AAS)."""
    target = Target(())
    target.suspend(scheduled_scaling_suspended=True)
    assert not target.schedule(min_capacity=5)
    assert target.state.target.min_capacity.tolist() == [1]
    target.suspend()
    assert target.schedule(min_capacity=5)


def test_suspension_does_not_hold_back_bounds():
    """Suspends what policies and scheduled actions trigger, not a changed registration (AAS)."""
    target = Target((tracking(60),), min_capacity=3)
    target.suspend(dynamic_scaling_in_suspended=True, dynamic_scaling_out_suspended=True)
    assert target.period(60) == Reason.BROUGHT_WITHIN_BOUNDS


# Busy endpoints, capacity that cannot be had


def test_a_busy_endpoint_is_tried_again_when_any_period_ends():
    """TargetServicePutResourceAsUnscalable: tried again while the alarm lasts (AAS)."""
    target = Target(two_trackers(), instances=2)
    target.busy = True
    assert target.periods(3, 90, 10)[-1] == Reason.TARGET_SERVICE_PUT_RESOURCE_AS_UNSCALABLE
    assert target.decision.policy.tolist() == [0]
    target.busy = False
    assert target.period(90, 10) == Reason.SCALED_OUT


def test_a_busy_endpoint_can_be_tried_again_between_two_datapoints():
    """Tried again if the conditions are met (AAS), with the datapoints there are."""
    target = Target((tracking(60),))
    target.busy = True
    target.periods(3, 600)
    seen = TargetObservation.of(desired_instance_count=1)
    _, decision = decide_target(target.policies, target.state, seen, 190.0)
    assert decision.desired_instance_count.tolist() == [10]


def test_bounds_wait_for_a_busy_endpoint():
    """While the endpoint is Updating no other update can start (DG, BC)."""
    target = Target((), min_capacity=3)
    target.busy = True
    assert target.now() == Reason.TARGET_SERVICE_PUT_RESOURCE_AS_UNSCALABLE
    target.busy = False
    assert target.now() == Reason.BROUGHT_WITHIN_BOUNDS


def test_capacity_that_cannot_be_had_is_asked_for_again_without_a_cooldown():
    """Failed (ResourceLimitExceeded); the cooldown starts on success (AAS; decision 0013)."""
    target = Target((tracking(60, scale_out_cooldown_seconds=600),))
    target.periods(3, 600)
    assert target.instances == 10
    target.fail(4)
    assert target.period(150) == Reason.SCALED_OUT
    assert target.instances == 10


# Policies that come and go


def test_a_new_alarm_reads_the_metric_from_before_it_was_made():
    """CloudWatch retrieves datapoints from before the alarm was created (CloudWatch guide)."""
    policy = tracking(60)
    target = Target((policy,))
    memory = PolicyMemory.of(policy, datapoints=[90.0, 90.0])
    target.state = replace(target.state, memories=(memory,))
    assert target.period(90) == Reason.SCALED_OUT


def test_a_changed_policy_goes_on_with_its_datapoints():
    """PutScalingPolicy updates a policy; its metric is CloudWatch's and stays (BC)."""
    before = (tracking(60, name="one"),)
    target = Target(before)
    target.periods(2, 90)
    after = (stepping((0, None, 1)), tracking(70, name="one"))
    target.state = change_policies(target.state, before, after)
    target.policies = after
    assert target.period(20, 90) == Reason.SCALED_OUT
    assert target.decision.policy.tolist() == [1]


def test_a_step_alarms_state_is_remembered_for_missing_data():
    """``ignore`` keeps the current state of the alarm (CloudWatch guide)."""
    policy = stepping((0, None, 1), alarm={"treat_missing_data": "ignore", "extra_periods": 0})
    target = Target((policy,))
    target.period(60)
    target.period(math.nan)
    assert target.state.memories[0].alarm.tolist() == [AlarmState.ALARM]
    target.period(20)
    target.period(math.nan)
    assert target.state.memories[0].alarm.tolist() == [AlarmState.OK]


# Arrays over targets


def test_targets_together_are_each_alone():
    policies = (tracking([60, 600, 60]), stepping((0, None, [1, 2, 3])))
    state = TargetState.initial(
        ScalableTarget.of(min_capacity=[1, 1, 4], max_capacity=10),
        policies,
        suspended=SuspendedState.of(dynamic_scaling_out_suspended=[False, True, False]),
    )
    policies = spread(policies, 3)
    seen = TargetObservation.of(metric_values=[20, [40, 60, 70]], desired_instance_count=[2, 2, 2])
    state, decision = evaluate_target(policies, state, seen, 60.0)
    assert decision.desired_instance_count.tolist() == [2, 2, 7]
    for index in range(3):
        column = np.array([index])
        _, alone = evaluate_target(
            take(policies, column),
            TargetState.initial(
                take(state.target, column),
                take(policies, column),
                suspended=take(state.suspended, column),
            ),
            take(seen, column),
            60.0,
        )
        assert alone.desired_instance_count == decision.desired_instance_count[index]
        assert alone.reason == decision.reason[index]


def test_columns_can_be_taken_out_and_put_back():
    state = TargetState.initial(
        ScalableTarget.of(min_capacity=[1, 2, 3], max_capacity=9), (tracking([60, 60, 60]),)
    )
    other = TargetState.initial(
        ScalableTarget.of(min_capacity=[7], max_capacity=8), (tracking([60]),)
    )
    assert lengths(state) == {3}
    changed = put(state, np.array([1]), other)
    assert changed.target.min_capacity.tolist() == [1, 7, 3]
    assert take(changed, np.array([1])).target.max_capacity.tolist() == [8]
    assert state.target.min_capacity.tolist() == [1, 2, 3]
