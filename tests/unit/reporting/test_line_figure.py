"""The picture of a load line says what was found, and what was not."""

import json

import pytest

from tonnage.reporting.line_figure import LineCurve, LinePoint, line_figure, line_picture

POINTS = tuple(
    LinePoint(
        rate_per_second=rate, p50_seconds=0.003, p99_seconds=0.002 * 1.01**rate, met=rate < 600
    )
    for rate in range(50, 750, 50)
)


def test_line_interval_knee_and_threshold_are_named():
    curve = LineCurve(
        title="The load line",
        points=POINTS,
        line_per_second=603.0,
        interval_per_second=(598.0, 608.0),
        knee_per_second=450.0,
        threshold_seconds=0.25,
    )
    drawn = json.dumps(line_figure(curve), ensure_ascii=False)
    for said in ("load line 603/s  [598, 608]", "knee 450/s", "threshold 250 ms"):
        assert said in drawn


def test_a_lower_bound_reads_as_one():
    curve = LineCurve(
        title="t", points=POINTS, line_per_second=700.0, interval_per_second=(700.0, None)
    )
    assert "load line ≥ 700/s" in json.dumps(line_figure(curve), ensure_ascii=False)


@pytest.mark.parametrize("line", [None, 603.0])
def test_it_is_a_picture(line: float | None):
    curve = LineCurve(title="t", points=POINTS, line_per_second=line)
    assert line_picture(curve, scale=0.5).startswith(b"\x89PNG")
