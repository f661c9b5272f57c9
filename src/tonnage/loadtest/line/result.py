"""
What a search found: the line, its interval, what gave way first, the curve and its knee.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from tonnage.domain import format_duration, format_rate, html_table

from .curve import CurvePoint, Knee, curve_points, find_knee
from .plan import LinePlan
from .situation import Situation
from .terms import longest_threshold_seconds
from .trials import KEEPS_UP, TrialOutcome

__all__ = ["LineVerdict", "LoadLine", "conclude", "interrupted"]

LineVerdict = Literal[
    "FOUND", "GENERATOR_LIMITED", "AT_LEAST", "BELOW", "NOT_STATIONARY", "HYSTERETIC", "UNDECIDED"
]

_LEAST_MISSES: Final = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadLine:
    """
    The answer.

    Attributes:
        verdict: ``FOUND``; ``GENERATOR_LIMITED`` and ``AT_LEAST`` (the plan's own limit) say only
            that the line is not below; ``BELOW``: missed at every rate tried; ``NOT_STATIONARY``
            and ``HYSTERETIC``: there is no one line; ``UNDECIDED``: the budget was too short.
        line_per_second: The line; for the two lower bounds, the bound; None without either.
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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Finding:
    verdict: LineVerdict
    line: float | None
    interval: tuple[float | None, float | None]
    reason: str


def conclude(plan: LinePlan, outcomes: Sequence[TrialOutcome], elapsed_seconds: float) -> LoadLine:
    """Return what the trials say."""
    now = Situation(plan=plan, outcomes=outcomes, elapsed_seconds=elapsed_seconds)
    finding = _finding(now)
    curve = curve_points(outcomes)
    return LoadLine(
        verdict=finding.verdict,
        line_per_second=finding.line,
        interval_per_second=finding.interval,
        reason=finding.reason,
        gave_way_first=_gave_way_first(now),
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
    )


def _threshold(plan: LinePlan) -> float | None:
    threshold = longest_threshold_seconds(plan.terms, default=math.nan)
    return None if math.isnan(threshold) else threshold


def interrupted(found: LoadLine, by: str) -> LoadLine:
    """Return the answer of a search that a signal ended."""
    note = f"interrupted by {by} after {format_duration(found.elapsed_seconds)}"
    return replace(found, notes=(*found.notes, note), interrupted_by=by)


def _finding(now: Situation) -> _Finding:
    if not now.met_rates or not now.missed_rates:
        return _one_sided(now)
    return _moving(now) or _hysteretic(now) or _limited(now) or _found(now)


def _one_sided(now: Situation) -> _Finding:
    if now.met_rates:
        return _not_below(now)
    if now.missed_rates:
        lowest = min(now.missed_rates)
        told = _told(min(_missed(now), key=lambda outcome: outcome.trial.rate_per_second))
        return _Finding(
            verdict="BELOW",
            line=None,
            interval=(None, lowest),
            reason=f"the objective was missed at every rate down to {format_rate(lowest)}: {told}",
        )
    reasons = [outcome.generator_reason for outcome in now.unusable]
    said = reasons[-1] if reasons else "the budget left no time for a trial"
    return _Finding(
        verdict="GENERATOR_LIMITED" if reasons else "UNDECIDED",
        line=None,
        interval=(None, None),
        reason=f"no trial can be believed: {said}",
    )


def _not_below(now: Situation) -> _Finding:
    full = [outcome for outcome in now.of("confirm") if outcome.is_evidence and outcome.met]
    line = max((outcome.trial.rate_per_second for outcome in full), default=max(now.met_rates))
    if now.unusable and max(now.met_rates) < now.plan.max_per_second:
        return _Finding(
            verdict="GENERATOR_LIMITED",
            line=line,
            interval=(line, None),
            reason=(
                f">= {format_rate(line)}, generator-limited: {now.unusable[-1].generator_reason}"
            ),
        )
    at_limit = line >= now.plan.max_per_second * (1 - 1e-9)
    why = "the highest rate allowed" if at_limit else "the budget ended there"
    return _Finding(
        verdict="AT_LEAST",
        line=line,
        interval=(line, None),
        reason=f">= {format_rate(line)}, {why}: the objective held at every rate tried",
    )


def _hysteretic(now: Situation) -> _Finding | None:
    if now.second_line is not None:
        after = format_rate(round(now.belief.quantile(0.5), 1))
        second = format_rate(now.second_line)
        return _Finding(
            verdict="HYSTERETIC",
            line=None,
            interval=(None, None),
            reason=(
                f"two regimes: about {after} is carried under load, but {second} was met before"
                " and is met again after a rest"
            ),
        )
    recoveries, controls = now.of("recovery"), now.of("control")
    missed = [outcome for outcome in recoveries if not outcome.met and outcome.is_evidence]
    rested = [outcome for outcome in controls if outcome.is_evidence]
    if len(missed) < _LEAST_MISSES or not rested:
        return None
    rate = format_rate(missed[-1].trial.rate_per_second)
    if any(outcome.met for outcome in rested):
        return _Finding(
            verdict="HYSTERETIC",
            line=None,
            interval=(None, None),
            reason=(
                f"after an overload the objective is missed at {rate}, which it meets after a rest:"
                f" {_told(missed[-1])}"
            ),
        )
    return _unsteady(f"the objective is missed at {rate} now, after rests too, and was met before")


def _moving(now: Situation) -> _Finding | None:
    repeated, first = now.of("overload"), now.first_overload
    if first is None or len(repeated) < _LEAST_MISSES or not now.carries_less:
        return None
    before, after = (
        format_rate(round(outcome.completed_per_second, 1)) for outcome in (first, repeated[-1])
    )
    elapsed = format_duration(repeated[-1].began_seconds - first.began_seconds)
    return _unsteady(
        f"the target gets slower: offered {format_rate(round(first.trial.rate_per_second, 1))} it"
        f" carried {before} at first and {after} {elapsed} later"
    )


def _unsteady(reason: str) -> _Finding:
    return _Finding(verdict="NOT_STATIONARY", line=None, interval=(None, None), reason=reason)


def _limited(now: Situation) -> _Finding | None:
    ceiling = now.ceiling_per_second
    if ceiling is None or now.belief.quantile(0.5) <= ceiling:
        return None
    return _not_below(now)


def _found(now: Situation) -> _Finding:
    low, high = now.belief.interval(now.plan.level)
    line = now.belief.quantile(0.5)
    beyond = [
        outcome for outcome in _missed(now) if outcome.trial.rate_per_second >= low
    ] or _missed(now)
    full = any(outcome.trial.purpose == "refine" for outcome in now.evidence)
    return _Finding(
        verdict="FOUND" if full else "UNDECIDED",
        line=line,
        interval=(low, high),
        reason=_what_gave_way(now, beyond),
    )


def _what_gave_way(now: Situation, beyond: Sequence[TrialOutcome]) -> str:
    """Say what happens just beyond the line, and where the user's own term gives way."""
    first = _gave_way_first(now)
    ordered = sorted([*beyond, *now.of("overload")], key=lambda o: o.trial.rate_per_second)
    where = next((o for o in ordered if any(r.term == first for r in o.missed_terms)), None)
    told = ordered[:1] if where is None or where is ordered[0] else [ordered[0], where]
    return "; ".join(
        f"at {format_rate(round(outcome.trial.rate_per_second, 1))} {_told(outcome)}"
        for outcome in told
    )


def _missed(now: Situation) -> list[TrialOutcome]:
    return [outcome for outcome in now.evidence if not outcome.met]


def _told(outcome: TrialOutcome) -> str:
    return ", ".join(f"{result.seen} ({result.term})" for result in outcome.missed_terms)


def _gave_way_first(now: Situation) -> str:
    """
    Name the term of the user's that is missed at the lowest rate beyond the line.

    Just beyond it often nothing gives way within the window, but the backlog grows; *keeps up* is
    named only if no term of the user's follows.
    """
    misses = [*_missed(now), *(o for o in now.of("overload") if o.is_evidence and not o.met)]
    ordered = sorted(misses, key=lambda outcome: outcome.trial.rate_per_second)
    named = [result.term for outcome in ordered for result in outcome.missed_terms]
    return next((term for term in named if term != KEEPS_UP), KEEPS_UP if named else "")


def _notes(now: Situation, finding: _Finding) -> list[str]:
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
    if now.unusable:
        notes.append(
            f"{len(now.unusable)} of {len(now.outcomes)} trials say nothing about the target: "
            f"{now.unusable[-1].generator_reason}"
        )
    return notes
