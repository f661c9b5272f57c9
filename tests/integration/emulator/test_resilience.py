"""
The router and the fleet under load when instances refuse, die and go.
"""

from __future__ import annotations

import os
import signal
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from prometheus_client.parser import text_string_to_metric_families

from sagemaker_clients import variant
from support import Clients, ask, descendants_of, gone, until
from tonnage.serving import InstanceCapacity

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sagemaker_clients import Sagemaker
    from support import Up
    from tonnage.emulator import BackgroundEndpoint

ROW = {"distance": 150}


def received(endpoint: BackgroundEndpoint) -> float:
    """Return how many invocations all instances together say they were sent."""
    total = 0.0
    for instance in endpoint.state()["instances"]:
        text = ask(f"http://127.0.0.1:{instance['port']}/metrics").body.decode()
        total += sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == "tonnage_requests_total"
            and sample.labels.get("path", "/invocations") == "/invocations"
        )
    return total


def test_a_503_is_passed_on_and_neither_queued_nor_tried_again(start_up: Up):
    """Two instances without a queue: what one refuses, the other never sees."""
    capacity = InstanceCapacity(rate_per_second=20.0, queue_seconds=0.0)
    with start_up(count=2, capacity=capacity, health_check_seconds=3600.0) as endpoint:
        clients = Clients(f"{endpoint.url}/evaluate", ROW, count=8, pause_seconds=0.001)
        with clients.running():
            until(lambda: clients.statuses.count(503) >= 100, "a hundred refusals")
            until(lambda: clients.statuses.count(200) >= 10, "ten answers")
        assert clients.lost == clients.turned_away == []
        assert set(clients.statuses) == {200, 503}
        assert received(endpoint) == len(clients.statuses)


def test_killing_one_of_several_under_load_fails_no_request(start_up: Up):
    with start_up(count=3, provisioning_delay_seconds=0.0) as endpoint:
        clients = Clients(f"{endpoint.url}/evaluate", ROW, count=8, pause_seconds=0.001)
        with clients.running():
            for _ in range(5):
                clients.until_answered(50)
                before = {each["process_id"] for each in endpoint.state()["instances"]}
                killed = min(before)
                os.kill(killed, signal.SIGKILL)
                until(
                    lambda killed=killed: (  # type: ignore[misc]
                        (state := endpoint.state())["in_service_instance_count"] == 3
                        and killed not in {each["process_id"] for each in state["instances"]}
                    ),
                    "another in its place",
                )
            clients.until_answered(50)
        assert clients.lost == clients.turned_away == []
        assert set(clients.statuses) == {200}


def test_twenty_scale_ins_under_load_lose_nothing(
    start_up: Up, sagemaker_at: Callable[[BackgroundEndpoint], Sagemaker], probe_artefact: Path
):
    with start_up(provisioning_delay_seconds=0.0) as started:
        sagemaker = sagemaker_at(started)
        sagemaker.model("prices", probe_artefact)
        sagemaker.config("prices", variant("prices", "one", 4))
        sagemaker.endpoint("prices", "prices")
        url = f"{started.url}/endpoints/prices/invocations"
        clients = Clients(url, ROW, count=8, pause_seconds=0.0)
        with clients.running():
            for number in range(20):
                clients.until_answered(20)
                count = 1 + number % 4
                for wanted in (count, 5):
                    sagemaker.control.update_endpoint_weights_and_capacities(
                        EndpointName="prices",
                        DesiredWeightsAndCapacities=[
                            {"VariantName": "one", "DesiredInstanceCount": wanted}
                        ],
                    )
                    sagemaker.until("prices", "InService")
        assert clients.lost == clients.turned_away == []
        assert set(clients.statuses) == {200}


def test_a_killed_emulator_leaves_no_process_and_its_port_free(
    start_up: Up, sagemaker_at: Callable[[BackgroundEndpoint], Sagemaker], probe_artefact: Path
):
    """Killed while an endpoint is created, another updated and a third scaled."""
    with start_up(provisioning_delay_seconds=0.0) as started:
        sagemaker = sagemaker_at(started)
        sagemaker.model("prices", probe_artefact)
        for name in ("a", "b"):
            sagemaker.config(name, variant("prices", "one", 2))
        for name in ("updated", "scaled"):
            sagemaker.endpoint(name, "a")
        sagemaker.control.create_endpoint(EndpointName="created", EndpointConfigName="a")
        sagemaker.control.update_endpoint(EndpointName="updated", EndpointConfigName="b")
        sagemaker.control.update_endpoint_weights_and_capacities(
            EndpointName="scaled",
            DesiredWeightsAndCapacities=[{"VariantName": "one", "DesiredInstanceCount": 5}],
        )
        family = descendants_of(started.process_id)
        assert len(family) > 5
        os.kill(started.process_id, signal.SIGKILL)
        until(lambda: gone(family), "every zygote and instance to end")
        host, port = urlsplit(started.url).netloc.split(":")
        with socket.create_server((host, int(port))):
            pass
