"""
Golden rows: from a file, or drawn from the schema.
"""

from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, create_model

from tonnage.artefact import TYPICAL_RANGE, PackReport, pack
from tonnage.artefact._golden import draw_rows, golden_places, read_rows
from tonnage.domain import ConfigurationError


class Kind(Enum):
    FLAT = "flat"
    HOUSE = "house"


class Flat(BaseModel):
    model_config = ConfigDict(extra="forbid")

    area: float = Field(gt=0, le=500)
    rooms: int = Field(ge=1, le=9)
    has_lift: bool
    kind: Literal["old", "new"]
    postcode: str = Field(examples=["10115"])
    sort: Kind
    note: str | None = None


HEADER = "area,rooms,has_lift,kind,postcode,sort\n"
LINE = "50.5,3,true,old,10115,flat\n"


def write(tmp_path: Path, text: str | bytes) -> Path:
    file = tmp_path / "rows.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def test_rows_are_read_as_the_schema_types_them(tmp_path: Path):
    (row,) = read_rows(write(tmp_path, HEADER + LINE), Flat)
    assert row == Flat(
        area=50.5, rooms=3, has_lift=True, kind="old", postcode="10115", sort=Kind.FLAT
    )


def test_other_columns_are_left_out(tmp_path: Path):
    file = write(tmp_path, "price," + HEADER + "99," + LINE)
    assert len(read_rows(file, Flat)) == 1


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path):
    """Spreadsheets write one."""
    assert len(read_rows(write(tmp_path, b"\xef\xbb\xbf" + (HEADER + LINE).encode()), Flat)) == 1


class Line(BaseModel):
    n: int


@pytest.mark.parametrize("count", [1, 5, 63, 64, 65, 127, 128, 414])
def test_rows_are_taken_from_all_of_the_file(tmp_path: Path, count: int):
    file = write(tmp_path, "n\n" + "".join(f"{n}\n" for n in range(count)))
    numbers = [row.n for row in read_rows(file, Line, limit=64) if isinstance(row, Line)]
    assert len(numbers) == min(64, count)
    assert numbers[0] == 0
    assert numbers[-1] >= count - 1 - count // 64
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "no rows"),
        (HEADER, "no rows"),
        (HEADER + "50.5,3,true\n", "kind"),
        (HEADER + ",3,true,old,10115,flat\n", "area"),
        ("rooms,has_lift\n3,true\n", "area"),
        (HEADER + LINE.replace("50.5", "large"), "area"),
        (HEADER + LINE.replace("50.5", "NaN"), "area"),
        (HEADER + LINE.replace("50.5", "-1"), "area"),
        (HEADER + LINE.replace("50.5", "[" * 100_000), "area"),
        (HEADER + LINE.replace("50.5", "9" * 5000), "area"),
        (HEADER + LINE.replace(",3,", ",3.5,"), "rooms"),
        (HEADER + LINE.replace("true", "yes"), "has_lift"),
        (HEADER + LINE.replace("flat", "boat"), "sort"),
        (b"area\n\xff\n", "cannot be read"),
        (HEADER + '"' + "x" * 200_000 + '"\n', "cannot be read"),
    ],
)
def test_a_bad_file_names_what_is_wrong(tmp_path: Path, text: str | bytes, named: str):
    file = write(tmp_path, text)
    with pytest.raises(ConfigurationError) as refusal:
        read_rows(file, Flat)
    assert named in refusal.value.message
    assert str(file) in refusal.value.message


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(ConfigurationError, match=r"absent\.csv"):
        read_rows(tmp_path / "absent.csv", Flat)


@given(content=st.binary(max_size=200))
def test_only_configuration_error_comes_out_of_any_file(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
):
    file = tmp_path_factory.getbasetemp() / "fuzzed.csv"
    file.write_bytes(b"n\n" + content)
    with suppress(ConfigurationError):
        assert all(isinstance(row, Line) for row in read_rows(file, Line))


def test_golden_rows_can_come_from_the_data(model_file: Path, example: Path, tmp_path: Path):
    file = write(tmp_path, "distance\n84.87882\n306.5947\n561.9845\n")
    report = pack(
        model_file, service="service:RealEstate", output=tmp_path / "a", code=example, data=file
    )
    assert report.manifest.golden.origin == "rows.csv"
    distances = [row["distance"] for row in report.manifest.golden.rows]
    assert distances == [84.87882, 306.5947, 561.9845]


@pytest.mark.parametrize("drawn", [True, False])
@pytest.mark.parametrize("count", [1, 63, 64, 100, 414, 4096])
def test_golden_rows_are_the_first_drawn_or_spaced_through_the_data(count: int, *, drawn: bool):
    places = golden_places(count, drawn=drawn)
    assert len(places) == len(set(places)) == min(64, count)
    assert places == sorted(places)
    assert places[0] == 0
    assert places[-1] == len(places) - 1 if drawn else places[-1] >= count - 1 - count // 64


def test_bad_data_packs_nothing(
    write_code: Callable[..., Path],
    pack_plane: Callable[..., PackReport],
    two_numbers: str,
    tmp_path: Path,
):
    file = write(tmp_path, "a,b\n1,2\n1,999\n")
    with pytest.raises(ConfigurationError, match="less than or equal to 10"):
        pack_plane(write_code(service=two_numbers), data=file)
    assert not (tmp_path / "artefact").exists()


def bounds(number: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    pairs = st.tuples(number, number).map(sorted).filter(lambda pair: pair[1] - pair[0] >= 2)
    return st.builds(
        lambda pair, low, high: {
            key: value for key, value in ((low, pair[0]), (high, pair[1])) if key is not None
        },
        pairs,
        st.sampled_from(["ge", "gt", None]),
        st.sampled_from(["le", "lt", None]),
    )


FIELDS = st.one_of(
    bounds(st.integers(-10_000, 10_000)).map(lambda limits: (int, Field(**limits))),
    bounds(st.floats(-1e6, 1e6)).map(lambda limits: (float, Field(**limits))),
    st.just((bool, ...)),
    st.just((Kind, ...)),
    st.just((Literal["a", "b", 3], ...)),
    st.just((Literal["only"], ...)),
    st.just((str, Field(examples=["x", "yz"]))),
    st.integers().map(lambda value: (int, value)),
    st.just((str, "by default")),
    st.just((float | None, None)),
    st.just((Kind, Kind.HOUSE)),
)


@given(fields=st.lists(FIELDS, min_size=1, max_size=5))
def test_drawn_rows_are_valid_and_always_the_same(fields: list[Any]):
    named = {f"field_{index}": field for index, field in enumerate(fields)}
    model = create_model("Drawn", __config__=ConfigDict(extra="forbid"), **named)
    rows = draw_rows(model, 12)
    assert len(rows) == 12
    for row in rows:
        assert model.model_validate_json(row.model_dump_json(), strict=True) == row
    assert draw_rows(model, 12) == rows


def test_drawn_rows_begin_with_the_examples_and_keep_to_the_typical_range():
    class Row(BaseModel):
        distance: float = Field(
            gt=0, examples=[150, 20], json_schema_extra={TYPICAL_RANGE: [1, 6500]}
        )

    distances = [row.distance for row in draw_rows(Row, 40) if isinstance(row, Row)]
    assert distances[:2] == [150, 20]
    assert all(1 <= distance <= 6500 for distance in distances)
    assert max(distances) - min(distances) > 3000


def test_every_choice_is_drawn():
    rows = [row for row in draw_rows(Flat) if isinstance(row, Flat)]
    assert {row.kind for row in rows} == {"old", "new"}
    assert {row.sort for row in rows} == set(Kind)
    assert {row.has_lift for row in rows} == {True, False}
    assert len({row.rooms for row in rows}) == 9


@pytest.mark.parametrize(
    "field",
    [
        (str, ...),
        (list[float], ...),
        (dict[str, int], ...),
        (int, Field(gt=5, lt=3)),
        (int, Field(gt=5, lt=6)),
        (float, Field(json_schema_extra={TYPICAL_RANGE: [9, 1]})),
        (float, Field(json_schema_extra={TYPICAL_RANGE: [1]})),
        (float, Field(json_schema_extra={TYPICAL_RANGE: "wide"})),
        (float, Field(json_schema_extra={TYPICAL_RANGE: 5})),
        (float, Field(ge=-1.7e308, le=1.7e308)),
    ],
)
def test_what_nothing_can_be_drawn_for_asks_for_help(field: Any):  # noqa: ANN401
    model = create_model("Undrawable", only=field)
    with pytest.raises(ConfigurationError) as refusal:
        draw_rows(model, 64)
    assert refusal.value.hint


class Inner(BaseModel):
    floor: int = Field(ge=0, le=3)


class Varied(BaseModel):
    """Every field has a default, or may be null."""

    area: float = Field(default=50.0, ge=10, le=90)
    rooms: int = Field(default=3, ge=1, le=5)
    has_lift: bool = False
    kind: Literal["old", "new"] = "old"
    sort: Kind = Kind.FLAT
    age: float | None = Field(default=None, ge=0, le=9)
    choice: Literal["x", "y"] | int = Field(default="x")
    street: str = Field(default="Elm", examples=["Oak", "Ash"])
    note: str = "nothing to draw it from"
    inner: Inner = Inner(floor=0)


def test_fields_with_defaults_are_varied_too():
    rows = [row for row in draw_rows(Varied, 400) if isinstance(row, Varied)]
    assert 0.15 < sum(row.area == 50.0 for row in rows) / len(rows) < 0.35
    assert max(row.area for row in rows) > 85
    assert min(row.area for row in rows) < 15
    assert {row.rooms for row in rows} == {1, 2, 3, 4, 5}
    assert {row.has_lift for row in rows} == {True, False}
    assert {row.kind for row in rows} == {"old", "new"}
    assert {row.sort for row in rows} == set(Kind)
    assert {row.street for row in rows} == {"Elm", "Oak", "Ash"}
    assert {row.note for row in rows} == {"nothing to draw it from"}
    assert {row.inner.floor for row in rows} == {0, 1, 2, 3}
    assert {"x", "y"} < {row.choice for row in rows}


def test_a_field_that_may_be_null_is_null_in_some_rows():
    class Gap(BaseModel):
        age: float | None = Field(ge=0, le=9)

    ages = [row.age for row in draw_rows(Gap, 400) if isinstance(row, Gap)]
    assert 0.06 < ages.count(None) / len(ages) < 0.2
    assert all(age is None or 0 <= age <= 9 for age in ages)


def test_an_empty_cell_of_a_field_with_a_default_is_the_default(tmp_path: Path):
    (row,) = read_rows(write(tmp_path, "area,age,rooms\n20,,4\n"), Varied)
    assert row == Varied(area=20, rooms=4)
