import dataclasses
import json

import pytest

from tonnage.domain import RunRecord
from tonnage.reporting.figures import figures, overview
from tonnage.reporting.theme import STYLES


def found(tree: object, key: str) -> list[object]:
    """Return every value of ``key``, however deep."""
    if isinstance(tree, dict):
        here = [tree[key]] if key in tree else []
        return here + [value for child in tree.values() for value in found(child, key)]
    if isinstance(tree, list):
        return [value for child in tree for value in found(child, key)]
    return []


def test_experiments_are_drawn_on_the_same_axes(records: list[RunRecord]):
    first, second = (figure.specification() for figure in figures(records))
    for one, other in zip(first["vconcat"], second["vconcat"], strict=True):
        domains = [
            {
                json.dumps(encoding[axis]["scale"]["domain"])
                for layer in panel["layer"]
                for encoding in [layer.get("encoding", {})]
                if "scale" in encoding.get(axis, {})
            }
            for panel in (one, other)
            for axis in ("x", "y")
        ]
        assert domains[:2] == domains[2:]
        assert [len(domain) for domain in domains] == [1, 1, 1, 1]


def test_a_chart_holds_seconds_and_not_requests(records: list[RunRecord]):
    (figure,) = figures(records[:1])
    assert len(figure.rows) == 12
    specification = json.dumps(figure.specification())
    assert len(specification) < 30_000


def test_rows_are_plain_json_with_gaps_as_null(empty: RunRecord):
    (figure,) = figures([empty])
    (row,) = figure.rows
    assert row["offered"] == 0
    assert row["p99"] is None
    json.dumps(figure.specification(), allow_nan=False)


def test_compressed_time_is_named_on_the_axis(records: list[RunRecord]):
    (figure,) = figures(records[:1])
    titles = [title for title in found(figure.specification(), "title") if isinstance(title, str)]
    assert "seconds since the load began (1 s here is 20 s of AWS time)" in titles


def test_what_is_missing_is_said_in_its_panel(empty: RunRecord):
    (figure,) = figures([empty])
    assert found(figure.specification(), "why") == [
        "None: the load was open loop.",
        "No fleet was recorded.",
        "No request was answered.",
    ]


def test_a_cap_is_drawn_only_where_a_fleet_has_it(records: list[RunRecord]):
    fleetless = dataclasses.replace(records[0], fleet=None)
    drawn = [json.dumps(figure.specification()) for figure in figures([records[0], fleetless])]
    assert ["emulated cap" in each for each in drawn] == [True, False]


def test_scaling_activities_carry_their_cause(records: list[RunRecord]):
    _, scaled = figures(records)
    causes = found(scaled.specification(), "cause")
    assert causes == ["1,200 invocations per instance | target 60"] * len(causes) != []


def test_pictures_carry_the_notes(records: list[RunRecord]):
    drawn = figures(records)
    for poster in (drawn[0].poster(), overview(drawn, "Both")):
        told = " ".join(poster["title"]["subtitle"])
        assert "Note: An emulated cap of 15/s, not what this machine carries." in told
        assert "Note: Noisy <machine>." in told


@pytest.mark.parametrize("panel", [("offered", "succeeded", "failed"), ("p50", "p95", "p99")])
def test_no_two_lines_differ_in_colour_alone(panel: tuple[str, ...]):
    dashes = {STYLES[name].dash for name in panel}
    assert len(dashes) == len(panel)
