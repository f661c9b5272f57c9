"""
The front's answers: its documents, and what becomes of an invocation.
"""

import json
from collections.abc import Callable

import pytest

from tonnage.api import ApiResponse, Front, Invocation, InvocationResult
from tonnage.artefact import LoadedModel
from tonnage.domain import ConfigurationError

BODY = b'{"distance": 150}'
Invoke = Callable[[Invocation], InvocationResult]


def answers(status: int, body: bytes = b"{}") -> Invoke:
    return lambda _: InvocationResult(status=status, body=body)


@pytest.fixture
def endpoint(loaded: LoadedModel) -> Invoke:
    """The packed model, as a container answers for it."""

    def invoke(invocation: Invocation) -> InvocationResult:
        (answer,) = loaded.predict([loaded.parse_row(invocation.body)])
        return InvocationResult(status=200, body=answer)

    return invoke


@pytest.mark.parametrize("path", ["/evaluate", "/evaluate/"])
def test_a_house_gets_its_price(front: Front, endpoint: Invoke, path: str):
    answer = front.handle("POST", path, {}, BODY, endpoint)
    assert answer.status == 200
    assert json.loads(answer.body) == {"cost": 50.3}
    assert answer.content_type == "application/json"


def test_the_body_is_carried_as_it_came(front: Front):
    carried = []

    def invoke(invocation: Invocation) -> InvocationResult:
        carried.append(invocation.body)
        return InvocationResult(status=200, body=b"{}")

    front.handle("POST", "/evaluate", {}, b' {"distance" : 1.50e2 } ', invoke)
    assert carried == [b' {"distance" : 1.50e2 } ']


def test_what_is_refused_is_not_carried(front: Front):
    def invoke(invocation: Invocation) -> InvocationResult:
        raise AssertionError(invocation)

    assert front.handle("POST", "/evaluate", {}, b"{", invoke).status == 400
    assert front.handle("GET", "/", {}, b"", invoke).status == 200


def test_no_room_is_503_with_a_time_to_come_back(front: Front):
    answer = front.handle("POST", "/evaluate", {}, BODY, answers(503, b"whatever it said"))
    assert answer.status == 503
    assert dict(answer.headers) == {"Retry-After": "1"}
    assert json.loads(answer.body)["error"]["code"] == "over_capacity"


@pytest.mark.parametrize("status", [500, 502, 504, 599])
def test_a_failing_model_is_424_and_keeps_its_stack_trace(front: Front, status: int):
    answer = front.handle("POST", "/evaluate", {}, BODY, answers(status, b"Traceback: secret"))
    assert answer.status == 424
    assert json.loads(answer.body)["error"]["code"] == "model_error"
    assert b"secret" not in answer.body


@pytest.mark.parametrize("status", [200, 400, 413, 415, 429])
def test_what_the_container_says_to_the_caller_is_passed_on(front: Front, status: int):
    answer = front.handle("POST", "/evaluate", {}, BODY, answers(status, b'{"said": 1}'))
    assert (answer.status, answer.body) == (status, b'{"said": 1}')


@pytest.mark.parametrize("path", ["/", "", "//"])
def test_the_index_says_where_to_go(front: Front, path: str):
    answer = front.accept("GET", path, {}, b"")
    assert isinstance(answer, ApiResponse)
    assert answer.status == 200
    assert json.loads(answer.body) == {
        "service": "real-estate-evaluation",
        "predict": "POST /evaluate",
        "openapi": "/openapi.json",
    }


@pytest.mark.parametrize("path", ["/", "/openapi.json", "/openapi.json/"])
def test_documents_can_be_asked_for_by_head(front: Front, path: str):
    answer = front.accept("HEAD", path, {}, b"")
    assert isinstance(answer, ApiResponse)
    assert answer.status == 200


def test_routes_are_all_that_is_answered(front: Front):
    assert dict(front.routes) == {"/": "GET", "/openapi.json": "GET", "/evaluate": "POST"}


@pytest.mark.parametrize("route", ["/openapi.json", "/"])
def test_a_route_that_the_front_needs_itself_is_refused(loaded: LoadedModel, route: str):
    with pytest.raises(ConfigurationError, match=route):
        Front(loaded, name="x", route=route)


def test_a_deeper_route_serves_as_well(loaded: LoadedModel, endpoint: Invoke):
    front = Front(loaded, name="x", route="/v1/price")
    assert front.handle("POST", "/v1/price/", {}, BODY, endpoint).status == 200
    assert front.handle("POST", "/evaluate", {}, BODY, endpoint).status == 404
