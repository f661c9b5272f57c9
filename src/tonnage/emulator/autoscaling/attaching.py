"""
From a policy as it was put to the policy that the scaling law evaluates.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tonnage.domain import ConfigurationError
from tonnage.emulator.cloudwatch import Alarm, Metric, MetricStore
from tonnage.emulator.cloudwatch.loop import watched_series
from tonnage.emulator.cloudwatch.metrics import variant_dimensions
from tonnage.emulator.cloudwatch.reading import query_period, series_of_queries, stat_series
from tonnage.scaling import (
    DEFAULT_COOLDOWN_SECONDS,
    PREDEFINED_METRICS,
    AdjustmentType,
    AttachedPolicy,
    MetricAggregationType,
    Statistic,
    StepAdjustment,
    StepScaling,
    StepScalingPolicy,
    TargetTracking,
    TargetTrackingPolicy,
    TrackedMetric,
)

from .book import DIMENSION, invalid
from .records import Policy, Target

__all__ = ["Attached", "attached_step", "attached_tracking", "step_policy"]

_MINUTE: Final = 60
Read = Callable[[int, int], Mapping[int, float]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Attached:
    """
    A policy as the law evaluates it.

    Attributes:
        policy: What it is made from.
        law: What the law evaluates.
        read: Its metric's datapoints from one period to another, by the period's number.
        metric: The members of an alarm that say what it watches; empty for a step policy, whose
            alarm is a user's own.
    """

    policy: Policy
    law: AttachedPolicy
    read: Read
    metric: Mapping[str, Any]


def attached_tracking(policy: Policy, target: Target, store: MetricStore) -> Attached:
    """
    Return a target tracking policy as the law evaluates it.

    Raises:
        AwsError: If its configuration is at fault.
    """
    given = policy.configuration
    metric, watched, read = _tracked(given, target, store)
    try:
        law = TargetTrackingPolicy.of(
            target_value=given["TargetValue"],
            scale_in_cooldown_seconds=given.get("ScaleInCooldown", DEFAULT_COOLDOWN_SECONDS),
            scale_out_cooldown_seconds=given.get("ScaleOutCooldown", DEFAULT_COOLDOWN_SECONDS),
            disable_scale_in=given.get("DisableScaleIn", False),
        )
    except ConfigurationError as error:
        raise invalid(error.message) from error
    tracking = TargetTracking(policy=law, metric=metric, name=policy.name)
    return Attached(policy=policy, law=tracking, read=read, metric=watched)


def attached_step(policy: Policy, alarm: Alarm, store: MetricStore) -> Attached:
    """Return a step scaling policy and an alarm that acts on it as the law evaluates them."""
    rule = alarm.rule
    assert rule is not None

    def read(first: int, last: int) -> Mapping[int, float]:
        return watched_series(store, alarm, rule, first, last)

    law = StepScaling(policy=step_policy(policy.configuration), alarm=rule, name=policy.name)
    return Attached(policy=policy, law=law, read=read, metric={})


def step_policy(given: Mapping[str, Any]) -> StepScalingPolicy:
    """
    Return a step scaling policy.

    Raises:
        AwsError: If its configuration is at fault.
    """
    for name in ("AdjustmentType", "StepAdjustments"):
        if name not in given:
            raise invalid(f"{name} is required for the policy type StepScaling")
    steps = [
        StepAdjustment(
            scaling_adjustment=step["ScalingAdjustment"],
            lower_bound=step.get("MetricIntervalLowerBound"),
            upper_bound=step.get("MetricIntervalUpperBound"),
        )
        for step in given["StepAdjustments"]
    ]
    try:
        return StepScalingPolicy.of(
            adjustment_type=AdjustmentType(given["AdjustmentType"]),
            steps=steps,
            cooldown_seconds=given.get("Cooldown", DEFAULT_COOLDOWN_SECONDS),
            min_adjustment_magnitude=given.get("MinAdjustmentMagnitude", 0),
            metric_aggregation_type=MetricAggregationType(
                given.get("MetricAggregationType", "Average")
            ),
        )
    except ConfigurationError as error:
        raise invalid(error.message) from error


def _tracked(
    given: Mapping[str, Any], target: Target, store: MetricStore
) -> tuple[TrackedMetric, Mapping[str, Any], Read]:
    if ("PredefinedMetricSpecification" in given) == ("CustomizedMetricSpecification" in given):
        raise invalid(
            "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification "
            "must be specified"
        )
    if "CustomizedMetricSpecification" in given:
        return _customised(given["CustomizedMetricSpecification"], store)
    kind = given["PredefinedMetricSpecification"]["PredefinedMetricType"]
    if kind not in PREDEFINED_METRICS:
        raise invalid(
            f"Scalable dimension {DIMENSION} only supports the following predefined metric types: "
            + ", ".join(PREDEFINED_METRICS)
        )
    known = PREDEFINED_METRICS[kind]
    metric = Metric(
        namespace=known.namespace,
        name=known.name,
        dimensions=variant_dimensions(target.endpoint_name, target.variant_name),
    )
    return known, *_one(metric, known.statistic, known.rule.period_seconds, store)


def _customised(
    given: Mapping[str, Any], store: MetricStore
) -> tuple[TrackedMetric, Mapping[str, Any], Read]:
    if "Metrics" in given:
        return _computed(given["Metrics"], store)
    for name in ("MetricName", "Namespace", "Statistic"):
        if name not in given:
            raise invalid(f"CustomizedMetricSpecification must have {name}, or Metrics")
    metric, statistic = Metric.of(given), Statistic(given["Statistic"])
    tracked = TrackedMetric(name=metric.name, namespace=metric.namespace, statistic=statistic)
    return tracked, *_one(metric, statistic, _MINUTE, store)


def _one(
    metric: Metric, statistic: Statistic, period_seconds: float, store: MetricStore
) -> tuple[Mapping[str, Any], Read]:
    def read(first: int, last: int) -> Mapping[int, float]:
        span = first * period_seconds, (last + 1) * period_seconds
        return stat_series(store, metric, statistic, period_seconds, span)

    return {**metric.members, "Statistic": str(statistic)}, read


def _computed(
    given: list[Mapping[str, Any]], store: MetricStore
) -> tuple[TrackedMetric, Mapping[str, Any], Read]:
    queries = [_query(one) for one in given]
    returned = [query["Id"] for query in queries if query.get("ReturnData", True)]
    if len(returned) != 1:
        raise invalid("Exactly one element of Metrics must return data")
    if query_period(queries) != _MINUTE:
        raise invalid("The period of a target tracking policy's metrics must be 60 seconds")
    series_of_queries(store, queries, (0.0, 0.0))  # what is malformed is told now

    def read(first: int, last: int) -> Mapping[int, float]:
        span = float(first * _MINUTE), float((last + 1) * _MINUTE)
        return series_of_queries(store, queries, span)[returned[0]][1]

    return TrackedMetric(name=returned[0], namespace=""), {"Metrics": queries}, read


def _query(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return Application Auto Scaling's metric query as CloudWatch's, which has a period."""
    if "MetricStat" not in given:
        return given
    stat = given["MetricStat"]
    return {**given, "MetricStat": {"Period": _MINUTE, **stat, "Metric": stat["Metric"]}}
