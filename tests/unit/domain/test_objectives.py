"""
What "carries the load" means, as people write it.
"""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.domain import ConfigurationError, ErrorObjective, LatencyObjective, Objective


@pytest.mark.parametrize(
    ("text", "percentile", "threshold_seconds"),
    [
        ("p99 < 250ms", 0.99, 0.25),
        ("p50<1s", 0.5, 1),
        (" p99.9 < 1.5s ", 0.999, 1.5),
        ("p99 < 250 ms", 0.99, 0.25),
    ],
)
def test_a_latency_objective_is_read(text: str, percentile: float, threshold_seconds: float):
    objective = LatencyObjective.parse(text)
    assert objective.percentile == pytest.approx(percentile)
    assert objective.threshold_seconds == pytest.approx(threshold_seconds)


@pytest.mark.parametrize("text", ["< 0.1%", "errors < 0.1%", "errors<0.1 %"])
def test_an_error_objective_is_read(text: str):
    assert ErrorObjective.parse(text).max_fraction == pytest.approx(0.001)


@pytest.mark.parametrize(
    "text",
    ["", "p99", "p0 < 1s", "p100 < 1s", "p101 < 1s", "p99 > 1s", "p99 < 250", "99 < 1s", "p99 < s"],
)
def test_what_is_no_latency_objective_is_refused(text: str):
    with pytest.raises(ConfigurationError):
        LatencyObjective.parse(text)


@pytest.mark.parametrize("text", ["", "0.1%", "< 0.1", "errors > 1%", "< 101%", "< 1.2.3%", "< %"])
def test_what_is_no_error_objective_is_refused(text: str):
    with pytest.raises(ConfigurationError):
        ErrorObjective.parse(text)


NEARLY = st.text(st.sampled_from("p9.0< merosu%\u0663"), max_size=16)


@given(text=st.text() | NEARLY | NEARLY.map("p99 < {}".format) | NEARLY.map("< {}".format))
@pytest.mark.parametrize("kind", [LatencyObjective, ErrorObjective])
def test_junk_raises_only_configuration_error(
    kind: type[LatencyObjective | ErrorObjective], text: str
):
    try:
        objective = kind.parse(text)
    except ConfigurationError:
        return
    assert isinstance(objective, kind)
    if isinstance(objective, LatencyObjective):
        assert 0 < objective.percentile < 1
        assert math.isfinite(objective.threshold_seconds)
    else:
        assert 0 <= objective.max_fraction <= 1


@given(
    percent=st.sampled_from([50, 90, 95, 99, 99.9]),
    milliseconds=st.integers(1, 999),
    error_percent=st.sampled_from([0.01, 0.1, 1, 5]),
)
def test_an_objective_reads_as_it_is_written(
    percent: float, milliseconds: int, error_percent: float
):
    objective = Objective(
        latency=LatencyObjective.parse(f"p{percent:g} < {milliseconds}ms"),
        errors=ErrorObjective.parse(f"< {error_percent:g}%"),
    )
    latency, errors = str(objective).split(" and ")
    again = LatencyObjective.parse(latency)
    assert again.percentile == pytest.approx(objective.latency.percentile)
    assert again.threshold_seconds == pytest.approx(objective.latency.threshold_seconds)
    assert ErrorObjective.parse(errors).max_fraction == pytest.approx(error_percent / 100)
