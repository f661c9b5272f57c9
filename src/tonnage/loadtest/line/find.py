"""
The search, driven: ask for a trial, run it, judge it, until there is none to run.
"""

from collections.abc import Callable
from typing import Final

from .plan import LinePlan
from .result import LoadLine, conclude, interrupted
from .search import next_trial
from .trials import TrialOutcome, Trials, read_trial

__all__ = ["find_line"]

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
        run = trials.run(trial, seed=plan.seed * _SEEDS_APART + len(outcomes))
        if run.interrupted_by is not None:
            # Half a trial is no trial: its window is not the one that was to be judged.
            found = conclude(plan, outcomes, trials.now_seconds() - origin)
            return interrupted(found, run.interrupted_by)
        outcomes.append(read_trial(trial, run, plan.terms, origin_seconds=origin))
        on_trial(outcomes[-1])
    return conclude(plan, outcomes, trials.now_seconds() - origin)
