"""
The names that AWS gives to what is here, and its refusals that carry them.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from tonnage.emulator._place import ACCOUNT, REGION
from tonnage.emulator.aws.operations import AwsError

__all__ = [
    "Kind",
    "already_exists",
    "arn",
    "in_progress",
    "invalid",
    "not_found",
    "refuse_not_emulated",
]


class Kind(StrEnum):
    """A kind of resource, as its ARN spells it."""

    MODEL = "model"
    ENDPOINT_CONFIG = "endpoint-config"
    ENDPOINT = "endpoint"

    @property
    def words(self) -> str:
        """The kind as AWS's messages spell it."""
        return "endpoint configuration" if self is Kind.ENDPOINT_CONFIG else self.value


def arn(kind: Kind, name: str) -> str:
    """Return the ARN of a resource; AWS writes the name in lower case."""
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name.lower()}"


def invalid(message: str) -> AwsError:
    """Return SageMaker's refusal of what cannot be done."""
    return AwsError("ValidationException", message)


def refuse_not_emulated(members: Mapping[str, Any], names: Sequence[str]) -> None:
    """
    Return if members do without what is not here.

    Raises:
        AwsError: If one of these names is given, and not empty.
    """
    for name in names:
        if members.get(name):
            raise invalid(f"{name} is not emulated.")


def not_found(kind: Kind, name: str) -> AwsError:
    """Return the refusal for a resource that is not there."""
    return invalid(f'Could not find {kind.words} "{arn(kind, name)}".')


def already_exists(kind: Kind, name: str) -> AwsError:
    """Return the refusal to create what exists."""
    return invalid(f'Cannot create already existing {kind.words} "{arn(kind, name)}".')


def in_progress(endpoint_name: str) -> AwsError:
    """Return the refusal to change an endpoint that is being changed."""
    return invalid(f'Cannot update in-progress endpoint "{arn(Kind.ENDPOINT, endpoint_name)}".')
