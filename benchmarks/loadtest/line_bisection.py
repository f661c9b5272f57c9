"""
The peer of the line campaign: doubling, then bisection, each answer confirmed.

Every rate is tried with the search's own full window until two trials agree. Doubling goes up until
a rate is missed; bisection halves the bracket until it is as narrow as the tolerance.
"""

import math
from dataclasses import dataclass

from line_targets import TERMS, full_trial

from tonnage.loadtest.line import LinePlan, Trials, read_trial

SETTLE_SECONDS = 0.15


@dataclass
class Bisection:
    """A search under way: the target, what it is judged by, and what it has cost."""

    plan: LinePlan
    trials: Trials
    seed: int
    count: int = 0

    def find(self, tolerance: float) -> tuple[float, float, int]:
        """Return the line, the seconds spent and the trials made."""
        began = self.trials.now_seconds()
        low, high = self._bracket()
        while high / low > 1 + tolerance:
            middle = math.sqrt(low * high)
            low, high = (middle, high) if self._is_met(middle) else (low, middle)
        return math.sqrt(low * high), self.trials.now_seconds() - began, self.count

    def _bracket(self) -> tuple[float, float]:
        rate = self.plan.start_per_second
        while not self._is_met(rate):
            rate /= 2
        while self._is_met(rate * 2):
            rate *= 2
        return rate, rate * 2

    def _is_met(self, rate: float) -> bool:
        votes = {True: 0, False: 0}
        while max(votes.values()) < 2:
            trial = full_trial(self.plan, rate)
            run = self.trials.run(trial, seed=self.seed * 10_007 + self.count)
            self.count += 1
            votes[read_trial(trial, run, TERMS).met] += 1
        return votes[True] == 2
