"""
Production variants: weights, the target variant, routing within one, and their counts.
"""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from sagemaker_clients import variant
from support import Clients, ask, post, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sagemaker_clients import Sagemaker
    from support import Up
    from tonnage.emulator import BackgroundEndpoint

HEADERS = {"Content-Type": "application/json"}
ROW = b'{"distance": 150}'


@pytest.fixture(scope="module")
def sagemaker(
    start_up: Up, sagemaker_at: Callable[[BackgroundEndpoint], Sagemaker], probe_artefact: Path
) -> Iterator[Sagemaker]:
    """One emulator for all of these, with a model and an endpoint of two variants, 3 to 1."""
    with start_up(provisioning_delay_seconds=0.0) as started:
        clients = sagemaker_at(started)
        clients.model("prices", probe_artefact)
        clients.config(
            "two",
            variant("prices", "often", 2, InitialVariantWeight=3.0),
            variant("prices", "seldom", 1, InitialVariantWeight=1.0),
        )
        clients.endpoint("two", "two")
        yield clients


def test_traffic_is_split_by_weight(sagemaker: Sagemaker):
    """The emulator's seed is fixed, so this is the same 200 draws each time it is run alone."""
    invoked = Counter(sagemaker.invoke("two")["InvokedProductionVariant"] for _ in range(200))
    assert 120 <= invoked["often"] <= 180
    assert invoked["often"] + invoked["seldom"] == 200


def test_a_target_variant_takes_the_invocation_whatever_its_weight(sagemaker: Sagemaker):
    for name in ("often", "seldom"):
        answers = [sagemaker.invoke("two", TargetVariant=name) for _ in range(20)]
        assert {answer["InvokedProductionVariant"] for answer in answers} == {name}


def test_an_unknown_target_variant_is_a_validation_error(sagemaker: Sagemaker):
    with pytest.raises(sagemaker.runtime.exceptions.ValidationError) as caught:
        sagemaker.invoke("two", TargetVariant="never")
    assert "Variant never not found for endpoint two" in str(caught.value)


def test_a_weight_of_zero_takes_no_traffic_but_what_names_it(sagemaker: Sagemaker):
    sagemaker.config(
        "zero",
        variant("prices", "all", InitialVariantWeight=1.0),
        variant("prices", "none", InitialVariantWeight=0.0),
    )
    sagemaker.endpoint("zero", "zero")
    invoked = {sagemaker.invoke("zero")["InvokedProductionVariant"] for _ in range(50)}
    assert invoked == {"all"}
    named = sagemaker.invoke("zero", TargetVariant="none")
    assert named["InvokedProductionVariant"] == "none"


def test_weights_and_counts_are_changed_together(sagemaker: Sagemaker):
    sagemaker.config("change", variant("prices", "a"), variant("prices", "b"))
    sagemaker.endpoint("change", "change")
    sagemaker.control.update_endpoint_weights_and_capacities(
        EndpointName="change",
        DesiredWeightsAndCapacities=[
            {"VariantName": "a", "DesiredWeight": 0.0},
            {"VariantName": "b", "DesiredInstanceCount": 3},
        ],
    )
    assert sagemaker.invoke("change")["InvokedProductionVariant"] == "b"
    described = sagemaker.until("change", "InService")
    a, b = described["ProductionVariants"]
    assert (a["DesiredWeight"], b["DesiredWeight"]) == (0.0, 1.0)
    assert b["CurrentInstanceCount"] == b["DesiredInstanceCount"] == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"VariantName": "c", "DesiredWeight": 1.0}, 'Could not find variant "c"'),
        ({"VariantName": "often", "DesiredInstanceCount": 0}, "at least 1"),
        (
            {"VariantName": "often", "ServerlessUpdateConfig": {"MaxConcurrency": 2}},
            "is not serverless",
        ),
    ],
)
def test_a_change_that_cannot_be_changes_nothing(
    sagemaker: Sagemaker, change: dict[str, Any], message: str
):
    before = sagemaker.describe("two")
    with pytest.raises(sagemaker.control.exceptions.ClientError, match=message):
        sagemaker.control.update_endpoint_weights_and_capacities(
            EndpointName="two",
            DesiredWeightsAndCapacities=[{"VariantName": "seldom", "DesiredWeight": 9.0}, change],
        )
    after = sagemaker.describe("two")
    assert after["ProductionVariants"] == before["ProductionVariants"]


def test_least_outstanding_requests_leaves_the_busy_instance_alone(sagemaker: Sagemaker):
    """One of two stands still with a request in hand: whatever comes after goes to the other."""
    routing = {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"}
    sagemaker.config("least", variant("prices", "one", 2, RoutingConfig=routing))
    sagemaker.endpoint("least", "least")
    busy = sagemaker.invoke("least")["json"]["process_id"]
    os.kill(busy, signal.SIGSTOP)
    try:
        with Clients(
            f"{sagemaker.url}/endpoints/least/invocations", {"distance": 150}, count=2
        ).running() as clients:
            until(lambda: sagemaker.outstanding("least", busy) == 1, "one request in its hands")
            begun = len(clients.statuses)
            clients.until_answered(50)
            assert sagemaker.outstanding("least", busy) == 1
            os.kill(busy, signal.SIGCONT)
    finally:
        os.kill(busy, signal.SIGCONT)
    assert begun < len(clients.statuses)
    assert clients.lost == []


def test_an_endpoint_of_another_name_is_another_endpoint(sagemaker: Sagemaker):
    sagemaker.config("other", variant("prices"))
    sagemaker.endpoint("other", "other")
    one = {sagemaker.invoke("two")["json"]["process_id"] for _ in range(20)}
    assert sagemaker.invoke("other")["json"]["process_id"] not in one
    sagemaker.control.delete_endpoint(EndpointName="other")
    assert sagemaker.invoke("two")["json"]["cost"] == 50.3


def test_headers_that_a_container_does_not_need_are_taken_gracefully(sagemaker: Sagemaker):
    answer = sagemaker.invoke(
        "two",
        InferenceId="42",
        SessionId="session",
        CustomAttributes="trace=1",
        EnableExplanations="`false`",
        Accept="application/json",
    )
    assert answer["json"]["cost"] == 50.3
    assert answer["ContentType"] == "application/json"


def test_an_answer_may_be_streamed(sagemaker: Sagemaker):
    answer = sagemaker.runtime.invoke_endpoint_with_response_stream(
        EndpointName="two", Body=ROW, ContentType="application/json", TargetVariant="seldom"
    )
    assert answer["ContentType"] == "application/json"
    assert answer["InvokedProductionVariant"] == "seldom"
    parts = [part["PayloadPart"]["Bytes"] for part in answer["Body"]]
    assert json.loads(b"".join(parts))["cost"] == 50.3
    with pytest.raises(sagemaker.runtime.exceptions.ModelError):
        sagemaker.runtime.invoke_endpoint_with_response_stream(EndpointName="two", Body=b"{")


def test_an_instance_that_breaks_off_is_left_for_another(sagemaker: Sagemaker):
    """Its process is killed while the request is in its hands: the other answers instead."""
    sagemaker.config("breaks", variant("prices", "one", 2))
    sagemaker.endpoint("breaks", "breaks")
    url = f"{sagemaker.url}/endpoints/breaks/invocations"
    killed = sagemaker.invoke("breaks")["json"]["process_id"]
    os.kill(killed, signal.SIGSTOP)
    clients = Clients(url, {"distance": 150}, count=8, pause_seconds=0.0)
    with clients.running():
        until(lambda: sagemaker.outstanding("breaks", killed) >= 2, "two requests in its hands")
        os.kill(killed, signal.SIGKILL)
        clients.until_answered(50)
    assert clients.lost == clients.turned_away == []
    assert set(clients.statuses) == {200}


def test_without_an_instance_it_is_service_unavailable_at_once(sagemaker: Sagemaker):
    """A launch that is refused leaves none."""
    sagemaker.config("empty", variant("prices"))
    sagemaker.endpoint("empty", "empty")
    killed = sagemaker.invoke("empty")["json"]["process_id"]
    os.kill(killed, signal.SIGKILL)

    def refused() -> bool:
        answer = post(f"{sagemaker.url}/endpoints/empty/invocations", ROW)
        if answer.status == 200:
            return True
        assert answer.status == 503
        assert answer.headers["x-amzn-errortype"] == "ServiceUnavailable"
        assert "no instance in service" in answer.json["Message"]
        return False

    until(refused, "another instance")


def test_the_metrics_tell_each_variant(sagemaker: Sagemaker):
    sagemaker.invoke("two", TargetVariant="seldom")
    text = ask(f"{sagemaker.url}/metrics").body.decode()
    assert 'tonnage_invocations_total{endpoint="two",status="200",variant="seldom"}' in text
    assert 'tonnage_variant_in_service_instance_count{endpoint="two",variant="seldom"} 1.0' in text
