"""
SageMaker's errors as the front's answers, and what browsers from elsewhere are told.
"""

import json

import pytest

from tonnage.api import FAULT_ANSWERS, ApiResponse, EndpointFault, Front, InvocationResult
from tonnage.artefact import LoadedModel
from tonnage.domain import error_body

BODY = b'{"distance": 150}'
SHOP = "https://shop.example.com"


@pytest.mark.parametrize(
    ("shape", "status", "code"),
    [
        ("ValidationError", 400, "invalid_invocation"),
        ("ModelError", 424, "model_error"),
        ("ModelNotReadyException", 429, "try_later"),
        ("ThrottlingException", 429, "try_later"),
        ("InternalFailure", 500, "internal"),
        ("ServiceUnavailable", 503, "over_capacity"),
        ("InternalDependencyException", 530, "dependency_failed"),
        ("AccessDeniedException", 502, "endpoint_unreachable"),
        ("ConnectTimeoutError", 502, "endpoint_unreachable"),
    ],
)
def test_each_error_of_the_runtime_has_a_status_and_a_code(
    front: Front, shape: str, status: int, code: str
):
    answer = front.handle("POST", "/evaluate", {}, BODY, lambda _: EndpointFault(shape=shape))
    assert answer.status == status
    assert json.loads(answer.body)["error"]["code"] == code


def test_only_what_may_pass_says_when_to_come_back():
    waiting = {shape for shape, answer in FAULT_ANSWERS.items() if dict(answer.headers)}
    assert waiting == {
        "InternalDependencyException",
        "ModelNotReadyException",
        "ServiceUnavailable",
        "ThrottlingException",
    }


@pytest.mark.parametrize("status", [400, 413, 500, 503, 599])
def test_a_wrapped_answer_is_told_as_a_plain_one(front: Front, status: int):
    """On AWS the container's answer is inside a ModelError, locally it is not: nobody can tell."""
    said = error_body("invalid_payload", "no")
    wrapped = EndpointFault(shape="ModelError", original_status=status, original_body=said)
    assert front.conclude_fault(wrapped) == front.conclude(
        InvocationResult(status=status, body=said)
    )


@pytest.mark.parametrize(
    "said", [b"", b"no", b"Traceback: secret", b'{"error":{"code":"invalid_pay', b'{"secret":1}']
)
def test_a_refusal_that_was_cut_off_or_is_another_servers_has_an_envelope(
    front: Front, said: bytes
):
    answer = front.conclude_fault(
        EndpointFault(shape="ModelError", original_status=400, original_body=said)
    )
    assert answer.status == 400
    assert json.loads(answer.body)["error"]["code"] == "model_refused"
    assert b"secret" not in answer.body


@pytest.fixture
def open_front(loaded: LoadedModel) -> Front:
    return Front(loaded, name="x", route="/evaluate", cors_origins=[SHOP, "http://localhost:3000"])


def ok(_: object) -> InvocationResult:
    return InvocationResult(status=200, body=b"{}")


def headers_of(answer: ApiResponse) -> dict[str, str]:
    return dict(answer.headers)


def test_a_preflight_says_what_a_page_may_send(open_front: Front):
    answer = open_front.handle("OPTIONS", "/evaluate", {"origin": SHOP}, b"", ok)
    assert (answer.status, answer.body) == (204, b"")
    headers = headers_of(answer)
    assert headers["Access-Control-Allow-Origin"] == SHOP
    assert headers["Access-Control-Allow-Methods"] == "POST"
    assert "Content-Type" in headers["Access-Control-Allow-Headers"]
    assert headers["Vary"] == "Origin"


@pytest.mark.parametrize("body", [BODY, b"{"])
def test_a_page_reads_good_answers_and_refusals(open_front: Front, body: bytes):
    answer = open_front.handle("POST", "/evaluate", {"origin": SHOP}, body, ok)
    assert headers_of(answer)["Access-Control-Allow-Origin"] == SHOP


@pytest.mark.parametrize("headers", [{}, {"origin": "https://elsewhere.example.com"}])
def test_pages_from_elsewhere_are_told_nothing(open_front: Front, headers: dict[str, str]):
    answer = open_front.handle("POST", "/evaluate", headers, BODY, ok)
    assert answer.status == 200
    assert "Access-Control-Allow-Origin" not in headers_of(answer)


def test_anywhere_is_anywhere(loaded: LoadedModel):
    front = Front(loaded, name="x", route="/evaluate", cors_origins=["*"])
    answer = front.handle("POST", "/evaluate", {"origin": SHOP}, BODY, ok)
    assert headers_of(answer) == {"Access-Control-Allow-Origin": "*"}


def test_without_origins_browsers_may_call_from_nowhere_else(front: Front):
    assert front.handle("OPTIONS", "/evaluate", {"origin": SHOP}, b"", ok).status == 405
    assert not front.handle("POST", "/evaluate", {"origin": SHOP}, BODY, ok).headers
