"""
Faults that are injected: what clients see, and that the fleet heals.
"""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from support import Clients, gone, post, tonnage, until
from tonnage.domain import RunRecord, Samples, read_record, write_record
from tonnage.emulator import Fault, FaultAction, UpOptions, up_in_background

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support import Up
    from tonnage.emulator import BackgroundEndpoint

ROW = {"distance": 150}
SHORT_SECONDS = 300.0
"""On the emulator's clock, a second of real time."""
NO_SAMPLES = Samples(
    intended_seconds=np.empty(0),
    sent_seconds=np.empty(0),
    done_seconds=np.empty(0),
    status=np.empty(0, dtype=np.uint16),
)


def process_ids(endpoint: BackgroundEndpoint) -> set[int]:
    return {
        instance["process_id"]
        for instance in endpoint.state()["instances"]
        if instance["state"] == "InService"
    }


def test_a_fault_of_the_file_happens_at_its_time(up_options: Callable[..., UpOptions]):
    faults = (Fault(action=FaultAction.KILL, at_seconds=60.0),)
    options = replace(up_options(count=2, provisioning_delay_seconds=0.0), faults=faults)
    began = time.monotonic()
    with up_in_background(options) as endpoint:
        (event,) = until(endpoint.fault_events, "the fault to happen")
        assert event["action"] == "kill"
        assert len(event["instances"]) == 1
        assert event["at_monotonic_seconds"] >= began + 60.0 / options.local.time_scale
        until(
            lambda: (
                event["instances"][0]
                not in {each["instance_id"] for each in endpoint.state()["instances"]}
                and endpoint.state()["in_service_instance_count"] == 2
            ),
            "another in its place",
        )


def test_a_fault_is_in_the_fleets_timeline_and_in_the_record_of_a_run(start_up: Up, tmp_path: Path):
    began = time.monotonic()
    with start_up(count=2, provisioning_delay_seconds=0.0) as endpoint:
        endpoint.inject(Fault(action=FaultAction.KILL))
        endpoint.inject(Fault(action=FaultAction.FAIL_LAUNCH, at_seconds=60.0))
        until(lambda: len(endpoint.fault_events()) == 2, "both faults to happen")
        events, timeline = endpoint.fault_events(), endpoint.timeline(began)
    assert [fault.action for fault in timeline.faults] == ["kill", "fail_launch"]
    assert [list(fault.instances) for fault in timeline.faults] == [events[0]["instances"], []]
    assert [fault.at_seconds for fault in timeline.faults] == pytest.approx(
        [event["at_monotonic_seconds"] - began for event in events]
    )
    record = RunRecord(
        name="a-fault",
        title="A fault",
        started_at_epoch_seconds=0.0,
        duration_seconds=1.0,
        samples=NO_SAMPLES,
        fleet=timeline,
    )
    kept = read_record(write_record(record, tmp_path / "run")).fleet
    assert kept is not None
    assert [asdict(fault) for fault in kept.faults] == [
        {**asdict(fault), "instances": tuple(fault.instances)} for fault in timeline.faults
    ]


def test_an_instance_told_to_fail_answers_5xx_for_a_while(start_up: Up):
    with start_up() as endpoint:
        endpoint.inject(Fault(action=FaultAction.FAIL, for_seconds=SHORT_SECONDS))
        answer = until(
            lambda: (got := post(f"{endpoint.url}/evaluate", ROW)).status != 200 and got,
            "a failure",
        )
        assert (answer.status, answer.error["code"]) == (424, "model_error")
        until(lambda: post(f"{endpoint.url}/evaluate", ROW).status == 200, "the end of it")


def test_a_slow_instance_adds_its_delay_to_each_answer(start_up: Up):
    with start_up() as endpoint:
        fault = Fault(
            action=FaultAction.SLOW, for_seconds=100 * SHORT_SECONDS, factor=2.0, delay_seconds=0.2
        )
        endpoint.inject(fault)
        until(endpoint.fault_events, "the fault to happen")
        began = time.monotonic()
        assert post(f"{endpoint.url}/evaluate", ROW).status == 200
        assert time.monotonic() - began >= 0.2


def test_a_frozen_instance_answers_when_it_thaws(start_up: Up):
    with start_up() as endpoint:
        endpoint.inject(Fault(action=FaultAction.FREEZE, for_seconds=SHORT_SECONDS))
        until(endpoint.fault_events, "the fault to happen")
        clients = Clients(f"{endpoint.url}/evaluate", ROW, count=2)
        with clients.running():
            clients.until_answered(10)
        assert clients.lost == []
        assert set(clients.statuses) == {200}


def test_an_instance_that_stays_frozen_is_replaced_and_its_requests_go_to_another(start_up: Up):
    with start_up(count=2, provisioning_delay_seconds=0.0, health_check_seconds=0.1) as endpoint:
        before = process_ids(endpoint)
        endpoint.inject(Fault(action=FaultAction.FREEZE, for_seconds=3600 * SHORT_SECONDS))
        clients = Clients(f"{endpoint.url}/evaluate", ROW, count=4)
        with clients.running():
            until(
                lambda: len(now := process_ids(endpoint)) == 2 and now != before,
                "another in its place",
            )
            clients.until_answered(50)
        (frozen,) = before - process_ids(endpoint)
        until(lambda: gone([frozen]), "the frozen one to end")
        assert clients.lost == clients.turned_away == []
        assert set(clients.statuses) == {200}


def test_a_launch_that_fails_is_tried_again(start_up: Up):
    with start_up(count=2, provisioning_delay_seconds=0.0) as endpoint:
        endpoint.inject(Fault(action=FaultAction.FAIL_LAUNCH))
        endpoint.inject(Fault(action=FaultAction.KILL, at_seconds=1.0))
        until(lambda: len(endpoint.fault_events()) == 2, "both faults to happen")
        until(lambda: endpoint.state()["in_service_instance_count"] == 1, "one to be lost")
        until(lambda: endpoint.state()["in_service_instance_count"] == 2, "another in its place")


def test_what_is_no_fault_is_refused(start_up: Up):
    with start_up() as endpoint:
        answer = post(f"{endpoint.url}/_tonnage/faults", {"action": "explode"})
        assert answer.status == 400
        assert "action" in answer.error["message"]
        assert endpoint.fault_events() == []


def test_nothing_stays_frozen_when_the_emulator_ends(start_up: Up):
    with start_up() as endpoint:
        (frozen,) = process_ids(endpoint)
        endpoint.inject(Fault(action=FaultAction.FREEZE, for_seconds=3600 * SHORT_SECONDS))
        until(endpoint.fault_events, "the fault to happen")
    assert gone([frozen])


def test_the_command_line_takes_a_file_of_faults_or_says_what_is_wrong_with_it(
    packed_artefact: Path, tmp_path: Path
):
    settings = packed_artefact.parent / "tonnage.toml"
    faults = tmp_path / "faults.toml"
    faults.write_text('[[fault]]\nat = "30s"\naction = "kill"\n')
    arguments = ("up", "--config", settings, "--port", "0", "--faults")
    with tonnage(*arguments, faults) as command:
        assert "1, the first after 30 s" in command.until_line("faults")
    faults.write_text('[[fault]]\nat = "30s"\naction = "explode"\n')
    with tonnage(*arguments, faults) as command:
        assert command.exit_code() == 2
        assert "fault 1 has the action 'explode'" in command.stderr
