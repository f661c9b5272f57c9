"""
AWS's scaling law as pure functions: policies, their alarms, schedules, bounds and cooldowns.

Every quantity is an array with one element per scalable target. The emulator passes length 1 on
its clock, the simulator thousands on a virtual one, and both run this very code: time is an
argument, and nothing here reads a clock or does I/O. All times but a schedule's are in one unit, so
that scaling all of them changes nothing.

**A whole scalable target** takes any number of policies, each ``TargetTracking`` on a metric or
``StepScaling`` on an alarm, and scheduled actions. Its caller does this::

    policies = (TargetTracking(policy=TargetTrackingPolicy.of(target_value=60)), StepScaling(...))
    state = TargetState.initial(ScalableTarget.of(min_capacity=1, max_capacity=10), policies)

    # Wherever a policy's period ends, plus the metric's delay: periods begin at multiples of
    # ``policy.period_seconds``, 10 s for the high-resolution metric and mostly 60 s else.
    observation = TargetObservation.of(
        metric_values=[75.0, None],     # a datapoint, nan if it is missing, None if not due
        desired_instance_count=2,
        in_service_instance_count=2,
        is_updating=False,
    )
    state, decision = evaluate_target(policies, state, observation, now_seconds)
    if decision.acts[0]:
        ...                             # start decision.desired_instance_count[0], then report:
    state = target_scaling_succeeded(state, now_seconds)       # or target_scaling_failed(state)

    # Scheduled actions, when ``scheduled_runs(actions, after, until)`` says, in its order:
    state, was_run = apply_scheduled_action(state, action)
    # ... and at once an evaluation without datapoints, which brings capacity within the bounds:
    observation = TargetObservation.of(metric_values=[None, None], desired_instance_count=2)
    state, decision = evaluate_target(policies, state, observation, now_seconds)

    # RegisterScalableTarget, suspending and resuming: the state holds what is in force.
    state = replace(state, target=ScalableTarget.of(...), suspended=SuspendedState.of(...))
    # PutScalingPolicy and DeleteScalingPolicy: memories follow the policies.
    state = change_policies(state, policies, other_policies)

Policies whose periods end at one moment are evaluated in one call: they are to agree. A busy
endpoint is tried again when the next period of any policy ends, or earlier by ``decide_target``,
which takes no new datapoints. ``target_cause``, ``activity_in_progress`` and its companions put a
decision into AWS's words.

**A lone target tracking policy** with bounds that never move has a shorter form, ``evaluate`` with
``ScalingState``; it decides the same.

The price is that a lone target pays numpy's overhead, 40 microseconds for a quiet minute and 150
when an alarm asks for something, while ten thousand together need a few milliseconds.

What AWS does not document is a named parameter or a decision record, ``docs/decisions/0010`` to
``0021``; ``docs/reference/scaling-rules.md`` lists every rule with its source and its test.
"""

from .activities import (
    INSUFFICIENT_CAPACITY,
    ActivityStatus,
    ActivityWords,
    NotScaledReason,
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
from .alarms import HIGH_RESOLUTION, TARGET_TRACKING, AlarmRule, AlarmState, alarm_states
from .arrays import lengths, put, spread, take
from .attached import AttachedPolicy, StepScaling, TargetTracking
from .causes import AlarmKind, PolicyNames, activity_cause, resource_id
from .cooldowns import (
    scaling_failed,
    scaling_succeeded,
    target_scaling_failed,
    target_scaling_succeeded,
)
from .decisions import Decision, Reason, TargetDecision
from .evaluation import decide, evaluate
from .metric_alarms import (
    ComparisonOperator,
    MetricAlarm,
    TreatMissingData,
    metric_alarm_states,
)
from .metrics import (
    CONCURRENT_REQUESTS_PER_MODEL,
    INVOCATIONS_PER_INSTANCE,
    PREDEFINED_METRICS,
    Statistic,
    TrackedMetric,
    namespace_of,
)
from .policies import DEFAULT_COOLDOWN_SECONDS, TargetTrackingPolicy
from .scheduled_actions import ScheduledAction, apply_scheduled_action, scheduled_runs
from .schedules import Schedule, time_zone
from .state import Cooldowns, Observation, Pending, ScalingState, record_datapoint
from .step_policies import (
    AdjustmentType,
    MetricAggregationType,
    StepAdjustment,
    StepScalingPolicy,
)
from .suspension import SuspendedState
from .target_evaluation import decide_target, evaluate_target
from .target_state import (
    PolicyMemory,
    TargetObservation,
    TargetState,
    change_policies,
    record_datapoints,
)
from .targets import ScalableTarget

__all__ = [
    "CONCURRENT_REQUESTS_PER_MODEL",
    "DEFAULT_COOLDOWN_SECONDS",
    "HIGH_RESOLUTION",
    "INSUFFICIENT_CAPACITY",
    "INVOCATIONS_PER_INSTANCE",
    "PREDEFINED_METRICS",
    "TARGET_TRACKING",
    "ActivityStatus",
    "ActivityWords",
    "AdjustmentType",
    "AlarmKind",
    "AlarmRule",
    "AlarmState",
    "AttachedPolicy",
    "ComparisonOperator",
    "Cooldowns",
    "Decision",
    "MetricAggregationType",
    "MetricAlarm",
    "NotScaledReason",
    "Observation",
    "Pending",
    "PolicyMemory",
    "PolicyNames",
    "Reason",
    "ScalableTarget",
    "ScalingState",
    "Schedule",
    "ScheduledAction",
    "Statistic",
    "StepAdjustment",
    "StepScaling",
    "StepScalingPolicy",
    "SuspendedState",
    "TargetDecision",
    "TargetObservation",
    "TargetState",
    "TargetTracking",
    "TargetTrackingPolicy",
    "TrackedMetric",
    "TreatMissingData",
    "activity_cause",
    "activity_failed",
    "activity_in_progress",
    "activity_not_scaled",
    "activity_overridden",
    "activity_succeeded",
    "activity_unfulfilled",
    "alarm_states",
    "apply_scheduled_action",
    "change_policies",
    "decide",
    "decide_target",
    "evaluate",
    "evaluate_target",
    "lengths",
    "metric_alarm_states",
    "namespace_of",
    "policy_cause",
    "put",
    "record_datapoint",
    "record_datapoints",
    "resource_id",
    "resource_limit_exceeded",
    "scaling_failed",
    "scaling_succeeded",
    "scheduled_activity",
    "scheduled_runs",
    "spread",
    "take",
    "target_cause",
    "target_scaling_failed",
    "target_scaling_succeeded",
    "time_zone",
]
