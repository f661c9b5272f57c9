"""
Series of a statistic: what ``GetMetricData``, ``GetMetricStatistics`` and alarms read.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tonnage.emulator.aws import AwsError

from .math import evaluated
from .metrics import Metric
from .statistics import statistic_of
from .store import MetricStore

__all__ = ["check_period", "query_period", "series_of_queries", "stat_series"]

_SHORT_PERIODS: Final = (1, 5, 10, 20, 30)
_MINUTE: Final = 60
_LOWER_CASE: Final = "abcdefghijklmnopqrstuvwxyz"


def check_period(period: int) -> None:
    """
    Return if CloudWatch has such periods.

    Raises:
        AwsError: If it has none.
    """
    if period % _MINUTE and period not in _SHORT_PERIODS:
        raise AwsError(
            "InvalidParameterValueException",
            "The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.",
        )


def stat_series(
    store: MetricStore,
    metric: Metric,
    statistic: str,
    period_seconds: float,
    span: tuple[float, float],
) -> dict[int, float]:
    """
    Return a statistic of each period that has one, by the period's number, ascending.

    Args:
        store: Where to read.
        metric: What.
        statistic: ``Sum``, ``p99`` and so on.
        period_seconds: On the emulator's clock.
        span: From and before which moment of it.
    """
    read = statistic_of(statistic)
    periods = store.periods(metric, period_seconds, *span)
    values = ((index, read(periods[index])) for index in sorted(periods))
    return {index: value for index, value in values if value is not None}


def query_period(queries: Sequence[Mapping[str, Any]]) -> int:
    """
    Return the one period of a group of ``MetricDataQueries``.

    Raises:
        AwsError: If they have several: series of different periods do not fit together here.
    """
    periods = {query["MetricStat"]["Period"] for query in queries if "MetricStat" in query}
    periods |= {query["Period"] for query in queries if "Period" in query}
    if len(periods) > 1:
        raise AwsError("ValidationException", "All metrics of an expression must share a Period.")
    period = periods.pop() if periods else _MINUTE
    check_period(period)
    return int(period)


def series_of_queries(
    store: MetricStore,
    queries: Sequence[Mapping[str, Any]],
    span: tuple[float, float],
) -> dict[str, tuple[int, dict[int, float]]]:
    """
    Return each query's period and series, by id.

    Raises:
        AwsError: If a query is malformed or asks for what is not emulated.
    """
    found: dict[str, tuple[int, dict[int, float]]] = {}
    for query in queries:
        _check_query(query, found)
        if "MetricStat" in query:
            stat = query["MetricStat"]
            check_period(stat["Period"])
            metric = Metric.of(stat["Metric"])
            series = stat_series(store, metric, stat["Stat"], stat["Period"], span)
            found[query["Id"]] = stat["Period"], series
    pending = [query for query in queries if "Expression" in query]
    while pending:  # an expression may use those before or after it
        ready = [query for query in pending if not _uses(query, pending)] or pending[:1]
        for query in ready:
            found[query["Id"]] = _expression(query, queries, found, span)
            pending.remove(query)
    return found


def _check_query(query: Mapping[str, Any], found: Mapping[str, object]) -> None:
    identity: str = query["Id"]
    if identity[0] not in _LOWER_CASE or not identity.replace("_", "a").isalnum():
        raise AwsError(
            "ValidationException",
            f"The value '{identity}' for parameter Id is not matching the expected pattern "
            "^[a-z][a-zA-Z0-9_]*$.",
        )
    if identity in found:
        raise AwsError("ValidationException", f"The id '{identity}' is used more than once.")
    if ("MetricStat" in query) == ("Expression" in query):
        raise AwsError(
            "ValidationException",
            f"The query '{identity}' must have one of MetricStat and Expression.",
        )


def _uses(query: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> bool:
    return any(other["Id"] in query["Expression"] for other in others if other is not query)


def _expression(
    query: Mapping[str, Any],
    queries: Sequence[Mapping[str, Any]],
    found: Mapping[str, tuple[int, dict[int, float]]],
    span: tuple[float, float],
) -> tuple[int, dict[int, float]]:
    period = query_period([*(one for one in queries if "MetricStat" in one), query])
    periods = range(int(span[0] // period), -int(-span[1] // period))
    series = {identity: values for identity, (_, values) in found.items()}
    return period, evaluated(query["Expression"], series, periods)
