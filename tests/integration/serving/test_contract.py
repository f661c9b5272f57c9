"""
``tonnage serve`` keeps SageMaker's container contract, whatever it is sent.
"""

from __future__ import annotations

import http.client
import json
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from support import ask, children_of, post

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support import Serve

SEVEN_MEGABYTES = b'{"distance": ' + b" " * 7_000_000 + b"150}"


@pytest.fixture(scope="module")
def url(serve: Serve) -> Iterator[str]:
    """One instance for all of these; it must outlive them with the workers it began with."""
    with serve() as (command, served):
        workers = children_of(command.pid)
        yield served
        assert post(f"{served}/invocations", {"distance": 150}).json == {"cost": 50.3}
        assert children_of(command.pid) == workers
        assert "Traceback" not in command.stderr


def test_ping_answers_200_with_an_empty_body(url: str):
    answer = ask(f"{url}/ping")
    assert (answer.status, answer.body) == (200, b"")


def test_an_invocation_is_answered(url: str):
    answer = post(f"{url}/invocations", {"distance": 150})
    assert (answer.status, answer.json) == (200, {"cost": 50.3})
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(("distance", "cost"), [(100, 53.92), (150, 50.3), (1000, 33.38)])
def test_it_predicts_what_the_fit_says(url: str, distance: float, cost: float):
    assert post(f"{url}/invocations", {"distance": distance}).json == {"cost": cost}


BAD_BODIES = {
    "zero": b'{"distance": 0}',
    "negative": b'{"distance": -150}',
    "minus zero": b'{"distance": -0.0}',
    "nan": b'{"distance": NaN}',
    "infinity": b'{"distance": Infinity}',
    "minus infinity": b'{"distance": -Infinity}',
    "a number too large": b'{"distance": 1e999}',
    "a string": b'{"distance": "150"}',
    "a word": b'{"distance": "near"}',
    "true": b'{"distance": true}',
    "null": b'{"distance": null}',
    "a list": b'{"distance": [150]}',
    "missing field": b"{}",
    "unknown field": b'{"distance": 150, "rooms": 3}',
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=list(BAD_BODIES))
def test_a_bad_row_is_a_400_that_names_the_field(url: str, body: bytes):
    answer = post(f"{url}/invocations", body)
    assert answer.status == 400
    error = answer.error
    assert error["code"] == "invalid_payload"
    (fault,) = error["fields"]
    assert fault["field"] == ("rooms" if b"rooms" in body else "distance")
    assert fault["message"]
    assert fault["field"] in error["message"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"}", b"150", b'"150"', b"[]", b"null", b"\xff\xfe", b"\x00", b"[" * 100_000],
)
def test_a_body_that_is_no_row_is_a_400(url: str, body: bytes):
    answer = post(f"{url}/invocations", body)
    assert answer.status == 400
    assert answer.error["code"] == "invalid_payload"


def test_a_body_of_7_megabytes_is_a_413(url: str):
    answer = post(f"{url}/invocations", SEVEN_MEGABYTES)
    assert answer.status == 413
    assert "6MiB" in answer.error["message"]


def test_a_body_of_7_megabytes_in_chunks_is_a_413(url: str):
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    pieces = (SEVEN_MEGABYTES[start : start + 65536] for start in range(0, 7_000_000, 65536))
    connection.request("POST", "/invocations", body=pieces, encode_chunked=True)
    response = connection.getresponse()
    assert response.status == 413
    assert json.loads(response.read())["error"]["code"]
    connection.close()


def test_a_body_just_below_the_limit_is_taken(url: str):
    blanks = 6 * 1024 * 1024 - len(b'{"distance":150}')
    answer = post(f"{url}/invocations", b'{"distance":' + b" " * blanks + b"150}")
    assert answer.json == {"cost": 50.3}


@pytest.mark.parametrize(
    "content_type", ["text/xml", "application/x-npz", "text/plain", "application/pickle", "json"]
)
def test_another_content_type_is_a_415(url: str, content_type: str):
    answer = post(f"{url}/invocations", b"150", content_type)
    assert answer.status == 415
    assert content_type in answer.error["message"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_another_method_is_a_405_that_says_which(url: str, method: str):
    answer = ask(f"{url}/invocations", method)
    assert answer.status == 405
    assert answer.headers["allow"] == "POST"
    assert method in answer.error["message"]


@pytest.mark.parametrize("path", ["/", "/invocations/", "/Invocations", "/evaluate", "/%70ing"])
def test_an_unknown_path_is_a_404(url: str, path: str):
    answer = post(f"{url}{path}", {"distance": 150})
    assert answer.status == 404
    assert answer.error["code"] == "not_found"


def said(url: str, sent: bytes) -> bytes:
    """Send bytes and return everything that is answered, until both have ended."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    with socket.create_connection((parts.hostname, parts.port or 0), timeout=20) as client:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        return client.makefile("rb").read()


def test_bytes_that_are_no_http_are_a_400(url: str):
    head, _, body = said(url, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n").partition(
        b"\r\n\r\n"
    )
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["error"]["message"]


def test_an_invocation_that_says_nothing_of_a_body_is_a_411(url: str):
    head, _, body = said(url, b"POST /invocations HTTP/1.1\r\nHost: a\r\n\r\n").partition(
        b"\r\n\r\n"
    )
    assert head.startswith(b"HTTP/1.1 411 Length Required")
    error = json.loads(body)["error"]
    assert error["code"] == "length_required"
    assert "send the row with its Content-Length" in error["message"]


def test_a_body_whose_length_was_not_said_is_not_taken_for_a_row(url: str):
    """By HTTP's rules what follows such a request is the next one."""
    answered = said(url, b'POST /invocations HTTP/1.1\r\nHost: a\r\n\r\n{"distance": 150}')
    assert answered.startswith(b"HTTP/1.1 411 ")
    assert answered.count(b"HTTP/1.1 ") == 2
    assert b"HTTP/1.1 400 " in answered


@pytest.mark.parametrize("head", [b"Content-Length: 0", b"Transfer-Encoding: chunked"])
def test_an_empty_body_that_was_announced_is_a_400(url: str, head: bytes):
    end = b"0\r\n\r\n" if b"chunked" in head else b""
    sent = b"POST /invocations HTTP/1.1\r\nHost: a\r\n" + head + b"\r\n\r\n" + end
    assert said(url, sent).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    ("line", "status", "allowed"),
    [
        (b"BREW /invocations HTTP/1.1", 405, b"POST"),
        (b"post /invocations?x=1 HTTP/1.1", 405, b"POST"),
        (b"PURGEX /ping HTTP/1.1", 405, b"GET"),
        (b"BREW /coffee HTTP/1.1", 404, None),
        (b"BREW /invocations HTTP/2.0", 400, None),
        (b"BREW", 400, None),
        (b'{"distance": 150} /invocations HTTP/1.1', 400, None),
    ],
)
def test_a_method_that_http_does_not_know_is_one_that_is_not_allowed(
    url: str, line: bytes, status: int, allowed: bytes | None
):
    head, _, body = said(url, line + b"\r\nHost: a\r\n\r\n").partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0].startswith(b"HTTP/1.1 %d " % status)
    assert [line for line in lines if line.startswith(b"Allow: ")] == (
        [b"Allow: " + allowed] if allowed else []
    )
    assert b"Connection: close" in lines
    assert json.loads(body)["error"]["message"]


def test_headers_it_does_not_know_are_tolerated(url: str):
    headers = {
        "X-Amzn-SageMaker-Custom-Attributes": "c000b4f9-df62-4c85-a0bf-7c525f9104a4",
        "X-Amzn-Trace-Id": "Root=1-67891233-abcdef012345678912345678",
        "Accept": "*/*",
    }
    answer = ask(f"{url}/invocations", "POST", body=b'{"distance": 150}', headers=headers)
    assert answer.json == {"cost": 50.3}


def test_a_row_that_the_model_fails_on_is_a_500_without_a_trace(serve: Serve, probe_artefact: Path):
    with serve(artefact=probe_artefact) as (command, served):
        answer = post(f"{served}/invocations", {"distance": 666})
        assert answer.status == 500
        assert answer.error["code"] == "model_error"
        assert b"cannot take" not in answer.body
        assert post(f"{served}/invocations", {"distance": 150}).status == 200
        command.until_line("a row that the model cannot take")
