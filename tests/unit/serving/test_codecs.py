"""
Bodies in four formats: what is read, what is refused and how it is named, what is written.
"""

from __future__ import annotations

import io
import json
import pickle
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from tonnage.artefact import LoadedModel, Service
from tonnage.domain import InvalidPayloadError
from tonnage.serving._formats import Shape, UnwritableError
from tonnage.serving.codecs import Codecs, MediaTypeError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Flat(BaseModel):
    """A row of several types, one of its names not Python's."""

    model_config = ConfigDict(extra="forbid")

    area: float = Field(gt=0, allow_inf_nan=False)
    rooms: int
    kind: Literal["flat", "house"] = "flat"
    is_new: bool = Field(default=False, alias="is-new")


class Numbers(BaseModel):
    """A row of numbers alone."""

    area: float = Field(allow_inf_nan=False)
    rooms: int


class FlatService(Service[Flat, Numbers]):
    """Never asked to predict here."""


class NumbersService(Service[Numbers, Numbers]):
    """Never asked to predict here."""


@pytest.fixture(scope="session")
def model(packed_artefact: Path) -> LoadedModel:
    return LoadedModel.load(packed_artefact)


def codecs_for(model: LoadedModel, service: Service[Any, Any]) -> Codecs:
    loaded = LoadedModel(
        manifest=model.manifest, service=service, predictor=model.predictor, encode=model.encode
    )
    return Codecs(loaded)


@pytest.fixture(scope="session")
def flats(model: LoadedModel) -> Codecs:
    return codecs_for(model, FlatService())


@pytest.fixture(scope="session")
def numbers(model: LoadedModel) -> Codecs:
    return codecs_for(model, NumbersService())


def read(codecs: Codecs, content_type: str, body: bytes) -> Sequence[BaseModel]:
    conversion = codecs.choose(content_type, "")
    return conversion.source.decode(body, conversion.charset)[0]


def fault(codecs: Codecs, content_type: str, body: bytes) -> InvalidPayloadError:
    with pytest.raises(InvalidPayloadError) as caught:
        read(codecs, content_type, body)
    return caught.value


def npy(array: object, **options: bool) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(array), **options)
    return file.getvalue()


SMALL = Numbers(area=50.5, rooms=2)
LARGE = Numbers(area=120.0, rooms=5)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'[{"area": 50.5, "rooms": 2}, {"area": 120, "rooms": 5}]'),
        ("application/json", b' \n[{"area":50.5,"rooms":2},{"area":120,"rooms":5}] '),
        ("application/jsonlines", b'{"area": 50.5, "rooms": 2}\n{"area": 120, "rooms": 5}'),
        ("application/x-ndjson", b'\n{"area":50.5,"rooms":2}\r\n{"area":120,"rooms":5}\r\n\n'),
        ("text/csv", b"50.5,2\n120,5\n"),
        ("text/csv", b"area,rooms\r\n50.5,2\r\n120,5"),
        ("text/csv", b'rooms,area\n2,50.5\n\n"5",120.0\n\n'),
        ("text/csv; charset=utf-8", b"\xef\xbb\xbfarea,rooms\n50.5,2\n120,5\n"),
        ('Text/CSV ; header=present; charset="ISO-8859-1"', b"50.5,2\n120,5\n"),
        ("application/x-npy", npy([[50.5, 2], [120, 5]])),
        ("application/x-npy", npy(np.array([[50.5, 120], [2, 5]]).T)),
        ("application/x-npy", npy(np.array([[50.5, 2], [120, 5]], dtype=">f4"))),
        ("application/x-npy", npy([["50.5", "2"], ["120", "5"]])),
    ],
)
def test_two_rows_are_the_same_two_rows_in_every_format(
    numbers: Codecs, content_type: str, body: bytes
):
    assert list(read(numbers, content_type, body)) == [SMALL, LARGE]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"area": 50.5, "rooms": 2}'),
        ("application/json", b'[{"area": 50.5, "rooms": 2}]'),
        ("", b'{"area": 50.5, "rooms": 2}'),
        ("application/jsonlines", b'{"area": 50.5, "rooms": 2}'),
        ("text/csv", b"50.5,2"),
        ("text/csv", b"area,rooms\n50.5,2"),
        ("application/x-npy", npy([[50.5, 2]])),
    ],
)
def test_one_row_is_a_row_in_every_format(numbers: Codecs, content_type: str, body: bytes):
    assert list(read(numbers, content_type, body)) == [SMALL]


def test_cells_become_what_their_field_is_and_an_empty_one_is_missing(flats: Codecs):
    rows = read(flats, "text/csv", b"50,2,house,true\n60,3,,\n")
    assert [row.model_dump() for row in rows] == [
        {"area": 50.0, "rooms": 2, "kind": "house", "is_new": True},
        {"area": 60.0, "rooms": 3, "kind": "flat", "is_new": False},
    ]


def test_a_header_names_fields_as_clients_write_them(flats: Codecs):
    (row,) = read(flats, "text/csv", b"is-new,kind,rooms,area\n1,house,2,50\n")
    assert row.model_dump(by_alias=True)["is-new"] is True


@pytest.mark.parametrize(
    ("content_type", "body", "message", "fields"),
    [
        ("application/json", b'[{"area":1,"rooms":1},{"area":-1,"rooms":1}]', "1.area", ["1.area"]),
        ("application/json", b"[]", "the array is empty", []),
        ("application/json", b"[1]", "", ["0"]),
        ("application/json", b"[", "", [""]),
        (
            "application/jsonlines",
            b'{"area":1,"rooms":1}\n\n{"area":0,"rooms":1.5}\n',
            "line 3: ",
            ["1.area", "1.rooms"],
        ),
        ("application/jsonlines", b"\n \n", "the body holds no line", []),
        ("text/csv", b"1,1,flat,no\n0,1,flat,no\n", "line 2: area: ", ["1.area"]),
        ("text/csv", b"1,1,flat,no\n1,1,flat\n", "line 2 has 3 columns", ["1"]),
        ("text/csv", b"1,1,flat,no,\n", "line 1 has 5 columns", ["0"]),
        ("text/csv", b"1,,flat,no\n", "line 1: rooms: ", ["0.rooms"]),
        (
            "text/csv",
            b"area,rooms,kind,other\n",
            "line 1: area: ",
            ["0.area", "0.rooms", "0.kind", "0.is-new"],
        ),
        ("text/csv", b"area,rooms,kind,is-new\n", "a header and no row", []),
        ("text/csv", b"", "holds no row", []),
        ("text/csv", b"nan,1,flat,no", "line 1: area: ", ["0.area"]),
        ("text/csv", b'1,1,"flat,no', "line 1: ", []),
        ("text/csv", b"1,1,\xff,no", "no utf-8: see byte 4", []),
        ("text/csv; charset=ebcdic", b"1,1,flat,no", "charset 'ebcdic'", []),
    ],
)
def test_a_fault_names_its_row_and_its_fields(
    flats: Codecs, content_type: str, body: bytes, message: str, fields: list[str]
):
    error = fault(flats, content_type, body)
    assert message in error.message
    assert [named.field for named in error.faults] == fields


class Tripwire:
    """Unpickling it would be noticed."""

    sprung = False

    def __reduce__(self) -> tuple[Any, tuple[()]]:
        return _spring, ()


def _spring() -> None:
    Tripwire.sprung = True


def test_nothing_in_an_npy_body_is_unpickled(numbers: Codecs):
    objects = np.array([[Tripwire(), Tripwire()]], dtype=object)
    named = io.BytesIO()
    np.savez(named, a=objects)
    for body in (npy(objects, allow_pickle=True), pickle.dumps(objects), named.getvalue()):
        fault(numbers, "application/x-npy", body)
    assert not Tripwire.sprung


def header(shape: str, descr: str = "'<f8'") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "no NPY file"),
        (b"\x93NUMPY", "no NPY file"),
        (b"\x93NUMPY\x03\x00" + bytes(200), "no NPY file"),
        (header("(1000000000000, 2)") + bytes(16), "promises 16000000000000 bytes and 16 follow"),
        (header("(-1, -2)") + bytes(16), "promises"),
        (header("(1, 2)") + bytes(24), "promises 16 bytes and 24 follow"),
        (header("(1, 2)", "'|O'") + bytes(16), "objects never"),
        (header("(1, 2)", "[('a', '<f8')]") + bytes(16), "is not accepted"),
        (header("(1, 2)", "'<c16'") + bytes(32), "is not accepted"),
        (header("(1, 2)", "'<M8[s]'") + bytes(16), "is not accepted"),
        (header("(" * 500) + bytes(16), "no NPY file"),
        (npy(np.zeros((0, 2))), "holds no row"),
        (npy([1.0, 2.0]), "it must be (rows, 2)"),
        (npy([[1.0, 2.0, 3.0]]), "it must be (rows, 2)"),
        (npy([[1.0, 1.0], [2.0, 1.5]]), "row 1: rooms"),
        (npy([[1.0, 1.0], [np.nan, 1.0]]), "row 1: area"),
    ],
)
def test_an_npy_body_that_is_no_table_is_refused(numbers: Codecs, body: bytes, message: str):
    assert message in fault(numbers, "application/x-npy", body).message


@given(st.sampled_from(["application/json", "application/jsonlines", "text/csv"]), st.binary())
def test_whatever_the_bytes_only_the_documented_fault_comes_out(
    flats: Codecs, content_type: str, body: bytes
):
    try:
        assert read(flats, content_type, body)
    except InvalidPayloadError as error:
        assert error.message  # noqa: PT017 (it need not be raised)


@given(st.data())
def test_an_npy_body_with_damaged_bytes_is_refused_or_a_table(numbers: Codecs, data: st.DataObject):
    body = bytearray(npy([[50.5, 2], [120, 5]]))
    for place in data.draw(st.lists(st.integers(0, len(body) - 1), max_size=8)):
        body[place] = data.draw(st.integers(0, 255))
    body = body[: data.draw(st.integers(0, len(body)))]
    try:
        assert read(numbers, "application/x-npy", bytes(body))
    except InvalidPayloadError as error:
        assert error.message  # noqa: PT017 (it need not be raised)


RESULTS = [b'{"cost":1.5,"label":"a,b"}', b'{"cost":2.0,"label":null}']


@pytest.mark.parametrize(
    ("accept", "content_type", "body"),
    [
        ("application/json", "application/json", b"[" + b",".join(RESULTS) + b"]"),
        ("application/jsonlines", "application/jsonlines", b"\n".join(RESULTS) + b"\n"),
        ("application/x-ndjson", "application/x-ndjson", b"\n".join(RESULTS) + b"\n"),
        ("text/csv", "text/csv", b'1.5,"a,b"\n2.0,\n'),
    ],
)
def test_results_are_written_in_the_format_asked_for(
    flats: Codecs, accept: str, content_type: str, body: bytes
):
    conversion = flats.choose("application/json", accept)
    assert conversion.content_type == content_type
    assert conversion.target.encode(RESULTS, Shape.MANY) == body


def test_a_csv_answer_has_a_header_when_the_request_had_one(flats: Codecs):
    conversion = flats.choose("text/csv", "")
    rows, shape = conversion.source.decode(b"area,rooms,kind,is-new\n1,1,flat,no\n", "")
    assert len(rows) == 1
    assert conversion.target.encode(RESULTS[:1], shape) == b'cost,label\n1.5,"a,b"\n'


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([b'{"a":1.5,"b":2}', b'{"a":3,"b":4}'], [[1.5, 2], [3, 4]]),
        ([b'{"a":1}', b'{"a":2}'], [[1], [2]]),
        ([b'{"label":"far"}', b'{"label":"near"}'], [["far"], ["near"]]),
        ([b'{"a":1e400}'], [[np.inf]]),
        ([b'{"a":123456789012345678901234567890}'], [[1.2345678901234568e29]]),
    ],
)
def test_an_npy_answer_is_a_table_that_loads_without_pickle(
    flats: Codecs, results: list[bytes], expected: object
):
    conversion = flats.choose("application/x-npy", "")
    body = conversion.target.encode(results, Shape.MANY)
    np.testing.assert_array_equal(np.load(io.BytesIO(body), allow_pickle=False), expected)


@pytest.mark.parametrize("result", [b'{"a":1,"b":"x"}', b'{"a":null}', b'{"a":[1]}', b'{"a":{}}'])
def test_what_no_array_can_hold_is_said(flats: Codecs, result: bytes):
    with pytest.raises(UnwritableError, match="application/json"):
        flats.choose("application/x-npy", "").target.encode([result], Shape.MANY)


@pytest.mark.parametrize(
    ("content_type", "accept", "chosen"),
    [
        ("", "", "application/json"),
        ("text/csv", "", "text/csv"),
        ("text/csv", "*/*", "text/csv"),
        ("text/csv", "application/json", "application/json"),
        ("text/csv", "application/json;q=0.5, text/csv;q=0.4", "application/json"),
        ("text/csv", "application/json;q=0.5, */*", "text/csv"),
        ("text/csv", "application/json, text/csv", "text/csv"),
        ("text/csv", "application/*", "application/json"),
        ("application/x-npy", "application/*", "application/x-npy"),
        ("application/json", "text/*", "text/csv"),
        ("application/json", "text/html, text/csv;q=0.1", "text/csv"),
        ("application/json", "application/json;q=high", "application/json"),
        ("application/json", "TEXT/CSV; charset=utf-8", "text/csv"),
    ],
)
def test_the_answers_format_is_negotiated(
    flats: Codecs, content_type: str, accept: str, chosen: str
):
    assert flats.choose(content_type, accept).content_type == chosen


@pytest.mark.parametrize(
    ("content_type", "accept", "header"),
    [
        ("text/html", "", "content-type"),
        ("csv", "", "content-type"),
        ("multipart/form-data; boundary=x", "text/html", "content-type"),
        ("text/csv", "text/html", "accept"),
        ("text/csv", "text/csv;q=0", "accept"),
        ("text/csv", "image/*", "accept"),
    ],
)
def test_what_is_not_supported_is_named_with_what_is(
    flats: Codecs, content_type: str, accept: str, header: str
):
    with pytest.raises(MediaTypeError, match="application/x-npy are") as caught:
        flats.choose(content_type, accept)
    assert caught.value.header == header
    assert (accept if header == "accept" else content_type) in caught.value.message


def test_headers_that_are_never_the_same_are_not_remembered_without_end(flats: Codecs):
    for number in range(1000):
        flats.choose(f"text/csv; n={number}", "")
    assert len(flats._known) <= 256


table = st.lists(
    st.builds(
        Numbers,
        area=st.floats(allow_nan=False, allow_infinity=False),
        rooms=st.integers(-(2**40), 2**40),
    ),
    min_size=1,
    max_size=20,
)


@given(table)
def test_what_was_written_is_read_again(numbers: Codecs, rows: list[Numbers]):
    results = [row.model_dump_json().encode() for row in rows]
    for media_type in (
        "application/json",
        "application/jsonlines",
        "text/csv",
        "application/x-npy",
    ):
        conversion = numbers.choose(media_type, "")
        body = conversion.target.encode(results, Shape.MANY)
        again, _ = conversion.source.decode(body, "")
        assert list(again) == rows, json.dumps(media_type)


@pytest.mark.parametrize(
    ("content_type", "accept", "target"),
    [
        ("application/json", "", "text/csv"),
        ("", "*/*", "text/csv"),
        ("application/jsonlines", " */* ", "text/csv"),
        ("application/json", "application/json", "application/json"),
        ("application/json", "application/*", "application/json"),
    ],
)
def test_who_has_no_preference_gets_the_default_format(
    model: LoadedModel, content_type: str, accept: str, target: str
):
    codecs = Codecs(model, "text/csv")
    assert codecs.choose(content_type, accept).content_type == target
