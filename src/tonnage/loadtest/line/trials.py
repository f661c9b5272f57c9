"""
One trial: load at one rate for one window, and what the window showed.

The search decides which trial is next; whoever implements ``Trials`` runs it, against a real target
or in virtual time. Both hand back raw samples, and one function reads them, so a rule that holds in
the campaigns holds for a user's service.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import NO_ANSWER, PERCENTILES, Samples, format_fraction, percentile

from .growth import Growth, backlog_growth
from .terms import Term, TermResult, longest_threshold_seconds

__all__ = [
    "KEEPS_UP",
    "OVERLOADED",
    "Purpose",
    "Trial",
    "TrialOutcome",
    "TrialRun",
    "Trials",
    "read_trial",
]

Purpose = Literal[
    "warm-up", "bracket", "refine", "confirm", "overload", "recovery", "control", "curve"
]
GeneratorWord = Literal["VALID", "DOUBTFUL", "INVALID"]

KEEPS_UP: Final = "keeps up"
"""The term that every objective has besides the user's: the backlog does not grow."""

HORIZON_WINDOWS: Final = 3.0
"""A backlog may not grow so fast that it alone would pass the threshold within three windows."""

TOLERATED_LATENESS: Final = 0.1
"""Of the latency threshold: sends that late cannot have changed an answer by much."""

OVERLOADED: Final = 0.8
"""A target that answers less of what arrives than this was overloaded."""

_PUNCTUALITY: Final = frozenset({"late", "cpu", "waited", "collector"})
_UNLIMITED_THRESHOLD_SECONDS: Final = 1.0
_LEAST_IN_A_BLOCK: Final = 3
_DISPERSION_BLOCKS: Final = (10, 28)


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """
    What to run next.

    Attributes:
        purpose: Which question it answers.
        rate_per_second: The offered rate, open loop.
        settle_seconds: Silence before it, in which the target works off what the last one left.
        warm_up_seconds: Load at the rate before the window; its requests are not judged.
        window_seconds: The window that is judged.
    """

    purpose: Purpose
    rate_per_second: float
    settle_seconds: float
    warm_up_seconds: float
    window_seconds: float

    @property
    def load_seconds(self) -> float:
        """How long load is offered."""
        return self.warm_up_seconds + self.window_seconds

    @property
    def total_seconds(self) -> float:
        """How long it takes when the target answers at once."""
        return self.settle_seconds + self.load_seconds


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TrialRun:
    """
    What came back from a trial.

    Attributes:
        began_seconds: When its load began, on the port's own clock.
        ended_seconds: When its last answer was in, or given up.
        samples: Every request, warm-up included; times since the load began.
        generator: Whether the generator kept up.
        generator_reason: Why, in words.
        generator_cause: What of it was the limit, in one word: ``late``, ``cpu``, ``ports`` …
        interrupted_by: The signal on which it was stopped, None when it came to its end.
        others_busy_fraction: Of all cores, before its load: what other programs took; NaN unknown.
        stolen_fraction: Of all cores' time during it: what another guest of the host took.
    """

    began_seconds: float
    ended_seconds: float
    samples: Samples
    generator: GeneratorWord = "VALID"
    generator_reason: str = ""
    generator_cause: str = ""
    interrupted_by: str | None = None
    others_busy_fraction: float = math.nan
    stolen_fraction: float = 0.0


class Trials(Protocol):
    """Runs trials against one target, one after another."""

    def now_seconds(self) -> float:
        """Return the time on the clock that the budget is counted on."""
        ...

    def run(self, trial: Trial, *, seed: int) -> TrialRun:
        """Settle, load, wait for the answers, and return them."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialOutcome:
    """
    A trial, judged.

    Attributes:
        trial: What was run.
        began_seconds: When its load began, since the search did.
        ended_seconds: When its last answer was in.
        requests: Requests in the window.
        met: Whether every term held, *keeps up* included.
        terms: What each said.
        arrived_per_second: Requests that were really meant for the trial's load, per second: with
            Poisson arrivals not quite the rate that was asked for.
        completed_per_second: 2xx answers that arrived in the window, late ones too, ÷ window: what
            an overloaded target still carries.
        error_fraction: Requests without a 2xx answer ÷ requests.
        latency_seconds: ``p50`` … ``p99.9`` of the answered requests, NaN without any.
        backlog_seconds: What it left the target to do, as far as is known: requests given up
            without an answer ÷ what the target carried.
        backlog_growth: Seconds of backlog gained per second.
        dispersion: Variance ÷ mean of the 2xx answers counted in short blocks, of a trial that
            missed: how random the service itself is. NaN where it cannot be said.
        is_evidence: Whether it says anything about the target, or only about the generator.
        generator: The generator's word on itself.
        generator_reason: Why, in words.
    """

    trial: Trial
    began_seconds: float
    ended_seconds: float
    requests: int
    met: bool
    terms: Sequence[TermResult]
    arrived_per_second: float
    completed_per_second: float
    error_fraction: float
    latency_seconds: Mapping[str, float] = field(default_factory=dict)
    backlog_seconds: float = 0.0
    backlog_growth: float = 0.0
    dispersion: float = math.nan
    is_evidence: bool = True
    generator: GeneratorWord = "VALID"
    generator_reason: str = ""

    @property
    def missed_terms(self) -> Sequence[TermResult]:
        """The terms that did not hold."""
        return tuple(result for result in self.terms if not result.holds)


def read_trial(
    trial: Trial, run: TrialRun, terms: Sequence[Term], *, origin_seconds: float = 0.0
) -> TrialOutcome:
    """
    Judge what a trial brought back.

    Args:
        trial: What was run.
        run: What came back.
        terms: The objective's terms; all must hold.
        origin_seconds: When the search began, on the port's clock.
    """
    start, end = trial.warm_up_seconds, trial.load_seconds
    window = run.samples.between(start, end)
    growth = backlog_growth(window)
    results = _judged(window, terms, growth, trial.window_seconds)
    met = _is_met(results)
    done = run.samples.done_seconds
    carried = done[~run.samples.failed & (done >= start) & (done < end)]
    answered = window.latency_seconds[window.status > 0]
    overloaded = len(carried) < OVERLOADED * len(window)
    return TrialOutcome(
        trial=trial,
        began_seconds=run.began_seconds - origin_seconds,
        ended_seconds=run.ended_seconds - origin_seconds,
        requests=len(window),
        met=met,
        terms=results,
        arrived_per_second=len(run.samples) / trial.load_seconds,
        completed_per_second=len(carried) / trial.window_seconds,
        error_fraction=float(window.failed.mean()) if len(window) else 1.0,
        latency_seconds={f"p{f * 100:g}": percentile(answered, f) for f in PERCENTILES},
        backlog_seconds=_backlog(run.samples, len(carried) / trial.window_seconds),
        backlog_growth=growth.per_second,
        is_evidence=_is_evidence(trial, run, terms, met=met, overloaded=overloaded),
        dispersion=math.nan if met else _dispersion(carried - start, trial.window_seconds),
        generator=run.generator,
        generator_reason=run.generator_reason,
    )


def _is_evidence(
    trial: Trial, run: TrialRun, terms: Sequence[Term], *, met: bool, overloaded: bool
) -> bool:
    """
    Say whether the generator's fault, if it had one, may have changed the answer.

    A generator calls itself doubtful when its lateness shows in the latency. Against a threshold of
    250 ms, 3 ms do not matter. What matters is judged by the threshold, and a target is blamed only
    for what it also missed counted from the actual sends.
    """
    if len(run.samples) == 0 or run.generator == "INVALID":
        return False
    if run.generator == "VALID":
        return True
    late = run.samples.sent_seconds - run.samples.intended_seconds
    allowed = TOLERATED_LATENESS * _threshold(terms)
    if run.generator_cause not in _PUNCTUALITY:
        return False
    if run.generator_cause == "waited" and not met and not overloaded:
        return False  # somebody else had the cores, and a target on this machine had none either
    if met:
        return percentile(late, 0.99) <= allowed
    punctual = replace(run.samples, intended_seconds=run.samples.sent_seconds)
    window = punctual.between(trial.warm_up_seconds, trial.load_seconds)
    again = _judged(window, terms, backlog_growth(window), trial.window_seconds)
    return float(late.max()) <= allowed and not _is_met(again)


def _is_met(results: Sequence[TermResult]) -> bool:
    return all(result.holds for result in results)


def _threshold(terms: Sequence[Term]) -> float:
    return longest_threshold_seconds(terms, default=_UNLIMITED_THRESHOLD_SECONDS)


def _judged(
    window: Samples, terms: Sequence[Term], growth: Growth, window_seconds: float
) -> tuple[TermResult, ...]:
    if len(window) == 0:
        return (TermResult(term=KEEPS_UP, holds=False, seen="no request"),)
    too_fast = growth.per_second > _threshold(terms) / (HORIZON_WINDOWS * window_seconds)
    share = format_fraction(max(0.0, growth.per_second))
    keeps_up = TermResult(
        term=KEEPS_UP,
        holds=not (growth.is_certain or too_fast),
        seen=f"the backlog grows by {share} of the time",
    )
    return (*(term.judge(window) for term in terms), keeps_up)


def _dispersion(moments: NDArray[np.float64], window_seconds: float) -> float:
    """
    Return the index of dispersion of answers in blocks of the window, NaN with too few.

    The larger of two scales: a heavy tail, or eight servers side by side, look regular over short
    blocks, and a few long ones say little.
    """
    scales = [n for n in _DISPERSION_BLOCKS if len(moments) >= _LEAST_IN_A_BLOCK * n]
    if not scales:
        return math.nan
    found = []
    for blocks in scales:
        block = np.minimum((moments / window_seconds * blocks).astype(np.int64), blocks - 1)
        counts = np.bincount(block, minlength=blocks)
        found.append(float(counts.var(ddof=1) / counts.mean()))
    return max(found)


def _backlog(samples: Samples, carried_per_second: float) -> float:
    # Whoever runs the trial has waited for the other answers.
    given_up = float((samples.status == NO_ANSWER).sum())
    return given_up / max(carried_per_second, 1.0)
