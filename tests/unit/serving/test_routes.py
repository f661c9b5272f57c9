"""
What an instance turns away, and the page that lists every status.
"""

import re
from pathlib import Path

import pytest

from tonnage.api import FAULT_ANSWERS, UNKNOWN_FAULT
from tonnage.http import Refusal, Request
from tonnage.serving._metrics import STATUSES
from tonnage.serving._routes import misfit, refused_as, unframed

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "statuses.md"


def asked(headers: dict[str, str], body: bytes = b"") -> Request:
    return Request("POST", "/invocations", headers, body)


def test_what_is_where_it_belongs_is_not_turned_away():
    for path, method in (("/invocations", "POST"), ("/ping", "HEAD"), ("/metrics", "GET")):
        assert misfit(path, method) is None


def test_a_length_is_asked_for_only_where_nothing_says_one():
    assert unframed(asked({"content-length": "0"})) is None
    assert unframed(asked({"transfer-encoding": "chunked"})) is None
    assert unframed(asked({}, b"{}")) is None  # by whoever calls an instance without a socket
    refused = unframed(asked({"content-type": "application/json"}))
    assert refused is not None
    assert (refused.status, refused.code) == (411, "length_required")


@pytest.mark.parametrize(
    ("is_method_unknown", "target", "status"),
    [(True, "/ping?x", 405), (True, "/", 404), (False, "/ping", 400)],
)
def test_a_method_that_http_does_not_know_is_told_what_there_is(
    is_method_unknown: bool, target: str, status: int
):
    refusal = Refusal(
        status=400,
        code="malformed_request",
        message="no",
        request=Request("BREW", target, {}, b""),
        is_method_unknown=is_method_unknown,
    )
    assert refused_as(refusal).status == status


def test_the_page_has_every_status_and_its_code():
    instance, front = re.split(r"^## Of .*$", PAGE.read_text(), flags=re.MULTILINE)[1:]
    listed = {int(status) for status in re.findall(r"^\| (\d{3}) \|", instance, re.MULTILINE)}
    assert listed == set(STATUSES)
    for answer in (*FAULT_ANSWERS.values(), UNKNOWN_FAULT):
        assert f"| {answer.status} | `{answer.code}` |" in front
