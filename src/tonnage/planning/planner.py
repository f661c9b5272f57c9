"""
``plan``: the cheapest way of running a service that meets its objective.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from tonnage.domain import ConfigurationError, Objective, RateProfile
from tonnage.simulation import FleetModel

from .calendars import Calendar
from .costs import CallShape, Front
from .explaining import refusal_of, why_this
from .limits import Limits, check_capacity, check_front, check_real_time
from .lines import LoadLine, load_lines
from .making import OptionMaker
from .options import Option
from .plans import Plan, Traffic
from .policies import PolicySettings
from .price_file import read_prices
from .prices import Price, PriceBook, price_warnings
from .ranking import best_of, of_interest, ordered
from .searches import Work, search_all, tick_seconds_of
from .serverless import ServerlessAssumptions
from .space import SearchSpace
from .trials import peak_rate_per_second

__all__ = ["PUBLIC_FRONTS", "SAFETY_FACTOR", "plan"]

PUBLIC_FRONTS: Final = (Front.REST, Front.HTTP, Front.CHALICE)
"""What gives the service a public address; ``none`` leaves callers that sign for themselves."""

SAFETY_FACTOR: Final = 0.5
"""AWS's advice: target = highest rate x 0.5 x 60 (DG: endpoint-scaling-loadtest)."""


def plan(
    traffic: RateProfile,
    lines: Mapping[str, float],
    *,
    objective: Objective,
    book: PriceBook | None = None,
    fleet: FleetModel | None = None,
    space: SearchSpace | None = None,
    fronts: Sequence[Front] = PUBLIC_FRONTS,
    types: Sequence[str] | None = None,
    calls: CallShape | None = None,
    limits: Limits | None = None,
    current: tuple[str, PolicySettings] | None = None,
    calendar: Calendar | None = None,
    today: date,
) -> Plan:
    """
    Return the cheapest way of running a service that meets its objective on a traffic.

    Args:
        traffic: What is offered: a profile, or a trace.
        lines: Instance type → its measured load line, requests per second.
        objective: What "carries the load" means.
        book: The prices; the packaged ones when not given.
        fleet: How instances behave; its line is replaced by each type's.
        space: Where to look.
        fronts: What may stand before the endpoint; the cheapest is taken.
        types: Instance types to consider beside the measured ones, on a line scaled by vCPU; all
            with a price when not given, none when empty.
        calls: What one request is.
        limits: The account's quotas.
        current: A type with a measured line and the policy it runs under now, to compare with.
        calendar: When the traffic begins. Without it schedules are tried as if it began at
            midnight UTC, and never chosen.
        today: For the age of prices, and to tell a forecast from a recording.

    Raises:
        ConfigurationError: If lines, types, bounds or fronts are not what AWS or the prices know.
    """
    work = Work(
        traffic=traffic,
        objective=objective,
        book=book or read_prices(),
        fleet=fleet or FleetModel(line_per_second=1.0),
        space=space or SearchSpace(),
        calls=calls or CallShape(),
        limits=limits or Limits(),
        tick_seconds=tick_seconds_of(traffic),
        calendar=calendar,
        today=today,
    )
    check_real_time(work.calls)
    described = _described(traffic, work.tick_seconds)
    known = load_lines(lines, work.book, types=types)
    refused: list[str] = []
    maker = OptionMaker(
        traffic=described,
        objective=objective,
        book=work.book,
        calls=work.calls,
        fronts=_allowed_fronts(fronts, described, work, refused),
        failed_share=work.space.failed_share,
    )
    searches = search_all(work, known, described, refused)
    line, searched = of_interest(searches)
    compared = _compared(work, line, known, current, maker, refused)
    options = [
        *(option for each, found in searches for option in maker.from_search(each, found)),
        *compared,
        *maker.serverless(
            traffic, known[0], work.limits, ServerlessAssumptions(), refused, work.space
        ),
        *maker.runners_up(line, searched),
    ]
    best = best_of(options)
    trial = work.trial(line)
    if best is not None:
        options += maker.other_fronts(best)
    nearest = maker.at(line, searched, searched.nearest, "nearest")
    candidates = ordered(options if best else [nearest, *options])
    return Plan(
        best=best,
        candidates=tuple(candidates),
        refusal=None if best else refusal_of(nearest, trial, work.space),
        why=(*why_this(best, candidates, trial, described, work.space), *searched.left_out)
        if best
        else (),
        warnings=(
            *_assumptions(best, work, described),
            *price_warnings(_prices_used(candidates), today),
        ),
        refused=tuple(dict.fromkeys(refused)),
        objective=objective,
        margin=work.space.margin,
        traffic=described,
        searched=searched,
        line=line,
        trial=trial,
    )


def _described(traffic: RateProfile, tick_seconds: float) -> Traffic:
    duration = traffic.duration_seconds
    offered = float(traffic.arrivals_by(duration))
    if offered <= 0:
        raise ConfigurationError("the traffic has no requests: there is nothing to plan for")
    gaps = traffic.gaps_seconds
    return Traffic(
        duration_seconds=duration,
        offered=offered,
        peak_per_second=peak_rate_per_second(traffic, tick_seconds=tick_seconds),
        unknown_seconds=float((gaps[:, 1] - gaps[:, 0]).sum()),
    )


def _allowed_fronts(
    fronts: Iterable[Front], traffic: Traffic, work: Work, refused: list[str]
) -> list[Front]:
    allowed = []
    for front in fronts:
        try:
            check_front(front, traffic.peak_per_second, work.calls, work.limits)
            allowed.append(front)
        except ConfigurationError as error:
            refused.append(f"front {front}: {error.message}")
    if not allowed:
        raise ConfigurationError(
            f"no front carries this traffic: {'; '.join(refused)}", hint="try --front none"
        )
    return allowed


def _compared(
    work: Work,
    line: LoadLine,
    known: Sequence[LoadLine],
    current: tuple[str, PolicySettings] | None,
    maker: OptionMaker,
    refused: list[str],
) -> Iterator[Option]:
    """Return AWS's recipe and the settings as they are, to compare with."""
    margin = work.space.margin
    if not line.kind.burstable:
        recipe = PolicySettings(
            min_capacity=work.space.min_capacity,
            max_capacity=work.space.max_capacity,
            target_value=round(line.rate_per_second * SAFETY_FACTOR * 60, 6),
        )
        yield maker.of_policy(line, recipe, work.trial(line), "AWS's recipe", margin)
    name, policy = current or ("", None)
    mine = next((each for each in known if each.kind.name == name), None)
    if mine is None or policy is None:
        return
    try:
        check_capacity(
            mine.kind,
            min_capacity=policy.min_capacity,
            max_capacity=policy.max_capacity,
            scales=policy.scales,
            limits=work.limits,
        )
        yield maker.of_policy(mine, policy, work.trial(mine), "as it is set", margin)
    except ConfigurationError as error:
        refused.append(f"the settings as they are: {error.message}")


def _prices_used(options: Sequence[Option]) -> list[Price]:
    return [price for option in options for price in option.cost.prices]


def _assumptions(best: Option | None, work: Work, traffic: Traffic) -> Iterator[str]:
    if best is not None and best.front.has_lambda:
        yield (
            f"the Lambda function in front is assumed to be billed for"
            f" {work.calls.lambda_seconds * 1000:g} ms at {work.calls.lambda_memory_mb} MB:"
            " measure it"
        )
    if best is not None and best.serverless is not None:
        taken = ServerlessAssumptions()
        yield (
            f"serverless: a request is taken to need the processor that the line of"
            f" {best.line.kind.name} says, a cold start {taken.setup_seconds:g} s, and an idle"
            f" container to be kept for {taken.warm_seconds:g} s: measure it with `tonnage load`"
        )
    if best is not None and not best.keeps_margin:
        yield (
            f"no policy within max_capacity {work.space.max_capacity} holds"
            f" {work.space.margin:.0%} more traffic: this one holds what was given and no more"
        )
    if traffic.unknown_seconds:
        yield (
            f"{traffic.unknown_seconds / traffic.duration_seconds:.1%} of the traffic is a gap:"
            " it counts as time without requests"
        )
    if work.fleet.metric_delay_seconds == 0:
        yield "metrics are taken to arrive at once; on AWS they take 60 to 120 s (metric_delay)"
