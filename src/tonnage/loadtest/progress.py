"""
How a load test goes, once a second.
"""

import math
from dataclasses import dataclass

from tonnage.domain import format_duration

__all__ = ["LoadProgress"]


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadProgress:
    """
    One second of a load test under way.

    Attributes:
        elapsed_seconds: Since the first user started.
        users: How many are up.
        requests_per_second: Answers, and requests given up, in the last second.
        failures_per_second: Those of them without a 2xx answer.
        p99_seconds: 99th percentile of the latency of the last three seconds' answers; NaN
            without any.
    """

    elapsed_seconds: float
    users: int
    requests_per_second: float
    failures_per_second: float
    p99_seconds: float

    def __str__(self) -> str:
        slow = "none" if math.isnan(self.p99_seconds) else format_duration(self.p99_seconds)
        return (
            f"{self.elapsed_seconds:.0f} s  {self.users} users  "
            f"{self.requests_per_second:.0f} requests/s  "
            f"{self.failures_per_second:.0f} failures/s  p99 {slow}"
        )
