"""
The last minutes of every production variant, a sample a second, from what is counted anyway.
"""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from tonnage.domain import ScaledClock
from tonnage.emulator._counters import Tally
from tonnage.emulator._distribution import Distribution
from tonnage.emulator._metrics import PERIOD_SECONDS, VariantMetrics
from tonnage.emulator._variant import ProductionVariant

__all__ = ["KEPT_SECONDS", "Histories", "Sample"]

logger = logging.getLogger(__name__)

KEPT_SECONDS: Final = 180
"""How far back the page shows, in real seconds."""

_LATE_SECONDS: Final = 60.0
"""An invocation may be answered so long after it came in: SageMaker's own limit."""

_MOST_PERIODS: Final = 150
"""Fewer than keep their percentiles."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """
    One second of a variant.

    Attributes:
        number: Counts the samples.
        at_seconds: When it ended, in real seconds since the page began.
        succeeded_per_second: Invocations answered with 2xx.
        failed_per_second: All others.
        p50_milliseconds: Model latency; None without an answer.
        p99_milliseconds: Likewise.
        desired: Instances asked for.
        in_service: Instances that take invocations.
        invocations_per_instance: The newest datapoint, per minute; None before the first.
        alarms: The alarms' states.
    """

    number: int
    at_seconds: float
    succeeded_per_second: float
    failed_per_second: float
    p50_milliseconds: float | None
    p99_milliseconds: float | None
    desired: int
    in_service: int
    invocations_per_instance: float | None
    alarms: Mapping[str, str]


class Histories:
    """
    The samples of all variants.

    Args:
        variants: Returns those that exist now.
        clock: The emulator's clock.
        newest_period: Returns the last metric period whose datapoint is there.
        alarms: Returns the states of a variant's alarms, by what they are called.
        now_seconds: A real, monotonic clock.

    Attributes:
        origin_seconds: Its reading when the page began.
    """

    def __init__(
        self,
        variants: Callable[[], Iterator[ProductionVariant]],
        clock: ScaledClock,
        *,
        newest_period: Callable[[], int],
        alarms: Callable[[str, str], Mapping[str, str]],
        now_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._variants = variants
        self._clock = clock
        self._newest_period = newest_period
        self._alarms = alarms
        self._now_seconds = now_seconds
        self.origin_seconds = self._taken = now_seconds()
        self._number = 0
        self._histories: dict[tuple[str, str], _History] = {}

    async def run(self) -> None:
        """Take a sample a second, until cancelled."""
        while True:
            # To the next whole second but half: a timer that is a little early must not count it
            # twice, for a sample of a millisecond shows rates that never were.
            passed = self._now_seconds() - self.origin_seconds
            await asyncio.sleep(round(passed) + 1 - passed)
            try:
                self.take()
            except Exception:
                logger.exception("the live page could not take a sample")

    def take(self) -> None:
        """Take one sample of each variant."""
        now = self._now_seconds()
        passed, self._taken = now - self._taken, now
        if passed <= 0:
            return
        self._number += 1
        known, self._histories = self._histories, {}
        for variant in self._variants():
            key = variant.endpoint_name, variant.variant_name
            history = known.get(key)
            if history is None or history.metrics is not variant.metrics:
                history = _History(metrics=variant.metrics, clock=self._clock)
            self._histories[key] = history
            history.samples.append(self._sample(variant, history, now, passed))

    def since(self, endpoint_name: str, variant_name: str, number: int) -> list[Sample]:
        """Return the samples of a variant after the one of a number, oldest first."""
        history = self._histories.get((endpoint_name, variant_name))
        if history is None:
            return []
        return [sample for sample in history.samples if sample.number > number]

    def _sample(
        self, variant: ProductionVariant, history: "_History", now: float, passed: float
    ) -> Sample:
        succeeded, failed = history.answered(variant.tally)
        latency = history.latencies()
        newest = self._newest_period()
        metrics = variant.metrics
        return Sample(
            number=self._number,
            at_seconds=now - self.origin_seconds,
            succeeded_per_second=succeeded / passed,
            failed_per_second=failed / passed,
            p50_milliseconds=_milliseconds(latency.percentile(0.5)),
            p99_milliseconds=_milliseconds(latency.percentile(0.99)),
            desired=variant.desired_instance_count,
            in_service=variant.in_service_instance_count,
            invocations_per_instance=metrics.invocations_per_instance(newest)
            if newest >= metrics.first_period
            else None,
            alarms=self._alarms(variant.endpoint_name, variant.variant_name),
        )


@dataclass(slots=True, eq=False)
class _History:
    """
    One variant's samples, and what was counted when the last was taken.

    Attributes:
        metrics: What the router counts for it.
        clock: The emulator's clock.
        samples: The newest last.
    """

    metrics: VariantMetrics
    clock: ScaledClock
    samples: deque[Sample] = field(default_factory=lambda: deque(maxlen=KEPT_SECONDS))
    _answered: tuple[int, int] | None = None
    _seen: dict[int, tuple[float, dict[int, float]]] = field(default_factory=dict)

    def answered(self, tally: Tally) -> tuple[int, int]:
        """Return how many invocations succeeded and how many failed since the last call."""
        total = sum(tally.by_status.values())
        succeeded = sum(n for status, n in tally.by_status.items() if 200 <= status <= 299)  # noqa: PLR2004 (HTTP's classes)
        before = (succeeded, total - succeeded) if self._answered is None else self._answered
        self._answered = succeeded, total - succeeded
        return succeeded - before[0], total - succeeded - before[1]

    def latencies(self) -> Distribution:
        """
        Return the model latencies that were counted since the last call.

        An invocation is counted in the period that it came in, so periods that have ended are
        looked at, too, as long as an answer may still come.
        """
        newest = int(self.clock.now_seconds() // PERIOD_SECONDS)
        late = math.ceil(_LATE_SECONDS * self.clock.time_scale / PERIOD_SECONDS)
        oldest = max(self.metrics.first_period, newest - min(late, _MOST_PERIODS))
        for period in [period for period in self._seen if period < oldest]:
            del self._seen[period]
        fresh = Distribution()
        for period in range(oldest, newest + 1):
            values = self.metrics.counts(period).model_latency_microseconds
            count, buckets = self._seen.get(period, (0.0, {}))
            if values.count != count and values.buckets is not None:
                fresh.merge(_difference(values, count, buckets))
                self._seen[period] = values.count, dict(values.buckets)
        return fresh


def _difference(values: Distribution, count: float, buckets: Mapping[int, float]) -> Distribution:
    """Return what was counted beyond ``buckets``; sum and bounds stay those of all."""
    added = values.buckets or {}
    return Distribution(
        count=values.count - count,
        total=values.total,
        smallest=values.smallest,
        largest=values.largest,
        buckets={
            bucket: n - buckets.get(bucket, 0)
            for bucket, n in added.items()
            if n != buckets.get(bucket, 0)
        },
    )


def _milliseconds(microseconds: float | None) -> float | None:
    return None if microseconds is None else microseconds / 1e3
