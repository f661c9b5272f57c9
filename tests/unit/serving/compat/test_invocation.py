"""
A handler's result, or its error, becomes one HTTP response.
"""

import json
import logging
from pathlib import Path

import numpy as np
import pytest

from tonnage.domain import FieldFault, InvalidPayloadError
from tonnage.http import Request, Response
from tonnage.serving.compat import Context, InvocationError
from tonnage.serving.compat._errors import (
    BaseInferenceToolkitError,
    GenericInferenceToolkitError,
    UnsupportedFormatError,
)
from tonnage.serving.compat._invocation import accept_of, content_type_of, respond


class QuotaError(BaseInferenceToolkitError):
    """A user's own kind."""


def answer(result: object = None, *, error: Exception | None = None, **headers: str) -> Response:
    def invoke(body: bytes, content_type: str | None, accept: str, context: Context) -> object:
        if error is not None:
            raise error
        return result(context) if callable(result) else result

    request = Request(
        method="POST",
        target="/invocations",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        body=b"[]",
    )
    return respond(invoke, request, model_dir=Path("model"), request_id="r-1")


def message_of(response: Response) -> str:
    message: str = json.loads(response.body)["error"]["message"]
    return message


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (GenericInferenceToolkitError(400, "no such house"), 400),
        (GenericInferenceToolkitError(422, "no such house", "a phrase"), 422),
        (QuotaError(429, "no such house", "phrase"), 429),
        (InvocationError(404, "no such house"), 404),
        (InvalidPayloadError("no such house"), 400),
        (InvocationError(503, "no such house"), 503),
    ],
)
def test_a_users_status_stays_that_status(error: Exception, status: int):
    response = answer(error=error)
    assert response.status == status
    assert message_of(response) == "no such house"


def test_a_payloads_faults_are_named():
    fault = FieldFault(field="distance", message="must be positive")
    response = answer(error=InvalidPayloadError("bad", faults=[fault]))
    assert json.loads(response.body)["error"]["fields"] == [
        {"field": "distance", "message": "must be positive"}
    ]


@pytest.mark.parametrize(
    "error",
    [
        KeyError("a secret"),
        GenericInferenceToolkitError(200, "a secret"),
        GenericInferenceToolkitError("many", "a secret"),  # type: ignore[arg-type]
    ],
)
def test_any_other_error_is_a_500_with_its_trace_in_the_log_only(
    error: Exception, caplog: pytest.LogCaptureFixture
):
    response = answer(error=error)
    assert response.status == 500
    assert b"secret" not in response.body
    assert b"Traceback" not in response.body
    (record,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert record.exc_info is not None
    assert vars(record)["request_id"] == "r-1"


@pytest.mark.parametrize(
    ("result", "body", "content_type"),
    [
        ("text", b"text", "application/json"),
        (b"bytes", b"bytes", "application/json"),
        (bytearray(b"bytes"), b"bytes", "application/json"),
        (("a,b", "text/csv"), b"a,b", "text/csv"),
        ({"cost": np.float64(2.5)}, b'{"cost": 2.5}', "application/json"),
        (np.array([1, 2]), b"[1, 2]", "application/json"),
    ],
)
def test_a_result_is_written(result: object, body: bytes, content_type: str):
    response = answer(result)
    assert (response.status, response.body, response.content_type) == (200, body, content_type)


def test_a_result_that_cannot_be_written_is_a_500():
    assert answer(object()).status == 500
    assert answer(("body", "text/csv\r\nSet-Cookie: x")).status == 500


def test_the_context_sets_status_type_and_headers():
    def result(context: Context) -> str:
        assert context.get_request_header(0, "X-Amzn-SageMaker-Custom-Attributes") == "trace=1"
        assert context.request_processor[0].get_request_properties()["Accept"] == "text/csv"
        context.set_response_content_type(0, "text/plain")
        context.set_response_header(0, "X-Amzn-SageMaker-Custom-Attributes", "seen=1")
        context.set_response_header(0, "Content-Length", "999")
        context.set_response_status(code=201, phrase="Made")
        return "done"

    response = answer(result, accept="text/csv", x_amzn_sagemaker_custom_attributes="trace=1")
    assert (response.status, response.content_type) == (201, "text/plain")
    assert response.headers == (("x-amzn-sagemaker-custom-attributes", "seen=1"),)


def test_a_trace_that_a_service_answers_goes_to_the_log(caplog: pytest.LogCaptureFixture):
    """The real toolkit's transformer sets the status and returns its message and its trace."""

    def result(status: int) -> object:
        def run(context: Context) -> str:
            context.set_response_status(status, "phrase")
            return "no such house\nTraceback (most recent call last):\n  a secret"

        return run

    refused = answer(result(422))
    assert (refused.status, message_of(refused)) == (422, "no such house")
    failed = answer(result(500))
    assert failed.status == 500
    assert b"no such house" not in failed.body
    assert caplog.text.count("a secret") == 2


@pytest.mark.parametrize(("named", "status"), [("text/csv", 406), ("application/json", 415)])
def test_an_unsupported_type_that_a_service_answers_with_500_is_told_apart(named: str, status: int):
    """The real toolkit's transformer does so, from the except clause that caught it."""

    def result(context: Context) -> str:
        try:
            raise UnsupportedFormatError(named)  # noqa: TRY301 (as the transformer does)
        except UnsupportedFormatError:
            context.set_response_status(500, "phrase")
        return "message and trace"

    assert answer(result, accept="text/csv").status == status


def test_a_status_that_a_service_chooses_itself_stays():
    def result(context: Context) -> str:
        try:
            return {}["distance"]
        except KeyError:
            context.set_response_status(422, "phrase")
        return "no distance"

    refused = answer(result)
    assert (refused.status, message_of(refused)) == (422, "no distance")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("application/json", "application/json"),
        ("Application/JSON; charset=UTF-8", "application/json"),
        ('text/csv;charset="utf-8"', "text/csv"),
        ("application/x-thing; version=2", "application/x-thing; version=2"),
    ],
)
def test_content_types_come_as_handlers_compare_them(header: str | None, expected: str):
    assert content_type_of(header) == expected


def test_text_in_another_encoding_is_refused():
    with pytest.raises(InvalidPayloadError, match="latin-1"):
        content_type_of("text/csv; charset=latin-1")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, "the/default"),
        ("*/*", "the/default"),
        ("text/csv", "text/csv"),
        ("application/json, text/plain, */*", "application/json"),
        ("text/csv;q=0.5, application/x-npy", "application/x-npy"),
        ("text/html, */*;q=0.8", "the/default"),
        ("image/png", "image/png"),
        ("application/json;q=0", "the/default"),
        ("application/json;q=much", "the/default"),
    ],
)
def test_accept_comes_as_one_type(header: str | None, expected: str):
    assert accept_of(header, "the/default") == expected
