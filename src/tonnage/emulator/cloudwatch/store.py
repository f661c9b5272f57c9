"""
The metric store: what the router counts for each variant, and what users put.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tonnage.emulator._distribution import Distribution
from tonnage.emulator._metrics import KEPT_PERIODS, PERIOD_SECONDS, VariantMetrics
from tonnage.emulator._wall import WallTime
from tonnage.emulator.variants import ScalableVariant, Variants

from .metrics import Metric, VariantMetric, all_metrics, variant_metric

__all__ = ["MetricStore"]

_KEPT_VARIANTS: Final = 200
_KEPT_CUSTOM_METRICS: Final = 1000


@dataclass(slots=True)
class _Span:
    """A variant's metrics from its beginning to its end; None while it lives."""

    metrics: VariantMetrics
    ended_seconds: float | None = None


@dataclass(slots=True)
class _Custom:
    """A user's metric: values by the second, or minute, they were put for."""

    unit: str
    period_seconds: float
    values: dict[int, Distribution] = field(default_factory=dict)


class MetricStore:
    """
    All metrics there are.

    Args:
        variants: The production variants; those that end keep what was counted.
        wall: The emulator's clock beside the wall clock.
        metric_delay_seconds: From the end of a period to its datapoint, on the emulator's clock.
    """

    def __init__(
        self, variants: Variants, wall: WallTime, *, metric_delay_seconds: float = 0.0
    ) -> None:
        self.wall = wall
        self.metric_delay_seconds = metric_delay_seconds
        self._variants = variants
        self._spans: dict[tuple[str, str], list[_Span]] = {}
        self._custom: dict[Metric, _Custom] = {}
        variants.subscribe(self._changed)

    def all(self) -> list[Metric]:
        """Return every metric that has or may have data, in a fixed order."""
        for variant in self._variants.all():
            self._noted(variant)
        own = (metric for names in self._spans for metric in all_metrics(*names))
        return [*own, *self._custom]

    def unit(self, metric: Metric) -> str:
        """Return a metric's unit, ``None`` where it has none."""
        if metric in self._custom:
            return self._custom[metric].unit
        known = variant_metric(metric)
        return known.unit if known else "None"

    def put(
        self, metric: Metric, *, at_seconds: float, unit: str, period_seconds: float
    ) -> Distribution:
        """Return where to add values of a user's metric, in the second or minute they are for."""
        custom = self._custom.get(metric)
        if custom is None:
            if len(self._custom) >= _KEPT_CUSTOM_METRICS:
                del self._custom[next(iter(self._custom))]
            custom = self._custom[metric] = _Custom(unit, period_seconds)
        index = int(at_seconds // custom.period_seconds)
        if index not in custom.values:
            custom.values[index] = Distribution()
            if len(custom.values) > KEPT_PERIODS:
                del custom.values[min(custom.values)]
        return custom.values[index]

    def periods(
        self, metric: Metric, period_seconds: float, start_seconds: float, end_seconds: float
    ) -> dict[int, Distribution]:
        """
        Return the values of each whole period that has any, by the period's number.

        Args:
            metric: Which metric.
            period_seconds: How long a period is; periods are counted from the clock's zero.
            start_seconds: The first period is the one that this moment is in.
            end_seconds: The last one begins before this moment.
        """
        first = math.floor(start_seconds / period_seconds)
        found: dict[int, Distribution] = {}
        begin, end = (
            first * period_seconds,
            math.ceil(end_seconds / period_seconds) * period_seconds,
        )
        for at_seconds, values in self._values(metric, begin, end):
            index = int(at_seconds // period_seconds)
            found.setdefault(index, Distribution()).merge(values)
        return found

    def newest_period(self, period_seconds: float, now_seconds: float) -> int:
        """Return the last period whose datapoint is there."""
        return math.floor((now_seconds - self.metric_delay_seconds) / period_seconds) - 1

    def _values(
        self, metric: Metric, begin: float, end: float
    ) -> Iterator[tuple[float, Distribution]]:
        custom = self._custom.get(metric)
        if custom is not None:
            for index, values in custom.values.items():
                if begin <= index * custom.period_seconds < end:
                    yield index * custom.period_seconds, values
        elif (known := variant_metric(metric)) is not None:
            for span in self._spans_of(metric):
                yield from self._counted(known, span, begin, end)

    def _counted(
        self, metric: VariantMetric, span: _Span, begin: float, end: float
    ) -> Iterator[tuple[float, Distribution]]:
        length = metric.period_seconds
        newest = self.newest_period(length, self.wall.clock.now_seconds())
        oldest = max(
            math.ceil(begin / length),
            int(span.metrics.first_period * PERIOD_SECONDS // length),
            newest - KEPT_PERIODS,
        )
        if span.ended_seconds is not None:
            newest = min(newest, int(span.ended_seconds // length))
        for index in range(oldest, min(newest + 1, math.ceil(end / length))):
            values = metric.read(span.metrics, index)
            if values is not None:
                yield index * length, values

    def _spans_of(self, metric: Metric) -> list[_Span]:
        names: Mapping[str, Any] = dict(metric.dimensions)
        if names.keys() != {"EndpointName", "VariantName"}:
            return []
        key = names["EndpointName"], names["VariantName"]
        variant = self._variants.find(*key)
        if variant is not None:
            self._noted(variant)
        return self._spans.get(key, [])

    def _noted(self, variant: ScalableVariant) -> _Span:
        """Return the span of a variant that lives, begun if it is new."""
        key = variant.endpoint_name, variant.variant_name
        spans = self._spans.setdefault(key, [])
        for span in spans:
            if span.metrics is variant.metrics:
                return span
        spans.append(_Span(variant.metrics))
        if len(self._spans) > _KEPT_VARIANTS:
            del self._spans[next(iter(self._spans))]
        return spans[-1]

    def _changed(self, variant: ScalableVariant) -> None:
        span = self._noted(variant)
        is_there = self._variants.find(variant.endpoint_name, variant.variant_name) is variant
        span.ended_seconds = None if is_there else self.wall.clock.now_seconds()
