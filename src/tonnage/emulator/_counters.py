"""
What the router counts for Prometheus: plain numbers that become samples when they are asked for.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.registry import Collector

from .variants import ScalableVariant

__all__ = ["Counters", "Tally"]

_BUCKETS_SECONDS: Final = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05),
    *(0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0),
)
_INVOCATIONS: Final = "Invocations by the status that the container answered"
_LATENCY: Final = "From sending an invocation to an instance to its whole answer"
_DESIRED: Final = "Instances asked for"
_IN_SERVICE: Final = "Instances that take invocations"


@dataclass(slots=True)
class Tally:
    """
    One variant's counts since the start.

    Attributes:
        by_status: Invocations, by the status that the container answered.
        buckets: Invocations by latency, the last for those beyond every bound.
        seconds: The latencies' sum.
    """

    by_status: dict[int, int] = field(default_factory=dict)
    buckets: list[int] = field(default_factory=lambda: [0] * (len(_BUCKETS_SECONDS) + 1))
    seconds: float = 0.0

    def observe(self, status: int, seconds: float) -> None:
        """Count one invocation."""
        self.by_status[status] = self.by_status.get(status, 0) + 1
        self.buckets[bisect_left(_BUCKETS_SECONDS, seconds)] += 1
        self.seconds += seconds


class Counters(Collector):
    """
    All variants' counts, in a registry of their own.

    Args:
        variants: Returns those that exist now, for what is no count.
    """

    def __init__(self, variants: Callable[[], Iterable[ScalableVariant]]) -> None:
        self._variants = variants
        self._tallies: dict[tuple[str, str], Tally] = {}
        self.registry = CollectorRegistry()
        self.registry.register(self)

    def tally(self, endpoint_name: str, variant_name: str) -> Tally:
        """Return the counts of a variant; they outlive it, for counters never fall."""
        return self._tallies.setdefault((endpoint_name, variant_name), Tally())

    def collect(self) -> Iterator[Metric]:
        """Return the samples, as a scrape wants them."""
        yield self._invocations()
        yield self._latency()
        variants = list(self._variants())
        for name, description, counts in (
            ("desired", _DESIRED, [v.desired_instance_count for v in variants]),
            ("in_service", _IN_SERVICE, [v.in_service_instance_count for v in variants]),
        ):
            total = GaugeMetricFamily(f"tonnage_{name}_instance_count", description)
            total.add_metric([], sum(counts))
            yield total
            each = GaugeMetricFamily(
                f"tonnage_variant_{name}_instance_count",
                f"{description}, of one variant",
                labels=("endpoint", "variant"),
            )
            for variant, count in zip(variants, counts, strict=True):
                each.add_metric([variant.endpoint_name, variant.variant_name], count)
            yield each

    def _invocations(self) -> Metric:
        family = CounterMetricFamily(
            "tonnage_invocations", _INVOCATIONS, labels=("endpoint", "variant", "status")
        )
        for names, tally in self._tallies.items():
            for status, count in tally.by_status.items():
                family.add_metric([*names, str(status)], count)
        return family

    def _latency(self) -> Metric:
        family = HistogramMetricFamily("tonnage_model_latency_seconds", _LATENCY)
        columns = zip(*(tally.buckets for tally in self._tallies.values()), strict=True)
        counts = [sum(column) for column in columns] or [0] * (len(_BUCKETS_SECONDS) + 1)
        cumulated = [sum(counts[: index + 1]) for index in range(len(counts))]
        bounds = [*map(str, _BUCKETS_SECONDS), "+Inf"]
        family.add_metric(
            [],
            list(zip(bounds, cumulated, strict=True)),
            sum_value=sum(tally.seconds for tally in self._tallies.values()),
        )
        return family
