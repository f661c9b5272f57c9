"""
What the front answers, byte by byte, to requests that no client library would send.
"""

import asyncio
import gzip
import json
import logging
import sys
from typing import Any

import pytest

from aws_front import Recorder, refusing
from tonnage.domain import ConfigurationError
from tonnage.emulator.aws import AwsFront, AwsService, Credentials, Operation
from tonnage.emulator.aws._models import service_model
from tonnage.http import Request, Response

SCALING = "AnyScaleFrontendService"
WATCH = "GraniteServiceVersion20100801"
DESCRIBED: dict[str, Any] = {"ScalableTargets": []}


def request(target: str | None, body: bytes = b"{}", path: str = "/", **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if target is not None:
        named = {"x-amz-target": target, "content-type": "application/x-amz-json-1.1", **named}
    return Request(method="POST", target=path, headers=named, body=body)


def front(**operations: Operation) -> AwsFront:
    given = {"DescribeScalableTargets": Recorder(DESCRIBED), **operations}
    watch = {"ListMetrics": Recorder({"Metrics": []}), "SetAlarmState": Recorder({}), **operations}
    return AwsFront(
        [
            AwsService(name="application-autoscaling", target_prefix=SCALING, operations=given),
            AwsService(name="cloudwatch", target_prefix=WATCH, operations=watch),
        ]
    )


def answer(to: Request, **operations: Operation) -> Response:
    return asyncio.run(front(**operations).answer(to))


def error_of(response: Response) -> tuple[int, str, str]:
    body = json.loads(response.body)
    message = body.get("message", body.get("Message"))
    headers = dict(response.headers)
    assert headers["x-amzn-errortype"] == body["__type"]
    assert len(headers["x-amzn-RequestId"]) == 36
    return response.status, body["__type"], message


def test_an_answer_is_json_with_a_request_id():
    response = answer(request(f"{SCALING}.DescribeScalableTargets", b'{"ServiceNamespace":"ecs"}'))
    assert (response.status, response.content_type) == (200, "application/x-amz-json-1.1")
    assert json.loads(response.body) == DESCRIBED
    assert len(dict(response.headers)["x-amzn-RequestId"]) == 36


def test_an_answer_without_members_has_the_body_its_protocol_gives_it():
    body = b'{"AlarmName":"a","StateValue":"OK","StateReason":"r"}'
    assert answer(request(f"{WATCH}.SetAlarmState", body)).body == b""
    quiet = answer(request(f"{WATCH}.SetAlarmState", body, x_amzn_query_mode="true"))
    assert quiet.body == b"{}"


@pytest.mark.parametrize(
    ("target", "named"),
    [
        (f"{SCALING}.Describe", "Describe is no operation of application-autoscaling"),
        (f"{SCALING}.GetPredictiveScalingForecast", "GetPredictiveScalingForecast of application"),
        ("DynamoDB_20120810.ListTables", "DynamoDB_20120810.ListTables is of no service here"),
        ("nothing", ".nothing is of no service here"),
    ],
)
def test_an_unknown_operation_is_named(target: str, named: str):
    status, kind, message = error_of(answer(request(target)))
    assert (status, kind) == (400, "UnknownOperationException")
    assert message.startswith(named)


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"a":}', b"[" * 100_000])
def test_malformed_json_is_a_serialization_exception(body: bytes):
    status, kind, message = error_of(answer(request(f"{SCALING}.DescribeScalableTargets", body)))
    assert (status, kind) == (400, "SerializationException")
    assert "not JSON" in message


def test_an_empty_body_is_an_empty_object():
    _, kind, message = error_of(answer(request(f"{SCALING}.DescribeScalableTargets", b"")))
    assert (kind, "serviceNamespace" in message) == ("ValidationException", True)


def test_a_refusal_has_its_modelled_shape():
    body = b'{"ServiceNamespace":"ecs"}'
    refused = answer(
        request(f"{SCALING}.DescribeScalableTargets", body),
        DescribeScalableTargets=refusing("ObjectNotFoundException", "no such thing"),
    )
    assert json.loads(refused.body)["Message"] == "no such thing"
    assert error_of(refused)[:2] == (400, "ObjectNotFoundException")


def test_a_modelled_status_and_query_code_are_given():
    body = b'{"AlarmName":"a","StateValue":"OK","StateReason":"r"}'
    refused = answer(
        request(f"{WATCH}.SetAlarmState", body, x_amzn_query_mode="true"),
        SetAlarmState=refusing("ResourceNotFound", "no such alarm"),
    )
    assert error_of(refused) == (404, "ResourceNotFound", "no such alarm")
    assert dict(refused.headers)["x-amzn-query-error"] == "ResourceNotFound;Sender"


@pytest.mark.parametrize(
    "asked",
    [
        request(f"{SCALING}.DescribeScalableTargets", b'{"ServiceNamespace":"ecs"}'),
        request(
            None,
            b"Action=ListMetrics&Version=2010-08-01",
            content_type="application/x-www-form-urlencoded",
        ),
        request(
            None,
            b"",
            f"/service/{WATCH}/operation/ListMetrics",
            smithy_protocol="rpc-v2-cbor",
        ),
    ],
    ids=["json", "query", "cbor"],
)
def test_without_botocore_every_call_says_what_to_install(
    asked: Request, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """A client that could try again is told that this will not help."""
    service_model.cache_clear()
    monkeypatch.setitem(sys.modules, "botocore", None)
    response = answer(asked)
    assert response.status == 501
    assert b"NotImplemented" in response.body
    assert b"botocore" in response.body
    assert b"pip install 'tonnage[aws]'" in response.body
    assert "pip install 'tonnage[aws]'" in caplog.text


def test_without_botocore_signatures_cannot_be_checked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "botocore", None)
    with pytest.raises(ConfigurationError, match="botocore") as raised:
        AwsFront([], credentials=Credentials(access_key_id="a", secret_access_key="b"))
    assert raised.value.hint == "pip install 'tonnage[aws]'"


def test_a_fault_of_ours_is_an_internal_failure_and_is_logged(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.ERROR):
        response = answer(
            request(f"{SCALING}.DescribeScalableTargets", b'{"ServiceNamespace":"ecs"}'),
            DescribeScalableTargets=Recorder(ZeroDivisionError()),
        )
    assert error_of(response)[:2] == (500, "InternalFailure")
    assert "ZeroDivisionError" in caplog.text


def test_a_gzip_body_is_read_and_a_broken_one_refused():
    body = gzip.compress(b'{"ServiceNamespace":"ecs"}')
    target = f"{SCALING}.DescribeScalableTargets"
    assert answer(request(target, body, content_encoding="gzip")).status == 200
    for broken in (body[:-9], b"plain"):
        refused = answer(request(target, broken, content_encoding="gzip"))
        assert error_of(refused)[1] == "SerializationException"


def test_a_body_that_inflates_without_end_is_refused():
    bomb = gzip.compress(b" " * (33 * 1024 * 1024))
    refused = answer(request(f"{SCALING}.DescribeScalableTargets", bomb, content_encoding="gzip"))
    assert "32 MiB" in error_of(refused)[2]


def test_a_form_names_action_and_version():
    form = {"content_type": "application/x-www-form-urlencoded; charset=utf-8"}
    listed = answer(request(None, b"Action=ListMetrics&Version=2010-08-01", **form))
    assert (listed.status, listed.content_type) == (200, "text/xml")
    assert listed.body.startswith(b'<ListMetricsResponse xmlns="http://monitoring.')
    refused = answer(request(None, b"Action=Nothing&Version=2010-08-01", **form))
    assert b"<Code>UnknownOperationException</Code><Message>Nothing is no op" in refused.body
    other = answer(request(None, b"Action=ListUsers&Version=2010-05-08", **form))
    assert (other.status, b"ListUsers" in other.body) == (400, True)
    assert answer(request(None, b"=&&", **form)).status == 400


@pytest.mark.parametrize("path", ["/service/x", f"/service/{WATCH}/operation/Nothing"])
def test_a_cbor_path_must_name_an_operation(path: str):
    refused = answer(request(None, b"", path, smithy_protocol="rpc-v2-cbor"))
    assert (refused.status, refused.content_type) == (400, "application/cbor")
    assert b"UnknownOperationException" in refused.body


@pytest.mark.parametrize(
    ("asked", "taken"),
    [
        (request("a.b", path="/anything"), True),
        (request(None, content_type="application/x-www-form-urlencoded"), True),
        (request(None, path="/service/x/operation/y", smithy_protocol="rpc-v2-cbor"), True),
        (request(None, path="/service/x/operation/y"), False),
        (request(None, path="/evaluate", content_type="application/x-www-form-urlencoded"), False),
        (request(None, content_type="application/json"), False),
        (Request(method="GET", target="/", headers={"x-amz-target": "a.b"}, body=b""), False),
    ],
)
def test_it_takes_what_is_for_the_control_plane(asked: Request, taken: bool):
    assert AwsFront.takes(asked) is taken
