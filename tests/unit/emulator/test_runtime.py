"""
SageMaker's runtime API on the wire.
"""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.emulator import EndpointOptions
from tonnage.emulator._runtime import (
    endpoint_of,
    forwarded_headers,
    model_response,
    not_found,
    validation_error,
)
from tonnage.http import ClientResponse, Response

ENDPOINT = EndpointOptions(endpoint_name="real-estate-evaluation", variant_name="linear-model")


def headers_of(response: Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers}


def members_of(response: Response) -> dict[str, Any]:
    members: dict[str, Any] = json.loads(response.body)
    return members


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/endpoints/real-estate-evaluation/invocations", "real-estate-evaluation"),
        ("/endpoints/real-estate-evaluation/invocations/", "real-estate-evaluation"),
        ("/endpoints/a%2Fb%20c/invocations", "a/b c"),
        ("/endpoints//invocations", None),
        ("/endpoints/a/b/invocations", None),
        ("/endpoints/a/async-invocations", None),
        ("/endpoints/a", None),
        ("/evaluate", None),
        ("/x/endpoints/a/invocations", None),
    ],
)
def test_a_runtime_path_names_its_endpoint(path: str, endpoint: str | None):
    assert endpoint_of(path) == endpoint


def test_only_what_sagemaker_knows_reaches_the_container():
    headers = {
        "content-type": "application/json",
        "accept": "application/json",
        "x-amzn-sagemaker-custom-attributes": "trace=1",
        "authorization": "AWS4-HMAC-SHA256 …",
        "x-amz-date": "20200101T000000Z",
        "host": "127.0.0.1",
        "cookie": "a=b",
        "transfer-encoding": "chunked",
        "connection": "close",
    }
    assert forwarded_headers(headers) == {
        "content-type": "application/json",
        "accept": "application/json",
        "x-amzn-sagemaker-custom-attributes": "trace=1",
    }


def test_without_a_content_type_it_is_json():
    assert forwarded_headers({}) == {"content-type": "application/json"}


def test_a_prediction_is_passed_on_as_it_is_with_the_variants_name():
    answer = ClientResponse(
        status=200,
        headers={
            "content-type": "application/json",
            "x-amzn-sagemaker-custom-attributes": "trace=1",
            "x-internal": "no",
        },
        body=b'{"cost": 50.3}',
    )
    response = model_response(answer, ENDPOINT)
    assert (response.status, response.body) == (200, b'{"cost": 50.3}')
    assert response.content_type == "application/json"
    headers = headers_of(response)
    assert headers.pop("x-amzn-requestid")
    assert headers == {
        "x-amzn-invoked-production-variant": "linear-model",
        "x-amzn-sagemaker-custom-attributes": "trace=1",
    }


@pytest.mark.parametrize(
    ("status", "whose"), [(400, "client"), (415, "client"), (500, "server"), (503, "server")]
)
def test_what_the_container_refuses_is_a_model_error(status: int, whose: str):
    answer = ClientResponse(status=status, headers={}, body=b'{"error":{"code":"x"}}')
    response = model_response(answer, ENDPOINT)
    assert response.status == 424
    assert headers_of(response)["x-amzn-errortype"] == "ModelError"
    members = members_of(response)
    assert members["OriginalStatusCode"] == status
    assert members["OriginalMessage"] == '{"error":{"code":"x"}}'
    assert members["LogStreamArn"].startswith("arn:aws:logs:")
    assert f"Received {whose} error ({status}) from linear-model" in members["Message"]


def test_a_long_original_message_is_cut():
    answer = ClientResponse(status=500, headers={}, body=b"x" * 100_000)
    assert len(model_response(answer, ENDPOINT).body) < 4096


@given(st.binary(max_size=2000), st.integers(400, 599))
def test_whatever_bytes_the_container_answers_the_error_is_json(body: bytes, status: int):
    answer = ClientResponse(status=status, headers={}, body=body)
    assert members_of(model_response(answer, ENDPOINT))["OriginalStatusCode"] == status


def test_an_unknown_endpoint_is_a_modelled_validation_error():
    """``ValidationException`` would become an exception that clients do not know."""
    response = not_found("nowhere")
    assert response.status == 400
    assert headers_of(response)["x-amzn-errortype"] == "ValidationError"
    assert "nowhere" in members_of(response)["Message"]


def test_each_answer_has_a_request_id_of_its_own():
    ids = {headers_of(validation_error("x"))["x-amzn-requestid"] for _ in range(10)}
    assert len(ids) == 10
