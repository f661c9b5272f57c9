"""
One instance's application: batches, faults of one row, the container contract, the cap.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tonnage.http import Server
from tonnage.serving import InstanceCapacity, VirtualServer

from .conftest import Caller, expected_cost, invocation, read_answers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from .conftest import Counted, Run

DISTANCES = [float(distance) for distance in range(100, 4100, 100)]


@asynccontextmanager
async def serving(counted: Counted) -> AsyncIterator[Server]:
    server = await Server.start(counted.instance.handle)
    try:
        yield server
    finally:
        await server.drain(timeout_seconds=0)


async def connected(server: Server, count: int) -> list[socket.socket]:
    """Return clients that the server has taken up and that have sent nothing yet."""
    clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(count)]
    while server.connections < count:  # noqa: ASYNC110 (what is waited for is the server's)
        await asyncio.sleep(0)
    for client in clients:
        client.setblocking(False)
    return clients


def test_what_arrives_in_one_turn_is_predicted_in_one_call(
    run: Run, make_instance: Callable[..., Counted]
):
    """Forty clients' requests lie ready when the loop looks: one call, each its own answer."""

    async def story() -> None:
        counted = make_instance()
        async with serving(counted) as server:
            clients = await connected(server, len(DISTANCES))
            for client, distance in zip(clients, DISTANCES, strict=True):
                client.send(invocation(distance))
            answers = await asyncio.gather(*(read_answers(client, 1) for client in clients))
        assert counted.predictor.batches == [len(DISTANCES)]
        costs = [answer.json["cost"] for (answer,) in answers]
        assert costs == [expected_cost(distance) for distance in DISTANCES]

    run(story())


def test_pipelined_requests_are_one_batch_and_are_answered_in_order(
    run: Run, make_instance: Callable[..., Counted]
):
    async def story() -> None:
        counted = make_instance()
        async with serving(counted) as server:
            (client,) = await connected(server, 1)
            client.send(b"".join(map(invocation, DISTANCES[:20])))
            answers = await read_answers(client, 20)
        assert counted.predictor.batches == [20]
        costs = [answer.json["cost"] for answer in answers]
        assert costs == [expected_cost(distance) for distance in DISTANCES[:20]]

    run(story())


def test_requests_of_later_turns_are_later_batches(run: Run, make_instance: Callable[..., Counted]):
    async def story() -> None:
        counted = make_instance()
        async with serving(counted) as server:
            for distance in DISTANCES[:3]:
                (client,) = await connected(server, 1)
                client.send(invocation(distance))
                (answer,) = await read_answers(client, 1)
                assert answer.json == {"cost": expected_cost(distance)}
        assert counted.predictor.batches == [1, 1, 1]

    run(story())


def test_a_bad_request_between_good_ones_is_no_part_of_their_batch(
    run: Run, make_instance: Callable[..., Counted]
):
    async def story() -> None:
        counted = make_instance()
        async with serving(counted) as server:
            (client,) = await connected(server, 1)
            client.send(invocation(100) + invocation("far") + invocation(200))
            answers = await read_answers(client, 3)
        assert [answer.status for answer in answers] == [200, 400, 200]
        assert [fault["field"] for fault in answers[1].error["fields"]] == ["distance"]
        assert counted.predictor.batches == [2]
        assert answers[2].json["cost"] == expected_cost(200)

    run(story())


def test_a_row_that_the_model_fails_on_fails_alone(
    run: Run, make_instance: Callable[..., Counted], caplog: pytest.LogCaptureFixture
):
    async def story() -> None:
        counted = make_instance()
        counted.predictor.fails_on_distance = 500.0
        async with serving(counted) as server:
            clients = await connected(server, 10)
            for client, distance in zip(clients, DISTANCES, strict=False):
                client.send(invocation(distance))
            answers = await asyncio.gather(*(read_answers(client, 1) for client in clients))
        for (answer,), distance in zip(answers, DISTANCES, strict=False):
            if distance == 500.0:
                assert answer.status == 500
                assert answer.error["code"] == "model_error"
                assert b"secret" not in answer.body
            else:
                assert answer.status == 200
                assert answer.json["cost"] == expected_cost(distance)
        assert counted.predictor.batches[0] == 10

    with caplog.at_level(logging.ERROR):
        run(story())
    (record,) = caplog.records
    assert record.exc_info is not None, "the log has the trace"


@pytest.mark.parametrize(
    ("method", "target", "headers", "body", "status", "code"),
    [
        ("POST", "/invocations", {"content-type": "text/xml"}, b"1", 415, "unsupported_media_type"),
        ("POST", "/invocations", {"accept": "text/html"}, b"{}", 406, "unsupported_media_type"),
        ("POST", "/invocations", {"content-length": "0"}, b"", 400, "invalid_payload"),
        ("POST", "/invocations", {"transfer-encoding": "chunked"}, b"", 400, "invalid_payload"),
        ("POST", "/invocations", {}, b"", 411, "length_required"),
        ("POST", "/invocations", {}, b"{", 400, "invalid_payload"),
        ("GET", "/invocations", {}, b"", 405, "method_not_allowed"),
        ("POST", "/ping", {}, b"", 405, "method_not_allowed"),
        ("GET", "/", {}, b"", 404, "not_found"),
        ("GET", "/ping/deeper", {}, b"", 404, "not_found"),
    ],
)
def test_what_is_no_invocation_is_refused_in_the_envelope(
    run_virtually: Run,
    make_instance: Callable[..., Counted],
    caller: Caller,
    method: str,
    target: str,
    headers: dict[str, str],
    body: bytes,
    status: int,
    code: str,
):
    async def story() -> None:
        counted = make_instance()
        caller.call(counted.instance, body, method=method, target=target, headers=headers)
        assert caller.last.status == status
        assert caller.last.error["code"] == code
        assert counted.predictor.batches == []

    run_virtually(story())


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "Application/JSON; charset=utf-8"},
        {"accept": "text/html, application/json;q=0.5"},
        {"accept": "*/*"},
        {"x-amzn-trace-id": "Root=1", "x-unheard-of": "yes"},
    ],
)
def test_what_a_client_may_say_about_json_is_understood(
    run_virtually: Run,
    make_instance: Callable[..., Counted],
    caller: Caller,
    headers: dict[str, str],
):
    async def story() -> None:
        caller.call(make_instance().instance, {"distance": 150}, headers=headers)
        await asyncio.sleep(0)
        assert caller.last.json == {"cost": 50.3}

    run_virtually(story())


def test_ping_says_whether_every_worker_is_ready(
    run_virtually: Run, make_instance: Callable[..., Counted], caller: Caller
):
    ready = False

    async def story() -> None:
        nonlocal ready
        counted = make_instance(is_ready=lambda: ready)
        caller.call(counted.instance, b"", method="GET", target="/ping?x=1")
        assert caller.last.status == 503
        assert caller.last.error["code"] == "not_ready"
        ready = True
        caller.call(counted.instance, b"", method="GET", target="/ping")
        assert (caller.last.status, caller.last.body) == (200, b"")

    run_virtually(story())


RESOLUTION_SECONDS = 0.001
CAPACITY = InstanceCapacity(rate_per_second=4.0, queue_seconds=0.5)


def test_over_capacity_a_request_is_refused_at_once_and_the_others_wait_their_turn(
    run_virtually: Run, make_instance: Callable[..., Counted], caller: Caller
):
    async def story() -> None:
        counted = make_instance(CAPACITY)
        for distance in DISTANCES[:6]:
            caller.call(counted.instance, {"distance": distance})
        await asyncio.sleep(10)
        assert counted.predictor.batches == [3], "what is refused is not predicted"
        refused, admitted = caller.answered[:3], caller.answered[3:]
        assert [(at, index) for at, index, _ in refused] == [(0.0, 3), (0.0, 4), (0.0, 5)]
        for _, _, answer in refused:
            assert answer.status == 503
            assert answer.headers["retry-after"] == "1"
            assert answer.error["code"] == "over_capacity"
        times = [at for at, _, _ in admitted]
        assert times == pytest.approx([0.25, 0.5, 0.75], abs=RESOLUTION_SECONDS)
        costs = [(index, answer.json["cost"]) for _, index, answer in admitted]
        assert costs == [(index, expected_cost(DISTANCES[index])) for index in range(3)]

    run_virtually(story())


def test_pings_and_refusals_are_answered_at_once_and_cost_no_capacity(
    run_virtually: Run, make_instance: Callable[..., Counted], caller: Caller
):
    async def story() -> None:
        counted = make_instance(CAPACITY)
        for _ in range(50):
            caller.call(counted.instance, b"", method="GET", target="/ping")
            caller.call(counted.instance, {"distance": -1})
            caller.call(counted.instance, b"", method="DELETE")
        assert [at for at, _, _ in caller.answered] == [0.0] * 150
        assert [answer.status for _, _, answer in caller.answered] == [200, 400, 405] * 50
        caller.call(counted.instance, {"distance": 150})
        await asyncio.sleep(1)
        at, _, answer = caller.answered[-1]
        assert (at, answer.json) == (pytest.approx(0.25, abs=RESOLUTION_SECONDS), {"cost": 50.3})

    run_virtually(story())


def test_a_request_of_a_hundred_rows_takes_the_capacity_of_one(
    run_virtually: Run, make_instance: Callable[..., Counted], caller: Caller
):
    """The cap is on invocations, as the endpoint's own metric counts them."""

    async def story() -> None:
        counted = make_instance(CAPACITY)
        caller.call(counted.instance, [{"distance": 150}] * 100)
        caller.call(counted.instance, {"distance": 150})
        await asyncio.sleep(1)
        assert [len(answer.body) > 100 for _, _, answer in caller.answered] == [True, False]
        assert [at for at, _, _ in caller.answered] == pytest.approx(
            [0.25, 0.5], abs=RESOLUTION_SECONDS
        )

    run_virtually(story())


def test_a_failed_prediction_is_answered_at_its_turn_under_a_cap(
    run_virtually: Run, make_instance: Callable[..., Counted], caller: Caller
):
    async def story() -> None:
        counted = make_instance(CAPACITY)
        counted.predictor.fails_on_distance = 200.0
        for distance in (100.0, 200.0, 300.0):
            caller.call(counted.instance, {"distance": distance})
        await asyncio.sleep(1)
        answers = [(at, answer.status) for at, _, answer in caller.answered]
        assert [status for _, status in answers] == [200, 500, 200]
        assert [at for at, _ in answers] == pytest.approx([0.25, 0.5, 0.75], abs=RESOLUTION_SECONDS)

    run_virtually(story())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    waits=st.lists(st.floats(min_value=0, max_value=0.6), min_size=1, max_size=40),
    queue=st.floats(min_value=0, max_value=1),
)
def test_whatever_the_arrivals_the_instance_does_what_the_virtual_server_says(
    run_virtually: Run, make_instance: Callable[..., Any], waits: list[float], queue: float
):
    """Every request is answered once: refused when it came, or at its finish and in order."""
    capacity = InstanceCapacity(rate_per_second=4.0, queue_seconds=queue)
    oracle = VirtualServer(capacity)
    caller = Caller()
    expected: list[tuple[float, int]] = []

    async def story() -> None:
        instance = make_instance(capacity).instance
        loop = asyncio.get_running_loop()
        for wait in waits:
            await asyncio.sleep(wait)
            caller.call(instance, {"distance": 150})
            finish = oracle.admit(loop.time())
            expected.append((loop.time(), 503) if finish is None else (finish, 200))
            await asyncio.sleep(0)
        await asyncio.sleep(100)

    run_virtually(story())
    by_index = sorted((index, at, answer.status) for at, index, answer in caller.answered)
    assert [index for index, _, _ in by_index] == list(range(len(waits)))
    assert [status for _, _, status in by_index] == [status for _, status in expected]
    assert [at for _, at, _ in by_index] == pytest.approx(
        [at for at, _ in expected], abs=RESOLUTION_SECONDS
    )
    served = [index for _, index, answer in caller.answered if answer.status == 200]
    assert served == sorted(served)
