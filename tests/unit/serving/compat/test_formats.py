"""
The default functions read and write as the toolkit's do, and open no pickle.
"""

import contextlib
import io
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.domain import InvalidPayloadError
from tonnage.serving.compat._errors import UnsupportedFormatError
from tonnage.serving.compat._formats import CSV, JSON, NPY, decode, encode


def npy(array: np.ndarray[Any, Any], *, allow_pickle: bool = False) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=allow_pickle)
    return stream.getvalue()


class Tripwire:
    """Unpickling it would be noticed."""

    tripped = False

    def __reduce__(self) -> tuple[Any, ...]:
        return setattr, (Tripwire, "tripped", True)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("1,2,3", [[1, 2, 3]]),
        ("1,2,3\n", [[1, 2, 3]]),
        ("1\n2\n", [[1], [2]]),
        ("1,2\r\n3,4\r\n", [[1, 2], [3, 4]]),
        (b"1.5,-2e3", [[1.5, -2000]]),
    ],
)
def test_csv_is_always_a_table(body: str | bytes, expected: list[list[float]]):
    table = decode(body, CSV)
    assert table.dtype == np.float64
    assert table.tolist() == expected


def test_a_blank_cell_is_nan():
    assert np.isnan(decode("1,,3", CSV)[0, 1])


def test_a_column_of_text_stays_text_beside_numbers():
    assert decode("1,red\n2,blue", CSV).tolist() == [[1.0, "red"], [2.0, "blue"]]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("1,2\n3", CSV),
        ("", CSV),
        (b"\xff", CSV),
        ("{", JSON),
        ("[[1, 2], [3]]", JSON),
        ("[" * 100_000, JSON),
        (b"\xff", JSON),
        (b"", NPY),
        (b"PK\x03\x04", NPY),
        (b"\x93NUMPY\x01\x00", NPY),
        (b"\x93NUMPY\x09\x00\x00\x00", NPY),
        (npy(np.arange(4.0))[:-1], NPY),
        (npy(np.arange(4.0)) + b"x", NPY),
        (npy(np.arange(4.0)).replace(b"(4,)", b"(-4,)"), NPY),
        (npy(np.arange(4.0)).replace(b"(4,), }      ", b"(9999999,), }"), NPY),
    ],
)
def test_a_body_that_holds_no_array_is_the_callers_fault(body: str | bytes, content_type: str):
    with pytest.raises(InvalidPayloadError):
        decode(body, content_type)


@pytest.mark.parametrize(
    "body", [npy(np.array([Tripwire()]), allow_pickle=True), pickle.dumps(Tripwire())]
)
def test_npy_is_never_unpickled(body: bytes):
    with pytest.raises(InvalidPayloadError):
        decode(body, NPY)
    assert not Tripwire.tripped


@pytest.mark.parametrize("array", [np.arange(6).reshape(2, 3), np.zeros((0, 3)), np.array(3.5)])
def test_npy_is_read_as_it_was_written(array: np.ndarray[Any, Any]):
    read = decode(npy(array), NPY)
    assert read.dtype == array.dtype
    assert np.array_equal(read, array)


def test_a_column_major_npy_is_read_as_it_was_written():
    array = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    assert np.array_equal(decode(npy(array), NPY), array)


@given(st.binary(max_size=200))
def test_whatever_follows_the_magic_is_an_array_or_a_fault(rest: bytes):
    with contextlib.suppress(InvalidPayloadError):
        decode(b"\x93NUMPY\x01\x00" + rest, NPY)


@given(st.text(max_size=60))
def test_any_text_is_a_table_or_a_fault(text: str):
    with contextlib.suppress(InvalidPayloadError):
        assert decode(text, CSV).ndim == 2


def test_json_keeps_its_shape():
    assert decode("[1, 2]", JSON).shape == (2,)
    assert decode("[[1, 2]]", JSON).shape == (1, 2)


def test_predictions_are_written_in_each_format():
    prediction = np.array([1.5, 2.5])
    assert encode(prediction, JSON) == "[1.5, 2.5]"
    assert encode(prediction, CSV) == "1.5\n2.5\n"
    assert encode({"cost": np.float32(0.5), "labels": np.array(["a"])}, JSON) == (
        '{"cost": 0.5, "labels": ["a"]}'
    )
    written = encode(prediction, NPY)
    assert isinstance(written, bytes)
    assert np.array_equal(np.load(io.BytesIO(written), allow_pickle=False), prediction)


@pytest.mark.parametrize("content_type", ["text/plain", "", None, "application/json; charset=x"])
def test_another_type_is_unsupported(content_type: str | None):
    with pytest.raises(UnsupportedFormatError):
        decode(b"1", content_type)
    with pytest.raises(UnsupportedFormatError):
        encode([1], content_type)
