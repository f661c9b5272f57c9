"""
An emulated cap: each door shows it as it should, and what it admits is served at its rate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support import Answer, Clients, post, until
from tonnage.serving import InstanceCapacity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from botocore.client import BaseClient

    from support import Up
    from tonnage.emulator import BackgroundEndpoint

ROW = {"distance": 150}
RATE_PER_SECOND = 20.0


@pytest.fixture(scope="module")
def full(start_up: Up) -> Iterator[BackgroundEndpoint]:
    """An endpoint that six clients keep busy: one of them is served, the others are refused."""
    capacity = InstanceCapacity(rate_per_second=RATE_PER_SECOND, queue_seconds=0.0)
    with start_up(capacity=capacity) as endpoint:
        clients = Clients(f"{endpoint.url}/evaluate", ROW, count=6, pause_seconds=0.001)
        with clients.running():
            until(lambda: 503 in clients.statuses, "the endpoint to be full")
            yield endpoint
        assert set(clients.statuses) == {200, 503}
        assert clients.lost == clients.turned_away == []
        times = [at for at, _ in clients.answers]
        answered_per_second = (len(times) - 2) / (times[-1] - times[0])
        assert answered_per_second < 1.1 * RATE_PER_SECOND


def test_evaluate_answers_503_and_says_when_to_try_again(full: BackgroundEndpoint):
    def refused() -> Answer | None:
        answer = post(f"{full.url}/evaluate", ROW)
        return answer if answer.status != 200 else None

    answer = until(refused, "a refusal")
    assert answer.status == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.error["code"] == "over_capacity"


def test_invoke_endpoint_raises_a_model_error_of_an_original_503(
    full: BackgroundEndpoint, runtime_client: Callable[[str], BaseClient]
):
    runtime = runtime_client(full.url)

    def refused() -> dict[str, Any] | None:
        try:
            runtime.invoke_endpoint(
                EndpointName="real-estate-evaluation",
                ContentType="application/json",
                Body=b'{"distance": 150}',
            )
        except runtime.exceptions.ModelError as error:
            response: dict[str, Any] = error.response
            return response
        return None

    response = until(refused, "a refusal")
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["OriginalStatusCode"] == 503
    assert "over_capacity" in response["OriginalMessage"]


def test_a_bad_request_is_refused_as_such_however_full_it_is(full: BackgroundEndpoint):
    for _ in range(20):
        assert post(f"{full.url}/evaluate", {"distance": 0}).status == 400
    name = "real-estate-evaluation"
    for _ in range(20):
        answer = post(f"{full.url}/endpoints/{name}/invocations", {"distance": 0})
        assert answer.json["OriginalStatusCode"] == 400


def test_without_a_policy_nothing_scales_but_the_metric_is_noted(full: BackgroundEndpoint):
    def busy() -> bool:
        values = [value for _, value in full.timeline(0.0).invocations_per_instance]
        return sum(value > 60 for value in values) >= 5

    until(busy, "five periods far above the target that there is not")
    timeline = full.timeline(0.0)
    assert timeline.activities == []
    assert {desired for _, desired, _ in timeline.instances} == {1}
