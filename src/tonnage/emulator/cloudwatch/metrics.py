"""
What metrics there are of a production variant, with CloudWatch's names and units.

Names, units and meanings: SageMaker Developer Guide, "Metrics for monitoring Amazon SageMaker AI
with CloudWatch" (DG: monitoring-cloudwatch). Those of the instances are read off this machine
(``docs/decisions/0155``).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from tonnage.emulator._distribution import Distribution
from tonnage.emulator._metrics import (
    HIGH_RESOLUTION_SECONDS,
    PERIOD_SECONDS,
    PeriodCounts,
    VariantMetrics,
)
from tonnage.scaling import namespace_of

__all__ = [
    "VARIANT_METRICS",
    "Metric",
    "VariantMetric",
    "all_metrics",
    "variant_dimensions",
    "variant_metric",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """
    What CloudWatch knows a metric by.

    Attributes:
        namespace: Such as ``AWS/SageMaker``.
        name: Such as ``Invocations``.
        dimensions: Names and values, in any order.
    """

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> Self:
        """Return the metric that AWS's members name."""
        return cls(
            namespace=members["Namespace"],
            name=members["MetricName"],
            dimensions=frozenset(
                (dimension["Name"], dimension["Value"])
                for dimension in members.get("Dimensions", ())
            ),
        )

    @property
    def members(self) -> dict[str, Any]:
        """AWS's members for it."""
        return {
            "Namespace": self.namespace,
            "MetricName": self.name,
            "Dimensions": [
                {"Name": name, "Value": value} for name, value in sorted(self.dimensions)
            ],
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class VariantMetric:
    """
    One of a variant's metrics.

    Attributes:
        unit: CloudWatch's.
        period_seconds: What one datapoint of the finest resolution covers.
        read: The values of a whole such period, counts multiplied by the time scale; None for no
            datapoint.
    """

    unit: str
    period_seconds: float
    read: Callable[[VariantMetrics, int], Distribution | None]


def variant_dimensions(endpoint_name: str, variant_name: str) -> frozenset[tuple[str, str]]:
    """Return the dimensions of a variant's metrics."""
    return frozenset({("EndpointName", endpoint_name), ("VariantName", variant_name)})


def _minute(
    read: Callable[[PeriodCounts], Distribution | None],
) -> Callable[[VariantMetrics, int], Distribution | None]:
    def scaled(metrics: VariantMetrics, period: int) -> Distribution | None:
        values = read(metrics.counts(period))
        return values and values.times(metrics.clock.time_scale)

    return scaled


def _flags(count: int, of: int) -> Distribution | None:
    """Return ``count`` ones among ``of`` values, the others zero."""
    values = Distribution()
    for value, number in ((1.0, count), (0.0, of - count)):
        if number:
            values.add(value, number)
    return values if of else None


def _invocations(counts: PeriodCounts) -> Distribution | None:
    if counts.invocations:
        return _flags(counts.invocations, counts.invocations)
    return _constant(0.0)


def _per_instance(counts: PeriodCounts) -> Distribution:
    if not counts.invocations:
        return _constant(0.0)
    # Only the sum is meaningful (DG), so each value is given as the mean.
    mean = counts.invocations_per_instance / counts.invocations
    values = Distribution()
    values.add_summary(counts.invocations, counts.invocations_per_instance, mean, mean)
    return values


def _constant(value: float) -> Distribution:
    values = Distribution()
    values.add(value)
    return values


def _if_any(values: Distribution) -> Distribution | None:
    return values if values.count else None


def _used(read: Callable[[PeriodCounts], Distribution]) -> VariantMetric:
    """Return a metric of what is used: readings, which compressed time does not make more of."""
    return VariantMetric(
        unit="Percent",
        period_seconds=PERIOD_SECONDS,
        read=lambda metrics, period: _if_any(read(metrics.counts(period))),
    )


def _counted(unit: str, read: Callable[[PeriodCounts], Distribution | None]) -> VariantMetric:
    return VariantMetric(unit=unit, period_seconds=PERIOD_SECONDS, read=_minute(read))


VARIANT_METRICS: Final[Mapping[str, VariantMetric]] = {
    "Invocations": _counted("None", _invocations),
    "InvocationsPerInstance": _counted("None", _per_instance),
    "Invocation4XXErrors": _counted("None", lambda it: _flags(it.client_errors, it.invocations)),
    "Invocation5XXErrors": _counted("None", lambda it: _flags(it.server_errors, it.invocations)),
    "InvocationModelErrors": _counted("None", lambda it: _flags(it.errors, it.invocations)),
    "ModelLatency": _counted("Microseconds", lambda it: _if_any(it.model_latency_microseconds)),
    "OverheadLatency": _counted(
        "Microseconds", lambda it: _if_any(it.overhead_latency_microseconds)
    ),
    "ConcurrentRequestsPerModel": VariantMetric(
        unit="None",
        period_seconds=HIGH_RESOLUTION_SECONDS,
        read=lambda metrics, index: _constant(metrics.concurrent_requests_per_model(index)),
    ),
    "CPUUtilization": _used(lambda it: it.processor_percent),
    "MemoryUtilization": _used(lambda it: it.memory_percent),
}


def variant_metric(metric: Metric) -> VariantMetric | None:
    """Return which of a variant's metrics one is, None if it is none."""
    known = VARIANT_METRICS.get(metric.name)
    return known if metric.namespace == namespace_of(metric.name) else None


def all_metrics(endpoint_name: str, variant_name: str) -> Iterable[Metric]:
    """Return the metrics of one variant."""
    dimensions = variant_dimensions(endpoint_name, variant_name)
    return [
        Metric(namespace=namespace_of(name), name=name, dimensions=dimensions)
        for name in VARIANT_METRICS
    ]
