"""
The search, driven: ask for a trial, run it, judge it, until there is none to run.
"""

from collections.abc import Callable
from typing import Final

from .plan import LinePlan
from .reading import read_trial
from .result import LoadLine, conclude, interrupted
from .search import next_trial
from .trials import Trial, TrialOutcome, Trials

__all__ = ["find_line", "tried"]

_SEEDS_APART: Final = 10_007


def find_line(
    plan: LinePlan,
    trials: Trials,
    *,
    began_seconds: float | None = None,
    on_trial: Callable[[TrialOutcome], None] = lambda _outcome: None,
) -> LoadLine:
    """
    Return the load line of a target.

    Args:
        plan: What is looked for.
        trials: What runs trials against the target, with the clock of the budget.
        began_seconds: When the budget began to run on that clock; None for now.
        on_trial: Called with each outcome. What it raises ends the search.
    """
    origin = trials.now_seconds() if began_seconds is None else began_seconds
    outcomes: list[TrialOutcome] = []
    while (trial := next_trial(plan, outcomes, trials.now_seconds() - origin)) is not None:
        seen = tried(plan, trials, trial, number=len(outcomes), origin_seconds=origin)
        if isinstance(seen, str):
            return interrupted(conclude(plan, outcomes, trials.now_seconds() - origin), seen)
        outcomes.append(seen)
        on_trial(seen)
    return conclude(plan, outcomes, trials.now_seconds() - origin)


def tried(
    plan: LinePlan, trials: Trials, trial: Trial, *, number: int, origin_seconds: float
) -> TrialOutcome | str:
    """
    Run a trial and judge it; return the signal's name when one ended it.

    Half a trial is no trial: its window is not the one that was to be judged.

    Args:
        plan: What is looked for.
        trials: What runs it.
        trial: What to run.
        number: How many came before it; draws differ from trial to trial.
        origin_seconds: When the search began, on the clock of ``trials``.
    """
    run = trials.run(trial, seed=plan.seed * _SEEDS_APART + number)
    if run.interrupted_by is not None:
        return run.interrupted_by
    return read_trial(trial, run, plan.terms, origin_seconds=origin_seconds)
