"""
Which trial is next: a pure function of the plan, the trials so far and the time they took.

::

    warm-up    the start rate, until two trials in a row agree
    bracket    up by three until something gives way, then by what it still carried; short trials
    refine     full windows at the most telling rate, until the interval is narrow enough
    confirm    a full window at the highest rate reached, when the generator was the limit
    control    a rate far beyond the line that was met once, after a rest: is there a second line?
    overload   as early on: does the target still carry as much? Then, at once,
    recovery   well below it: does the target come back? Twice, if it does not at first
    control    the same after a rest, when it did not
    curve      rates below the line that were not tried yet

There is no hidden state: a search can be resumed, replayed or explained from its trials alone.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from .plan import LinePlan
from .situation import Situation
from .trials import Purpose, Trial, TrialOutcome

__all__ = ["next_trial"]

GROWTH: Final = 3.0
SHORT_SECONDS: Final = 0.7
SHORT_REQUESTS: Final = 30
SETTLE_SECONDS: Final = 0.15
MOST_SETTLE_SHARE: Final = 0.1
WARM_UP_SHARE: Final = 0.05
LEAST_WARM_UP_SECONDS: Final = 0.2
MOST_WARM_UPS: Final = 4
WARM_AGREEMENT: Final = 1.3
WARM_SLACK_SECONDS: Final = 0.002
NARROW_ENOUGH: Final = 0.1
MOST_BRACKETS: Final = 14
LEAST_REFINEMENTS: Final = 4
MOST_TRIALS: Final = 200
CEILING_REACHED: Final = 1.15
MOST_UNUSABLE: Final = 8
LOWEST_PER_SECOND: Final = 0.2
OVERLOAD: Final = 1.3
OVERLOAD_SECONDS: Final = 1.0
RECOVERY: Final = 0.75
RECOVERY_SECONDS: Final = 1.0
REST_SECONDS: Final = 1.0
MOST_RESERVE_SHARE: Final = 0.15
MOST_OVERLOADS: Final = 2
MOST_RECOVERIES: Final = 2
CURVE: Final = (0.3, 0.5, 0.7, 0.85, 0.95)
CURVE_NEIGHBOUR: Final = 0.05


def next_trial(
    plan: LinePlan, outcomes: Sequence[TrialOutcome], elapsed_seconds: float
) -> Trial | None:
    """
    Return the trial to run now; None when the search is over.

    Args:
        plan: What is looked for.
        outcomes: Every trial so far, oldest first.
        elapsed_seconds: Since the search began, on the clock of the budget.
    """
    now = Situation(plan=plan, outcomes=outcomes, elapsed_seconds=elapsed_seconds)
    if len(outcomes) >= MOST_TRIALS or len(now.unusable) > MOST_UNUSABLE:
        return None
    for stage in _STAGES:
        trial = stage(now)
        if trial is not None:
            return trial
    return None


def _warm_up(now: Situation) -> Trial | None:
    tried = now.of("warm-up")
    if len(tried) >= MOST_WARM_UPS or len(tried) < len(now.outcomes):
        return None
    if len(tried) > 1 and _agree(tried[-2], tried[-1]):
        return None
    return _fitting(now, _short(now, "warm-up", now.plan.start_per_second))


def _agree(one: TrialOutcome, other: TrialOutcome) -> bool:
    low, high = sorted((one.latency_seconds["p50"], other.latency_seconds["p50"]))
    same = high <= WARM_AGREEMENT * low + WARM_SLACK_SECONDS
    return one.met == other.met and (same or not one.met)


def _bracket(now: Situation) -> Trial | None:
    if len(now.of("bracket")) >= MOST_BRACKETS:
        return None
    if not now.missed_rates:
        rate = _rate_above(now)
    elif not now.met_rates:
        rate = _rate_below(now)
    elif now.belief.half_width(now.plan.level) > NARROW_ENOUGH and not now.of("refine"):
        rate = _within(now, now.belief.most_telling_rate())
        if len(now.evidence) - len(now.met_rates) > LEAST_REFINEMENTS:
            return None
    else:
        rate = None
    return None if rate is None else _fitting(now, _short(now, "bracket", rate))


def _rate_above(now: Situation) -> float | None:
    highest = max(now.met_rates, default=now.plan.start_per_second / GROWTH)
    ceiling, limit = now.ceiling_per_second, now.plan.max_per_second
    if highest >= limit * (1 - 1e-9):
        return None
    if ceiling is not None:
        close = highest * CEILING_REACHED >= ceiling
        return None if close else math.sqrt(highest * ceiling)
    return min(highest * GROWTH, limit)


def _rate_below(now: Situation) -> float | None:
    lowest = min(now.missed_rates)
    carried = 0.9 * min(now.hints, default=lowest)
    rate = min(max(carried, lowest / 8), lowest / 1.5)
    return rate if rate >= LOWEST_PER_SECOND else None


def _refine(now: Situation) -> Trial | None:
    if not (now.met_rates and now.missed_rates):
        return None
    tried = [outcome for outcome in now.of("refine") if outcome.is_evidence]
    both = len({outcome.met for outcome in tried}) > 1
    narrow = now.belief.half_width(now.plan.level) <= now.plan.precision
    if (len(tried) >= LEAST_REFINEMENTS and both and narrow) or now.of("overload", "curve"):
        return None
    trial = _full(now, "refine", _within(now, now.belief.most_telling_rate()))
    return _fitting(now, trial, reserve_seconds=_reserve_seconds(now))


def _confirm(now: Situation) -> Trial | None:
    if now.missed_rates or not now.met_rates or now.of("confirm"):
        return None
    return _fitting(now, _full(now, "confirm", max(now.met_rates)))


def _second_line(now: Situation) -> Trial | None:
    rate = now.contradicting_rate
    if rate is None or now.of("control", "overload"):
        return None
    full = _full(now, "control", rate)
    return _fitting(now, replace(full, settle_seconds=full.settle_seconds + REST_SECONDS))


def _recovery(now: Situation) -> Trial | None:
    skipped = not (now.met_rates and now.missed_rates) or now.second_line is not None
    if skipped or not now.plan.checks_recovery:
        return None
    checked, last = now.of("recovery"), now.outcomes[-1].trial.purpose
    overloads = len(now.of("overload"))
    if overloads == 0 or (overloads < MOST_OVERLOADS and last == "overload" and now.carries_less):
        return _fitting(now, _overload(now))
    if last == "overload":
        low, _ = now.belief.interval(now.plan.level)
        # What it gave up is still in its queue, and no fault of a second regime.
        settle = now.outcomes[-1].backlog_seconds
        recovery = _recovering(RECOVERY * low, RECOVERY_SECONDS)
        return _fitting(now, replace(recovery, settle_seconds=_settled(now, settle)))
    if last != "recovery" or checked[-1].met:
        return None
    rate = checked[-1].trial.rate_per_second
    if len(checked) < MOST_RECOVERIES:
        return _fitting(now, _recovering(rate, 0.0))
    return _fitting(now, _rested(now, rate))


def _overload(now: Situation) -> Trial:
    """Repeat the first overload, so that what was carried can be compared; else make one."""
    if now.first_overload is not None:
        first = now.first_overload.trial
        return _trial(now, "overload", first.rate_per_second, first.window_seconds)
    _, high = now.belief.interval(now.plan.level)
    return _trial(now, "overload", _within(now, OVERLOAD * high), OVERLOAD_SECONDS)


def _recovering(rate: float, warm_up_seconds: float) -> Trial:
    return Trial(
        purpose="recovery",
        rate_per_second=rate,
        settle_seconds=0.0,
        warm_up_seconds=warm_up_seconds,
        window_seconds=max(RECOVERY_SECONDS, SHORT_REQUESTS / rate),
    )


def _rested(now: Situation, rate: float) -> Trial:
    rested = _trial(now, "control", rate, min(RECOVERY_SECONDS, now.plan.window_at(rate)))
    return replace(rested, settle_seconds=rested.settle_seconds + REST_SECONDS)


def _reserve_seconds(now: Situation) -> float:
    """Return what the checks after the search need, at worst."""
    if not now.plan.checks_recovery:
        return 0.0
    overload = _overload(now).total_seconds + now.plan.patience_seconds
    needed = overload + 4 * RECOVERY_SECONDS + REST_SECONDS
    return min(needed, MOST_RESERVE_SHARE * now.plan.budget_seconds)


def _curve(now: Situation) -> Trial | None:
    if not (now.plan.draws_curve and now.met_rates):
        return None
    line = now.belief.quantile(0.5) if now.missed_rates else max(now.met_rates)
    tried = [
        outcome.trial.rate_per_second
        for outcome in now.outcomes
        if outcome.trial.purpose not in ("overload", "recovery", "control")
    ]
    for share in CURVE:
        if all(abs(rate / line - share) > CURVE_NEIGHBOUR for rate in tried):
            return _fitting(now, _short(now, "curve", share * line))
    return None


def _within(now: Situation, rate: float) -> float:
    ceiling = now.ceiling_per_second
    limit = now.plan.max_per_second if ceiling is None else 0.97 * ceiling
    return min(rate, limit, now.plan.max_per_second)


def _short(now: Situation, purpose: Purpose, rate: float) -> Trial:
    full = now.plan.window_at(rate)
    return _trial(now, purpose, rate, min(full, max(SHORT_SECONDS, SHORT_REQUESTS / rate)))


def _full(now: Situation, purpose: Purpose, rate: float) -> Trial:
    return _trial(now, purpose, rate, now.plan.window_at(rate))


def _trial(now: Situation, purpose: Purpose, rate: float, window_seconds: float) -> Trial:
    settle = SETTLE_SECONDS
    if now.outcomes:
        settle += now.outcomes[-1].backlog_seconds
    return Trial(
        purpose=purpose,
        rate_per_second=rate,
        settle_seconds=_settled(now, settle),
        warm_up_seconds=max(WARM_UP_SHARE * window_seconds, LEAST_WARM_UP_SECONDS),
        window_seconds=window_seconds,
    )


def _settled(now: Situation, seconds: float) -> float:
    return min(seconds, MOST_SETTLE_SHARE * now.plan.budget_seconds)


def _fitting(now: Situation, trial: Trial, *, reserve_seconds: float = 0.0) -> Trial | None:
    """Return the trial if it ends within the budget even when its last answer never comes."""
    needed = trial.total_seconds + now.plan.patience_seconds + reserve_seconds
    return trial if now.elapsed_seconds + needed <= now.plan.budget_seconds else None


_STAGES: Final[Sequence[Callable[[Situation], Trial | None]]] = (
    _warm_up,
    _bracket,
    _refine,
    _confirm,
    _second_line,
    _recovery,
    _curve,
)
