"""
What a search for the load line is to do, checked when it is made.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tonnage.domain import ConfigurationError

from .terms import Term, longest_threshold_seconds

__all__ = ["LineArrivals", "LinePlan"]

LineArrivals = Literal["constant", "poisson"]

_TRIALS_IN_A_BUDGET: Final = 15
_SHORTEST_WINDOW_SECONDS: Final = 1.0
_LONGEST_WINDOW_SECONDS: Final = 30.0
_LEAST_REQUESTS: Final = 200
LEAST_BUDGET_SECONDS: Final = 3.0
_MOST_WINDOW_SHARE: Final = 0.15


@dataclass(frozen=True, kw_only=True, slots=True)
class LinePlan:
    """
    A search for the highest open-loop rate at which an objective holds.

    Attributes:
        terms: The objective's terms, joined by AND.
        budget_seconds: How long everything may take, warm-up and waiting included, >= 3.
        arrivals: ``constant`` or ``poisson``.
        start_per_second: The first rate, > 0; one that the target surely carries is best.
        max_per_second: No trial goes beyond it.
        precision: Stop when half the interval's width is at most this fraction of the line.
        level: The interval's probability.
        window_seconds: The window of a full trial; None takes a fifteenth of the budget, from 1 to
            30 s.
        checks_recovery: Whether to overload the target once and see that it recovers.
        draws_curve: Whether to spend what is left of the budget on the latency-against-load curve.
        seed: Where the random draws start.
    """

    terms: Sequence[Term]
    budget_seconds: float = 60.0
    arrivals: LineArrivals = "constant"
    start_per_second: float = 50.0
    max_per_second: float = 1e6
    precision: float = 0.015
    level: float = 0.95
    window_seconds: float | None = None
    checks_recovery: bool = True
    draws_curve: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        _require(bool(self.terms), "terms", self.terms, "at least one")
        for name in ("start_per_second", "max_per_second", "precision"):
            value = getattr(self, name)
            _require(math.isfinite(value) and value > 0, name, value, "a number above 0")
        _require(0 < self.level < 1, "level", self.level, "between 0 and 1")
        least = LEAST_BUDGET_SECONDS
        fits = math.isfinite(self.budget_seconds) and self.budget_seconds >= least
        _require(fits, "budget_seconds", self.budget_seconds, f"at least {least:g}")
        if self.window_seconds is not None:
            most = self.budget_seconds / 4
            fits = 0 < self.window_seconds <= most
            _require(fits, "window_seconds", self.window_seconds, f"from 0 to {most:g}, a quarter")

    @property
    def patience_seconds(self) -> float:
        """How long an answer is waited for: well beyond every threshold, well within the budget."""
        threshold = longest_threshold_seconds(self.terms, default=1.0)
        return min(max(1.0, 2 * threshold), self.budget_seconds / 10 + threshold)

    def window_at(self, rate_per_second: float) -> float:
        """Return the window of a full trial: long enough to hold 200 requests, if there is time."""
        if self.window_seconds is not None:
            return self.window_seconds
        share = self.budget_seconds / _TRIALS_IN_A_BUDGET
        usual = min(max(share, _SHORTEST_WINDOW_SECONDS), _LONGEST_WINDOW_SECONDS)
        counted = _LEAST_REQUESTS / rate_per_second
        return max(usual, min(counted, _MOST_WINDOW_SHARE * self.budget_seconds))


def _require(holds: bool, name: str, value: object, allowed: str) -> None:
    if not holds:
        raise ConfigurationError(f"{name} is {value!r}; it must be {allowed}")
