"""
What an instance says of itself: counters, the request log, ids, custom attributes.
"""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tonnage.http import Limits, Server
from tonnage.serving import Instance
from tonnage.serving._metrics import Scoreboard
from tonnage.serving._request_log import RequestLog

if TYPE_CHECKING:
    from collections.abc import Callable

    from tonnage.artefact import LoadedModel

    from .conftest import Caller, Counted, Run

INFERENCE_ID = "x-amzn-sagemaker-inference-id"
ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"


def samples(text: bytes) -> dict[tuple[str, ...], float]:
    """Return each sample by its name and its labels' values, as a second parser reads them."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_metrics_count_what_was_answered(
    run: Run, make_instance: Callable[..., Counted], caller: Caller
):
    async def story() -> None:
        instance = make_instance().instance
        for _ in range(3):
            caller.call(instance, {"distance": 150})
        await asyncio.sleep(0)
        caller.call(instance, [{"distance": 150}, {"distance": 160}])
        await asyncio.sleep(0)
        caller.call(instance, {"distance": -1})
        caller.call(instance, b"", method="GET", target="/ping")
        caller.call(instance, b"", method="GET", target="/nowhere")
        caller.call(instance, b"", method="GET", target="/metrics")
        assert caller.last.headers["content-type"].startswith("text/plain; version=0.0.4")
        seen = samples(caller.last.body)
        assert seen["tonnage_requests_total", "/invocations", "200"] == 4
        assert seen["tonnage_requests_total", "/invocations", "400"] == 1
        assert seen["tonnage_requests_total", "/ping", "200"] == 1
        assert seen["tonnage_requests_total", "other", "404"] == 1
        assert seen["tonnage_rows_total",] == 5
        assert seen["tonnage_batch_rows_count",] == 2
        assert seen["tonnage_batch_rows_sum",] == 5
        assert (seen["tonnage_batch_rows_bucket", "2"], seen["tonnage_batch_rows_bucket", "4"]) == (
            1,
            2,
        )
        assert seen["tonnage_invocation_seconds_count",] == 5
        assert seen["tonnage_invocation_seconds_sum",] > 0
        assert seen["tonnage_predict_seconds_count",] == 2

    run(story())


def test_metrics_sum_over_processes_that_count_in_their_own_rows():
    board = Scoreboard(3)
    for slot in range(3):
        process_id = os.fork()
        if process_id == 0:
            tally = board.tally(slot)
            tally.set_ready(is_ready=slot < 2)
            for _ in range(100 * (slot + 1)):
                tally.invocation(200, 0.003)
            tally.batch(slot + 1, 0.002, 7, is_in_thread=True)
            os._exit(0)
        os.waitpid(process_id, 0)
    seen = samples(board.render())
    assert seen["tonnage_requests_total", "/invocations", "200"] == 600
    assert seen["tonnage_invocation_seconds_bucket", "0.0025"] == 0
    assert seen["tonnage_invocation_seconds_bucket", "0.005"] == 600
    assert seen["tonnage_invocation_seconds_sum",] == pytest.approx(1.8)
    assert (seen["tonnage_workers",], seen["tonnage_workers_ready",]) == (3, 2)
    assert seen["tonnage_queue_rows",] == 21
    assert seen["tonnage_batches_in_thread_total",] == 3


def test_a_batch_is_counted_as_its_invocations_would_be():
    arrived = [1.0, 1.5, 1.999, 2.0]
    alone, together = Scoreboard(), Scoreboard()
    for statuses in ([200] * 4, [200, 500, 200, 406]):
        together.tally().invocations(statuses, arrived, 2.0)
        together.tally().invocations([200] * 4, [1.9] * 4, 2.0)
        for status, came in zip(statuses, arrived, strict=True):
            alone.tally().invocation(status, 2.0 - came)
        for _ in range(4):
            alone.tally().invocation(200, 2.0 - 1.9)
    assert samples(together.render()) == pytest.approx(samples(alone.render()))


def test_each_request_is_one_json_line_with_its_id(run: Run, model: LoadedModel, caller: Caller):
    written: list[bytes] = []

    async def story() -> None:
        instance = Instance(model, request_log=RequestLog(written.append))
        caller.call(instance, {"distance": 150}, headers={INFERENCE_ID: "mine"})
        caller.call(instance, [{"distance": 150}] * 3)
        caller.call(instance, {"distance": -1})
        caller.call(instance, b"", method="GET", target="/ping?secret=1")
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    run(story())
    lines = [json.loads(line) for line in b"".join(written).splitlines()]
    noted = {(line["path"], line["status"], line["rows"]) for line in lines}
    assert noted == {
        ("/invocations", 200, 1),
        ("/invocations", 200, 3),
        ("/invocations", 400, 0),
        ("/ping", 200, 0),
    }
    ids = {line["request_id"] for line in lines}
    assert len(ids) == 4
    answered = {answer.headers.get("x-request-id") for _, _, answer in caller.answered}
    assert answered - {None} == ids - {
        line["request_id"] for line in lines if line["path"] == "/ping"
    }
    assert "secret" not in b"".join(written).decode()
    assert all(line["milliseconds"] >= 0 for line in lines)


def test_lines_are_written_in_pieces_that_do_not_mix(run: Run, model: LoadedModel, caller: Caller):
    written: list[bytes] = []

    async def story() -> None:
        instance = Instance(model, request_log=RequestLog(written.append))
        for _ in range(100):
            caller.call(instance, b"", method="GET", target=f"/{'x' * 300}")
        await asyncio.sleep(0)

    run(story())
    assert len(b"".join(written).splitlines()) == 100
    assert all(len(piece) <= 4096 and piece.endswith(b"\n") for piece in written)


@pytest.mark.parametrize("header", [INFERENCE_ID, "x-request-id"])
def test_a_clients_own_id_comes_back(run: Run, model: LoadedModel, caller: Caller, header: str):
    async def story() -> None:
        instance = Instance(model)
        caller.call(instance, {"distance": 150}, headers={header: "order-17"})
        await asyncio.sleep(0)
        assert caller.last.headers["x-request-id"] == "order-17"
        caller.call(instance, {"distance": -1}, headers={header: "order-18"})
        assert caller.last.headers["x-request-id"] == "order-18"
        assert "(request order-18)" in caller.last.error["message"]

    run(story())


@pytest.mark.parametrize("sent", ["", "two words", "x" * 129, "né", "a\tb"])
def test_an_id_that_is_no_word_is_replaced(run: Run, model: LoadedModel, caller: Caller, sent: str):
    async def story() -> None:
        caller.call(Instance(model), {"distance": -1}, headers={INFERENCE_ID: sent})
        given = caller.last.headers["x-request-id"]
        assert given != sent
        assert f"(request {given})" in caller.last.error["message"]

    run(story())


def test_the_log_of_a_failed_prediction_has_the_id_that_the_client_was_told(
    run: Run,
    make_instance: Callable[..., Counted],
    caller: Caller,
    caplog: pytest.LogCaptureFixture,
):
    async def story() -> None:
        counted = make_instance()
        counted.predictor.fails_on_distance = 500.0
        caller.call(counted.instance, {"distance": 500})
        await asyncio.sleep(0)

    run(story())
    (record,) = caplog.records
    told: Any = vars(record)["request_id"]
    assert caller.last.headers["x-request-id"] == told
    assert f"(request {told})" in caller.last.error["message"]
    assert record.exc_info is not None


@pytest.mark.parametrize(
    ("said", "expected"),
    [("seen", "seen"), (None, None), ("two\r\nlines", None), ("", None), (7, None)],
)
def test_custom_attributes_come_back_only_as_the_service_says(
    run: Run, model: LoadedModel, caller: Caller, said: object, expected: str | None
):
    received: list[str] = []

    class Attentive(type(model.service)):  # type: ignore[misc]
        def custom_attributes(self, attributes: str) -> object:
            received.append(attributes)
            return said

    async def story() -> None:
        instance = Instance(replace(model, service=Attentive()))
        caller.call(instance, {"distance": 150}, headers={ATTRIBUTES: "trace=1"})
        await asyncio.sleep(0)
        assert caller.last.status == 200
        assert caller.last.headers.get(ATTRIBUTES) == expected
        caller.call(instance, {"distance": 150})
        await asyncio.sleep(0)
        assert ATTRIBUTES not in caller.last.headers

    run(story())
    assert received == ["trace=1"]


def test_a_csv_request_is_answered_in_csv_and_in_what_it_asks_for(
    run: Run, model: LoadedModel, caller: Caller
):
    async def story() -> None:
        instance = Instance(model)
        for accept, expected in (
            ("*/*", b"50.3\n53.92\n"),
            ("application/json", b'[{"cost":50.3},{"cost":53.92}]'),
            ("application/jsonlines", b'{"cost":50.3}\n{"cost":53.92}\n'),
        ):
            headers = {"content-type": "text/csv", "accept": accept}
            caller.call(instance, b"150\n100\n", headers=headers)
            await asyncio.sleep(0)
            assert (caller.last.status, caller.last.body) == (200, expected)
            asked = "text/csv" if accept == "*/*" else accept
            assert caller.last.headers["content-type"] == asked

    run(story())


@pytest.mark.parametrize(
    ("sent", "route", "status", "noted"),
    [
        (b"\x16\x03\x01", "other", 400, ("", "")),
        (
            (
                b"POST /invocations HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\n"
                b"Content-Length: 9999999\r\n\r\n"
            ),
            "/invocations",
            413,
            ("POST", "/invocations"),
        ),
        (b"GET /ping HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 20_000, "/ping", 431, ("", "/ping")),
        (b"POST /invocations HTTP/1.1\r\nHo", "/invocations", 408, ("", "/invocations")),
        (
            b"POST /invocations HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{",
            "/invocations",
            408,
            ("POST", "/invocations"),
        ),
    ],
)
def test_what_the_server_refuses_is_counted_and_logged_and_has_an_id(
    run: Run,
    model: LoadedModel,
    sent: bytes,
    route: str,
    status: int,
    noted: tuple[str, str],
):
    written: list[bytes] = []
    scoreboard = Scoreboard()

    async def story() -> None:
        log = RequestLog(written.append)
        instance = Instance(model, scoreboard=scoreboard, request_log=log)
        limits = Limits(header_timeout_seconds=0.05, body_timeout_seconds=0.05)
        server = await Server.start(instance.handle, limits=limits, refuse=instance.refuse)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(sent)
        answer = await reader.read()
        writer.close()
        await server.drain(timeout_seconds=0)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status)
        (line,) = [json.loads(line) for line in b"".join(written).splitlines()]
        assert (line["method"], line["path"], line["status"]) == (*noted, status)
        assert f"X-Request-Id: {line['request_id']}".encode() in head
        assert line["request_id"] in json.loads(body)["error"]["message"]
        assert (line["request_id"] == "mine") is (b"mine" in sent)

    run(story())
    assert samples(scoreboard.render())["tonnage_requests_total", route, str(status)] == 1
