"""
Each rule of target tracking is one test; its docstring names the source of the rule.

AAS is the Application Auto Scaling User Guide, DG the SageMaker Developer Guide, BC botocore's
service models.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from tonnage.domain import ManualClock
from tonnage.scaling import (
    AlarmRule,
    AlarmState,
    Decision,
    Observation,
    Reason,
    ScalableTarget,
    ScalingState,
    TargetTrackingPolicy,
    decide,
    evaluate,
    scaling_failed,
    scaling_succeeded,
)

TARGET = 60.0


@dataclass
class Variant:
    """One variant under one policy, played minute by minute; instances settle when told to."""

    instances: int = 1
    min_capacity: int = 1
    max_capacity: int = 10
    scale_out_cooldown_seconds: float = 0.0
    scale_in_cooldown_seconds: float = 0.0
    disable_scale_in: bool = False
    rule: AlarmRule = field(default_factory=AlarmRule)
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        self.state = ScalingState.initial(rule=self.rule)

    def minute(self, metric: float, *, in_service: int | None = None, busy: bool = False) -> Reason:
        self.clock.advance(60)
        self.state, self.decision = evaluate(
            self.policy,
            self.target,
            self.state,
            self.seen(metric, in_service=in_service, busy=busy),
            self.clock.now_seconds(),
            self.rule,
        )
        self.instances = int(self.decision.desired_instance_count[0])
        return Reason(self.decision.reason[0])

    def minutes(self, metric: float, count: int) -> list[Reason]:
        return [self.minute(metric) for _ in range(count)]

    def settle(self) -> None:
        self.state = scaling_succeeded(self.state, self.clock.now_seconds())

    def seen(
        self, metric: float, *, in_service: int | None = None, busy: bool = False
    ) -> Observation:
        return Observation.of(
            metric_value=metric,
            desired_instance_count=self.instances,
            in_service_instance_count=in_service,
            is_updating=busy,
        )

    @property
    def policy(self) -> TargetTrackingPolicy:
        return TargetTrackingPolicy.of(
            target_value=TARGET,
            scale_in_cooldown_seconds=self.scale_in_cooldown_seconds,
            scale_out_cooldown_seconds=self.scale_out_cooldown_seconds,
            disable_scale_in=self.disable_scale_in,
        )

    @property
    def target(self) -> ScalableTarget:
        return ScalableTarget.of(min_capacity=self.min_capacity, max_capacity=self.max_capacity)


def alarms(decision: Decision) -> tuple[AlarmState, AlarmState]:
    return AlarmState(decision.high_alarm[0]), AlarmState(decision.low_alarm[0])


# The two alarms


def test_scale_out_waits_for_three_minutes_above_the_target():
    """AlarmHigh: 3 datapoints of 1 minute out of 3 (re:Post "SageMaker autoscaling delay")."""
    variant = Variant()
    assert variant.minutes(61, 3) == [
        Reason.INSUFFICIENT_DATA,
        Reason.INSUFFICIENT_DATA,
        Reason.SCALED_OUT,
    ]
    assert alarms(variant.decision) == (AlarmState.ALARM, AlarmState.OK)


def test_one_minute_at_the_target_starts_the_count_again():
    """AlarmHigh: the metric must be *greater* than the target, in each (CDK #34472)."""
    variant = Variant()
    variant.minutes(61, 2)
    variant.minute(60)
    assert Reason.SCALED_OUT not in variant.minutes(61, 2)
    assert variant.minute(61) == Reason.SCALED_OUT


def test_scale_in_waits_for_fifteen_minutes_below_nine_tenths():
    """AlarmLow: 15 of 15 below 0.9 x target (re:Post; CDK #34472)."""
    variant = Variant(instances=10)
    assert Reason.SCALED_IN not in variant.minutes(6, 14)
    assert variant.minute(6) == Reason.SCALED_IN


def test_nothing_happens_between_nine_tenths_and_the_target():
    """AlarmLow's threshold is 90 % of the target: 1350 for 1500 (Aurora labs issue #3)."""
    variant = Variant(instances=10)
    assert variant.minutes(54, 30)[-1] == Reason.NO_ALARM
    assert alarms(variant.decision) == (AlarmState.OK, AlarmState.OK)


def test_high_alarm_asks_again_while_it_lasts():
    """AlarmHigh stays in ALARM: evaluated again after the action, more is added (AAS)."""
    variant = Variant()
    variant.minutes(90, 3)
    assert variant.instances == 2
    variant.settle()
    assert variant.minute(150) == Reason.SCALED_OUT
    assert variant.instances == 5


# Missing data


@pytest.mark.parametrize("before", [[], [6.0] * 14])
def test_no_data_scales_in_neither_direction(before: Sequence[float]):
    """INSUFFICIENT_DATA: no scaling at all, in either direction (AAS)."""
    variant = Variant(instances=5)
    for metric in before:
        variant.minute(metric)
    assert set(variant.minutes(math.nan, 20)) == {Reason.INSUFFICIENT_DATA}
    assert alarms(variant.decision) == (AlarmState.INSUFFICIENT_DATA,) * 2
    assert variant.instances == 5


def test_a_missing_minute_keeps_a_high_alarm_from_firing():
    """INSUFFICIENT_DATA: no scaling until there are datapoints again (AAS; decision 0012)."""
    variant = Variant()
    variant.minutes(600, 2)
    assert variant.minute(math.nan) == Reason.INSUFFICIENT_DATA
    assert Reason.SCALED_OUT not in variant.minutes(600, 2)
    assert variant.minute(600) == Reason.SCALED_OUT


def test_zero_traffic_scales_in_to_the_minimum():
    """With no traffic the metric is zero, not missing, and capacity goes to the minimum (DG)."""
    variant = Variant(instances=10, min_capacity=2)
    assert variant.minutes(0, 15)[-1] == Reason.SCALED_IN
    assert variant.instances == 2


# How much


def test_scale_out_is_in_proportion_and_rounded_up():
    """New capacity, out: in proportion to metric / target, rounded up: +1.5 is +2 (AAS)."""
    variant = Variant(instances=3)
    variant.minutes(90, 3)
    assert variant.instances == 5


@pytest.mark.parametrize("instances", range(1, 10))
def test_a_load_of_exactly_k_targets_needs_exactly_k_instances(instances: int):
    """Rounded up (AAS), but not because a sum of fractions is a hair above a whole number."""
    for needed in range(instances + 1, 11):
        variant = Variant(instances=instances)
        requests = round(TARGET * needed)
        variant.minutes(sum([1 / instances] * requests), 3)
        assert variant.instances == needed


def test_scale_out_stops_at_the_maximum():
    """MaxCapacity bounds what a policy may ask for (AAS)."""
    variant = Variant(max_capacity=4)
    assert variant.minutes(9000, 3)[-1] == Reason.SCALED_OUT
    assert variant.instances == 4


def test_the_newest_datapoint_sets_the_capacity():
    """The newest datapoint; which one AWS uses is not documented (decision 0010)."""
    variant = Variant()
    for metric in (120, 180, 240):
        variant.minute(metric)
    assert variant.instances == 4


def test_the_mean_of_the_window_can_set_the_capacity_instead():
    """Which datapoint AWS uses is not documented: ``capacity_datapoints`` (decision 0010)."""
    variant = Variant(rule=AlarmRule(capacity_datapoints=3))
    for metric in (120, 180, 240):
        variant.minute(metric)
    assert variant.instances == 3


def test_scale_in_leaves_the_fewest_that_stay_at_or_below_the_target():
    """New capacity, in: smallest n with metric x current / n <= target (a reading of AAS)."""
    variant = Variant(instances=10)
    variant.minutes(24, 15)
    assert variant.instances == 4


def test_capacity_is_computed_from_the_instances_in_service():
    """InvocationsPerInstance counts 1 / instances in service per request (DG; decision 0014)."""
    variant = Variant(instances=4)
    for _ in range(3):
        reason = variant.minute(100, in_service=2)
    assert reason == Reason.ALREADY_AT_DESIRED_CAPACITY
    assert variant.instances == 4


# Why nothing scaled


def test_no_instance_is_removed_if_that_brings_the_metric_back_above_the_target():
    """No removal if one fewer is estimated to exceed the target: anticipated flapping (AAS)."""
    variant = Variant(instances=2)
    assert variant.minutes(50, 15)[-1] == Reason.AUTO_SCALING_ANTICIPATED_FLAPPING
    assert variant.instances == 2


def test_a_busy_endpoint_cannot_scale_and_is_tried_again_while_the_alarm_lasts():
    """TargetServicePutResourceAsUnscalable: endpoint Updating, tried again (AAS, BC)."""
    variant = Variant()
    variant.minutes(600, 2)
    assert variant.minute(600, busy=True) == Reason.TARGET_SERVICE_PUT_RESOURCE_AS_UNSCALABLE
    assert variant.instances == 1
    assert variant.minute(600) == Reason.SCALED_OUT
    assert variant.instances == 10


def test_a_busy_endpoint_can_be_tried_again_between_two_datapoints():
    """Tried again while the alarm lasts (AAS), with the datapoints there are."""
    variant = Variant()
    variant.minutes(600, 2)
    variant.minute(600, busy=True)
    _, decision = decide(
        variant.policy, variant.target, variant.state, variant.seen(math.nan), 190.0
    )
    assert decision.desired_instance_count.tolist() == [10]


def test_at_the_maximum_a_high_alarm_says_so():
    """AlreadyAtMaxCapacity (AAS, BC)."""
    assert Variant(instances=10).minutes(600, 3)[-1] == Reason.ALREADY_AT_MAX_CAPACITY


def test_at_the_minimum_a_low_alarm_says_so():
    """AlreadyAtMinCapacity (AAS, BC)."""
    assert Variant(instances=1).minutes(0, 15)[-1] == Reason.ALREADY_AT_MIN_CAPACITY


def test_scale_in_can_be_disabled():
    """DisableScaleIn: the policy only adds capacity (BC)."""
    variant = Variant(instances=5, disable_scale_in=True)
    assert variant.minutes(0, 20)[-1] == Reason.SCALE_IN_DISABLED
    assert variant.instances == 5
    assert variant.minutes(90, 3)[-1] == Reason.SCALED_OUT


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (Reason.AUTO_SCALING_ANTICIPATED_FLAPPING, "AutoScalingAnticipatedFlapping"),
        (Reason.TARGET_SERVICE_PUT_RESOURCE_AS_UNSCALABLE, "TargetServicePutResourceAsUnscalable"),
        (Reason.ALREADY_AT_MAX_CAPACITY, "AlreadyAtMaxCapacity"),
        (Reason.ALREADY_AT_MIN_CAPACITY, "AlreadyAtMinCapacity"),
        (Reason.ALREADY_AT_DESIRED_CAPACITY, "AlreadyAtDesiredCapacity"),
        (Reason.IN_SCALE_IN_COOLDOWN, None),
        (Reason.NO_ALARM, None),
    ],
)
def test_reasons_spell_aws_codes(reason: Reason, code: str | None):
    """The codes of ``NotScaledReason`` (BC)."""
    assert reason.aws_code == code


# Bounds that move


def test_capacity_below_a_raised_minimum_is_brought_up_without_an_alarm():
    """Changing MinCapacity above the current capacity starts an activity (AAS)."""
    variant = Variant(min_capacity=3)
    assert variant.minute(57) == Reason.BROUGHT_WITHIN_BOUNDS
    assert variant.instances == 3


def test_capacity_above_a_lowered_maximum_is_brought_down_even_in_a_cooldown():
    """Changing MaxCapacity below the current capacity starts an activity (AAS)."""
    variant = Variant(instances=10, scale_in_cooldown_seconds=3600)
    variant.minutes(36, 15)
    variant.settle()
    assert variant.instances == 6
    variant.max_capacity = 4
    assert variant.minute(20) == Reason.BROUGHT_WITHIN_BOUNDS
    assert variant.instances == 4


def test_bounds_wait_for_a_busy_endpoint_too():
    """While the endpoint is Updating no other update can start (DG, BC)."""
    variant = Variant(min_capacity=3)
    reason = variant.minute(57, busy=True)
    assert reason == Reason.TARGET_SERVICE_PUT_RESOURCE_AS_UNSCALABLE
    assert variant.instances == 1


# Cooldowns


def scaled_out_to_four(cooldown_seconds: float) -> Variant:
    variant = Variant(scale_out_cooldown_seconds=cooldown_seconds, max_capacity=20)
    variant.minutes(240, 3)
    assert variant.instances == 4
    return variant


def test_the_scale_out_cooldown_starts_when_the_scale_out_has_succeeded():
    """Starts when a scale-out has succeeded, not when it was decided (AAS)."""
    variant = scaled_out_to_four(120)
    for _ in range(5):
        variant.minute(90, in_service=1, busy=True)
    variant.settle()
    assert variant.minute(75) == Reason.IN_SCALE_OUT_COOLDOWN
    assert variant.minute(75) == Reason.SCALED_OUT
    assert variant.instances == 5


def test_a_larger_scale_out_is_not_held_back_and_counts_what_was_added():
    """Unless a larger one is triggered; what was added counts as part of it (AAS; 0011)."""
    variant = scaled_out_to_four(600)
    variant.settle()
    assert variant.minute(105) == Reason.IN_SCALE_OUT_COOLDOWN  # three more are not more than three
    assert variant.minute(150) == Reason.SCALED_OUT  # six more, of which three are there
    assert variant.instances == 7


def test_the_scale_out_after_a_larger_one_must_be_larger_again():
    """What the cooldown was opened with counts, in all its steps (AAS; decision 0011)."""
    variant = scaled_out_to_four(600)
    variant.settle()
    variant.minute(150)
    variant.settle()
    assert variant.minute(60 * 13 / 7) == Reason.IN_SCALE_OUT_COOLDOWN
    assert variant.minute(60 * 14 / 7) == Reason.SCALED_OUT
    assert variant.instances == 8


def test_a_failed_scale_out_starts_no_cooldown():
    """The cooldown starts when a scale-out has *succeeded* (AAS; decision 0013)."""
    variant = scaled_out_to_four(600)
    variant.state = scaling_failed(variant.state)
    variant.settle()
    variant.instances = 1
    assert variant.minute(240) == Reason.SCALED_OUT


def test_the_scale_out_cooldown_does_not_hold_back_a_scale_in():
    """The scale-out cooldown is about raising capacity only (AAS)."""
    variant = scaled_out_to_four(36000)
    variant.settle()
    assert variant.minutes(10, 15)[-1] == Reason.SCALED_IN


def scaled_in_to_six(cooldown_seconds: float) -> Variant:
    variant = Variant(
        instances=10, scale_in_cooldown_seconds=cooldown_seconds, scale_out_cooldown_seconds=600
    )
    variant.minutes(36, 15)
    assert variant.instances == 6
    return variant


def test_a_scale_in_blocks_further_ones_until_its_cooldown_ends():
    """Scale-in cooldown blocks further scale-ins until it ends, from completion (AAS, BC)."""
    variant = scaled_in_to_six(180)
    variant.minute(10, busy=True)
    variant.settle()
    assert variant.minutes(10, 2) == [Reason.IN_SCALE_IN_COOLDOWN] * 2
    assert variant.minute(10) == Reason.SCALED_IN
    assert variant.instances == 1


def test_a_scale_in_cooldown_does_not_hold_back_a_scale_out_which_ends_it():
    """An alarm for scale-out interrupts the scale-in cooldown at once (AAS)."""
    variant = scaled_in_to_six(36000)
    variant.settle()
    assert variant.minutes(90, 3)[-1] == Reason.SCALED_OUT
    variant.settle()
    assert variant.minutes(10, 15)[-1] == Reason.SCALED_IN


def test_a_cooldown_ends_on_time_whatever_the_unit_of_time():
    """The cooldown ends after its seconds (AAS), although 0.3 - 0.1 is a hair below 0.2."""
    variant = Variant(instances=10, scale_in_cooldown_seconds=0.2)
    variant.minutes(36, 15)
    variant.state = scaling_succeeded(variant.state, 0.1)
    settings = (variant.policy, variant.target, variant.state)
    early = evaluate(*settings, variant.seen(10), 0.29)[1]
    on_time = evaluate(*settings, variant.seen(10), 0.3)[1]
    assert early.reason.tolist() == [Reason.IN_SCALE_IN_COOLDOWN]
    assert on_time.reason.tolist() == [Reason.SCALED_IN]


def test_bounds_start_no_cooldown():
    """An activity that restores the bounds is not the policy's (decision 0013)."""
    variant = Variant(min_capacity=3, max_capacity=20, scale_out_cooldown_seconds=600)
    variant.minute(120)
    variant.settle()
    assert variant.minutes(120, 2)[-1] == Reason.SCALED_OUT
    assert variant.instances == 6


# The story


def test_the_reference_ramp_orders_all_nine_in_one_action():
    """One user a second from one instance, target 60: 1 to 10 at the third period."""
    variant = Variant(scale_out_cooldown_seconds=60, scale_in_cooldown_seconds=60)
    played = []
    for metric in (1800, 5400, 9000):
        reason = variant.minute(metric)
        played.append((reason, variant.instances))
    assert played == [
        (Reason.INSUFFICIENT_DATA, 1),
        (Reason.INSUFFICIENT_DATA, 1),
        (Reason.SCALED_OUT, 10),
    ]
    assert variant.minute(12600, in_service=1, busy=True) == Reason.ALREADY_AT_MAX_CAPACITY
