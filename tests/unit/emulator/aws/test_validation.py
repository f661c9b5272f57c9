"""
Input held against botocore's models, in AWS's words.
"""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tonnage.emulator.aws import AwsError
from tonnage.emulator.aws._models import compiled_pattern, service_model
from tonnage.emulator.aws._validation import checked_input


def checked(service: str, operation: str, value: object) -> dict[str, Any]:
    model = service_model(service).operation_model(operation)
    return checked_input(model.input_shape, value)


def refusal(service: str, operation: str, value: object) -> AwsError:
    with pytest.raises(AwsError) as raised:
        checked(service, operation, value)
    return raised.value


TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/e/variant/v",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}


def test_valid_input_comes_through_with_nulls_and_unknown_members_left_out():
    given = {**TARGET, "MinCapacity": 1, "RoleARN": None, "Unheard": "of"}
    assert checked("application-autoscaling", "RegisterScalableTarget", given) == {
        **TARGET,
        "MinCapacity": 1,
    }


def test_a_missing_member_is_null_at_its_place():
    error = refusal("sagemaker", "DescribeEndpoint", {})
    assert error.code == "ValidationException"
    assert error.message == (
        "1 validation error detected: Value null at 'endpointName' "
        "failed to satisfy constraint: Member must not be null"
    )


def test_every_violation_is_told_with_its_path_counted_from_one():
    error = refusal(
        "sagemaker",
        "CreateEndpointConfig",
        {
            "EndpointConfigName": "-" * 64,
            "ProductionVariants": [{"VariantName": "v", "InstanceType": "ml.large"}],
        },
    )
    assert error.message.startswith("3 validation errors detected: Value '----")
    assert "at 'endpointConfigName' failed to satisfy constraint: Member must have length " in (
        error.message
    )
    assert "Member must satisfy regular expression pattern: [a-zA-Z0-9]" in error.message
    assert (
        "Value 'ml.large' at 'productionVariants.1.member.instanceType' failed to satisfy "
        "constraint: Member must satisfy enum value set: [ml.t2.medium, "
    ) in error.message


def test_a_number_out_of_range_names_the_bound():
    error = refusal("cloudwatch", "DescribeAlarms", {"MaxRecords": 101})
    assert error.message.endswith("Member must have value less than or equal to 100")


@pytest.mark.parametrize(
    ("operation", "value", "message"),
    [
        ("RegisterScalableTarget", [], "Expected a structure"),
        (
            "RegisterScalableTarget",
            {"MinCapacity": "1"},
            "STRING_VALUE can not be converted to an ",
        ),
        (
            "RegisterScalableTarget",
            {"MinCapacity": 1.5},
            "NUMBER_VALUE can not be converted to an ",
        ),
        ("RegisterScalableTarget", {"MinCapacity": 2**31}, "NUMBER_VALUE can not be"),
        ("RegisterScalableTarget", {"MinCapacity": True}, "TRUE_VALUE can not be converted to an "),
        ("RegisterScalableTarget", {"ResourceId": 3}, "NUMBER_VALUE can not be converted to a Str"),
        ("RegisterScalableTarget", {"ResourceId": {}}, "Start of structure or map found where not"),
        ("RegisterScalableTarget", {"SuspendedState": 3}, "Expected a structure"),
        ("DescribeScalableTargets", {"ResourceIds": "e"}, "Expected list or null"),
        (
            "DescribeScalingActivities",
            {"IncludeNotScaledActivities": "yes"},
            "STRING_VALUE can not",
        ),
        (
            "PutScheduledAction",
            {"StartTime": "noon"},
            "STRING_VALUE can not be converted to a Time",
        ),
        ("TagResource", {"Tags": []}, "Expected map or null"),
    ],
)
def test_a_value_of_the_wrong_type_is_not_even_validated(
    operation: str, value: object, message: str
):
    error = refusal("application-autoscaling", operation, value)
    assert error.code == "SerializationException"
    assert error.message.startswith(message)


@pytest.mark.parametrize("service", ["application-autoscaling", "cloudwatch", "sagemaker"])
def test_every_pattern_of_the_models_can_be_checked(service: str):
    model = service_model(service)
    patterns = {model.shape_for(name).metadata.get("pattern") for name in model.shape_names}
    unchecked = {text for text in patterns if text and compiled_pattern(text) is None}
    assert unchecked <= {
        r"([\p{L}\p{Z}\p{N}_.:\/=+\-@]*)${1,128}",
        r"([\p{L}\p{Z}\p{N}_.:\/=+\-@]*)${1,256}",
        r"[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]+",
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
MEMBERS = list(
    service_model("application-autoscaling").shape_for("PutScalingPolicyRequest").members
)


@given(JSON | st.dictionaries(st.sampled_from(MEMBERS), JSON))
def test_whatever_comes_is_refused_as_documented_or_taken(value: object):
    with contextlib.suppress(AwsError):
        checked("application-autoscaling", "PutScalingPolicy", value)
