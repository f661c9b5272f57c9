"""
What the volumes of the instances are encrypted with.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_iam, aws_kms

from tonnage.deployment.leftovers import key_description
from tonnage.deployment.settings import CREATE_KEY

__all__ = ["Encryption", "encryption", "is_alias"]

_ALIAS: Final = re.compile(r"(?:arn:.*:)?(?P<alias>alias/.+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Encryption:
    """
    Attributes:
        key_id: What the endpoint configuration names; None for SageMaker's own key.
        statements: What the execution role needs for it.
    """

    key_id: str | None = None
    statements: tuple[aws_iam.PolicyStatement, ...] = ()


def is_alias(key: str | None) -> bool:
    """Say whether a key is named by an alias."""
    return key is not None and _ALIAS.fullmatch(key) is not None


def encryption(stack: cdk.Stack, key: str | None) -> Encryption:
    """Return what encrypts: nothing of the user's, a new key, or one that is there."""
    if key is None:
        return Encryption()
    if key == CREATE_KEY:
        made = aws_kms.Key(
            stack,
            "Key",
            description=key_description(stack.stack_name),
            enable_key_rotation=True,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        return Encryption(key_id=made.key_arn, statements=tuple(_granting(made.key_arn, None)))
    alias = _ALIAS.fullmatch(key)
    if alias is not None:
        # IAM takes no alias for a key: any of the account's keys, if it has that alias.
        any_key = stack.format_arn(service="kms", resource="key", resource_name="*")
        return Encryption(key_id=key, statements=tuple(_granting(any_key, alias["alias"])))
    arn = (
        key
        if key.startswith("arn:")
        else stack.format_arn(service="kms", resource="key", resource_name=key)
    )
    return Encryption(key_id=key, statements=tuple(_granting(arn, None)))


def _granting(arn: str, alias: str | None) -> Iterator[aws_iam.PolicyStatement]:
    named = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": alias}} if alias else {}
    yield aws_iam.PolicyStatement(
        sid="DescribeKey", actions=["kms:DescribeKey"], resources=[arn], conditions=named
    )
    yield aws_iam.PolicyStatement(
        sid="GrantKeyToVolumes",
        actions=["kms:CreateGrant"],
        resources=[arn],
        conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}, **named},
    )
