"""
What the templates allow: each statement of each role, and no more.
"""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Assembly

CASES = ["given-image", "everything", "fixed-count", "serverless"]


def statements(template: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for resource in template["Resources"].values():
        properties = resource["Properties"]
        documents = [
            *(each["PolicyDocument"] for each in properties.get("Policies", [])),
            properties.get("AssumeRolePolicyDocument", {}),
            *([properties["PolicyDocument"]] if "PolicyDocument" in properties else []),
        ]
        for document in documents:
            yield from document.get("Statement", [])


def actions(statement: dict[str, Any]) -> list[str]:
    action = statement["Action"]
    return [action] if isinstance(action, str) else action


def of_the_role(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["Sid"]: each for each in statements(template) if "Sid" in each}


def text(value: object) -> str:
    """An ARN as it reads, with its references in angle brackets."""
    if isinstance(value, str):
        return value
    assert isinstance(value, dict)
    if "Ref" in value:
        return f"<{value['Ref'].removeprefix('AWS::')}>"
    if "Fn::Join" in value:
        return "".join(map(text, value["Fn::Join"][1]))
    if "Fn::Sub" in value:
        return str(value["Fn::Sub"]).replace("${AWS::", "<").replace("}", ">")
    return f"<{value['Fn::GetAtt'][0]}>"


def resources(statement: dict[str, Any]) -> list[str]:
    named = statement["Resource"]
    return [text(each) for each in (named if isinstance(named, list) else [named])]


@pytest.mark.parametrize("case", CASES)
def test_no_action_is_a_wildcard_but_a_keys_owners(case: str, assembly: "Assembly"):
    """A key's own policy leaves the key to the account, which is how KMS keeps it manageable."""
    for statement in statements(assembly.templates[case]):
        wild = [action for action in actions(statement) if "*" in action]
        if wild:
            assert wild == ["kms:*"]
            assert text(statement["Principal"]["AWS"]) == "arn:<Partition>:iam::<AccountId>:root"


@pytest.mark.parametrize("case", CASES)
def test_no_managed_policy_is_attached(case: str, assembly: "Assembly"):
    assert "ManagedPolicyArns" not in json.dumps(assembly.templates[case])


@pytest.mark.parametrize("case", CASES)
def test_only_sagemaker_for_this_account_assumes_the_role(case: str, assembly: "Assembly"):
    (trust,) = [
        each for each in statements(assembly.templates[case]) if actions(each) == ["sts:AssumeRole"]
    ]
    assert trust["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert text(trust["Condition"]["ArnLike"]["aws:SourceArn"]) == (
        "arn:<Partition>:sagemaker:us-east-1:<AccountId>:*"
    )


def test_the_role_pulls_one_repository_logs_to_one_group_and_measures_one_namespace(
    assembly: "Assembly",
):
    role = of_the_role(assembly.templates["given-image"])
    assert set(role) == {"PullImage", "LogInToRegistry", "PublishMetrics", "WriteLogs"}
    assert actions(role["PullImage"]) == [
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
    ]
    assert resources(role["PullImage"]) == [
        "arn:<Partition>:ecr:us-east-1:123456789012:repository/real-estate"
    ]
    assert actions(role["LogInToRegistry"]) == ["ecr:GetAuthorizationToken"]
    assert actions(role["PublishMetrics"]) == ["cloudwatch:PutMetricData"]
    assert role["PublishMetrics"]["Condition"] == {
        "StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/Endpoints"}
    }
    group = "arn:<Partition>:logs:us-east-1:<AccountId>:log-group"
    name = "/aws/sagemaker/Endpoints/given-image"
    assert resources(role["WriteLogs"]) == [f"{group}:{name}", f"{group}:{name}:*"]


def test_only_two_statements_name_no_resource(assembly: "Assembly"):
    for case in CASES:
        wide = [
            each["Sid"]
            for each in of_the_role(assembly.templates[case]).values()
            if resources(each) == ["*"]
        ]
        assert wide == ["LogInToRegistry", "PublishMetrics"]


def test_the_role_reads_one_object(assembly: "Assembly"):
    uploaded = of_the_role(assembly.templates["everything"])["ReadModelData"]
    assert actions(uploaded) == ["s3:GetObject"]
    (object_arn,) = resources(uploaded)
    assert object_arn.endswith(".tar.gz")
    assert "*" not in object_arn
    there = of_the_role(assembly.templates["fixed-count"])["ReadModelData"]
    assert resources(there) == ["arn:<Partition>:s3:::models/real-estate/model.tar.gz"]


def test_the_role_may_grant_its_key_to_volumes_alone(assembly: "Assembly"):
    role = of_the_role(assembly.templates["everything"])
    assert actions(role["GrantKeyToVolumes"]) == ["kms:CreateGrant"]
    assert role["GrantKeyToVolumes"]["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    (key,) = resources(role["GrantKeyToVolumes"])
    assert key.startswith("<Key")
    alias = of_the_role(assembly.templates["fixed-count"])["GrantKeyToVolumes"]
    assert alias["Condition"]["ForAnyValue:StringEquals"] == {
        "kms:ResourceAliases": "alias/volumes"
    }


def test_every_finding_of_cdk_nag_is_acknowledged_with_a_reason(assembly: "Assembly"):
    reports = json.dumps(assembly.report)
    assert "AwsSolutions" in reports
    assert '"conclusion": "failure"' not in reports
