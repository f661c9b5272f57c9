"""
Bad input: a 4xx whose body names the fault and the field, never a 5xx, never an exception.
"""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.api import ApiResponse, Front, Invocation

JSON = {"content-type": "application/json"}


def refused(answer: ApiResponse | Invocation, status: int) -> dict[str, Any]:
    """The envelope of a refusal with that status."""
    assert isinstance(answer, ApiResponse)
    assert answer.status == status
    assert answer.content_type == "application/json"
    envelope = json.loads(answer.body)
    assert set(envelope) == {"error"}
    error = envelope["error"]
    assert {"code", "message"} <= set(error) <= {"code", "message", "fields"}
    assert error["message"]
    assert "Traceback" not in error["message"]
    return dict(error)


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        (b'{"distance": 0}', "distance", "greater than 0"),
        (b'{"distance": -150}', "distance", "greater than 0"),
        (b'{"distance": -0.0}', "distance", "greater than 0"),
        (b'{"distance": NaN}', "distance", "finite"),
        (b'{"distance": Infinity}', "distance", "finite"),
        (b'{"distance": -Infinity}', "distance", "finite"),
        (b'{"distance": 1e999}', "distance", "finite"),
        (b'{"distance": 1e-999}', "distance", "greater than 0"),
        (b'{"distance": "150"}', "distance", "number"),
        (b'{"distance": ""}', "distance", "number"),
        (b'{"distance": true}', "distance", "number"),
        (b'{"distance": null}', "distance", "number"),
        (b'{"distance": [150]}', "distance", "number"),
        (b'{"distance": {"metres": 150}}', "distance", "number"),
        (b"{}", "distance", "required"),
        (b'{"distancex": 150}', "distance", "required"),
        (b'{"distance": 150, "age": 3}', "age", "not permitted"),
        (b'{"distance": 150, "": 3}', "", "not permitted"),
    ],
)
def test_a_bad_field_is_named(front: Front, body: bytes, field: str, says: str):
    error = refused(front.accept("POST", "/evaluate", JSON, body), 400)
    assert error["code"] == "invalid_payload"
    messages = {fault["field"]: fault["message"] for fault in error["fields"]}
    assert says in messages[field]
    assert field in error["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"}",
        b"{]",
        b'{"distance": }',
        b'{"distance": 150',
        b'{"distance": 150}}',
        b'{"distance": 150} {"distance": 150}',
        b"{'distance': 150}",
        b'{"distance": 0x96}',
        b"\xff\xfe",
        b'\xef\xbb\xbf{"distance": 150}',
        b'{"distance": "\xff"}',
        b'{"\\ud800": 1}',
        b"\x00",
        b"[" * 100_000,
        b'{"distance":' * 10_000,
        b'{"distance": ' + b"9" * 5000 + b"}",
        '{"distance": 150}'.encode("utf-16"),
    ],
)
def test_what_is_no_json_is_told(front: Front, body: bytes):
    error = refused(front.accept("POST", "/evaluate", JSON, body), 400)
    assert error["code"] == "invalid_payload"
    assert "JSON" in error["message"]


@pytest.mark.parametrize("body", [b"null", b"[]", b"150", b'"150"', b"true", b"[150]"])
def test_json_that_is_no_object_is_told(front: Front, body: bytes):
    error = refused(front.accept("POST", "/evaluate", JSON, body), 400)
    assert "object" in error["message"]


def test_a_body_of_seven_megabytes_gets_a_short_answer(front: Front):
    """The edge refuses it with 413; what reaches the front all the same is refused, too."""
    for body in (
        b'{"distance": "' + b"x" * 7_000_000 + b'"}',
        b'{"distance": 1, "' + b"x" * 7_000_000 + b'": 1}',
        b"[" + b"1," * 3_500_000 + b"1]",
    ):
        answer = front.accept("POST", "/evaluate", JSON, body)
        refused(answer, 400)
        assert isinstance(answer, ApiResponse)
        assert len(answer.body) < 10_000


def test_half_a_million_unknown_fields_get_a_short_answer(front: Front):
    fields = b",".join(b'"%d":1' % number for number in range(500_000))
    answer = front.accept("POST", "/evaluate", JSON, b'{"distance":1,' + fields + b"}")
    error = refused(answer, 400)
    assert len(error["fields"]) == 20
    assert "499,980 faults more" in error["message"]


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/csv",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "application/xml; charset=utf-8",
        "",
        ";",
        "json",
        "\udcff",
    ],
)
def test_another_content_type_is_refused(front: Front, content_type: str):
    headers = {"content-type": content_type}
    error = refused(front.accept("POST", "/evaluate", headers, b'{"distance": 150}'), 415)
    assert error["code"] == "unsupported_media_type"
    assert "application/json" in error["message"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "application/json"},
        {"content-type": "application/json; charset=utf-8"},
        {"content-type": "application/json;charset=utf-8"},
        {"content-type": " Application/JSON "},
    ],
)
def test_json_by_any_of_its_names_is_taken(front: Front, headers: dict[str, str]):
    body = b'{"distance": 150}'
    assert front.accept("POST", "/evaluate", headers, body) == Invocation(body=body)


@pytest.mark.parametrize("path", ["/evaluate", "/evaluate/"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"])
def test_a_wrong_method_says_what_is_allowed(front: Front, method: str, path: str):
    answer = front.accept(method, path, JSON, b'{"distance": 150}')
    error = refused(answer, 405)
    assert error["code"] == "method_not_allowed"
    assert isinstance(answer, ApiResponse)
    assert dict(answer.headers)["Allow"] == "POST"


@pytest.mark.parametrize("path", ["/", "/openapi.json"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_documents_are_only_read(front: Front, method: str, path: str):
    answer = front.accept(method, path, JSON, b'{"distance": 150}')
    refused(answer, 405)
    assert isinstance(answer, ApiResponse)
    assert dict(answer.headers)["Allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "path",
    ["/evaluat", "/evaluate/x", "/Evaluate", "/evaluate%2f", "evaluate", "/../", "*", "/a\x00"],
)
def test_an_unknown_path_says_which_there_are(front: Front, path: str):
    error = refused(front.accept("POST", path, JSON, b'{"distance": 150}'), 404)
    assert error["code"] == "not_found"
    assert "/evaluate" in error["message"]


@given(body=st.binary(max_size=60) | st.text(max_size=40).map(lambda text: text.encode()))
def test_any_bytes_are_an_invocation_or_a_400(front: Front, body: bytes):
    answer = front.accept("POST", "/evaluate", JSON, body)
    if not isinstance(answer, Invocation):
        refused(answer, 400)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(payload=VALUES | st.fixed_dictionaries({"distance": VALUES}))
def test_any_json_is_an_invocation_or_a_400(front: Front, payload: object):
    answer = front.accept("POST", "/evaluate", JSON, json.dumps(payload).encode())
    if isinstance(answer, Invocation):
        assert isinstance(payload, dict)
        assert payload["distance"] > 0
        assert not isinstance(payload["distance"], bool)
    else:
        refused(answer, 400)


@given(
    method=st.sampled_from(["GET", "POST", "HEAD"]) | st.text(max_size=8),
    path=st.sampled_from(["/", "/evaluate", "/evaluate//", "//"]) | st.text(max_size=12),
    headers=st.dictionaries(st.sampled_from(["content-type", "x"]), st.text(max_size=12)),
    body=st.binary(max_size=12),
)
def test_any_request_gets_an_answer_below_500(
    front: Front, method: str, path: str, headers: dict[str, str], body: bytes
):
    answer = front.accept(method, path, headers, body)
    if isinstance(answer, ApiResponse):
        assert answer.status == 200 or 400 <= answer.status < 500
        json.loads(answer.body)
