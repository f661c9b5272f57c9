"""
Metrics that a target-tracking policy can follow.

The law knows a metric by its alarms' numbers alone: the datapoints come from the caller. What it
asks of any metric is that it falls in proportion as capacity rises, so that metric times instances
is the whole load (``docs/decisions/0014``).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .alarms import HIGH_RESOLUTION, TARGET_TRACKING, AlarmRule

__all__ = [
    "CONCURRENT_REQUESTS_PER_MODEL",
    "INVOCATIONS_PER_INSTANCE",
    "PREDEFINED_METRICS",
    "Statistic",
    "TrackedMetric",
    "namespace_of",
]

_VARIANTS: Final = "AWS/SageMaker"
_INSTANCES: Final = "/aws/sagemaker/Endpoints"
_OF_INSTANCES: Final = frozenset(
    {
        "CPUUtilization",
        "DiskUtilization",
        "GPUMemoryUtilization",
        "GPUUtilization",
        "MemoryUtilization",
    }
)


class Statistic(StrEnum):
    """What CloudWatch makes of the samples of a period, as it spells them."""

    AVERAGE = "Average"
    MINIMUM = "Minimum"
    MAXIMUM = "Maximum"
    SAMPLE_COUNT = "SampleCount"
    SUM = "Sum"


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackedMetric:
    """
    A metric, and the alarms that a policy on it owns.

    Attributes:
        name: The CloudWatch metric's name.
        namespace: Its namespace.
        statistic: What a datapoint is of a period's samples.
        predefined_type: AWS's ``PredefinedMetricType``; None for a customised metric.
        rule: When the policy's alarms fire, and how long a period is.
    """

    name: str
    namespace: str = "AWS/SageMaker"
    statistic: Statistic = Statistic.AVERAGE
    predefined_type: str | None = None
    rule: AlarmRule = TARGET_TRACKING


def namespace_of(metric_name: str) -> str:
    """Return the namespace of a variant's metric; those of its instances have their own (DG)."""
    return _INSTANCES if metric_name in _OF_INSTANCES else _VARIANTS


INVOCATIONS_PER_INSTANCE: Final = TrackedMetric(
    name="InvocationsPerInstance",
    statistic=Statistic.SUM,
    predefined_type="SageMakerVariantInvocationsPerInstance",
)
"""Invocations per instance and minute: each adds 1 ÷ instances in service (DG)."""

CONCURRENT_REQUESTS_PER_MODEL: Final = TrackedMetric(
    name="ConcurrentRequestsPerModel",
    statistic=Statistic.AVERAGE,
    predefined_type="SageMakerVariantConcurrentRequestsPerModelHighResolution",
    rule=HIGH_RESOLUTION,
)
"""Requests in flight at an instance, queued ones included, emitted every 10 s (DG)."""

PREDEFINED_METRICS: Final = {
    str(metric.predefined_type): metric
    for metric in (INVOCATIONS_PER_INSTANCE, CONCURRENT_REQUESTS_PER_MODEL)
}
"""By AWS's ``PredefinedMetricType``, those of a real-time variant."""
