"""
A short real rehearsal: the story with ten instances of 60 requests per second instead of 600.
"""

from __future__ import annotations

import json
import os
import re
import signal
from typing import TYPE_CHECKING

import pytest

from support import descendants_of, gone, tonnage, until
from tonnage.cli._convert import objective, settings_shown, up_options
from tonnage.cli.load import load_plan
from tonnage.cli.rehearse import _told
from tonnage.config import Settings, read_settings
from tonnage.domain import HISTORY_COLUMNS, read_record
from tonnage.rehearsal import Rehearsal, RehearsalPlan, rehearse

if TYPE_CHECKING:
    from pathlib import Path

SMALL = (
    "local.time_scale=200",
    "local.instance_rate=60/s",
    "load.users=100",
    "load.spawn_rate=0.0625/s",
    "scaling.target_value=6",
)
"""A ramp of 8 s, a minute of 0.3 s, 1.5 s of provisioning; any load asks for all ten."""


@pytest.fixture(scope="module")
def settings(example_project: Path, packed_artefact: Path) -> Settings:
    return read_settings(example_project / "tonnage.toml", overrides=SMALL)


@pytest.fixture(scope="module")
def plan(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> RehearsalPlan:
    return RehearsalPlan(
        up=up_options(settings, host="127.0.0.1", port=0),
        load=load_plan(settings, None, {}),
        output=tmp_path_factory.mktemp("rehearsal") / "runs",
        settings=settings_shown(settings),
        alone_hold_seconds=5.0,
        scaled_hold_seconds=5.0,
        planned_hold_seconds=3.0,
        confirms_plan=True,
    )


@pytest.fixture(scope="module")
def held(plan: RehearsalPlan, settings: Settings) -> Rehearsal:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    rehearsal = rehearse(plan, objective(settings))
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
    return rehearsal


def test_one_instance_alone_fails_near_its_rate(held: Rehearsal):
    alone = held.alone
    assert alone.onset is not None
    assert 40 < alone.onset.offered_per_second < 85
    assert alone.onset.failed_fraction_before < 0.05
    assert 50 < alone.goodput_after_onset_per_second < 62
    assert 80 < alone.offered_at_peak_per_second < 110


def test_with_scaling_one_action_takes_the_fleet_from_one_to_ten(held: Rehearsal):
    scaled = held.scaled
    assert scaled.first_action == (1, 10)
    assert scaled.metric_value > 6
    assert scaled.in_service_at_seconds is not None
    assert scaled.in_service_at_seconds - scaled.decided_at_seconds > 1.49
    assert scaled.held.window_seconds == 5.0
    assert 80 < scaled.held.offered_per_second < 110
    assert scaled.whole.error_fraction < held.alone.whole.error_fraction / 5


def test_the_records_hold_what_the_fleet_did(held: Rehearsal):
    alone, scaled, _ = (read_record(directory) for directory in held.records)
    assert alone.fleet is not None
    assert {desired for _, desired, _ in alone.fleet.instances} == {1}
    assert alone.fleet.activities == ()
    assert scaled.fleet is not None
    assert scaled.fleet.instances[0] == (0.0, 1, 1)
    assert scaled.fleet.instances[-1][1:] == (10, 10)
    first = scaled.fleet.activities[0]
    assert "AlarmHigh" in first.cause
    assert all(0 < at <= scaled.duration_seconds for at, _ in scaled.fleet.invocations_per_instance)
    for record in (alone, scaled):
        assert record.fleet is not None
        assert record.fleet.time_scale == 200
        assert record.settings["local"]["time_scale"] == 200
        assert any("emulated cap of 60 requests per second" in note for note in record.notes)
        assert any("compressed 200 times" in note for note in record.notes)


def test_the_datapoints_count_what_was_sent(held: Rehearsal):
    """At the peak 100 requests a second are 6,000 a minute: 600 for each of ten instances."""
    scaled = read_record(held.records[1])
    assert scaled.fleet is not None
    last = [
        value
        for at, value in scaled.fleet.invocations_per_instance
        if at > scaled.duration_seconds - 4
    ]
    assert sum(last) / len(last) == pytest.approx(600, rel=0.15)


def test_the_report_is_one_file_that_tells_both(held: Rehearsal, plan: RehearsalPlan):
    page = held.report.page.read_text(encoding="utf-8")
    for experiment in plan.experiments:
        assert experiment.title in page
    assert "emulated cap" in page
    assert held.report.summary.is_file()


def test_the_plan_is_rehearsed_and_set_beside_what_was_planned(held: Rehearsal):
    planned = held.planned
    assert planned is not None
    best = planned.plan.best
    assert best is not None
    assert best.policy is not None
    assert planned.as_set is not None
    assert best.instance_seconds < 0.5 * planned.as_set.instance_seconds
    assert planned.confirmed is not None
    assert planned.confirmed.largest_count <= best.policy.max_capacity
    assert planned.confirmed.instance_hours < 0.5 * planned.as_set_rehearsed.instance_hours
    record = read_record(held.records[2])
    assert record.title.startswith("C: the plan, ")
    assert record.settings["scaling"]["target_value"] == best.policy.target_value
    page = held.report.page.read_text(encoding="utf-8")
    assert "The plan, rehearsed (C)" in page
    assert record.title in page


def test_each_run_has_its_series_which_the_page_links(held: Rehearsal, plan: RehearsalPlan):
    page = held.report.page.read_text(encoding="utf-8")
    for directory in held.records:
        rows = (directory / "series.csv").read_text(encoding="utf-8").splitlines()
        assert rows[0] == ",".join(HISTORY_COLUMNS)
        assert len(rows) > plan.ramp_seconds
        (link,) = re.findall(rf'href="([^"]*{directory.name}/series.csv)"', page)
        assert (held.report.page.parent / link).resolve() == (directory / "series.csv").resolve()


def test_json_is_plain(held: Rehearsal):
    told = json.loads(json.dumps(held.to_json()))
    assert set(told) == {"alone", "scaled", "plan", "records", "report"}
    assert told["scaled"]["first_action"] == [1, 10]


def test_the_summary_says_what_was_seen_with_which_settings(
    held: Rehearsal, plan: RehearsalPlan, settings: Settings
):
    told = _told(settings, plan, held)
    for words in (
        "Failures begin at ",
        "One action takes the fleet from 1 to 10",
        "Margin: ",
        " of 60 requests per second when the new instances came",
        "p50 ",
        "p99 ",
        "100 users, one more every 0.08 s",
        "target 6 invocations per instance and minute",
        "1 to 10 instances",
        "time compressed 200 times; an instance's 60/s is an emulated cap",
        "The plan: 1 to ",
        "Rehearsed: ",
        str(held.report.page),
    ):
        assert words in told


def test_an_interrupted_rehearsal_keeps_its_record_and_leaves_nothing(project: Path):
    """Ctrl-C on a terminal reaches the whole group, at the first progress line of A."""
    overrides = [part for setting in SMALL for part in ("--set", setting)]
    with tonnage("rehearse", *overrides, "-o", "runs", "--json", cwd=project) as command:
        command.until_line("users")
        family = descendants_of(command.pid)
        assert len(family) >= 4
        os.killpg(command.pid, signal.SIGINT)
        assert command.exit_code() == 130, command.stderr
        until(lambda: gone(family), "endpoint and generator to end")
    record = read_record(project / "runs" / "a-one-instance")
    assert record.generator["interrupted_by"] == "SIGINT"
    assert record.fleet is not None
    assert len(record.samples) > 0
    assert set(record.samples.status) == {200}, "the endpoint outlives the load"
    assert not (project / "runs" / "b-scaling").exists()
    assert "Traceback" not in command.stderr
    assert command.stdout == ""


def test_without_a_scaling_policy_there_is_no_story(project: Path):
    disabled = replace_in(project / "tonnage.toml", "enabled = true", "enabled = false")
    with tonnage("rehearse", "--config", disabled, cwd=project) as command:
        assert command.exit_code() == 2
    assert "needs a scaling policy" in command.stderr


def replace_in(file: Path, old: str, new: str) -> Path:
    file.write_text(file.read_text().replace(old, new))
    return file
