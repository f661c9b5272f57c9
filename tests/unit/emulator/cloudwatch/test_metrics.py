"""
What CloudWatch says of a variant, and of a user's own metrics.
"""

from typing import Any

import pytest

from aws_world import EPOCH, World
from tonnage.emulator.aws import AwsError

DIMENSIONS = [
    {"Name": "EndpointName", "Value": "prices"},
    {"Name": "VariantName", "Value": "linear"},
]


def statistics(world: World, name: str, *wanted: str, **given: object) -> list[dict[str, Any]]:
    simple = [one for one in wanted if not one.startswith("p")]
    extended = [one for one in wanted if one.startswith("p")]
    answer = world.call(
        "GetMetricStatistics",
        {
            "Namespace": "AWS/SageMaker",
            "MetricName": name,
            "Dimensions": DIMENSIONS,
            "StartTime": EPOCH,
            "EndTime": EPOCH + 3600,
            "Period": 60,
            **({"Statistics": simple} if simple else {}),
            **({"ExtendedStatistics": extended} if extended else {}),
            **given,
        },
    )
    assert answer["Label"] == name
    points: list[dict[str, Any]] = answer["Datapoints"]
    return points


def query(name: str, stat: str = "Sum", period: int = 60, **more: object) -> dict[str, Any]:
    metric = {"Namespace": "AWS/SageMaker", "MetricName": name, "Dimensions": DIMENSIONS}
    stat_of = {"Metric": metric, "Period": period, "Stat": stat}
    return {"Id": "m1", "MetricStat": stat_of, **more}


def data(world: World, *queries: dict[str, Any], **given: object) -> dict[str, Any]:
    span = {"StartTime": EPOCH, "EndTime": EPOCH + 36_000}
    return world.call(
        "GetMetricData", {"MetricDataQueries": queries and list(queries), **span, **given}
    )


def refusal(world: World, operation: str, given: dict[str, Any]) -> AwsError:
    with pytest.raises(AwsError) as raised:
        world.call(operation, given)
    return raised.value


@pytest.mark.parametrize("time_scale", [1.0, 20.0, 300.0])
def test_a_rate_reads_the_same_at_every_time_scale(time_scale: float):
    world = World(time_scale=time_scale)
    world.advance(2.5)
    for _ in range(120):
        world.invoke(int(300 / time_scale))
        world.advance(5.0)
    sums = [point["Sum"] for point in statistics(world, "Invocations", "Sum")]
    assert sums == [pytest.approx(12 * 300)] * 10


def test_timestamps_are_the_wall_clocks_and_a_period_counts_the_emulators_seconds():
    world = World(time_scale=20.0)
    world.minutes(5, 1)
    points = statistics(world, "Invocations", "Sum")
    assert [point["Timestamp"] - EPOCH for point in points] == [0.0, 3.0, 6.0, 9.0, 12.0]
    five = statistics(world, "Invocations", "Sum", Period=300)
    assert [(point["Timestamp"] - EPOCH, point["Sum"]) for point in five] == [(0.0, 100.0)]


def test_a_datapoint_comes_when_its_period_and_the_metric_delay_are_over():
    world = World(metric_delay_seconds=90.0)
    world.invoke(5)
    world.advance(149.0)
    assert statistics(world, "Invocations", "Sum") == []
    world.advance(1.0)
    assert [point["Sum"] for point in statistics(world, "Invocations", "Sum")] == [5.0]


def test_only_the_time_asked_for_is_told():
    world = World()
    world.minutes(5, 1)
    span = {"StartTime": EPOCH + 90, "EndTime": EPOCH + 180}
    points = statistics(world, "Invocations", "Sum", **span)
    assert [point["Timestamp"] - EPOCH for point in points] == [60.0, 120.0]


def test_errors_are_counted_by_what_the_container_answered():
    world = World()
    world.invoke(6)
    for status in (404, 500, 503, 0):
        world.invoke(1, status=status)
    world.advance(60.0)
    found = {
        name: statistics(world, name, "Sum", "Average", "SampleCount")[0]
        for name in ("Invocation4XXErrors", "Invocation5XXErrors", "InvocationModelErrors")
    }
    assert {name: point["Sum"] for name, point in found.items()} == {
        "Invocation4XXErrors": 1.0,
        "Invocation5XXErrors": 2.0,
        "InvocationModelErrors": 4.0,
    }
    assert found["InvocationModelErrors"]["Average"] == pytest.approx(0.4)
    assert found["InvocationModelErrors"]["SampleCount"] == 10.0


def test_latencies_are_in_microseconds_with_percentiles():
    world = World()
    for milliseconds in range(1, 101):
        world.invoke(1, milliseconds=float(milliseconds))
    world.advance(60.0)
    wanted = ("Average", "Minimum", "Maximum", "p50", "p99.9", "p100")
    (point,) = statistics(world, "ModelLatency", *wanted)
    assert point["Unit"] == "Microseconds"
    assert point["Average"] == pytest.approx(50_500)
    assert (point["Minimum"], point["Maximum"]) == (pytest.approx(1e3), pytest.approx(1e5))
    assert point["ExtendedStatistics"]["p50"] == pytest.approx(50_000, rel=0.03)
    assert point["ExtendedStatistics"]["p100"] == pytest.approx(100_000, rel=0.01)
    (overhead,) = statistics(world, "OverheadLatency", "Average")
    assert overhead["Average"] == pytest.approx(1000.0)


def test_without_traffic_invocations_are_zero_and_latencies_missing():
    world = World()
    world.advance(60.0)
    assert [point["Sum"] for point in statistics(world, "InvocationsPerInstance", "Sum")] == [0.0]
    assert statistics(world, "ModelLatency", "Average") == []
    assert statistics(world, "InvocationModelErrors", "Sum") == []


def test_each_invocation_counts_for_one_of_the_instances_in_service():
    world = World()
    world.variant.in_service_instance_count = 4
    world.invoke(100)
    world.advance(60.0)
    assert statistics(world, "InvocationsPerInstance", "Sum")[0]["Sum"] == 25.0


@pytest.mark.parametrize("time_scale", [1.0, 20.0])
def test_invocations_in_flight_are_a_mean_over_ten_seconds_and_not_multiplied(time_scale: float):
    world = World(time_scale=time_scale)
    metrics = world.variant.metrics
    flying = [metrics.arrived(2) for _ in range(8)]
    world.advance(15.0)
    for counts in flying:
        metrics.answered(counts, status=200, model_seconds=1.0)
    world.advance(25.0)
    points = statistics(world, "ConcurrentRequestsPerModel", "Average", Period=10)
    assert [point["Average"] for point in points] == pytest.approx([4.0, 2.0, 0.0, 0.0])
    (minute,) = statistics(world, "ConcurrentRequestsPerModel", "Average", "Maximum")
    assert (minute["Average"], minute["Maximum"]) == (pytest.approx(1.5), pytest.approx(4.0))


def test_metrics_are_listed_by_name_and_dimension():
    world = World()
    world.add(variant_name="other")
    listed = world.call("ListMetrics", {"Namespace": "AWS/SageMaker", "MetricName": "Invocations"})
    assert [metric["Dimensions"][1]["Value"] for metric in listed["Metrics"]] == ["linear", "other"]
    mine = [{"Name": "VariantName", "Value": "other"}]
    assert len(world.call("ListMetrics", {"Dimensions": mine})["Metrics"]) == 10
    assert world.call("ListMetrics", {"Dimensions": [{"Name": "Other"}]})["Metrics"] == []
    assert world.call("ListMetrics", {"Namespace": "Own"})["Metrics"] == []


def test_a_deleted_endpoint_keeps_its_past_and_a_new_one_of_its_name_adds_to_it():
    world = World()
    world.minutes(1, 3)
    world.remove(world.variant)
    world.advance(120.0)
    assert [point["Sum"] for point in statistics(world, "Invocations", "Sum")] == [3.0, 0.0]
    world.variant = world.add()
    world.minutes(1, 7)
    sums = {p["Timestamp"] - EPOCH: p["Sum"] for p in statistics(world, "Invocations", "Sum")}
    assert sums == {0.0: 3.0, 60.0: 0.0, 180.0: 7.0}


# GetMetricData.


def test_series_are_newest_first_unless_asked_otherwise():
    world = World()
    for count in (1, 2, 3):
        world.minutes(1, count)
    (newest,) = data(world, query("Invocations"))["MetricDataResults"]
    assert (newest["Values"], newest["StatusCode"]) == ([3.0, 2.0, 1.0], "Complete")
    assert newest["Label"] == "Invocations"
    oldest = data(world, query("Invocations", Label="mine"), ScanBy="TimestampAscending")
    assert oldest["MetricDataResults"][0]["Values"] == [1.0, 2.0, 3.0]
    assert oldest["MetricDataResults"][0]["Label"] == "mine"


def test_pages_together_are_the_whole():
    world = World()
    world.minutes(7, 1)
    values: list[float] = []
    given: dict[str, Any] = {"MaxDatapoints": 3}
    statuses = []
    while True:
        page = data(world, query("Invocations"), **given)
        values += page["MetricDataResults"][0]["Values"]
        statuses.append(page["MetricDataResults"][0]["StatusCode"])
        if "NextToken" not in page:
            break
        given["NextToken"] = page["NextToken"]
    assert values == [1.0] * 7
    assert statuses == ["PartialData", "PartialData", "Complete"]


def test_expressions_compute_with_series():
    world = World()
    world.minutes(2, 4)
    sums = query("Invocations", ReturnData=False)
    errors = {**query("InvocationModelErrors"), "Id": "e", "ReturnData": False}
    rate = {"Id": "rate", "Expression": "(m1 - FILL(e, 0)) / PER", "Label": "rate"}
    found = data(world, sums, errors, {**rate, "Expression": "(m1 - FILL(e, 0)) / 60"})
    (result,) = found["MetricDataResults"]
    assert (result["Id"], result["Label"]) == ("rate", "rate")
    assert result["Values"] == pytest.approx([4 / 60, 4 / 60])
    refused = [sums, errors, rate]
    with pytest.raises(AwsError, match="no metric with the id PER"):
        data(world, *refused)


@pytest.mark.parametrize(
    ("operation", "given", "code"),
    [
        (
            "GetMetricStatistics",
            {"Period": 45, "Statistics": ["Sum"]},
            "InvalidParameterValueException",
        ),
        ("GetMetricStatistics", {}, "InvalidParameterCombinationException"),
        ("GetMetricStatistics", {"ExtendedStatistics": ["tm90"]}, "InvalidParameterValueException"),
        ("GetMetricStatistics", {"Statistics": ["Mean"]}, "ValidationException"),
        (
            "GetMetricStatistics",
            {"Statistics": ["Sum"], "EndTime": EPOCH + 1441 * 60},
            "InvalidParameterCombinationException",
        ),
        (
            "GetMetricStatistics",
            {"Statistics": ["Sum"], "EndTime": EPOCH},
            "InvalidParameterValueException",
        ),
    ],
)
def test_statistics_that_cannot_be_are_refused(operation: str, given: dict[str, Any], code: str):
    world = World()
    world.minutes(1, 1)
    whole = {
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocations",
        "Dimensions": DIMENSIONS,
        "StartTime": EPOCH,
        "EndTime": EPOCH + 600,
        "Period": 60,
    }
    assert refusal(world, operation, {**whole, **given}).code == code


@pytest.mark.parametrize(
    ("queries", "given", "code"),
    [
        ([query("Invocations", period=7)], {}, "InvalidParameterValueException"),
        ([query("Invocations", "Mean")], {}, "InvalidParameterValueException"),
        ([{"Id": "M"}], {}, "ValidationException"),
        ([{"Id": "m"}], {}, "ValidationException"),
        ([query("Invocations"), query("Invocations")], {}, "ValidationException"),
        ([query("Invocations")], {"NextToken": "x"}, "InvalidNextToken"),
        ([query("Invocations")], {"EndTime": EPOCH}, "ValidationException"),
        (
            [query("Invocations"), {"Id": "e", "Expression": "m1", "Period": 300}],
            {},
            "ValidationException",
        ),
    ],
)
def test_data_that_cannot_be_are_refused(
    queries: list[dict[str, Any]], given: dict[str, Any], code: str
):
    with pytest.raises(AwsError) as raised:
        data(World(), *queries, **given)
    assert raised.value.code == code


# Metrics of a user's own.


def own(world: World, *stats: str, **given: object) -> list[dict[str, Any]]:
    span = {"StartTime": EPOCH - 600, "EndTime": EPOCH + 600, "Period": 60}
    answer = world.call(
        "GetMetricStatistics",
        {"Namespace": "Own", "MetricName": "queue", "Statistics": list(stats), **span, **given},
    )
    points: list[dict[str, Any]] = answer["Datapoints"]
    return points


def test_values_that_are_put_are_told_in_every_form():
    world = World()
    for datum in (
        {"Value": 1.0},
        {"Values": [2.0, 3.0], "Counts": [2.0, 1.0]},
        {"StatisticValues": {"SampleCount": 2, "Sum": 20, "Minimum": 8, "Maximum": 12}},
    ):
        put = {"MetricName": "queue", "Unit": "Count", **datum}
        world.call("PutMetricData", {"Namespace": "Own", "MetricData": [put]})
    (point,) = own(world, "SampleCount", "Sum", "Minimum", "Maximum", "Average")
    assert point == {
        "Timestamp": EPOCH,
        "Unit": "Count",
        "SampleCount": 6.0,
        "Sum": 28.0,
        "Minimum": 1.0,
        "Maximum": 12.0,
        "Average": pytest.approx(28 / 6),
    }
    assert own(world, "Sum", Unit="Bytes") == []
    assert [
        metric["MetricName"]
        for metric in world.call("ListMetrics", {"Namespace": "Own"})["Metrics"]
    ] == ["queue"]


def test_a_timestamp_and_a_resolution_say_where_a_value_goes():
    world = World(time_scale=20.0)
    at = {"MetricName": "queue", "Timestamp": EPOCH - 30, "Value": 5.0}
    world.call("PutMetricData", {"Namespace": "Own", "MetricData": [at]})
    assert own(world, "Sum")[0]["Timestamp"] == EPOCH - 30
    fine = {"MetricName": "fine", "StorageResolution": 1}
    for seconds in (0.0, 0.5):
        datum = {**fine, "Timestamp": EPOCH + seconds, "Value": 1.0}
        world.call("PutMetricData", {"Namespace": "Own", "MetricData": [datum]})
    assert [p["Timestamp"] for p in own(world, "Sum", MetricName="fine", Period=10)] == [
        EPOCH,
        EPOCH + 0.5,
    ]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"Namespace": "AWS/Own"}, "InvalidParameterValueException"),
        ({"MetricData": []}, "InvalidParameterValueException"),
        ({"MetricData": [{"MetricName": "m"}]}, "MissingRequiredParameterException"),
        (
            {"MetricData": [{"MetricName": "m", "Value": 1.0, "Values": [1.0]}]},
            "InvalidParameterCombinationException",
        ),
        (
            {"MetricData": [{"MetricName": "m", "Values": [1.0], "Counts": [1.0, 2.0]}]},
            "InvalidParameterValueException",
        ),
        (
            {"MetricData": [{"MetricName": "m", "Value": float("nan")}]},
            "InvalidParameterValueException",
        ),
    ],
)
def test_values_that_cannot_be_are_refused(given: dict[str, Any], code: str):
    whole = {"Namespace": "Own", "MetricData": [{"MetricName": "m", "Value": 1.0}], **given}
    assert refusal(World(), "PutMetricData", whole).code == code


def test_what_is_kept_is_bounded():
    """Two days of a minute's metric in a minute each: a day is kept."""
    world = World(time_scale=60.0)
    for _ in range(2 * 24 * 60):
        world.invoke(1)
        world.machine.advance(1.0)
    metrics = world.variant.metrics
    assert len(metrics._periods) == 24 * 60
    detailed = [c for c in metrics._periods.values() if c.model_latency_microseconds.buckets]
    assert len(detailed) == 180
    assert len(metrics._concurrency) <= 1081
