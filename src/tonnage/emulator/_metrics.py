"""
What the router counts, per metric period, as CloudWatch would.

Counts in a compressed period are multiplied by ``time_scale``: rates are never compressed, so one
invocation per second reads 60 per minute whatever a minute lasts.
"""

from dataclasses import dataclass, field
from typing import Final

from tonnage.domain import ScaledClock

__all__ = ["PERIOD_SECONDS", "PeriodCounts", "VariantMetrics"]

PERIOD_SECONDS: Final = 60.0
_KEPT_PERIODS: Final = 24 * 60


@dataclass(slots=True)
class PeriodCounts:
    """
    Sums over one period, as counted, not yet multiplied.

    Attributes:
        invocations: Invocations sent to the variant.
        invocations_per_instance: Each counts 1 ÷ the instances in service at that moment.
        errors: Invocations that the container did not answer with a 2xx status.
        model_latency_seconds: The container's answers' time, summed.
    """

    invocations: int = 0
    invocations_per_instance: float = 0.0
    errors: int = 0
    model_latency_seconds: float = 0.0


@dataclass(slots=True)
class VariantMetrics:
    """
    The variant's metrics.

    Attributes:
        clock: The emulator's clock; periods are its whole minutes.
    """

    clock: ScaledClock
    _periods: dict[int, PeriodCounts] = field(default_factory=dict)

    def arrived(self, in_service_count: int) -> PeriodCounts:
        """Count an invocation on its arrival; what comes of it goes to the period returned."""
        period = int(self.clock.now_seconds() // PERIOD_SECONDS)
        counts = self._periods.get(period)
        if counts is None:
            self._periods.pop(period - _KEPT_PERIODS, None)
            counts = self._periods[period] = PeriodCounts()
        counts.invocations += 1
        counts.invocations_per_instance += 1.0 / max(1, in_service_count)
        return counts

    def invocations_per_instance(self, period: int) -> float:
        """
        Return ``SageMakerVariantInvocationsPerInstance`` of a whole period.

        Without traffic it is zero, not missing (DG: endpoint-auto-scaling).
        """
        counts = self._periods.get(period, PeriodCounts())
        return counts.invocations_per_instance * self.clock.time_scale
