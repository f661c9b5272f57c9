"""
Findings of cdk-nag's AwsSolutions rules that are meant to be, each with its reason.
"""

from collections.abc import Iterator

import aws_cdk as cdk

from tonnage.deployment.settings import DeploymentOptions

from .encryption import is_alias
from .model import log_group_name

__all__ = ["acknowledge"]


def acknowledge(stack: cdk.Stack, options: DeploymentOptions) -> None:
    """Acknowledge the findings of an endpoint's stack."""
    cdk.Validations.of(stack).acknowledge(*_acknowledgements(options))


def _acknowledgements(options: DeploymentOptions) -> Iterator[cdk.Acknowledgment]:
    here = f"{options.region}:<AWS::AccountId>"
    yield _wildcard(
        "*",
        "ecr:GetAuthorizationToken and cloudwatch:PutMetricData know no narrower resource; the"
        " latter is held to one namespace by a condition",
    )
    yield _wildcard(
        f"arn:<AWS::Partition>:logs:{here}:log-group:{log_group_name(options)}:*",
        "SageMaker names the log streams, one for each instance; the group is this endpoint's own",
    )
    if is_alias(options.kms_key):
        yield _wildcard(
            f"arn:<AWS::Partition>:kms:{here}:key/*",
            "IAM takes no alias for a key; a condition holds it to the key of that alias",
        )


def _wildcard(resource: str, reason: str) -> cdk.Acknowledgment:
    return cdk.Acknowledgment(
        id=f"AwsSolutions::AwsSolutions-IAM5[Resource::{resource}]", reason=reason
    )
