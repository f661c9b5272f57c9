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
        elapsed_seconds: Since the first user started, or the profile began.
        users: How many are up; 0 open loop.
        requests_per_second: Answers, and requests given up, in the last second.
        failures_per_second: Those of them without a 2xx answer.
        p99_seconds: 99th percentile of the latency of the last three seconds' answers; NaN
            without any.
        outstanding: How many requests wait for their answers; None closed loop.
    """

    elapsed_seconds: float
    users: int
    requests_per_second: float
    failures_per_second: float
    p99_seconds: float
    outstanding: int | None = None

    def __str__(self) -> str:
        slow = "none" if math.isnan(self.p99_seconds) else format_duration(self.p99_seconds)
        who = f"{self.users} users" if self.outstanding is None else f"{self.outstanding} waiting"
        return (
            f"{self.elapsed_seconds:.0f} s  {who}  "
            f"{self.requests_per_second:.0f} requests/s  "
            f"{self.failures_per_second:.0f} failures/s  p99 {slow}"
        )
