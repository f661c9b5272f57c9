"""
What the stacks of endpoint, front and swarm share.
"""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_logs
from constructs import Construct, IConstruct

from .checks import check_log_retention

__all__ = ["acknowledge", "log_group"]


def acknowledge(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Note why a finding of cdk-nag's AwsSolutions pack is accepted here."""
    cdk.Validations.of(construct).acknowledge(
        *(
            cdk.Acknowledgment(id=f"AwsSolutions::{rule}", reason=reason)
            for rule, reason in reasons.items()
        )
    )


def log_group(scope: Construct, name: str, retention_days: int) -> aws_logs.LogGroup:
    """
    Return a log group that goes with its stack.

    Raises:
        ConfigurationError: If CloudWatch Logs keeps nothing for so many days.
    """
    check_log_retention(retention_days)
    group = aws_logs.LogGroup(scope, name, removal_policy=cdk.RemovalPolicy.DESTROY)
    # The construct takes a name for each period; the template takes the number.
    resource = group.node.default_child
    assert isinstance(resource, aws_logs.CfnLogGroup)
    resource.retention_in_days = retention_days
    return group
