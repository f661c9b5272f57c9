"""
CloudWatch's operations on metrics.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tonnage.emulator.aws import AwsError
from tonnage.emulator.aws.paging import offset_of, page, token_of

from .metrics import Metric
from .reading import check_period, series_of_queries
from .statistics import SIMPLE_STATISTICS, statistic_of
from .store import MetricStore

__all__ = ["MetricOperations"]

_MINUTE: Final = 60
_MOST_DATAPOINTS: Final = 100_800
_MOST_STATISTICS: Final = 1440
_METRICS_PER_PAGE: Final = 500
_MOST_DATA: Final = 1000
_MOST_VALUES: Final = 150


@dataclass(frozen=True, slots=True)
class MetricOperations:
    """
    The operations.

    Attributes:
        store: The metrics.
    """

    store: MetricStore

    async def get_metric_data(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return series of statistics and of metric math."""
        span = self._span(given)
        queries: Sequence[Mapping[str, Any]] = given["MetricDataQueries"]
        series = series_of_queries(self.store, queries, span)
        shown = [query for query in queries if query.get("ReturnData", True)]
        size = min(given.get("MaxDatapoints", _MOST_DATAPOINTS), _MOST_DATAPOINTS)
        share = max(1, size // max(1, len(shown)))
        start = offset_of(given.get("NextToken"), code="InvalidNextToken")
        is_ascending = given.get("ScanBy") == "TimestampAscending"
        results, is_whole = [], True
        for query in shown:
            period, values = series[query["Id"]]
            every = sorted(values.items(), reverse=not is_ascending)
            part = every[start : start + share]
            is_rest = start + share >= len(every)
            is_whole &= is_rest
            results.append(
                {
                    "Id": query["Id"],
                    "Label": query.get("Label", _label(query)),
                    "Timestamps": [self.store.wall.epoch_of(index * period) for index, _ in part],
                    "Values": [value for _, value in part],
                    "StatusCode": "Complete" if is_rest else "PartialData",
                }
            )
        token = None if is_whole else token_of(start + share)
        return {"MetricDataResults": results, "NextToken": token, "Messages": []}

    async def get_metric_statistics(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return one metric's statistics."""
        simple, extended = given.get("Statistics", []), given.get("ExtendedStatistics", [])
        if not simple and not extended:
            raise AwsError(
                "InvalidParameterCombinationException",
                "At least one of the parameters Statistics and ExtendedStatistics "
                "must be specified.",
            )
        period = given["Period"]
        check_period(period)
        span = self._span(given)
        asked = (given["EndTime"] - given["StartTime"]) / period
        if asked > _MOST_STATISTICS:
            raise AwsError(
                "InvalidParameterCombinationException",
                f"You have requested up to {math.ceil(asked):,} datapoints, which exceeds the "
                f"limit of {_MOST_STATISTICS:,}. You may reduce the datapoints requested by "
                "increasing Period, or decreasing the time range.",
            )
        metric = Metric.of(given)
        unit = self.store.unit(metric)
        if given.get("Unit", unit) != unit:
            return {"Label": metric.name, "Datapoints": []}
        periods = self.store.periods(metric, period, *span)
        datapoints = []
        for index, values in sorted(periods.items()):
            point: dict[str, Any] = {
                "Timestamp": self.store.wall.epoch_of(index * period),
                "Unit": unit,
                **{name: SIMPLE_STATISTICS[name](values) for name in simple},
            }
            percentiles = {name: statistic_of(name)(values) for name in extended}
            there = {name: value for name, value in percentiles.items() if value is not None}
            datapoints.append({**point, **({"ExtendedStatistics": there} if there else {})})
        return {"Label": metric.name, "Datapoints": datapoints}

    async def list_metrics(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what metrics there are."""
        found = [metric.members for metric in self.store.all() if _matches(metric, given)]
        metrics, token = page(
            found, given.get("NextToken"), _METRICS_PER_PAGE, code="InvalidParameterValueException"
        )
        return {"Metrics": metrics, "NextToken": token}

    async def put_metric_data(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Keep values of a user's own metrics."""
        if given["Namespace"].startswith("AWS/"):
            raise AwsError(
                "InvalidParameterValueException",
                "The value AWS/ for parameter Namespace is invalid: it is reserved.",
            )
        data = given.get("MetricData", [])
        if not 1 <= len(data) <= _MOST_DATA:
            raise AwsError(
                "InvalidParameterValueException",
                f"The collection MetricData must have a size from 1 to {_MOST_DATA}.",
            )
        for datum in data:
            _check_datum(datum)
        for datum in data:
            self._put(given["Namespace"], datum)
        return {}

    def _put(self, namespace: str, datum: Mapping[str, Any]) -> None:
        wall = self.store.wall
        at = wall.seconds_of(datum["Timestamp"]) if "Timestamp" in datum else None
        values = self.store.put(
            Metric.of({"Namespace": namespace, **datum}),
            at_seconds=wall.clock.now_seconds() if at is None else at,
            unit=datum.get("Unit", "None"),
            period_seconds=1 if datum.get("StorageResolution") == 1 else _MINUTE,
        )
        if "StatisticValues" in datum:
            summary = datum["StatisticValues"]
            names = ("SampleCount", "Sum", "Minimum", "Maximum")
            values.add_summary(*(summary[name] for name in names))
        elif "Values" in datum:
            counts = datum.get("Counts", [1.0] * len(datum["Values"]))
            for value, count in zip(datum["Values"], counts, strict=True):
                values.add(value, count)
        else:
            values.add(datum["Value"])

    def _span(self, given: Mapping[str, Any]) -> tuple[float, float]:
        start, end = given["StartTime"], given["EndTime"]
        if start >= end:
            raise AwsError(
                "ValidationException"
                if "MetricDataQueries" in given
                else "InvalidParameterValueException",
                "The parameter StartTime must be less than the parameter EndTime.",
            )
        return self.store.wall.seconds_of(start), self.store.wall.seconds_of(end)


def _label(query: Mapping[str, Any]) -> str:
    return str(
        query["MetricStat"]["Metric"]["MetricName"] if "MetricStat" in query else query["Id"]
    )


def _matches(metric: Metric, given: Mapping[str, Any]) -> bool:
    if given.get("Namespace", metric.namespace) != metric.namespace:
        return False
    if given.get("MetricName", metric.name) != metric.name:
        return False
    there = dict(metric.dimensions)
    return all(
        wanted["Name"] in there
        and wanted.get("Value", there[wanted["Name"]]) == there[wanted["Name"]]
        for wanted in given.get("Dimensions", ())
    )


def _check_datum(datum: Mapping[str, Any]) -> None:
    kinds = [name for name in ("Value", "Values", "StatisticValues") if name in datum]
    if len(kinds) != 1:
        raise AwsError(
            "InvalidParameterCombinationException"
            if kinds
            else "MissingRequiredParameterException",
            f"The metric {datum['MetricName']} must have one of Value, Values and StatisticValues.",
        )
    values, counts = datum.get("Values", [0.0]), datum.get("Counts")
    if not 1 <= len(values) <= _MOST_VALUES or (counts is not None and len(counts) != len(values)):
        raise AwsError(
            "InvalidParameterValueException",
            f"The collection Values must have a size from 1 to {_MOST_VALUES}, "
            "and Counts the same size.",
        )
    numbers = [*values, *(counts or ()), *datum.get("StatisticValues", {}).values()]
    if not all(map(math.isfinite, [*numbers, datum.get("Value", 0.0)])):
        raise AwsError(
            "InvalidParameterValueException",
            f"The value of the metric {datum['MetricName']} must be a finite number.",
        )
