"""
A distribution of values in little room: exact sums, percentiles within one percent.
"""

import math
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Distribution"]

_BUCKETS_PER_E: Final = 50
"""Buckets between a value and e times it: each is 2 % wide, so its middle is off by at most 1 %."""

_POSITIVE: Final = 1 << 20  # above every logarithm of a double, in buckets


@dataclass(slots=True)
class Distribution:
    """
    Values counted in buckets whose width grows with the value.

    Attributes:
        count: How many values.
        total: Their sum.
        smallest: The least of them, infinite without any.
        largest: The greatest of them, -infinite without any.
        buckets: How many fell into each bucket; None when they were forgotten.
    """

    count: float = 0
    total: float = 0.0
    smallest: float = math.inf
    largest: float = -math.inf
    buckets: dict[int, float] | None = field(default_factory=dict)

    def add(self, value: float, count: float = 1) -> None:
        """Count a value ``count`` times."""
        self.count += count
        self.total += value * count
        if value < self.smallest:  # noqa: PLR1730 (min() costs thrice as much, per invocation)
            self.smallest = value
        if value > self.largest:  # noqa: PLR1730 (likewise)
            self.largest = value
        if self.buckets is not None:
            bucket = _bucket(value)
            self.buckets[bucket] = self.buckets.get(bucket, 0) + count

    def add_summary(self, count: float, total: float, smallest: float, largest: float) -> None:
        """Count values of which only a summary is known: from then on there are no percentiles."""
        self.count += count
        self.total += total
        self.smallest = min(self.smallest, smallest)
        self.largest = max(self.largest, largest)
        self.buckets = None

    def merge(self, other: "Distribution") -> None:
        """Count all that another one has counted."""
        buckets = self.buckets
        self.add_summary(other.count, other.total, other.smallest, other.largest)
        if buckets is not None and other.buckets is not None:
            for bucket, count in other.buckets.items():
                buckets[bucket] = buckets.get(bucket, 0) + count
            self.buckets = buckets

    def times(self, factor: float) -> "Distribution":
        """Return the same values, each counted ``factor`` times as often."""
        return Distribution(
            count=self.count * factor,
            total=self.total * factor,
            smallest=self.smallest,
            largest=self.largest,
            buckets=self.buckets and {key: n * factor for key, n in self.buckets.items()},
        )

    def forget_percentiles(self) -> None:
        """Keep the sums alone."""
        self.buckets = None

    def percentile(self, fraction: float) -> float | None:
        """
        Return the value that ``fraction`` of all are at or below, within one percent.

        None without values, or when only their sums are known.
        """
        if not self.buckets:
            return None
        rank = fraction * self.count
        passed = 0.0
        for bucket in sorted(self.buckets):
            passed += self.buckets[bucket]
            if passed >= rank and passed > 0:
                return min(max(_middle(bucket), self.smallest), self.largest)
        return self.largest


def _bucket(value: float) -> int:
    if value == 0:
        return 0
    position = math.floor(math.log(abs(value)) * _BUCKETS_PER_E)
    return _POSITIVE + position if value > 0 else -_POSITIVE - position


def _middle(bucket: int) -> float:
    if bucket == 0:
        return 0.0
    if bucket > 0:
        return math.exp((bucket - _POSITIVE + 0.5) / _BUCKETS_PER_E)
    return -math.exp((-bucket - _POSITIVE + 0.5) / _BUCKETS_PER_E)
