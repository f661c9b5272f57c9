"""
What the router counts, per metric period, as CloudWatch would.

Counts in a compressed period are multiplied by ``time_scale``: rates are never compressed, so one
invocation per second reads 60 per minute whatever a minute lasts. How many invocations are in
flight at once is no rate and is read as it is.

The router calls ``arrived`` and ``answered`` once an invocation, two microseconds together.
"""

import itertools
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from tonnage.domain import ScaledClock

from ._distribution import Distribution

__all__ = ["HIGH_RESOLUTION_SECONDS", "PERIOD_SECONDS", "PeriodCounts", "VariantMetrics"]

PERIOD_SECONDS: Final = 60.0
HIGH_RESOLUTION_SECONDS: Final = 10.0

KEPT_PERIODS: Final = 24 * 60
_KEPT_PERCENTILES: Final = 3 * 60
_KEPT_HIGH_RESOLUTION: Final = 3 * 360
"""CloudWatch, too, keeps what is finer than a minute for three hours."""


@dataclass(slots=True)
class PeriodCounts:
    """
    Sums over one period, as counted, not yet multiplied.

    Attributes:
        invocations: Invocations sent to the variant.
        invocations_per_instance: Each counts 1 ÷ the instances in service at that moment.
        errors: Invocations that the container did not answer with a 2xx status.
        client_errors: Those it answered with a 4xx status.
        server_errors: Those it answered with a 5xx status.
        model_latency_microseconds: From sending an invocation to an instance to its whole answer,
            in CloudWatch's unit.
        overhead_latency_microseconds: What the endpoint itself added to that.
        processor_percent: What an instance used, 100 for each processor, at each reading.
        memory_percent: What an instance used of this machine's memory, likewise.
    """

    invocations: int = 0
    invocations_per_instance: float = 0.0
    errors: int = 0
    client_errors: int = 0
    server_errors: int = 0
    model_latency_microseconds: Distribution = field(default_factory=Distribution)
    overhead_latency_microseconds: Distribution = field(default_factory=Distribution)
    processor_percent: Distribution = field(default_factory=Distribution)
    memory_percent: Distribution = field(default_factory=Distribution)

    def forget_percentiles(self) -> None:
        """Keep the sums alone."""
        self.model_latency_microseconds.forget_percentiles()
        self.overhead_latency_microseconds.forget_percentiles()
        self.processor_percent.forget_percentiles()
        self.memory_percent.forget_percentiles()


@dataclass(slots=True, eq=False)
class VariantMetrics:
    """
    The variant's metrics.

    Attributes:
        clock: The emulator's clock; periods are its whole minutes.
        first_period: The period it was made in: before it there is no data.
    """

    clock: ScaledClock
    first_period: int = field(init=False)
    _periods: dict[int, PeriodCounts] = field(default_factory=dict)
    _detailed: deque[PeriodCounts] = field(default_factory=deque)
    _in_flight: int = 0
    _in_service: int = 1
    _concurrency: dict[int, float] = field(default_factory=dict)
    _area: float = 0.0
    _since: float = field(init=False)

    def __post_init__(self) -> None:
        self._since = self.clock.now_seconds()
        self.first_period = int(self._since // PERIOD_SECONDS)

    def arrived(self, in_service_count: int) -> PeriodCounts:
        """Count an invocation on its arrival; hand what is returned to ``answered``."""
        now = self.clock.now_seconds()
        period = int(now // PERIOD_SECONDS)
        counts = self._periods.get(period)
        if counts is None:
            counts = self._begin(period)
        instances = max(1, in_service_count)
        counts.invocations += 1
        counts.invocations_per_instance += 1.0 / instances
        self._integrate(now)
        self._in_flight += 1
        self._in_service = instances
        return counts

    def answered(
        self,
        counts: PeriodCounts,
        *,
        status: int,
        model_seconds: float,
        overhead_seconds: float = 0.0,
    ) -> None:
        """
        Count what became of an invocation, in the period it came in.

        Args:
            counts: What ``arrived`` returned.
            status: The container's; 0 when it broke off.
            model_seconds: From sending it to the instance to the whole answer.
            overhead_seconds: What the endpoint spent on it besides.
        """
        self._integrate(self.clock.now_seconds())
        self._in_flight -= 1
        if not 200 <= status <= 299:  # noqa: PLR2004 (HTTP's classes)
            counts.errors += 1
            counts.client_errors += 400 <= status <= 499  # noqa: PLR2004 (likewise)
            counts.server_errors += 500 <= status <= 599  # noqa: PLR2004 (likewise)
        counts.model_latency_microseconds.add(model_seconds * 1e6)
        counts.overhead_latency_microseconds.add(overhead_seconds * 1e6)

    def utilised(self, *, processor_percent: float, memory_percent: float) -> None:
        """Count what one instance used, in the period that is now."""
        period = int(self.clock.now_seconds() // PERIOD_SECONDS)
        counts = self._periods.get(period) or self._begin(period)
        counts.processor_percent.add(processor_percent)
        counts.memory_percent.add(memory_percent)

    def counts(self, period: int) -> PeriodCounts:
        """Return what was counted in a period, nothing for one without traffic."""
        return self._periods.get(period) or PeriodCounts()

    def invocations_per_instance(self, period: int) -> float:
        """
        Return ``SageMakerVariantInvocationsPerInstance`` of a whole period.

        Without traffic it is zero, not missing (DG: endpoint-auto-scaling).
        """
        return self.counts(period).invocations_per_instance * self.clock.time_scale

    def concurrent_requests_per_model(self, index: int) -> float:
        """
        Return the mean invocations in flight per instance in a whole ten seconds.

        Args:
            index: Which ten seconds of the emulator's clock, from 0.
        """
        self._integrate(self.clock.now_seconds())
        return self._concurrency.get(index, 0.0)

    def _begin(self, period: int) -> PeriodCounts:
        for old in tuple(itertools.takewhile(lambda p: p <= period - KEPT_PERIODS, self._periods)):
            del self._periods[old]
        counts = self._periods[period] = PeriodCounts()
        self._detailed.append(counts)
        if len(self._detailed) > _KEPT_PERCENTILES:
            self._detailed.popleft().forget_percentiles()
        return counts

    def _integrate(self, now: float) -> None:
        """Add the invocations in flight since the last event to the ten seconds they were in."""
        load = self._in_flight / self._in_service
        index = int(self._since // HIGH_RESOLUTION_SECONDS)
        end = (index + 1) * HIGH_RESOLUTION_SECONDS
        if now >= end:
            self._end_high_resolution(index, self._area + load * (end - self._since))
            current = int(now // HIGH_RESOLUTION_SECONDS)
            if load:
                for whole in range(max(index + 1, current - _KEPT_HIGH_RESOLUTION), current):
                    self._end_high_resolution(whole, load * HIGH_RESOLUTION_SECONDS)
            self._area, self._since = 0.0, current * HIGH_RESOLUTION_SECONDS
        self._area += load * (now - self._since)
        self._since = now

    def _end_high_resolution(self, index: int, area: float) -> None:
        if area:
            self._concurrency[index] = area / HIGH_RESOLUTION_SECONDS
        oldest = next(iter(self._concurrency), index)
        if oldest <= index - _KEPT_HIGH_RESOLUTION:
            del self._concurrency[oldest]
