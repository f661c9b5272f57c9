"""
What cells say of a column, and which Python name it gets.
"""

import pytest
from pydantic import create_model

from tonnage.starting._columns import column_of, identifier


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
    ],
)
def test_any_name_becomes_a_field(name: str, field: str) -> None:
    assert identifier(name) == field
    create_model("Row", **{field: (float, ...)})


def test_names_that_fall_together_are_told_apart() -> None:
    assert identifier("A b", ["a_b"]) == "a_b_2"
    assert identifier("a-b", ["a_b", "a_b_2"]) == "a_b_3"
