"""
What the trials say: a line, a bound, or that there is none, and why.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tonnage.domain import format_duration, format_rate

from .sharing import Cores, cores_at_the_line
from .situation import FAR, Situation
from .trials import KEEPS_UP, TrialOutcome

__all__ = ["Finding", "LineVerdict", "finding_of", "gave_way_first"]

LineVerdict = Literal[
    "FOUND",
    "MACHINE_LIMITED",
    "GENERATOR_LIMITED",
    "AT_LEAST",
    "BELOW",
    "NOT_STATIONARY",
    "HYSTERETIC",
    "UNDECIDED",
]

_LEAST_MISSES: Final = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """
    An answer, before it is put beside what was asked.

    Attributes:
        verdict: As in ``LoadLine``; so are the next three.
        line: The line, or a bound.
        interval: Where it lies.
        reason: Why, in words.
        here: What the service carries beside its generator, when that only bounds its line.
        cores: Who used the machine's cores at the line; None without one.
    """

    verdict: LineVerdict
    line: float | None
    interval: tuple[float | None, float | None]
    reason: str
    here: tuple[float, float, float] | None = None
    cores: Cores | None = None


def finding_of(now: Situation) -> Finding:
    """Return what the trials so far say."""
    if not now.met_rates or not now.missed_rates:
        return _one_sided(now)
    return _moving(now) or _hysteretic(now) or _limited(now) or _found(now)


def _one_sided(now: Situation) -> Finding:
    if now.met_rates:
        return _not_below(now)
    if now.missed_rates:
        lowest = min(now.missed_rates)
        told = _told(min(_missed(now), key=lambda outcome: outcome.trial.rate_per_second))
        return Finding(
            verdict="BELOW",
            line=None,
            interval=(None, lowest),
            reason=f"the objective was missed at every rate down to {format_rate(lowest)}: {told}",
        )
    reasons = [outcome.generator_reason for outcome in now.unusable]
    said = reasons[-1] if reasons else "the budget left no time for a trial"
    return Finding(
        verdict="GENERATOR_LIMITED" if reasons else "UNDECIDED",
        line=None,
        interval=(None, None),
        reason=f"no trial can be believed: {said}",
    )


def _not_below(now: Situation) -> Finding:
    full = [outcome for outcome in now.of("confirm") if outcome.is_evidence and outcome.met]
    line = max((outcome.trial.rate_per_second for outcome in full), default=max(now.met_rates))
    if now.unusable and max(now.met_rates) < now.plan.max_per_second:
        return Finding(
            verdict="GENERATOR_LIMITED",
            line=line,
            interval=(line, None),
            reason=(
                f">= {format_rate(line)}, generator-limited: {now.unusable[-1].generator_reason}"
            ),
        )
    at_limit = line >= now.plan.max_per_second * (1 - 1e-9)
    why = "the highest rate allowed" if at_limit else "the budget ended there"
    return Finding(
        verdict="AT_LEAST",
        line=line,
        interval=(line, None),
        reason=f">= {format_rate(line)}, {why}: the objective held at every rate tried",
    )


def _hysteretic(now: Situation) -> Finding | None:
    if now.second_line is not None:
        after = _rate(now.belief.quantile(0.5))
        second = format_rate(now.second_line)
        return Finding(
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
        return Finding(
            verdict="HYSTERETIC",
            line=None,
            interval=(None, None),
            reason=(
                f"after an overload the objective is missed at {rate}, which it meets after a rest:"
                f" {_told(missed[-1])}"
            ),
        )
    return _unsteady(f"the objective is missed at {rate} now, after rests too, and was met before")


def _moving(now: Situation) -> Finding | None:
    repeated, first = now.of("overload"), now.first_overload
    if first is None or len(repeated) < _LEAST_MISSES or not now.carries_less:
        return None
    before, after = (_rate(outcome.completed_per_second) for outcome in (first, repeated[-1]))
    elapsed = format_duration(repeated[-1].began_seconds - first.began_seconds)
    return _unsteady(
        f"the target gets slower: offered {_rate(first.trial.rate_per_second)} it"
        f" carried {before} at first and {after} {elapsed} later"
    )


def _unsteady(reason: str) -> Finding:
    return Finding(verdict="NOT_STATIONARY", line=None, interval=(None, None), reason=reason)


def _limited(now: Situation) -> Finding | None:
    ceiling = now.ceiling_per_second
    if ceiling is None or now.belief.quantile(0.5) <= ceiling:
        return None
    return _not_below(now)


def _found(now: Situation) -> Finding:
    low, high = now.belief.interval(now.plan.level)
    line = now.belief.quantile(0.5)
    beyond = [
        outcome for outcome in _missed(now) if outcome.trial.rate_per_second >= low
    ] or _missed(now)
    cores = _cores_at_the_line(now, beyond, line)
    full = any(outcome.trial.purpose == "refine" for outcome in now.evidence)
    gave_way = _what_gave_way(now, beyond)
    if full and cores.is_shared:
        return Finding(
            verdict="MACHINE_LIMITED",
            line=low,
            interval=(low, None),
            reason=f">= {_rate(low)}, machine-limited: {cores.told()}; beside that the line is"
            f" {_rate(line)} ({_rate(low)} to {_rate(high)}), on cores of its own it may be"
            f" {cores.elsewhere}; {gave_way}",
            here=(low, line, high),
            cores=cores,
        )
    return Finding(
        verdict="FOUND" if full else "UNDECIDED",
        line=line,
        interval=(low, high),
        reason=gave_way if full else f"the budget left no time for a full window: {gave_way}",
        cores=cores,
    )


def _cores_at_the_line(now: Situation, beyond: Sequence[TrialOutcome], line: float) -> Cores:
    """Return who used the cores just beyond the line, where all of them are used if ever."""
    ordered = sorted(beyond, key=lambda outcome: outcome.trial.rate_per_second)
    near = [outcome for outcome in ordered if outcome.trial.rate_per_second <= FAR * line]
    return cores_at_the_line(
        [outcome.cores for outcome in near or ordered[:1]],
        [outcome.cores for outcome in now.outcomes],
    )


def _what_gave_way(now: Situation, beyond: Sequence[TrialOutcome]) -> str:
    """Say what happens just beyond the line, and where the user's own term gives way."""
    first = gave_way_first(now)
    ordered = sorted([*beyond, *now.of("overload")], key=lambda o: o.trial.rate_per_second)
    where = next((o for o in ordered if any(r.term == first for r in o.missed_terms)), None)
    told = ordered[:1] if where is None or where is ordered[0] else [ordered[0], where]
    return "; ".join(f"at {_rate(one.trial.rate_per_second)} {_told(one)}" for one in told)


def _missed(now: Situation) -> list[TrialOutcome]:
    return [outcome for outcome in now.evidence if not outcome.met]


def _told(outcome: TrialOutcome) -> str:
    return ", ".join(f"{result.seen} ({result.term})" for result in outcome.missed_terms)


def gave_way_first(now: Situation) -> str:
    """
    Name the term of the user's that is missed at the lowest rate beyond the line.

    Just beyond it often nothing gives way within the window, but the backlog grows; *keeps up* is
    named only if no term of the user's follows.
    """
    misses = [*_missed(now), *(o for o in now.of("overload") if o.is_evidence and not o.met)]
    ordered = sorted(misses, key=lambda outcome: outcome.trial.rate_per_second)
    named = [result.term for outcome in ordered for result in outcome.missed_terms]
    return next((term for term in named if term != KEEPS_UP), KEEPS_UP if named else "")


def _rate(per_second: float) -> str:
    return format_rate(round(per_second, 1))
