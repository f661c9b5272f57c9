"""
A serverless variant: cold starts, its throttling, provisioned concurrency, idle instances.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from support import Clients, gone, post, until
from tonnage.emulator import Fault, FaultAction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sagemaker_clients import Sagemaker
    from support import Up
    from tonnage.emulator import BackgroundEndpoint


@pytest.fixture(scope="module")
def sagemaker(
    start_up: Up, sagemaker_at: Callable[[BackgroundEndpoint], Sagemaker], probe_artefact: Path
) -> Iterator[Sagemaker]:
    """One emulator for all of these; an idle instance is retired after a second."""
    with start_up(serverless_idle_seconds=300.0, time_scale=300.0) as started:
        clients = sagemaker_at(started)
        clients.model("prices", probe_artefact)
        yield clients


def serverless(sagemaker: Sagemaker, name: str, **size: int) -> str:
    """Create a serverless endpoint, and return its name."""
    config = {"MemorySizeInMB": 2048, "MaxConcurrency": 4, **size}
    sagemaker.config(
        name, {"VariantName": "one", "ModelName": "prices", "ServerlessConfig": config}
    )
    return sagemaker.endpoint(name, name)


def process_ids(sagemaker: Sagemaker, name: str) -> list[int]:
    """Return the processes of an endpoint's instances, without those that are still to come."""
    return [
        instance["process_id"]
        for instance in sagemaker.instances(name)
        if instance["process_id"] is not None
    ]


def test_an_instance_comes_with_an_invocation_and_goes_when_idle(sagemaker: Sagemaker):
    serverless(sagemaker, "cold")
    assert process_ids(sagemaker, "cold") == [], "nothing runs before it is needed"
    first = sagemaker.invoke("cold")
    assert first["InvokedProductionVariant"] == "one"
    process_id = first["json"]["process_id"]
    until(lambda: not process_ids(sagemaker, "cold"), "the idle instance to be retired")
    until(lambda: gone([process_id]), "its process to end")
    assert sagemaker.invoke("cold")["json"]["process_id"] != process_id
    described = sagemaker.describe("cold")
    (shown,) = described["ProductionVariants"]
    assert shown["CurrentServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 4}
    assert "CurrentInstanceCount" not in shown


def test_a_warm_instance_is_used_again(sagemaker: Sagemaker):
    serverless(sagemaker, "warm", ProvisionedConcurrency=1)
    (process_id,) = process_ids(sagemaker, "warm")
    for _ in range(5):
        assert sagemaker.invoke("warm")["json"]["process_id"] == process_id


def test_beyond_max_concurrency_it_is_throttled(sagemaker: Sagemaker):
    """Its only instance stands still with an invocation in hand."""
    serverless(sagemaker, "full", MaxConcurrency=1, ProvisionedConcurrency=1)
    (process_id,) = process_ids(sagemaker, "full")
    url = f"{sagemaker.url}/endpoints/full/invocations"
    os.kill(process_id, signal.SIGSTOP)
    try:
        with Clients(url, {"distance": 150}, count=1).running() as clients:
            until(lambda: sagemaker.outstanding("full", process_id) == 1, "one in its hands")
            with pytest.raises(ClientError) as caught:
                sagemaker.invoke("full")
            assert caught.value.response["Error"]["Code"] == "ThrottlingException"
            assert post(url, {"distance": 150}).status == 429
            os.kill(process_id, signal.SIGCONT)
            clients.until_answered(1)
    finally:
        os.kill(process_id, signal.SIGCONT)
    assert clients.lost == []
    assert set(clients.statuses) == {200}
    assert sagemaker.invoke("full")["json"]["process_id"] == process_id


def test_invocations_at_once_have_an_instance_each(sagemaker: Sagemaker):
    """Two instances stand still, each with one; a third answers."""
    serverless(sagemaker, "wide", MaxConcurrency=3, ProvisionedConcurrency=2)
    still = process_ids(sagemaker, "wide")
    for process_id in still:
        os.kill(process_id, signal.SIGSTOP)
    try:
        url = f"{sagemaker.url}/endpoints/wide/invocations"
        with Clients(url, {"distance": 150}, count=2).running() as clients:
            for process_id in still:
                until(lambda p=process_id: sagemaker.outstanding("wide", p) == 1, "one in each")  # type: ignore[misc]
            assert sagemaker.invoke("wide")["json"]["process_id"] not in still
            for process_id in still:
                os.kill(process_id, signal.SIGCONT)
            clients.until_answered(2)
    finally:
        for process_id in still:
            os.kill(process_id, signal.SIGCONT)
    assert clients.lost == []


def test_a_provisioned_instance_that_is_killed_is_replaced(sagemaker: Sagemaker):
    serverless(sagemaker, "replaced", ProvisionedConcurrency=1)
    (killed,) = process_ids(sagemaker, "replaced")
    os.kill(killed, signal.SIGKILL)
    until(
        lambda: (now := process_ids(sagemaker, "replaced")) and killed not in now,
        "another instance",
    )


def test_its_concurrency_is_changed_by_an_update_of_capacities(sagemaker: Sagemaker):
    serverless(sagemaker, "changed")
    sagemaker.control.update_endpoint_weights_and_capacities(
        EndpointName="changed",
        DesiredWeightsAndCapacities=[
            {
                "VariantName": "one",
                "ServerlessUpdateConfig": {"MaxConcurrency": 7, "ProvisionedConcurrency": 2},
            }
        ],
    )
    until(lambda: len(process_ids(sagemaker, "changed")) == 2, "two warm instances")
    (shown,) = sagemaker.until("changed", "InService")["ProductionVariants"]
    assert shown["CurrentServerlessConfig"] == {
        "MemorySizeInMB": 2048,
        "MaxConcurrency": 7,
        "ProvisionedConcurrency": 2,
    }


def test_an_endpoint_may_become_serverless_without_loss(sagemaker: Sagemaker):
    sagemaker.config(
        "instances",
        {
            "VariantName": "one",
            "ModelName": "prices",
            "InstanceType": "ml.c5.large",
            "InitialInstanceCount": 1,
        },
    )
    sagemaker.endpoint("becomes", "instances")
    sagemaker.config(
        "becomes",
        {
            "VariantName": "one",
            "ModelName": "prices",
            "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 20},
        },
    )
    url = f"{sagemaker.url}/endpoints/becomes/invocations"
    clients = Clients(url, {"distance": 150}, count=3, pause_seconds=0.001)
    with clients.running():
        clients.until_answered(20)
        sagemaker.control.update_endpoint(EndpointName="becomes", EndpointConfigName="becomes")
        sagemaker.until("becomes", "InService")
        clients.until_answered(20)
    assert clients.lost == clients.turned_away == []
    assert set(clients.statuses) == {200}


def test_a_cold_start_that_fails_is_a_model_that_is_not_ready(
    start_up: Up, sagemaker_at: Callable[[BackgroundEndpoint], Sagemaker], probe_artefact: Path
):
    with start_up() as started:
        clients = sagemaker_at(started)
        clients.model("prices", probe_artefact)
        serverless(clients, "refused")
        started.inject(Fault(action=FaultAction.FAIL_LAUNCH, endpoint="refused"))
        until(started.fault_events, "the fault to happen")
        with pytest.raises(clients.runtime.exceptions.ModelNotReadyException) as caught:
            clients.invoke("refused")
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
        assert clients.invoke("refused")["json"]["cost"] == 50.3
