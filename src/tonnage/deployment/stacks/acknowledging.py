"""
Findings of cdk-nag's AwsSolutions rules that are meant to be, each with its reason.
"""

from collections.abc import Iterator

import aws_cdk as cdk

from tonnage.deployment._constructs import acknowledge
from tonnage.deployment.settings import DeploymentOptions

from .encryption import is_alias
from .model import log_group_name

__all__ = ["acknowledge_endpoint"]


def acknowledge_endpoint(stack: cdk.Stack, options: DeploymentOptions) -> None:
    """Acknowledge the findings of an endpoint's stack."""
    acknowledge(
        stack,
        {f"AwsSolutions-IAM5[Resource::{what}]": why for what, why in _wildcards(options)},
    )


def _wildcards(options: DeploymentOptions) -> Iterator[tuple[str, str]]:
    """Yield each resource that is named with a wildcard, and why it has to be."""
    here = f"{options.region}:<AWS::AccountId>"
    yield (
        "*",
        (
            "ecr:GetAuthorizationToken and cloudwatch:PutMetricData know no narrower resource; the"
            " latter is held to one namespace by a condition"
        ),
    )
    yield (
        f"arn:<AWS::Partition>:logs:{here}:log-group:{log_group_name(options)}:*",
        "SageMaker names the log streams, one for each instance; the group is this endpoint's own",
    )
    if is_alias(options.kms_key):
        yield (
            f"arn:<AWS::Partition>:kms:{here}:key/*",
            "IAM takes no alias for a key; a condition holds it to the key of that alias",
        )
