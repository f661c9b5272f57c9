"""
What a service of the local SageMaker is made of.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["AwsError", "AwsService", "Operation"]

# Members as in botocore's service model, datetimes as epoch seconds, both ways.
Operation = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]


class AwsError(Exception):
    """
    A refusal that a client sees as AWS's own.

    Attributes:
        code: The shape's name, such as ``ValidationException``.
        message: In AWS's style, naming the value at fault.
        status: The HTTP status.
    """

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


@dataclass(frozen=True, kw_only=True, slots=True)
class AwsService:
    """
    One AWS service.

    Attributes:
        name: botocore's name of it, such as ``application-autoscaling``.
        target_prefix: What stands before the operation in ``X-Amz-Target``.
        operations: By AWS's name of each.
    """

    name: str
    target_prefix: str
    operations: Mapping[str, Operation]
