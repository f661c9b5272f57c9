"""
The service's schema in draft 4: the verdicts of a draft-4 validator are pydantic's.
"""

import json
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tonnage.api import draft4_schema
from tonnage.artefact import LoadedModel


class Room(BaseModel):
    model_config = ConfigDict(extra="forbid")
    area: float = Field(gt=0, le=500, allow_inf_nan=False)
    floor: int = Field(default=0, ge=-3, multiple_of=1)


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = Field(gt=0, lt=10)


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str | None = None


class Home(BaseModel):
    """Every keyword that the conversion treats in its own way."""

    model_config = ConfigDict(extra="forbid")
    rooms: list[Room] = Field(min_length=1, max_length=3)
    main: Room = Field(description="beside a reference")
    place: tuple[float, int]
    zone: Literal["a", "b", 3] = "a"
    code: str = Field(default="A1", pattern="^[A-Z][0-9]$", min_length=2, max_length=2)
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] | None = None
    scores: dict[str, float] = Field(default_factory=dict)
    anything: Any = None
    built: datetime | None = None
    share: float = Field(default=0.5, multiple_of=0.1)


GOOD_HOME: dict[str, Any] = {"rooms": [{"area": 20}], "main": {"area": 500.0}, "place": [0.5, 2]}
ROOM = {"area": 20}


def verdicts(model: type[BaseModel], body: object) -> tuple[bool, bool]:
    """What pydantic says of a body, and what draft 4 does."""
    try:
        model.model_validate_json(json.dumps(body), strict=True)
        accepted = True
    except ValidationError:
        accepted = False
    validator = Draft4Validator(draft4_schema(model.model_json_schema()))
    return accepted, validator.is_valid(json.loads(json.dumps(body)))


@pytest.mark.parametrize("model", [Room, Home])
def test_it_is_a_schema_of_draft_4(model: type[BaseModel]):
    converted = draft4_schema(model.model_json_schema())
    Draft4Validator.check_schema(converted)
    assert converted["$schema"] == "http://json-schema.org/draft-04/schema#"
    text = json.dumps(converted)
    assert not {"$defs", "const", "prefixItems", "oneOf", "format", "default"} & set(
        text.replace('"', " ").split()
    )


def test_an_exclusive_bound_is_a_truth_value_beside_the_bound():
    assert draft4_schema({"type": "number", "exclusiveMinimum": 0, "maximum": 5}) == {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "type": "number",
        "minimum": 0,
        "exclusiveMinimum": True,
        "maximum": 5,
    }


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"minimum": 1, "exclusiveMinimum": 0}, {"minimum": 1}),
        ({"minimum": 0, "exclusiveMinimum": 0}, {"minimum": 0, "exclusiveMinimum": True}),
        ({"maximum": 9, "exclusiveMaximum": 5}, {"maximum": 5, "exclusiveMaximum": True}),
    ],
)
def test_of_two_bounds_the_tighter_stays(bounds: dict[str, int], expected: dict[str, object]):
    converted = draft4_schema(bounds)
    del converted["$schema"]
    assert converted == expected


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"place": [1, 2]},
        {"zone": "b"},
        {"zone": 3},
        {"pet": {"kind": "cat", "lives": 9}},
        {"pet": {"kind": "dog"}},
        {"pet": {"kind": "dog", "name": None}},
        {"pet": None},
        {"scores": {"x": 1, "y": 2.5}},
        {"anything": [{"deep": True}]},
        {"built": "2020-01-01T00:00:00"},
        {"share": 0.3},
    ],
)
def test_a_good_body_is_good_to_both(change: dict[str, object]):
    assert verdicts(Home, {**GOOD_HOME, **change}) == (True, True)


@pytest.mark.parametrize(
    "change",
    [
        {"rooms": []},
        {"rooms": [ROOM] * 4},
        {"rooms": [{"area": 0}]},
        {"rooms": [{"area": -1}]},
        {"rooms": [{"area": 501}]},
        {"rooms": [{"area": "20"}]},
        {"rooms": [{"area": True}]},
        {"rooms": [{"area": 20, "floor": 1.5}]},
        {"rooms": [{"area": 20, "floor": -4}]},
        {"rooms": [{"area": 20, "door": 1}]},
        {"rooms": ROOM},
        {"main": None},
        {"main": {}},
        {"place": [0.5]},
        {"place": [0.5, 2, 3]},
        {"place": [0.5, 2.5]},
        {"zone": "c"},
        {"code": "a1"},
        {"code": "A12"},
        {"code": 11},
        {"pet": {"kind": "cat", "lives": 10}},
        {"pet": {"kind": "cow"}},
        {"pet": {"lives": 3}},
        {"scores": {"x": "1"}},
        {"scores": [1]},
        {"unknown": 1},
    ],
)
def test_a_bad_body_is_bad_to_both(change: dict[str, object]):
    assert verdicts(Home, {**GOOD_HOME, **change}) == (False, False)


@pytest.mark.parametrize(
    "change",
    [{"built": "yesterday"}, {"share": 0.25}, {"pet": {"kind": "dog", "name": "\ud800"}}],
    ids=["a format", "a fraction's multiple", "half a character"],
)
def test_what_draft_4_lets_through_the_container_refuses(change: dict[str, object]):
    """The three things that it cannot say, or says otherwise: lenient is the safe side."""
    assert verdicts(Home, {**GOOD_HOME, **change}) == (False, True)


def test_numbers_beyond_any_are_for_the_container_too(loaded: LoadedModel):
    """No JSON, or no double: a parser may take them, a schema has no word for them."""
    schema = draft4_schema(loaded.manifest.row_schema)
    for text in ('{"distance": 1e999}', '{"distance": Infinity}'):
        assert Draft4Validator(schema).is_valid(json.loads(text))


def test_the_manifest_holds_what_the_model_says(loaded: LoadedModel):
    assert draft4_schema(loaded.manifest.row_schema) == draft4_schema(
        loaded.service.row.model_json_schema()
    )


class Node(BaseModel):
    value: int
    children: "list[Node]" = []


def test_a_model_that_holds_itself_stays_whole():
    assert verdicts(Node, {"value": 1, "children": [{"value": 2}]}) == (True, True)
    assert verdicts(Node, {"value": 1, "children": [{"value": "2"}]}) == (False, False)


class Precise(BaseModel):
    price: Decimal


def test_a_decimal_is_a_number_or_its_text():
    assert verdicts(Precise, {"price": 1.5}) == (True, True)
    assert verdicts(Precise, {"price": "1.5"}) == (True, True)
    assert verdicts(Precise, {"price": []}) == (False, False)


NUMBERS = st.integers(-1000, 1000) | st.floats(allow_nan=False, allow_infinity=False)
JUNK = st.none() | st.booleans() | NUMBERS | st.text(st.characters(codec="ascii"), max_size=3)
ROOMS = st.fixed_dictionaries(
    {"area": NUMBERS | JUNK}, optional={"floor": st.integers(-6, 6) | JUNK, "door": JUNK}
)
HOMES = st.fixed_dictionaries(
    {
        "rooms": st.lists(st.just(ROOM) | ROOMS, max_size=4) | JUNK,
        "main": st.just(ROOM) | ROOMS | JUNK,
        "place": st.tuples(NUMBERS, st.integers()).map(list) | st.lists(JUNK, max_size=3),
    },
    optional={
        "zone": st.sampled_from(["a", "b", 3, "3"]) | JUNK,
        "code": st.from_regex(r"\A[A-Za-z][0-9]\Z") | JUNK,
        "pet": st.fixed_dictionaries(
            {"kind": st.sampled_from(["cat", "dog", "cow"])},
            optional={"lives": st.integers(-1, 11), "name": JUNK},
        )
        | JUNK,
        "scores": st.dictionaries(st.sampled_from("xyz"), JUNK) | JUNK,
        "anything": JUNK,
    },
)


@given(home=HOMES)
def test_any_body_has_one_verdict(home: dict[str, object]):
    pydantic, draft4 = verdicts(Home, home)
    assert pydantic == draft4


@given(payload=JUNK | st.fixed_dictionaries({"distance": JUNK}, optional={"age": JUNK}))
def test_any_body_of_the_reference_service_has_one_verdict(loaded: LoadedModel, payload: object):
    pydantic, draft4 = verdicts(loaded.service.row, payload)
    assert pydantic == draft4
