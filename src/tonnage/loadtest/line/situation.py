"""
What the search knows at one moment, derived from the trials so far and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from .belief import Belief, Evidence
from .plan import LinePlan
from .trials import OVERLOADED, Purpose, TrialOutcome

__all__ = ["Situation"]

SHORT_BLUR: Final = 0.05
"""A trial much shorter than the line's window may be off by some 5 %."""

LOGISTIC: Final = 0.65
"""Scale of the logistic for a count of deviation 1: 0.55, and a fifth more for what else varies."""

ARRIVALS_LEFT: Final = 0.3
"""Dispersion of Poisson arrivals that their count does not explain: when they came."""

BUSY: Final = 0.97
"""A target that answers less of what arrives than this was busy all along."""

FAR: Final = 1.2
"""Two regimes lie farther apart than this; nearer, it may be the noise of one."""

CARRIES_LESS: Final = 0.08
CARRIED_ERRORS: Final = 3.0
"""By so much (in logarithms), and so many standard errors, must what it carries have fallen."""

SURPRISING: Final = 0.03
"""A rate met although it was less likely than this; the model's floor is 0.01."""

_ON_THE_LINE: Final = frozenset[Purpose]({"bracket", "refine", "confirm"})
_SHORT: Final = frozenset[Purpose]({"warm-up", "bracket"})
_UNUSABLE_MAKE_A_CEILING: Final = 2


@dataclass(frozen=True, kw_only=True)
class Situation:
    """
    The plan, the trials so far, and what follows from them.

    Attributes:
        plan: What is looked for.
        outcomes: Every trial, oldest first.
        elapsed_seconds: Since the search began.
    """

    plan: LinePlan
    outcomes: Sequence[TrialOutcome]
    elapsed_seconds: float

    def of(self, *purposes: Purpose) -> list[TrialOutcome]:
        """Return the trials with one of these purposes, oldest first."""
        return [outcome for outcome in self.outcomes if outcome.trial.purpose in purposes]

    @cached_property
    def evidence(self) -> list[TrialOutcome]:
        """The trials that say something about the line; of the warm-up only the last."""
        warm = self.of("warm-up")[-1:]
        return [
            outcome
            for outcome in self.outcomes
            if outcome.is_evidence and (outcome.trial.purpose in _ON_THE_LINE or outcome in warm)
        ]

    @cached_property
    def met_rates(self) -> list[float]:
        """The rates at which the objective was met."""
        return [outcome.trial.rate_per_second for outcome in self.evidence if outcome.met]

    @cached_property
    def missed_rates(self) -> list[float]:
        """The rates at which it was missed."""
        return [outcome.trial.rate_per_second for outcome in self.evidence if not outcome.met]

    @cached_property
    def hints(self) -> list[float]:
        """What the target carried while it was overloaded, in 2xx answers per second."""
        return [
            outcome.completed_per_second
            for outcome in self.evidence
            if not outcome.met and outcome.completed_per_second > 0
        ]

    @cached_property
    def unusable(self) -> list[TrialOutcome]:
        """The trials in which the generator was at fault."""
        return [outcome for outcome in self.outcomes if not outcome.is_evidence]

    @cached_property
    def ceiling_per_second(self) -> float | None:
        """The rate from which on the generator does not keep up; one bad trial makes none."""
        highest = max(self.met_rates, default=0.0)
        above = sorted(
            outcome.trial.rate_per_second
            for outcome in self.unusable
            if outcome.trial.rate_per_second > highest
        )
        many = len(above) >= _UNUSABLE_MAKE_A_CEILING
        return above[_UNUSABLE_MAKE_A_CEILING - 1] if many else None

    @cached_property
    def belief(self) -> Belief:
        """What is believed of the line."""
        return Belief.after(self._as_arrays(self.evidence))

    @cached_property
    def contradicting_rate(self) -> float | None:
        """The highest rate that was met and should not have been, by all other trials."""
        if not self.missed_rates:
            return None
        far = FAR * self.belief.quantile(0.5)
        surprising = [
            rate
            for rate in self.met_rates
            if rate > far and self.belief.met_probability(rate) < SURPRISING
        ]
        return max(surprising, default=None)

    @cached_property
    def second_line(self) -> float | None:
        """The contradicting rate, if it was met again after a rest."""
        rate = self.contradicting_rate
        met = [
            outcome
            for outcome in self.of("control")
            if outcome.is_evidence and outcome.met and outcome.trial.rate_per_second == rate
        ]
        return rate if met else None

    @cached_property
    def first_overload(self) -> TrialOutcome | None:
        """The first trial that the target was surely too slow for, if it carried anything."""
        return next(
            (
                outcome
                for outcome in self.of("bracket")
                if outcome.is_evidence
                and not outcome.met
                and 0 < outcome.completed_per_second < OVERLOADED * outcome.arrived_per_second
            ),
            None,
        )

    @cached_property
    def carries_less(self) -> bool:
        """Whether every repetition of the first overload was carried clearly worse than it."""
        first = self.first_overload
        again = [outcome for outcome in self.of("overload") if outcome.is_evidence]
        if first is None or not again:
            return False
        return all(
            np.log(first.completed_per_second / max(outcome.completed_per_second, 1e-9))
            > CARRIES_LESS + CARRIED_ERRORS * np.hypot(_count_error(first), _count_error(outcome))
            for outcome in again
        )

    def _as_arrays(self, evidence: Sequence[TrialOutcome]) -> Evidence:
        # What really arrived: with Poisson arrivals that explains half of what looks like noise.
        rates = np.array([outcome.arrived_per_second for outcome in evidence])
        blur = [SHORT_BLUR if outcome.trial.purpose in _SHORT else 0.0 for outcome in evidence]
        return Evidence(
            log_rates=np.log(rates),
            met=np.array([outcome.met for outcome in evidence], dtype=bool),
            blur=np.array(blur),
            softness=self._softness,
            hints=np.log(np.array(self.hints)),
        )

    @property
    def _softness(self) -> float:
        """
        What makes the transition soft: the count of a window's arrivals, and of what is served.

        A renewal count of n events varies by sqrt(I n), I its index of dispersion.
        """
        known = [outcome for outcome in self.evidence if not np.isnan(outcome.dispersion)]
        if not known:
            return float("nan")
        # A target with time to spare answers as regularly as it is asked.
        busy = [
            outcome
            for outcome in known
            if outcome.completed_per_second < BUSY * outcome.arrived_per_second
        ]
        seen = [outcome.dispersion for outcome in busy or known]
        rate = min(self.missed_rates)
        arrivals = ARRIVALS_LEFT if self.plan.arrivals == "poisson" else 0.0
        count = rate * self.plan.window_at(rate)
        return LOGISTIC * float(np.sqrt((np.mean(seen) + arrivals) / count))


def _count_error(outcome: TrialOutcome) -> float:
    """Return the standard error of the logarithm of what a trial carried."""
    count = max(1.0, outcome.completed_per_second * outcome.trial.window_seconds)
    dispersion = 1.0 if np.isnan(outcome.dispersion) else max(outcome.dispersion, 1 / count)
    return float(np.sqrt(dispersion / count))
