"""
How what runs has done, held against its objective, its load line and its price.

The load line is held against every minute of the window: a minute that missed its objective below
the planned line contradicts it, and one that met it above says that it is higher. Nothing is
extrapolated: a window without traffic says nothing of the line, and that is said.
"""

from collections.abc import Iterator, Sequence

from tonnage.domain import Objective, format_duration, format_fraction, format_rate
from tonnage.planning import HOURS_A_MONTH, PriceBook, find_type

from .findings import Expected, Finding
from .live import LiveEndpoint
from .minutes import Minute
from .settings import InstanceVariant

__all__ = ["notes_on", "service_findings"]


def service_findings(expected: Expected, live: LiveEndpoint, book: PriceBook) -> Iterator[Finding]:
    """Yield what its metrics say of cost, latency, errors and the line."""
    if isinstance(expected.variant, InstanceVariant):
        yield from _cost(expected, expected.variant, live, book)
    yield from _objective(expected.objective, live.minutes)
    yield from _line(expected, live.minutes)


def _cost(
    expected: Expected, variant: InstanceVariant, live: LiveEndpoint, book: PriceBook
) -> Iterator[Finding]:
    kind = live.variant.get("InstanceType", variant.instance_type)
    counts = [minute.instances for minute in live.minutes if minute.instances is not None]
    mean = sum(counts) / len(counts) if counts else live.current_instance_count
    if mean is None or kind not in book.types:
        return
    monthly = round(float(find_type(kind, book).price.usd) * HOURS_A_MONTH * mean, 2)
    planned = expected.instances_usd_month
    yield Finding(
        what="instances, dollars a month",
        planned="not known" if planned is None else planned,
        actual=monthly,
        is_drift=planned is not None and monthly > planned * (1 + expected.tolerance),
    )


def _missed(minute: Minute, objective: Objective) -> bool:
    latency, errors = minute.model_latency_seconds, minute.error_fraction
    return (latency is not None and latency >= objective.latency.threshold_seconds) or (
        errors is not None and errors >= objective.errors.max_fraction > 0
    )


def _objective(objective: Objective, minutes: Sequence[Minute]) -> Iterator[Finding]:
    latencies = [
        minute.model_latency_seconds
        for minute in minutes
        if minute.model_latency_seconds is not None
    ]
    if latencies:
        over = sum(each >= objective.latency.threshold_seconds for each in latencies)
        yield Finding(
            what="ModelLatency",
            planned=str(objective.latency),
            actual=f"{format_duration(max(latencies))} in the worst minute, {over} of"
            f" {len(latencies)} minutes miss it",
            is_drift=over > 0,
        )
    offered = sum(minute.invocations for minute in minutes)
    if offered:
        failed = sum(minute.invocations * (minute.error_fraction or 0.0) for minute in minutes)
        yield Finding(
            what="Invocation5XXErrors",
            planned=str(objective.errors),
            actual=format_fraction(failed / offered),
            is_drift=failed / offered >= objective.errors.max_fraction and failed > 0,
        )


def _line(expected: Expected, minutes: Sequence[Minute]) -> Iterator[Finding]:
    rates = [
        (minute.rate_per_instance, _missed(minute, expected.objective))
        for minute in minutes
        if minute.rate_per_instance is not None
    ]
    line = expected.line_per_second
    if not rates or line is None:
        return
    carried = max((rate for rate, missed in rates if not missed), default=0.0)
    broke = min((rate for rate, missed in rates if missed), default=None)
    actual = f"carried {format_rate(round(carried, 3))} an instance"
    if broke is not None:
        actual += f", missed the objective at {format_rate(round(broke, 3))}"
    yield Finding(
        what="load line",
        planned=f"{format_rate(line)} an instance",
        actual=actual,
        is_drift=broke is not None and broke < line * (1 - expected.tolerance),
    )


def notes_on(expected: Expected, live: LiveEndpoint) -> Iterator[str]:
    """Yield what could not be compared, and what no metric of SageMaker holds."""
    is_serverless = not isinstance(expected.variant, InstanceVariant)
    if not live.minutes:
        yield (
            f"no invocation in the last {format_duration(live.window_seconds)}: latency, errors and"
            " line were not compared"
        )
    elif not is_serverless and expected.line_per_second is None:
        yield "the load line was not compared: give --line, or --plan"
    overheads = [
        minute.overhead_latency_seconds
        for minute in live.minutes
        if minute.overhead_latency_seconds is not None
    ]
    if overheads:
        yield (
            "SageMaker's own OverheadLatency comes on top, up to"
            f" {format_duration(max(overheads))}; the client's network is in neither"
        )
    if is_serverless:
        yield "no metric tells what a serverless endpoint bills: the cost was not compared"
    elif expected.instances_usd_month is None:
        yield "the cost was not compared: give --plan"
