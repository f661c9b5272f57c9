"""
Why a plan is what it is, in sentences with numbers.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from tonnage.domain import format_duration

from .costs import Front
from .kind_reasons import kind_reasons, schedule_reasons
from .money import dollars, long_duration, per_cent, requests_failed
from .options import Option
from .plans import Traffic
from .space import SearchSpace
from .trials import FleetTrial
from .turning_points import first_rise, where_it_fails

__all__ = ["refusal_of", "why_this"]

_WORDS: Final = (
    *("no", "one", "two", "three", "four", "five"),
    *("six", "seven", "eight", "nine", "ten"),
)


def why_this(
    best: Option,
    candidates: Sequence[Option],
    trial: FleetTrial,
    traffic: Traffic,
    space: SearchSpace,
) -> Iterator[str]:
    """Yield the reasons for a plan's best, the most important first."""
    if best.policy is not None:
        if best.policy.kind.scheduled:
            yield from schedule_reasons(best, trial)
        else:
            yield from _counts(best, trial, traffic)
        yield from kind_reasons(best, candidates)
        yield from _target(best, candidates, traffic)
        if best.keeps_margin and best.failed_fraction_with_margin is not None:
            yield (
                f"With {space.margin * 100:g} % more traffic it still holds, and fails"
                f" {requests_failed(best.failed_fraction_with_margin)}."
            )
    if best.serverless is not None:
        yield from _serverless(best, candidates)
    yield from _comparisons(best, candidates)
    yield from _front(best, candidates)
    yield from _unmeasured(best, candidates)


def refusal_of(nearest: Option, trial: FleetTrial, space: SearchSpace) -> str:
    """Return why nothing is planned, with what comes nearest."""
    where = where_it_fails(nearest, trial)
    return (
        f"no policy within max_capacity {space.max_capacity} meets it; the nearest fails"
        f" {per_cent(nearest.failed_fraction)} of requests{where}"
    )


def _counts(best: Option, trial: FleetTrial, traffic: Traffic) -> Iterator[str]:
    policy, carries = best.policy, best.line.rate_per_second
    assert policy is not None
    peak = f"{traffic.peak_per_second:,.0f} requests per second"
    if not policy.scales:
        count = _count(policy.min_capacity)
        yield (
            f"{count} at all times is cheapest: the traffic peaks at {peak}, and"
            f" {_carry(policy.min_capacity)} {policy.min_capacity * carries:,.0f}."
        )
        return
    rise = first_rise(best, trial)
    if rise is None:
        yield f"{_count(policy.min_capacity)} at rest is enough: nothing more is ever ordered."
        return
    yield (
        f"{policy.min_capacity} at rest is enough: the traffic reaches"
        f" {rise.reached_per_second:,.0f} requests per second before the first new instance"
        f" answers, and {_carry(policy.min_capacity)} {policy.min_capacity * carries:,.0f}."
    )
    yield (
        f"It is ordered after {format_duration(rise.ordered_seconds)} and answers after"
        f" {format_duration(rise.answers_seconds)}."
    )
    most = policy.max_capacity
    yield (
        f"{most} at most: the traffic peaks at {peak}, and {_carry(most)} {most * carries:,.0f}."
    )


def _target(best: Option, candidates: Sequence[Option], traffic: Traffic) -> Iterator[str]:
    assert best.policy is not None
    recipe = next((option for option in candidates if option.what == "AWS's recipe"), None)
    if not best.policy.scales or recipe is None or recipe.policy is None:
        return
    if recipe.policy.target_value == best.policy.target_value:
        return
    if best.policy.kind.is_high_resolution:
        return
    ours, theirs = best.policy.target_value, recipe.policy.target_value
    mine = requests_failed(best.failed_fraction)
    said = f"A target of {ours:,.0f} a minute and instance fails {mine}"
    compared = f"AWS's recipe, {theirs:,.0f}, fails {requests_failed(recipe.failed_fraction)}"
    hours = f"{best.instance_hours:,.2f} instance-hours against {recipe.instance_hours:,.2f}"
    yield f"{said}; {compared} ({hours} in {long_duration(traffic.duration_seconds)})."


def _serverless(best: Option, candidates: Sequence[Option]) -> Iterator[str]:
    assert best.serverless is not None
    yield (
        f"{best.serverless.max_concurrency} requests at once are enough, at"
        f" {best.serverless.memory_mb:,} MB: {requests_failed(best.failed_fraction)} are throttled,"
        f" and {per_cent(best.slow_fraction)} wait for a cold start."
    )
    running = [
        option
        for option in candidates
        if option.policy is not None and option.meets and not option.is_assumed
    ]
    if running:
        least = min(running, key=lambda option: option.cost.total)
        yield (
            f"On instances, {least.name} would cost {dollars(float(least.cost.cents))} a month"
            f" instead of {dollars(float(best.cost.cents))}."
        )


def _comparisons(best: Option, candidates: Sequence[Option]) -> Iterator[str]:
    mine = next((option for option in candidates if option.what == "as it is set"), None)
    if mine is not None and mine.instance_seconds and best.instance_seconds:
        hours = best.instance_seconds / mine.instance_seconds
        yield (
            f"As it is set now, {mine.name} at a target of"
            f" {_target_of(mine)}, it costs {dollars(float(mine.cost.instances))} a month for"
            f" instances and fails {requests_failed(mine.failed_fraction)}; the plan needs"
            f" {hours:.2f} of those instance-hours."
        )
    fixed = next(
        (
            option
            for option in candidates
            if option.what == "fixed"
            and option.meets
            and not option.is_assumed
            and option is not best
        ),
        None,
    )
    if fixed is not None and best.policy is not None and best.policy.scales:
        yield (
            f"Without scaling, {fixed.name} would be needed, for"
            f" {dollars(float(fixed.cost.instances))} a month instead of"
            f" {dollars(float(best.cost.instances))}."
        )


def _front(best: Option, candidates: Sequence[Option]) -> Iterator[str]:
    front = float(best.cost.front)
    running = float(best.cost.instances + best.cost.serverless)
    if best.front is not Front.NONE and front > running:
        yield (
            f"The front costs more than what it stands before: {dollars(front)} a month for"
            f" {_front_words(best.front)}, {dollars(running)} for what answers."
        )
    others = [
        f"{dollars(float(option.cost.front))} with {_front_words(option.front)}"
        for option in candidates
        if option.what.startswith("front ")
    ]
    if others:
        yield f"The same behind another front: {', '.join(others)}."


def _unmeasured(best: Option, candidates: Sequence[Option]) -> Iterator[str]:
    cheaper = [
        option
        for option in candidates
        if option.meets and option.is_assumed and option.cost.total < best.cost.total
    ]
    for option in cheaper:
        if option.assumed:
            yield (
                f"Not chosen, because {option.assumed}: {option.name}, {option.what}, would cost"
                f" {dollars(float(option.cost.cents))} a month instead of"
                f" {dollars(float(best.cost.cents))}."
            )
    cheaper = [option for option in cheaper if not option.assumed]
    if not cheaper:
        return
    least = min(cheaper, key=lambda option: option.cost.total)
    basis = (
        "its processing time is assumed from the line"
        if least.serverless
        else f"it carried {least.line.rate_per_second:,.0f} per second, as its vCPU suggest"
    )
    arm = " and its image were built for arm64" if least.line.kind.architecture == "arm64" else ""
    condition = f"where {basis}" if least.serverless else f"if {basis}{arm}"
    yield (
        f"Not chosen, because nobody has measured it: {least.name} would cost"
        f" {dollars(float(least.cost.cents))} a month instead of"
        f" {dollars(float(best.cost.cents))}, {condition}."
    )


def _target_of(option: Option) -> str:
    assert option.policy is not None
    return f"{option.policy.target_value:,.6g}"


def _count(count: int) -> str:
    return f"{count} instance{'s' if count != 1 else ''}"


def _carry(count: int) -> str:
    word = _WORDS[count] if count < len(_WORDS) else str(count)
    return f"{word} carries" if count == 1 else f"{word} carry"


def _front_words(front: Front) -> str:
    return {
        Front.REST: "a REST API",
        Front.HTTP: "an HTTP API and a Lambda function",
        Front.CHALICE: "a REST API and a Lambda function",
        Front.NONE: "no gateway",
    }[front]
