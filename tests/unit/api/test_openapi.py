"""
The OpenAPI document says what the service takes and gives, and is what it says.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tonnage.api import ApiResponse, Front, openapi_document
from tonnage.artefact import LoadedModel, LoadedService, pack

Document = dict[str, Any]


@pytest.fixture(scope="module")
def document(front: Front) -> Document:
    answer = front.accept("GET", "/openapi.json", {}, b"")
    assert isinstance(answer, ApiResponse)
    return dict(json.loads(answer.body))


def operation(document: Document) -> Document:
    return dict(document["paths"]["/evaluate"]["post"])


def validator(document: Document, schema: Document) -> jsonschema.Draft202012Validator:
    """What checks a value against one of the document's schemas, references and all."""
    return jsonschema.Draft202012Validator({**schema, "components": document["components"]})


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def assert_structure(document: Document) -> None:
    """What OpenAPI 3.1 requires of the objects that are used here."""
    assert set(document) == {"openapi", "info", "paths", "components"}
    assert document["openapi"].startswith("3.1.")
    assert all(isinstance(document["info"][key], str) for key in ("title", "version"))
    for path, item in document["paths"].items():
        assert path.startswith("/")
        for method, one in item.items():
            assert method in {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
            assert isinstance(one["operationId"], str)
            assert one["requestBody"]["content"]
            assert one["responses"]
            for status, response in one["responses"].items():
                assert status.isdigit()
                assert len(status) == 3
                assert response["description"]
                assert set(response["content"]) == {"application/json"}
    for name, schema in document["components"]["schemas"].items():
        assert set(name) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_")
        jsonschema.Draft202012Validator.check_schema(schema)
    for reference in references(document):
        prefix, _, name = reference.rpartition("/")
        assert prefix == "#/components/schemas"
        assert name in document["components"]["schemas"]


def test_it_is_openapi_3_1(document: Document):
    assert_structure(document)


def test_the_unit_of_cost_is_named(document: Document):
    cost = document["components"]["schemas"]["Price"]["properties"]["cost"]
    assert "10,000 New Taiwan Dollars per ping" in cost["description"]
    assert "1 ping = 35.58 sq. ft." in cost["description"]
    assert cost["unit"] == "10000 TWD/ping"


def test_the_request_is_described_as_it_is_checked(document: Document):
    house = document["components"]["schemas"]["House"]
    assert house["properties"]["distance"]["exclusiveMinimum"] == 0
    assert house["required"] == ["distance"]
    assert house["additionalProperties"] is False
    assert operation(document)["requestBody"]["required"] is True


def test_the_examples_are_valid_and_true(document: Document, loaded: LoadedModel):
    post = operation(document)
    request = post["requestBody"]["content"]["application/json"]
    response = post["responses"]["200"]["content"]["application/json"]
    validator(document, request["schema"]).validate(request["example"])
    validator(document, response["schema"]).validate(response["example"])
    row = loaded.parse_row(json.dumps(request["example"]).encode())
    assert json.loads(loaded.predict([row])[0]) == response["example"] == {"cost": 50.3}


@pytest.mark.parametrize(
    "body", [{"distance": 0}, {"distance": "1"}, {}, {"distance": 1, "x": 1}, []]
)
def test_what_the_front_refuses_the_schema_refuses(document: Document, front: Front, body: object):
    schema = operation(document)["requestBody"]["content"]["application/json"]["schema"]
    assert not validator(document, schema).is_valid(body)
    answer = front.accept("POST", "/evaluate", {}, json.dumps(body).encode())
    assert isinstance(answer, ApiResponse)


@pytest.mark.parametrize("body", [b"{", b"{}", b'{"distance": 0, "x": 1}'])
def test_a_refusal_is_what_the_document_says(document: Document, front: Front, body: bytes):
    answer = front.accept("POST", "/evaluate", {}, body)
    assert isinstance(answer, ApiResponse)
    responses = operation(document)["responses"]
    schema = responses[str(answer.status)]["content"]["application/json"]["schema"]
    validator(document, schema).validate(json.loads(answer.body))


def test_every_status_a_caller_may_meet_is_documented(document: Document):
    assert set(operation(document)["responses"]) == {"200", "400", "413", "415", "424", "503"}


def test_it_is_always_the_same_bytes(loaded: LoadedModel):
    first = openapi_document(loaded, name="x", route="/evaluate")
    assert openapi_document(loaded, name="x", route="/evaluate") == first
    assert json.loads(first)["info"]["version"] == loaded.manifest.digest[:12]


ODD_SERVICE = """
import numpy as np
from enum import Enum
from pydantic import BaseModel, Field
from tonnage.artefact import Service

class Kind(Enum):
    OLD = "old"
    NEW = "new"

class Error(BaseModel):
    upper: float
    lower: float

class Row(BaseModel):
    a: float = Field(ge=0, le=1, alias="first-number")
    b: float = Field(default=0.5, ge=0, le=1)
    kind: Kind = Kind.OLD

class Result(BaseModel):
    y: float
    error: Error

class Model(Service[Row, Result]):
    def features(self, rows):
        return np.array([[row.a, row.b] for row in rows])

    def results(self, predictions):
        return [Result(y=y, error=Error(upper=1, lower=-1)) for y in predictions.tolist()]
"""


@pytest.fixture
def odd(plane_file: Path, tmp_path: Path) -> LoadedService:
    (tmp_path / "service.py").write_text(ODD_SERVICE)
    report = pack(plane_file, service="service:Model", output=tmp_path / "artefact", code=tmp_path)
    return LoadedService.load(report.directory)


def test_a_model_called_error_is_not_mistaken_for_ours(odd: LoadedService):
    document = json.loads(openapi_document(odd, name="odd", route="/evaluate"))
    assert_structure(document)
    assert set(document["components"]["schemas"]["Error"]["properties"]) == {"upper", "lower"}
    post = operation(document)
    for content in (post["requestBody"]["content"], post["responses"]["200"]["content"]):
        media = content["application/json"]
        validator(document, media["schema"]).validate(media["example"])


def test_a_service_without_a_docstring_is_summed_up_by_its_name(odd: LoadedService):
    document = json.loads(openapi_document(odd, name="odd", route="/evaluate"))
    assert operation(document)["summary"] == "Predict with odd."


SAME_SERVICE = """
import numpy as np
from pydantic import BaseModel, Field
from tonnage.artefact import Service

class Point(BaseModel):
    '''A point.'''
    a: float = Field(default=1, ge=0, le=1)
    b: float = Field(ge=0, le=1)

class Model(Service[Point, Point]):
    '''
    Moves a point.

    And more.
    '''
    def features(self, rows):
        return np.array([[row.a, row.b] for row in rows])

    def results(self, predictions):
        return [Point(a=1, b=0) for _ in predictions]
"""


def test_one_model_may_be_both_row_and_result(plane_file: Path, tmp_path: Path):
    (tmp_path / "service.py").write_text(SAME_SERVICE)
    report = pack(plane_file, service="service:Model", output=tmp_path / "a", code=tmp_path)
    loaded = LoadedService.load(report.directory)
    document = json.loads(openapi_document(loaded, name="same", route="/evaluate"))
    assert_structure(document)
    assert operation(document)["summary"] == "Moves a point."
