"""
The pictures of a plan hold its numbers, and the page loads nothing.
"""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tonnage.domain import ConfigurationError
from tonnage.reporting.plan_report import PlanFigure, PlanReport, write_plan_report
from tonnage.reporting.planning_figures import (
    CostPoint,
    PlanTimeline,
    WhatIf,
    frontier_chart,
    timeline_chart,
    what_if_chart,
)
from tonnage.reporting.sections import Section

PNG = b"\x89PNG\r\n\x1a\n"


def timeline(ticks: int) -> PlanTimeline:
    seconds = np.arange(float(ticks))
    serving = np.where(seconds < ticks / 2, 1.0, 2.0)
    return PlanTimeline(
        title="1 to 2",
        seconds=seconds,
        offered_per_second=seconds,
        failed_per_second=np.where(seconds == 7, 100.0, 0.0),
        capacity_per_second=600 * serving,
        desired=np.where(seconds < ticks / 4, 1.0, 2.0),
        in_service=serving,
    )


def points() -> list[CostPoint]:
    return [
        CostPoint(cost_usd_month=100, failed_fraction=0.05, what="a"),
        CostPoint(cost_usd_month=120, failed_fraction=0.002, what="b"),
        CostPoint(cost_usd_month=130, failed_fraction=0.01, what="dominated"),
        CostPoint(cost_usd_month=150, failed_fraction=0.0, what="c", kind="chosen", label="plan"),
    ]


def what_if() -> WhatIf:
    return WhatIf(
        knob="target",
        values=np.array([1000.0, 3000.0, 18000.0]),
        cost_usd_month=np.array([150.0, 120.0, 90.0]),
        failed_fraction=np.array([0.0, 0.0, 0.03]),
        chosen=3000.0,
    )


def values(chart: Any) -> list[dict[str, Any]]:  # noqa: ANN401 (Altair's own)
    described = chart.to_dict()
    rows: list[dict[str, Any]] = described["datasets"][described["data"]["name"]]
    return rows


def test_a_timeline_has_a_row_a_tick_and_the_unit_of_its_length():
    chart = timeline_chart(timeline(600))
    rows = values(chart)
    assert len(rows) == 300
    assert sum(row["failed"] for row in rows) * 2 == 100
    assert "minutes since the traffic began" in json.dumps(chart.to_dict())
    assert "days since" in json.dumps(timeline_chart(timeline(200_000)).to_dict())


def test_a_long_timeline_keeps_its_requests_and_its_most_instances():
    long = timeline(100_000)
    rows = values(timeline_chart(long))
    assert len(rows) <= 480
    assert max(row["in service"] for row in rows) == 2
    width = 100_000 // len(rows)
    assert sum(row["offered"] for row in rows) * width == pytest.approx(
        long.offered_per_second.sum(), rel=0.02
    )


def test_the_frontier_leaves_out_what_is_dominated():
    chart = frontier_chart(points(), 0.001).to_dict()
    lines = [layer for layer in chart["vconcat"][0]["layer"] if layer["mark"]["type"] == "line"]
    name = lines[0]["data"].get("name")
    edge = lines[0]["data"].get("values") or chart["datasets"][name]
    assert [row["cost"] for row in edge] == [100, 120, 150, 150]


def test_nothing_failed_is_drawn_where_the_axis_says_none():
    chart = frontier_chart(points(), 0.001).to_dict()
    assert "'none'" in json.dumps(chart)
    drawn = [
        row for rows in chart["datasets"].values() for row in rows if row.get("fraction") == 0.0
    ]
    assert [row["failed"] for row in drawn] == [1e-6]


def test_page_and_pictures_are_written_and_load_nothing(tmp_path: Path):
    figures = [
        PlanFigure(
            name="timeline", title="T <b>", caption="c", chart=timeline_chart(timeline(100))
        ),
        PlanFigure(name="frontier", title="F", caption="c", chart=frontier_chart(points(), 0.001)),
        PlanFigure(name="what-if", title="W", caption="c", chart=what_if_chart(what_if(), 0.001)),
    ]
    files = write_plan_report(
        PlanReport(
            title="A plan & more",
            notes=Section(title="Note", lines=["<script>alert(1)</script>"]),
            sections=[Section(title="Why", lines=["because"])],
            figures=figures,
        ),
        tmp_path / "out",
    )
    assert [file.name for file in files.pictures] == ["timeline.png", "frontier.png", "what-if.png"]
    assert all(file.read_bytes().startswith(PNG) for file in files.pictures)
    page = files.page.read_text(encoding="utf-8")
    assert "A plan &amp; more" in page
    assert "T &lt;b&gt;" in page
    assert "<script>alert" not in page
    assert not re.search(r'(src|href)="(?!data:)', page.split("<script")[0])
    assert page.count('class="chart"') == 3


def test_a_file_is_no_directory(tmp_path: Path):
    (tmp_path / "out").write_text("")
    report = PlanReport(title="x", notes=Section(title=""), sections=[], figures=[])
    with pytest.raises(ConfigurationError, match="is not a directory"):
        write_plan_report(report, tmp_path / "out")
