"""
Real fleets that scale, heal and end.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from support import (
    Clients,
    Command,
    children_of,
    descendants_of,
    free_port,
    gone,
    post,
    until,
)
from tonnage.domain import TonnageError, TransportError
from tonnage.emulator import ScalingOptions, UpOptions, up_in_background

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support import Up
    from tonnage.emulator import BackgroundEndpoint

ROW = {"distance": 150}
TIME_SCALE = 300.0
DELAY_SECONDS = 60.0
DELAY_REAL_SECONDS = DELAY_SECONDS / TIME_SCALE
LOOP_RESOLUTION_SECONDS = 0.002
SCALING = ScalingOptions(
    policy_name="tracking",
    min_capacity=1,
    max_capacity=4,
    target_value=600.0,
    scale_in_cooldown_seconds=60.0,
    scale_out_cooldown_seconds=60.0,
)


def process_ids(endpoint: BackgroundEndpoint) -> set[int]:
    """Return the processes of the instances in service."""
    return {
        instance["process_id"]
        for instance in endpoint.state()["instances"]
        if instance["state"] == "InService"
    }


def in_service(endpoint: BackgroundEndpoint) -> int:
    count: int = endpoint.state()["in_service_instance_count"]
    return count


@contextmanager
def load(endpoint: BackgroundEndpoint, **options: float) -> Iterator[Clients]:
    """Ask again and again; nothing may be lost, and nothing may fail."""
    clients = Clients(f"{endpoint.url}/evaluate", ROW, **options)  # type: ignore[arg-type]
    with clients.running():
        yield clients
    assert clients.lost == clients.turned_away == []
    assert set(clients.statuses) == {200}


def test_target_tracking_scales_out_in_one_action_and_in_again_without_loss(start_up: Up):
    with start_up(scaling=SCALING, time_scale=TIME_SCALE) as endpoint:
        began = time.monotonic()
        (first,) = process_ids(endpoint)
        with load(endpoint, count=10, pause_seconds=0.05) as clients:
            until(lambda: in_service(endpoint) == 4, "four instances in service")
            fleet = process_ids(endpoint)
            until(
                lambda: {answer["process_id"] for _, answer in clients.answers} == fleet,
                "each of the four to answer",
            )
        out, *more = endpoint.timeline(began).activities
        assert more == []
        assert (out.from_count, out.to_count) == (1, 4)
        assert "AlarmHigh" in out.cause
        assert out.in_service_at_seconds is not None
        provisioning = out.in_service_at_seconds - out.at_seconds
        assert provisioning >= DELAY_REAL_SECONDS - LOOP_RESOLUTION_SECONDS
        for process_id in fleet - {first}:
            answered = min(
                at for at, answer in clients.answers if answer["process_id"] == process_id
            )
            assert began + out.in_service_at_seconds - 0.1 < answered
            assert answered < began + out.in_service_at_seconds + 5.0

        with load(endpoint, count=2, pause_seconds=0.5):
            until(lambda: in_service(endpoint) == 1, "one instance in service")
            until(lambda: gone(list(fleet - {first})), "the others to end")
        _, scale_in = endpoint.timeline(began).activities
        assert (scale_in.from_count, scale_in.to_count) == (4, 1)
        assert "AlarmLow" in scale_in.cause
        assert process_ids(endpoint) == {first}, "the youngest go first"
        low = [
            value
            for at, value in endpoint.timeline(began).invocations_per_instance
            if out.at_seconds < at <= scale_in.at_seconds
        ][-15:]
        assert len(low) == 15
        assert all(value < 0.9 * SCALING.target_value for value in low)
        check_timeline(endpoint, began)


def check_timeline(endpoint: BackgroundEndpoint, began: float) -> None:
    """It starts and ends as the state was and is, and time does not run back."""
    timeline, state = endpoint.timeline(began), endpoint.state()
    assert timeline.time_scale == state["time_scale"]
    assert timeline.instances[0] == (0.0, 1, 1)
    assert timeline.instances[-1][1:] == (
        state["desired_instance_count"],
        state["in_service_instance_count"],
    )
    for events in (timeline.instances, timeline.invocations_per_instance):
        moments = [event[0] for event in events]
        assert moments == sorted(moments)


def test_a_fleet_below_its_bounds_is_brought_within_them(start_up: Up):
    bounds = ScalingOptions(
        policy_name="tracking",
        min_capacity=2,
        max_capacity=4,
        target_value=600.0,
        scale_in_cooldown_seconds=60.0,
        scale_out_cooldown_seconds=60.0,
    )
    with start_up(scaling=bounds, time_scale=TIME_SCALE) as endpoint:
        until(lambda: in_service(endpoint) == 2, "two instances in service")


@pytest.mark.parametrize("delay_seconds", [90.0, 600.0])
def test_a_datapoint_comes_the_metric_delay_after_its_period(start_up: Up, delay_seconds: float):
    with start_up(metric_delay_seconds=delay_seconds, time_scale=TIME_SCALE) as endpoint:
        until(lambda: len(endpoint.timeline(0.0).invocations_per_instance) >= 3, "three datapoints")
        state = endpoint.state()
        origin, period = state["period_origin_monotonic_seconds"], state["period_real_seconds"]
        for index, (at, _) in enumerate(endpoint.timeline(origin).invocations_per_instance):
            due = (index + 1) * period + delay_seconds / TIME_SCALE
            assert at >= due - LOOP_RESOLUTION_SECONDS


def test_a_killed_instance_is_replaced_and_no_request_fails(start_up: Up):
    with start_up(count=3, time_scale=TIME_SCALE) as endpoint:
        before = process_ids(endpoint)
        killed = min(before)
        with load(endpoint, count=6, pause_seconds=0.001) as clients:
            clients.until_answered(100)
            began = time.monotonic()
            os.kill(killed, signal.SIGKILL)
            until(
                lambda: len(now := process_ids(endpoint)) == 3 and killed not in now,
                "another in its place",
            )
            clients.until_answered(100)
        assert len(process_ids(endpoint) - before) == 1
        changes = endpoint.timeline(began).instances
        lost = next(at for at, _, count in changes if count == 2)
        replaced = next(at for at, _, count in changes if count == 3 and at > lost)
        assert replaced - lost >= DELAY_REAL_SECONDS - LOOP_RESOLUTION_SECONDS
        assert endpoint.timeline(began).activities == [], "a replacement is no scaling activity"


def test_when_the_last_instance_is_killed_it_refuses_until_there_is_another(start_up: Up):
    with start_up(provisioning_delay_seconds=300.0, time_scale=TIME_SCALE) as endpoint:
        (killed,) = process_ids(endpoint)
        os.kill(killed, signal.SIGKILL)
        answer = post(f"{endpoint.url}/evaluate", ROW)
        assert answer.status == 503
        assert answer.error["code"] == "over_capacity"
        until(lambda: (now := process_ids(endpoint)) and killed not in now, "another instance")
        assert post(f"{endpoint.url}/evaluate", ROW).status == 200


def test_when_the_process_that_forks_instances_is_killed_the_fleet_comes_back(start_up: Up):
    with start_up(count=2, time_scale=TIME_SCALE) as endpoint:
        (zygote,) = children_of(endpoint.process_id)
        before = process_ids(endpoint)
        os.kill(zygote, signal.SIGKILL)
        until(
            lambda: len(now := process_ids(endpoint)) == 2 and not now & before,
            "two new instances",
        )
        assert post(f"{endpoint.url}/evaluate", ROW).status == 200
        until(lambda: gone(list(before)), "the old instances to end")


@pytest.mark.parametrize("repetition", range(2))
def test_sigterm_under_load_loses_no_accepted_request_and_leaves_nothing(
    start_up: Up, repetition: int
):
    with start_up(count=2) as endpoint:
        family = [endpoint.process_id, *descendants_of(endpoint.process_id)]
        assert len(family) == 4
        clients = Clients(f"{endpoint.url}/evaluate", ROW, pause_seconds=0.001 * repetition)
        with clients.running():
            clients.until_answered(100)
            os.kill(endpoint.process_id, signal.SIGTERM)
            clients.join()
        until(lambda: gone(family), "all its processes to end")
        assert clients.lost == []
        assert set(clients.statuses) == {200}


def test_a_request_in_hand_is_answered_when_the_endpoint_ends(start_up: Up):
    """The model takes 0.3 s over this row."""
    with start_up() as endpoint:
        clients = Clients(f"{endpoint.url}/evaluate", {"distance": 777}, count=2)
        with clients.running():
            clients.until_answered(2)
            os.kill(endpoint.process_id, signal.SIGTERM)
            clients.join()
        assert clients.lost == []
        assert set(clients.statuses) == {200}


def test_no_instance_outlives_an_emulator_that_is_killed(start_up: Up):
    with start_up(count=3) as endpoint:
        family = descendants_of(endpoint.process_id)
        assert len(family) == 4
        os.kill(endpoint.process_id, signal.SIGKILL)
        until(lambda: gone(family), "its zygote and instances to end")


def test_no_endpoint_outlives_the_process_that_runs_it_in_the_background(
    up_options: Callable[..., UpOptions],
):
    script = (
        "import sys, time\n"
        "from tonnage.emulator import UpOptions, up_in_background\n"
        "with up_in_background(UpOptions.from_json(sys.argv[1])) as endpoint:\n"
        "    print('runs', endpoint.process_id, file=sys.stderr, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with Command([sys.executable, "-c", script, up_options(count=2).to_json()]) as command:
        command.until_line("runs")
        family = descendants_of(command.pid)
        assert len(family) == 4
        command.send(signal.SIGKILL)
        until(lambda: gone(family), "the emulator, its zygote and instances to end")


def test_it_listens_on_the_port_it_is_given_and_no_proxy_is_asked_about_it(
    up_options: Callable[..., UpOptions], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    port = free_port()
    with up_in_background(replace(up_options(), port=port)) as endpoint:
        assert endpoint.url == f"http://127.0.0.1:{port}"
        assert in_service(endpoint) == 1
    with pytest.raises(TransportError, match="does not answer"):
        endpoint.state()


# What keeps it from coming up.


def test_a_busy_port_is_named(up_options: Callable[..., UpOptions]):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        options = replace(up_options(), port=port)
        with pytest.raises(TonnageError, match=str(port)), up_in_background(options):
            pass


def test_a_missing_artefact_is_named(up_options: Callable[..., UpOptions], tmp_path: Path):
    options = up_options(artefact=tmp_path / "nothing")
    with pytest.raises(TonnageError, match="there is no artefact"), up_in_background(options):
        pass


def test_an_artefact_with_a_changed_byte_is_refused(
    up_options: Callable[..., UpOptions], packed_artefact: Path, tmp_path: Path
):
    changed = tmp_path / "artefact"
    shutil.copytree(packed_artefact, changed)
    with (changed / "model.onnx").open("ab") as model:
        model.write(b"\0")
    options = up_options(artefact=changed)
    with pytest.raises(TonnageError, match="was changed"), up_in_background(options):
        pass
