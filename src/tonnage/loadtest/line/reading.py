"""
A trial's raw samples, judged: met or missed, and whether they say anything about the target.

Real trials and virtual ones are read by this one function, so a rule that holds in the campaigns
holds for a user's service.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import NO_ANSWER, PERCENTILES, Samples, format_fraction, percentile

from .growth import Growth, backlog_growth
from .terms import Term, TermResult, longest_threshold_seconds
from .trials import KEEPS_UP, OVERLOADED, Trial, TrialOutcome, TrialRun

__all__ = ["read_trial"]

HORIZON_WINDOWS: Final = 3.0
"""A backlog may not grow so fast that it alone would pass the threshold within three windows."""

TOLERATED_LATENESS: Final = 0.1
"""Of the latency threshold: sends that late cannot have changed an answer by much."""

_PUNCTUALITY: Final = frozenset({"late", "cpu", "waited", "collector"})
_UNLIMITED_THRESHOLD_SECONDS: Final = 1.0
_LEAST_IN_A_BLOCK: Final = 3
_DISPERSION_BLOCKS: Final = (10, 28)


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
        cores=run.cores,
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
