"""
CBOR, held against botocore's own.
"""

import contextlib
import io

import pytest
from botocore.parsers import RpcV2CBORParser
from hypothesis import example, given
from hypothesis import strategies as st

from aws_world import without_nulls
from tonnage.emulator.aws import AwsError
from tonnage.emulator.aws._cbor import Timestamp, cbor_of, value_of_cbor

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(VALUES)
def test_decode_after_encode_is_the_identity(value: object):
    assert value_of_cbor(cbor_of(value)) == value


@given(VALUES)
def test_botocore_reads_the_same(value: object):
    parser = RpcV2CBORParser()
    read = parser.parse_data_item(io.BufferedReader(io.BytesIO(cbor_of(value))))
    assert read == without_nulls(value), "but for null members, which it leaves out"


def test_a_timestamp_is_tagged():
    assert cbor_of(Timestamp(1.5)) == b"\xc1\xfb" + b"\x3f\xf8" + bytes(6)
    assert value_of_cbor(cbor_of(Timestamp(1.5))) == 1.5


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"\xbf\x61a\x01\x61b\x9f\x02\x03\xff\xff", {"a": 1, "b": [2, 3]}),
        (b"\x7f\x61a\x61b\xff", "ab"),
        (b"\x5f\x41a\x41b\xff", b"ab"),
        (b"\xf9\x3e\x00", 1.5),
        (b"\xfa\x3f\xc0\x00\x00", 1.5),
    ],
)
def test_indefinite_lengths_and_short_floats_are_read(data: bytes, value: object):
    assert value_of_cbor(data) == value


@given(st.binary(max_size=40))
@example(b"\x81" * 100)
@example(b"\xff")
@example(b"\xbf\x01\x01\xff")
@example(b"\x3f")
@example(b"\x5f\x01\xff")
@example(b"\xbf\x80\x01\xff")
def test_whatever_comes_is_refused_as_documented_or_read(data: bytes):
    with contextlib.suppress(AwsError):
        value_of_cbor(data)
