"""
A service's row model becomes a form, and what is entered becomes a row.
"""

import enum
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from tonnage.artefact import TYPICAL_RANGE
from tonnage.emulator.page.fields import fields_of, row_of
from tonnage.emulator.page.form import field_html


class Kind(enum.StrEnum):
    FLAT = "flat"
    HOUSE = "house"


class Home(BaseModel):
    area: float = Field(
        description="Floor <area>.",
        gt=0,
        le=900,
        examples=[80],
        json_schema_extra={"unit": "m²", TYPICAL_RANGE: [20, 200]},
    )
    rooms: int = Field(ge=1, le=20)
    kind: Kind = Kind.FLAT
    heating: Literal["gas", "heat pump"] = "gas"
    garden: bool = False
    town: str
    built: int | None = None
    tags: list[str] = []


EXAMPLE = {"area": 1.5, "rooms": 3, "town": "Xindian", "garden": True}


@pytest.fixture
def fields() -> dict[str, Any]:
    return {field.name: field for field in fields_of(Home.model_json_schema(), EXAMPLE)}


def test_every_property_becomes_the_control_that_fits_it(fields: dict[str, Any]):
    assert {name: field.kind for name, field in fields.items()} == {
        "area": "number",
        "rooms": "integer",
        "kind": "choice",
        "heating": "choice",
        "garden": "boolean",
        "town": "text",
        "built": "integer",
        "tags": "json",
    }
    assert list(fields["kind"].choices) == ["flat", "house"]
    assert fields["area"].unit == "m²"


def test_examples_come_from_the_schema_its_defaults_or_a_valid_row(fields: dict[str, Any]):
    examples = {name: field.example for name, field in fields.items()}
    assert examples["area"] == 80
    assert examples["rooms"] == 3
    assert examples["kind"] == "flat"
    assert examples["town"] == "Xindian"


def test_bounds_and_the_usual_range_are_told_in_words(fields: dict[str, Any]):
    assert fields["area"].bounds == "more than 0, at most 900"
    assert fields["area"].typical_range == (20, 200)
    assert fields["rooms"].typical_range == (1, 20)
    assert fields["built"].typical_range is None
    told = field_html(fields["area"], 80)
    assert "More than 0, at most 900; usually 20 to 200." in told


def test_a_field_has_a_label_a_described_hint_and_escapes_its_texts(fields: dict[str, Any]):
    told = field_html(fields["area"], '"><script>')
    assert '<label for="row-area">' in told
    assert 'aria-describedby="row-area-hint"' in told
    assert 'id="row-area-hint"' in told
    assert "Floor &lt;area&gt;." in told
    assert "<script>" not in told


def test_what_is_entered_becomes_a_valid_row(fields: dict[str, Any]):
    entered = {
        "area": "80.5",
        "rooms": "3",
        "kind": '"house"',
        "heating": '"gas"',
        "garden": "true",
        "town": "123",
        "built": "",
        "tags": '["new"]',
    }
    row = row_of(list(fields.values()), entered)
    assert row == {
        "area": 80.5,
        "rooms": 3,
        "kind": "house",
        "heating": "gas",
        "garden": True,
        "town": "123",
        "tags": ["new"],
    }
    assert Home.model_validate(row)


def test_what_is_no_number_stays_text_for_the_service_to_refuse(fields: dict[str, Any]):
    row = row_of(list(fields.values()), {"area": "much", "rooms": "[" * 100_000})
    assert row["area"] == "much"
    assert row["rooms"].startswith("[[[")
    assert row["garden"] is False, "a box that is not ticked is not sent"


def test_a_row_that_is_no_object_is_entered_whole():
    fields = fields_of({"type": "array", "items": {"type": "number"}}, [1, 2])
    assert [field.kind for field in fields] == ["json"]
    assert row_of(fields, {"": "[3, 4]"}) == [3, 4]
