"""
Lists: filtered, sorted and in pages.
"""

import base64
import binascii
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ._arns import invalid

__all__ = ["Listed", "page"]

_DEFAULT_RESULTS: Final = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """
    What a list knows of a resource.

    Attributes:
        name: Its name.
        created_epoch_seconds: When it was created.
        summary: What is listed.
        modified_epoch_seconds: When it last changed.
        status: Its status, if it has one.
    """

    name: str
    created_epoch_seconds: float
    summary: Mapping[str, Any]
    modified_epoch_seconds: float = 0.0
    status: str = ""

    def key(self, sort_by: str) -> tuple[str | float, str]:
        """Return what it is sorted by; the name decides between equals."""
        if sort_by == "CreationTime":
            return (self.created_epoch_seconds, self.name)
        return (self.name if sort_by == "Name" else self.status, self.name)


def page(
    member: str, resources: Iterable[Listed], parameters: Mapping[str, Any]
) -> Mapping[str, Any]:
    """
    Return one page of a list.

    Args:
        member: What the list is called in the answer.
        resources: All there are.
        parameters: The operation's, by AWS's names.

    Raises:
        AwsError: If the token is none of ours.
    """
    sort_by = parameters.get("SortBy", "CreationTime")
    is_descending = parameters.get("SortOrder", "Descending") == "Descending"
    found = [resource for resource in resources if _matches(resource, parameters)]
    found.sort(key=lambda resource: resource.key(sort_by), reverse=is_descending)
    if "NextToken" in parameters:
        last = _from_token(parameters["NextToken"], sort_by)
        found = [
            resource
            for resource in found
            if (resource.key(sort_by) < last if is_descending else resource.key(sort_by) > last)
        ]
    count = parameters.get("MaxResults", _DEFAULT_RESULTS)
    answer: dict[str, Any] = {member: [resource.summary for resource in found[:count]]}
    if len(found) > count:
        answer["NextToken"] = _to_token(found[count - 1].key(sort_by))
    return answer


def _matches(resource: Listed, parameters: Mapping[str, Any]) -> bool:
    return (
        parameters.get("NameContains", "") in resource.name
        and _is_within("CreationTime", resource.created_epoch_seconds, parameters)
        and _is_within("LastModifiedTime", resource.modified_epoch_seconds, parameters)
        and parameters.get("StatusEquals", resource.status) == resource.status
    )


def _is_within(member: str, moment: float, parameters: Mapping[str, Any]) -> bool:
    after: float = parameters.get(f"{member}After", -math.inf)
    before: float = parameters.get(f"{member}Before", math.inf)
    return after < moment < before


def _to_token(key: tuple[str | float, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def _from_token(token: str, sort_by: str) -> tuple[str | float, str]:
    try:
        first, name = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, TypeError, binascii.Error):
        first = name = None
    kind = float if sort_by == "CreationTime" else str
    if not isinstance(first, kind) or not isinstance(name, str):
        raise invalid("The pagination token is invalid.")
    return (first, name)
