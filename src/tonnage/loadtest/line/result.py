"""
What a search found: the line, its interval, what gave way first, the curve and its knee.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tonnage.domain import format_duration, html_table

from .curve import CurvePoint, Knee, curve_points, find_knee
from .finding import Finding, LineVerdict, finding_of, gave_way_first
from .plan import LinePlan
from .situation import Situation
from .terms import longest_threshold_seconds
from .trials import TrialOutcome

__all__ = ["LoadLine", "conclude", "interrupted"]


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadLine:
    """
    The answer.

    Attributes:
        verdict: ``FOUND``; ``MACHINE_LIMITED`` (the generator and others took of the cores that
            the service had none left of), ``GENERATOR_LIMITED`` and ``AT_LEAST`` (the plan's own
            limit) say only that the line is not below; ``BELOW``: missed at every rate tried;
            ``NOT_STATIONARY`` and ``HYSTERETIC``: there is no one line; ``UNDECIDED``: the budget
            was too short.
        line_per_second: The line; for the three lower bounds, the bound; None without either.
        interval_per_second: Where it lies with probability ``level``; an end that is not known is
            None.
        reason: Why, in words.
        gave_way_first: The term that was missed first beyond the line, empty without one.
        objective: The terms, in words.
        arrivals: Under which it was found.
        level: The interval's probability.
        threshold_seconds: The largest latency threshold of the objective, None without one.
        window_seconds: The window in which the terms must hold.
        elapsed_seconds: What it took, everything included.
        curve: Latency against load, by rate.
        knee: Where latency begins to pay for rate; None with too few points.
        trials: Every trial, oldest first.
        notes: What a reader must know.
        interrupted_by: The signal that ended the search before its time, None for none.
        here_per_second: What a ``MACHINE_LIMITED`` service carries on this machine beside its
            generator: low end, line and high end; None for every other.
    """

    verdict: LineVerdict
    line_per_second: float | None
    interval_per_second: tuple[float | None, float | None]
    reason: str
    gave_way_first: str
    objective: str
    arrivals: str
    level: float
    threshold_seconds: float | None
    window_seconds: float
    elapsed_seconds: float
    curve: Sequence[CurvePoint] = ()
    knee: Knee | None = None
    trials: Sequence[TrialOutcome] = field(default=(), repr=False)
    notes: Sequence[str] = ()
    interrupted_by: str | None = None
    here_per_second: tuple[float, float, float] | None = None

    def _repr_html_(self) -> str:
        """Return it as a notebook shows it: the line, its interval, and why it ends there."""
        low, high = (
            "not known" if end is None else f"{end:.1f}/s" for end in self.interval_per_second
        )
        line = "none" if self.line_per_second is None else f"{self.line_per_second:.1f}/s"
        rows = {
            "load line": line,
            f"{self.level:.0%} interval": f"{low} to {high}",
            "verdict": self.verdict,
            "gave way first": self.gave_way_first or "nothing",
            "objective": f"{self.objective}, in windows of {self.window_seconds:.1f} s",
            "arrivals": self.arrivals,
            "trials": f"{len(self.trials)} in {self.elapsed_seconds:.1f} s",
        }
        return html_table(f"The load line: {line}", rows, (self.reason, *self.notes))


def conclude(plan: LinePlan, outcomes: Sequence[TrialOutcome], elapsed_seconds: float) -> LoadLine:
    """Return what the trials say."""
    now = Situation(plan=plan, outcomes=outcomes, elapsed_seconds=elapsed_seconds)
    finding = finding_of(now)
    curve = curve_points(outcomes)
    return LoadLine(
        verdict=finding.verdict,
        line_per_second=finding.line,
        interval_per_second=finding.interval,
        reason=finding.reason,
        gave_way_first=gave_way_first(now),
        objective=" and ".join(str(term) for term in plan.terms),
        arrivals=plan.arrivals,
        level=plan.level,
        threshold_seconds=_threshold(plan),
        window_seconds=plan.window_at(finding.line or plan.start_per_second),
        elapsed_seconds=elapsed_seconds,
        curve=curve,
        knee=find_knee(curve),
        trials=tuple(outcomes),
        notes=tuple(_notes(now, finding)),
        here_per_second=finding.here,
    )


def _threshold(plan: LinePlan) -> float | None:
    threshold = longest_threshold_seconds(plan.terms, default=math.nan)
    return None if math.isnan(threshold) else threshold


def interrupted(found: LoadLine, by: str) -> LoadLine:
    """Return the answer of a search that a signal ended."""
    note = f"interrupted by {by} after {format_duration(found.elapsed_seconds)}"
    return replace(found, notes=(*found.notes, note), interrupted_by=by)


def _notes(now: Situation, finding: Finding) -> list[str]:
    notes = []
    low, high = finding.interval
    if finding.verdict == "FOUND" and low and high and finding.line:
        half = (high - low) / 2 / finding.line
        if half > now.plan.precision:
            notes.append(
                f"the budget of {format_duration(now.plan.budget_seconds)} ended before the"
                f" interval was as narrow as {now.plan.precision:.1%}: it is {half:.1%} either side"
            )
        if now.plan.checks_recovery and not now.of("recovery"):
            notes.append("the budget left no time to see whether the target recovers")
        if finding.cores is not None and finding.cores.are_all_busy:
            notes.append(
                f"{finding.cores.told()}: the line is this machine's, on cores of its own it may be"
                f" {finding.cores.elsewhere}"
            )
    if now.unusable:
        notes.append(
            f"{len(now.unusable)} of {len(now.outcomes)} trials say nothing about the target: "
            f"{now.unusable[-1].generator_reason}"
        )
    return notes
