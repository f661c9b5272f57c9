"""
The REST API's mapping templates, evaluated: they answer as ``api.Front`` does.
"""

import json
import re
from typing import Any

import pytest

from tonnage.api import FAULT_ANSWERS, UNKNOWN_FAULT, EndpointFault, Front
from tonnage.artefact import LoadedService, PackReport
from tonnage.deployment.fronts._mapping import (
    IntegrationAnswer,
    gateway_answers,
    integration_answers,
)
from tonnage.domain import error_body

ORIGINS = ("https://a.example.com", "https://b.example.com")
ENVELOPE = error_body("invalid_payload", 'distance: "no"').decode()


@pytest.fixture(scope="module")
def front(packed: PackReport) -> Front:
    return Front(LoadedService.load(packed.directory), name="x", route="/evaluate")


def chosen(status: int, origins: tuple[str, ...] = ()) -> IntegrationAnswer:
    """The one answer that API Gateway picks for a status of SageMaker's."""
    answers = list(integration_answers(origins))
    fitting = [each for each in answers if each.pattern and re.fullmatch(each.pattern, str(status))]
    assert len(fitting) < 2, "API Gateway has no order among patterns"
    return fitting[0] if fitting else next(each for each in answers if each.pattern is None)


def test_every_status_has_one_answer_and_only_good_ones_the_default():
    for status in range(100, 600):
        assert (chosen(status).pattern is None) == (200 <= status <= 299)


@pytest.mark.parametrize("shape", sorted(set(FAULT_ANSWERS) - {"ModelError"}))
def test_each_error_of_the_runtime_is_answered_as_the_front_does(front: Front, shape: str):
    answer = chosen(FAULT_ANSWERS[shape].status)
    expected = front.conclude_fault(EndpointFault(shape=shape))
    assert (answer.status, answer.template) == (expected.status, expected.body.decode())
    assert answer.headers == dict(expected.headers)


@pytest.mark.parametrize("status", [302, 403, 404, 502, 504, 599])
def test_what_is_not_documented_is_a_bad_gateway(status: int):
    answer = chosen(status)
    assert (answer.status, answer.template) == (502, UNKNOWN_FAULT.body.decode())


class Overridden(dict[str, Any]):
    """``$context.responseOverride`` and what is in it."""

    def __missing__(self, key: str) -> Any:  # noqa: ANN401
        self[key] = Overridden()
        return self[key]


class Input:
    """``$input`` of API Gateway, over SageMaker's answer and the client's headers."""

    def __init__(self, said: dict[str, Any], headers: dict[str, str]) -> None:
        self._said = said
        self._headers = headers

    def path(self, expression: str) -> Any:  # noqa: ANN401
        assert expression.startswith("$.")
        return self._said.get(expression[2:])

    def json(self, expression: str) -> str:
        assert expression == "$"
        return json.dumps(self._said)

    def params(self) -> dict[str, Any]:
        return {"header": Headers(self._headers)}


class Headers:
    """What API Gateway's map of headers does: an empty text for what is not there."""

    def __init__(self, headers: dict[str, str]) -> None:
        self._headers = headers

    def get(self, name: str) -> str:
        return self._headers.get(name, "")


def render(
    template: str, said: dict[str, Any], headers: dict[str, str] | None = None
) -> tuple[Any, Overridden]:
    airspeed = pytest.importorskip(
        "airspeed", reason="evaluates Velocity as API Gateway does: pip install airspeed-ext"
    )
    override = Overridden()
    context = {"responseOverride": override}
    names = {"input": Input(said, headers or {}), "context": context}
    return json.loads(airspeed.Template(template).merge(names)), override


@pytest.mark.parametrize("status", [None, 302, 400, 413, 429, 499, 500, 502, 503, 504])
@pytest.mark.parametrize("body", [ENVELOPE, "", "Traceback: secret", ENVELOPE[:20], '{"x":1}'])
def test_a_model_error_is_answered_as_the_front_does(front: Front, status: int | None, body: str):
    said = {"Message": "m", "OriginalStatusCode": status, "OriginalMessage": body}
    template = chosen(424).template
    assert template is not None
    rendered, override = render(template, said)
    expected = front.conclude_fault(
        EndpointFault(shape="ModelError", original_status=status, original_body=body.encode())
    )
    assert rendered == json.loads(expected.body)
    assert override.get("status", 424) == expected.status
    assert override.get("header", {}) == dict(expected.headers)


@pytest.mark.parametrize("name", ["origin", "Origin"])
@pytest.mark.parametrize("status", [200, 424, 503])
def test_of_several_origins_the_callers_own_is_allowed(name: str, status: int):
    template = chosen(status, ORIGINS).template
    assert template is not None
    for origin, allowed in {
        ORIGINS[0]: True,
        ORIGINS[1]: True,
        "https://c.example.com": False,
    }.items():
        _, override = render(template, {"cost": 50.3}, {name: origin})
        assert override["header"]["Vary"] == "Origin"
        given = override["header"].get("Access-Control-Allow-Origin")
        assert given == (origin if allowed else None)


def test_a_good_answer_passes_as_it_came_unless_several_origins_need_a_template():
    assert chosen(200).template is None
    assert chosen(200, ORIGINS[:1]).template is None
    template = chosen(200, ORIGINS).template
    assert template is not None
    assert render(template, {"cost": 50.3})[0] == {"cost": 50.3}


@pytest.mark.parametrize("signed", [True, False])
def test_api_gateways_own_refusals_have_the_envelope(signed: bool):
    for answer in gateway_answers(signed=signed):
        # What API Gateway substitutes is quoted already, by its documentation.
        text = answer.template.replace("$context.error.messageString", '"said \\"so\\""')
        assert "$" not in text
        error = json.loads(text)["error"]
        assert error["code"].isidentifier()
        assert error["message"]


def test_its_refusals_have_the_statuses_and_codes_of_the_local_port():
    told = {each.kind: each for each in gateway_answers(signed=False)}

    def facts(kind: str) -> tuple[int | None, str]:
        answer = told[kind]
        code = re.search(r'"code":"(\w+)"', answer.template)
        assert code is not None
        return answer.status, code[1]

    assert facts("BAD_REQUEST_BODY") == (400, "invalid_payload")
    assert facts("UNSUPPORTED_MEDIA_TYPE") == (415, "unsupported_media_type")
    assert facts("REQUEST_TOO_LARGE") == (413, "payload_too_large")
    assert facts("MISSING_AUTHENTICATION_TOKEN") == (404, "not_found")
    assert facts("THROTTLED") == (429, "try_later")
    assert told["THROTTLED"].headers == {"Retry-After": "1"}
    assert facts("DEFAULT_4XX")[0] is None, "a status here would be every refusal's"
