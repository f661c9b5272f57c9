"""
A scalable target played by hand: policies, a clock, instances that settle when told to.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from tonnage.domain import ManualClock
from tonnage.scaling import (
    AdjustmentType,
    AttachedPolicy,
    ComparisonOperator,
    MetricAlarm,
    Reason,
    ScalableTarget,
    ScheduledAction,
    StepAdjustment,
    StepScaling,
    StepScalingPolicy,
    SuspendedState,
    TargetObservation,
    TargetState,
    TargetTracking,
    TargetTrackingPolicy,
    apply_scheduled_action,
    evaluate_target,
    target_scaling_failed,
    target_scaling_succeeded,
)


def tracking(target_value: Any = 60.0, *, name: str = "tracking", **values: Any) -> TargetTracking:  # noqa: ANN401
    """Return a target tracking policy without cooldowns unless given."""
    metric = {"metric": values.pop("metric")} if "metric" in values else {}
    cooldowns = {"scale_in_cooldown_seconds": 0, "scale_out_cooldown_seconds": 0}
    policy = TargetTrackingPolicy.of(target_value=target_value, **(cooldowns | values))
    return TargetTracking(policy=policy, name=name, **metric)


def stepping(
    *steps: tuple[float | None, float | None, int],
    threshold: Any = 50.0,  # noqa: ANN401
    kind: AdjustmentType = AdjustmentType.CHANGE_IN_CAPACITY,
    comparison: ComparisonOperator = ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    alarm: dict[str, Any] | None = None,
    name: str = "steps",
    **values: Any,  # noqa: ANN401
) -> StepScaling:
    """Return a step policy of (lower, upper, adjustment), without a cooldown unless given."""
    policy = StepScalingPolicy.of(
        adjustment_type=kind,
        steps=[
            StepAdjustment(lower_bound=low, upper_bound=high, scaling_adjustment=by)
            for low, high, by in steps
        ],
        **({"cooldown_seconds": 0} | values),
    )
    own = MetricAlarm.of(
        threshold=threshold, name="busy", comparison_operator=comparison, **(alarm or {})
    )
    return StepScaling(policy=policy, alarm=own, name=name)


@dataclass
class Target:
    """One scalable target, played period by period."""

    policies: tuple[AttachedPolicy, ...]
    instances: int = 1
    min_capacity: int = 1
    max_capacity: int = 20
    suspended: SuspendedState | None = None
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        bounds = ScalableTarget.of(min_capacity=self.min_capacity, max_capacity=self.max_capacity)
        self.state = TargetState.initial(bounds, self.policies, suspended=self.suspended)
        self.busy = False

    def period(
        self, *metrics: float | None, seconds: float = 60, in_service: int | None = None
    ) -> Reason:
        """Let a period end with a datapoint for each policy, None for one that is not due."""
        self.clock.advance(seconds)
        return self.now(*metrics, in_service=in_service)

    def periods(self, count: int, *metrics: float | None, seconds: float = 60) -> list[Reason]:
        return [self.period(*metrics, seconds=seconds) for _ in range(count)]

    def now(self, *metrics: float | None, in_service: int | None = None) -> Reason:
        values = metrics or [None] * len(self.policies)
        seen = TargetObservation.of(
            metric_values=values,
            desired_instance_count=self.instances,
            in_service_instance_count=in_service,
            is_updating=self.busy,
        )
        self.state, self.decision = evaluate_target(
            self.policies, self.state, seen, self.clock.now_seconds()
        )
        self.instances = int(self.decision.desired_instance_count[0])
        return Reason(self.decision.reason[0])

    def settle(self) -> None:
        self.state = target_scaling_succeeded(self.state, self.clock.now_seconds())

    def fail(self, instances: int) -> None:
        self.state = target_scaling_failed(self.state)
        self.instances = instances

    def schedule(self, **bounds: int) -> bool:
        """Run a scheduled action now; say whether it was carried out."""
        action = ScheduledAction.of("action", "rate(1 day)", **bounds)
        self.state, was_run = apply_scheduled_action(self.state, action)
        return bool(was_run[0])

    def suspend(self, **switches: bool) -> None:
        self.state = replace(self.state, suspended=SuspendedState.of(**switches))

    def asked(self, policy: int) -> Reason:
        """Say what a policy asked for last."""
        return Reason(self.decision.policy_reasons[policy][0])
