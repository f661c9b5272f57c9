"""
Two load lines in one budget, a trial at a time in turn.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tonnage.domain import MonotonicClock
from tonnage.loadtest.payload import Payload
from tonnage.loadtest.session import OpenLoopSession
from tonnage.loadtest.signals import HeldSignals

from .engine import EngineTrials
from .find import tried
from .measurement import LineMeasurement, measurement
from .plan import LinePlan
from .result import LoadLine, conclude, interrupted
from .search import next_trial
from .trials import TrialOutcome, Trials

__all__ = ["LinePair", "find_lines_in_turn", "line_pair"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LinePair:
    """
    The load lines of base and head, measured in turn.

    Attributes:
        base: What the head is compared with.
        head: What is compared.
    """

    base: LineMeasurement
    head: LineMeasurement


@dataclass(slots=True)
class _Search:
    """One of the searches; its clock runs only while it has its turn."""

    plan: LinePlan
    trials: Trials
    elapsed_seconds: float
    on_trial: Callable[[TrialOutcome], None]
    outcomes: list[TrialOutcome] = field(default_factory=list)
    is_over: bool = False
    interrupted_by: str | None = None

    def step(self, origin_seconds: float) -> None:
        """Run one trial, or find that there is none to run."""
        began = self.trials.now_seconds()
        trial = next_trial(self.plan, self.outcomes, self.elapsed_seconds)
        if trial is None:
            self.is_over = True
            return
        seen = tried(
            self.plan,
            self.trials,
            trial,
            number=len(self.outcomes),
            origin_seconds=origin_seconds,
        )
        if isinstance(seen, str):
            self.interrupted_by = seen
        else:
            self.outcomes.append(seen)
            self.on_trial(seen)
        self.elapsed_seconds += self.trials.now_seconds() - began

    def found(self) -> LoadLine:
        found = conclude(self.plan, self.outcomes, self.elapsed_seconds)
        return found if self.interrupted_by is None else interrupted(found, self.interrupted_by)


def find_lines_in_turn(
    plan: LinePlan,
    base: Trials,
    head: Trials,
    *,
    origin_seconds: float = 0.0,
    spent_seconds: float = 0.0,
    on_trial: Callable[[str, TrialOutcome], None] = lambda _side, _outcome: None,
) -> tuple[LoadLine, LoadLine]:
    """
    Return the load lines of base and head.

    Each search has the plan's budget of its own and asks for a trial when it has its turn, so what
    slows the machine for a while meets both.

    Args:
        plan: What is looked for; its budget is each one's.
        base: Runs trials against the base.
        head: Runs trials against the head.
        origin_seconds: When the measurement began, on their clock.
        spent_seconds: What of each budget is spent already.
        on_trial: Called with ``base`` or ``head`` and each outcome.
    """
    searches = [
        _Search(
            plan=plan,
            trials=trials,
            elapsed_seconds=spent_seconds,
            on_trial=lambda outcome, name=name: on_trial(name, outcome),  # type: ignore[misc] # bound now
        )
        for name, trials in (("base", base), ("head", head))
    ]
    while not all(search.is_over for search in searches):
        for search in searches:
            if not search.is_over:
                search.step(origin_seconds)
            if search.interrupted_by is not None:
                for each in searches:
                    each.is_over, each.interrupted_by = True, search.interrupted_by
                break
    return searches[0].found(), searches[1].found()


def line_pair(
    plan: LinePlan,
    base_url: str,
    head_url: str,
    payload: Payload,
    *,
    processes: int = 1,
    i_own: str | None = None,
    on_trial: Callable[[str, TrialOutcome], None] = lambda _side, _outcome: None,
) -> LinePair:
    """
    Find the load lines of two running services in turn.

    Args:
        plan: What is looked for; its budget is each one's, so both take twice as long.
        base_url: What the head is compared with.
        head_url: What is compared.
        payload: What each request carries.
        processes: How many generator processes share the load of either.
        i_own: A host that is not loopback and may be fired at.
        on_trial: Called with ``base`` or ``head`` and each outcome.

    Raises:
        ConfigurationError: If a target may not be fired at.
        TransportError: If nothing listens at one of them.
    """
    clock = MonotonicClock()
    began, started_at = clock.now_seconds(), time.time()

    def session(url: str) -> OpenLoopSession:
        return OpenLoopSession.start(
            url,
            payload,
            timeout_seconds=plan.patience_seconds,
            processes=processes,
            seed=plan.seed,
            i_own=i_own,
        )

    with HeldSignals() as signals, session(base_url) as base, session(head_url) as head:
        signals.hold()
        trials = [
            EngineTrials(session=each, arrivals=plan.arrivals, signals=signals)
            for each in (base, head)
        ]
        found = find_lines_in_turn(
            plan,
            *trials,
            origin_seconds=began,
            spent_seconds=(clock.now_seconds() - began) / 2,
            on_trial=on_trial,
        )
        ended = clock.now_seconds() - began
        measured = [
            measurement(
                plan,
                line,
                each,
                name=name,
                began_seconds=began,
                started_at_epoch_seconds=started_at,
                duration_seconds=ended,
            )
            for name, line, each in zip(("base", "head"), found, trials, strict=True)
        ]
    return LinePair(base=measured[0], head=measured[1])
