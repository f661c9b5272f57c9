"""
The query protocol: forms in, XML out.
"""

import contextlib
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.emulator.aws import AwsError
from tonnage.emulator.aws._models import service_model
from tonnage.emulator.aws._query import form_of, input_of_form

SHAPE = service_model("cloudwatch").operation_model("PutMetricData").input_shape


def test_nested_members_are_typed_by_the_shape():
    form = {
        "Action": "PutMetricData",
        "Namespace": "Own",
        "MetricData.member.1.MetricName": "a",
        "MetricData.member.1.Value": "1.5",
        "MetricData.member.1.Timestamp": "2026-01-02T03:04:05Z",
        "MetricData.member.1.Dimensions.member.1.Name": "x",
        "MetricData.member.1.Dimensions.member.1.Value": "y",
        "MetricData.member.2.MetricName": "b",
        "MetricData.member.2.StorageResolution": "1",
        "StrictEntityValidation": "TRUE",
        "EntityMetricData.member.1.Entity.Attributes.entry.1.key": "k",
        "EntityMetricData.member.1.Entity.Attributes.entry.1.value": "v",
        "MetricData.other": "ignored",
    }
    assert input_of_form(SHAPE, form_of(urlencode(form).encode())) == {
        "Namespace": "Own",
        "MetricData": [
            {
                "MetricName": "a",
                "Value": 1.5,
                "Timestamp": 1767323045.0,
                "Dimensions": [{"Name": "x", "Value": "y"}],
            },
            {"MetricName": "b", "StorageResolution": 1},
        ],
        "EntityMetricData": [{"Entity": {"Attributes": {"k": "v"}}}],
        "StrictEntityValidation": True,
    }


def test_an_empty_list_is_one():
    assert input_of_form(SHAPE, {"MetricData": ""}) == {"MetricData": []}


@pytest.mark.parametrize(
    "form",
    [
        {"MetricData.member.1.Value": "many"},
        {"MetricData.member.1.Timestamp": "noon"},
        {"MetricData.member.1.StorageResolution": "1.5"},
        {"StrictEntityValidation": "perhaps"},
    ],
)
def test_a_field_of_the_wrong_type_is_refused(form: dict[str, str]):
    with pytest.raises(AwsError) as raised:
        input_of_form(SHAPE, form)
    assert raised.value.code == "MalformedInput"


@pytest.mark.parametrize("body", [b"=&&", b"Action", b"\xff=1"])
def test_what_is_no_form_is_refused(body: bytes):
    with pytest.raises(AwsError) as raised:
        form_of(body)
    assert raised.value.code == "MalformedQueryString"


@given(st.binary(max_size=60))
def test_whatever_comes_is_refused_as_documented_or_read(body: bytes):
    with contextlib.suppress(AwsError):
        input_of_form(SHAPE, form_of(body))
