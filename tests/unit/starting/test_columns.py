"""
What cells say of a column, and which Python name it gets.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import create_model

from tonnage.starting._columns import Column, column_of, identifier, placeholder
from tonnage.starting._service_text import Names, service_text
from tonnage.starting._trying import Tried


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "-2", "+3"], "integer"),
        (["1", "2.5"], "number"),
        (["1e3", "2"], "number"),
        (["True", "false"], "boolean"),
        (["0", "1"], "integer"),
        (["north", "1"], "text"),
        (["1_000", "2"], "text"),
        (["inf", "1"], "text"),
        (["2024-01-01"], "text"),
        (["123456789012345678901"], "number"),
    ],
)
def test_the_narrowest_type_that_holds_all_cells_is_taken(cells: list[str], kind: str) -> None:
    assert column_of("x", cells, ()).kind == kind


@pytest.mark.parametrize("empty", ["", " ", "NA", "NaN", "null", "None", "<NA>"])
def test_an_empty_cell_is_no_value(empty: str) -> None:
    column = column_of("x", ["1", empty, "2"], ())
    assert (column.kind, column.is_optional) == ("integer", True)
    assert column.value_of(empty) is None


def test_digits_that_the_model_knows_as_text_stay_text() -> None:
    column = column_of("postcode", ["01067", "10115", ""], (), ["01067", "10115", "80331"])
    assert (column.kind, column.is_optional) == ("text", True)
    assert column.choices == ("01067", "10115", "80331")
    assert column.value_of("01067") == "01067"
    assert column_of("mail", ["10", "11"], (), ()).kind == "text"


def test_a_word_for_missing_is_text_where_the_model_knows_it() -> None:
    column = column_of("country", ["NA", "DE", ""], (), ["DE", "NA", float("nan")])
    assert column.choices == ("DE", "NA")
    assert [column.value_of(cell) for cell in ("NA", "DE", "")] == ["NA", "DE", None]


def test_many_categories_and_unknown_ones_are_no_choices_of_the_model() -> None:
    many = [f"{number:02}" for number in range(21)]
    assert column_of("x", ["00", "00"], (), many).choices == ()
    assert column_of("x", ["other", "other"], (), ["00", "01"]).choices == ("other",)


def test_a_column_without_a_sample_is_what_the_model_knows() -> None:
    assert placeholder("size", ()).is_placeholder
    column = placeholder("code", (), ["b", "a", None])
    assert (column.kind, column.choices, column.is_placeholder) == ("text", ("a", "b"), False)


@pytest.mark.parametrize(
    ("cells", "is_date"),
    [(["2024-01-31"], True), (["2024-01-31 10:00", "2024-02-01T10:00"], True), (["2024"], False)],
)
def test_dates_are_known_for_what_they_are(cells: list[str], is_date: bool) -> None:
    assert column_of("sold", cells, ()).is_date is is_date


def test_few_words_are_choices_and_many_are_not() -> None:
    assert column_of("x", ["b", "a", "b", "a"], ()).choices == ("a", "b")
    assert column_of("x", ["a", "b", "c"], ()).choices == ()
    many = [f"word {number}" for number in range(30)] * 3
    assert column_of("x", many, ()).choices == ()
    assert column_of("x", many, ()).examples[:2] == ("word 0", "word 1")


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("distance", "distance"),
        ("Living Area", "living_area"),
        ("living area (m²)", "living_area_m2"),
        ("class", "class_"),
        ("2nd", "x2nd"),
        ("model_year", "model_year_"),
        ("copy", "copy_"),
        ("__", "x"),
        ("größe", "größe"),
        ("$", "x"),
        ("float", "float_"),
    ],
)
def test_any_name_becomes_a_field(name: str, field: str) -> None:
    assert identifier(name) == field
    create_model("Row", **{field: (float, ...)})


def test_names_that_fall_together_are_told_apart() -> None:
    assert identifier("A b", ["a_b"]) == "a_b_2"
    assert identifier("a-b", ["a_b", "a_b_2"]) == "a_b_3"


@given(names=st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=4, unique=True))
def test_any_names_make_a_service_that_callers_send_these_names(names: list[str]) -> None:
    columns: list[Column] = []
    for name in names:
        columns.append(column_of(name, ["1.5", "2.5"], [one.field for one in columns]))
    tried = Tried(estimator="LinearRegression", layout="table", answer="float")
    text = service_text(columns, tried, Names(service="Model", answer="y", sample="rows.csv"))

    space: dict[str, Any] = {"__name__": "service"}
    exec(compile(text, "service.py", "exec"), space)

    assert list(space["Row"].model_json_schema()["properties"]) == names
    row = space["Row"].model_validate(dict.fromkeys(names, 0.5))
    assert space["Model"]().features([row]) == {name: [0.5] for name in names}
