"""
A window of an endpoint's metrics, minute by minute, as CloudWatch has them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from tonnage.domain import LatencyObjective

__all__ = ["Minute", "read_minutes"]

_PERIOD_SECONDS: Final = 60
_MICROSECONDS: Final = 1e6


@dataclass(frozen=True, kw_only=True, slots=True)
class Minute:
    """
    One minute of metrics; None where CloudWatch has no datapoint.

    Attributes:
        at: Its beginning.
        invocations: Their number.
        invocations_per_instance: Each counted as 1 ÷ instances in service.
        model_latency_seconds: The objective's percentile.
        overhead_latency_seconds: The same of what SageMaker adds.
        error_fraction: The share that ended with 5XX.
    """

    at: datetime
    invocations: float
    invocations_per_instance: float | None
    model_latency_seconds: float | None
    overhead_latency_seconds: float | None
    error_fraction: float | None

    @property
    def instances(self) -> float | None:
        """Instances in service, on average over its invocations."""
        return (
            self.invocations / self.invocations_per_instance
            if self.invocations_per_instance
            else None
        )

    @property
    def rate_per_instance(self) -> float | None:
        """Invocations per second and instance."""
        each = self.invocations_per_instance
        return None if each is None else each / _PERIOD_SECONDS


def read_minutes(
    cloudwatch: Any,  # noqa: ANN401 (a boto3 client)
    endpoint: str,
    variant: str,
    latency: LatencyObjective,
    now: datetime,
    window_seconds: float,
) -> list[Minute]:
    """Return the minutes of a window that had invocations, the oldest first."""
    percentile = f"p{latency.percentile * 100:g}"
    wanted = {
        "invocations": ("Invocations", "Sum"),
        "per_instance": ("InvocationsPerInstance", "Sum"),
        "model": ("ModelLatency", percentile),
        "overhead": ("OverheadLatency", percentile),
        "errors": ("Invocation5XXErrors", "Average"),
    }
    dimensions = [
        {"Name": "EndpointName", "Value": endpoint},
        {"Name": "VariantName", "Value": variant},
    ]
    queries = [
        {
            "Id": key,
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/SageMaker",
                    "MetricName": metric,
                    "Dimensions": dimensions,
                },
                "Period": _PERIOD_SECONDS,
                "Stat": statistic,
            },
        }
        for key, (metric, statistic) in wanted.items()
    ]
    series: dict[str, dict[datetime, float]] = {key: {} for key in wanted}
    asked = {
        "MetricDataQueries": queries,
        "StartTime": now - timedelta(seconds=window_seconds),
        "EndTime": now,
        "ScanBy": "TimestampAscending",
    }
    while True:
        page = cloudwatch.get_metric_data(**asked)
        for result in page["MetricDataResults"]:
            pairs = zip(result["Timestamps"], result["Values"], strict=True)
            series[result["Id"]].update(pairs)
        if not page.get("NextToken"):
            break
        asked["NextToken"] = page["NextToken"]
    return [
        _minute(at, series) for at in sorted(series["invocations"]) if series["invocations"][at]
    ]


def _minute(at: datetime, series: Mapping[str, Mapping[datetime, float]]) -> Minute:
    def seconds(key: str) -> float | None:
        microseconds = series[key].get(at)
        return None if microseconds is None else microseconds / _MICROSECONDS

    return Minute(
        at=at,
        invocations=series["invocations"][at],
        invocations_per_instance=series["per_instance"].get(at),
        model_latency_seconds=seconds("model"),
        overhead_latency_seconds=seconds("overhead"),
        error_fraction=series["errors"].get(at),
    )
