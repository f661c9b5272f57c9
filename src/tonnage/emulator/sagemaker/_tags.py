"""
Tags, by the ARN of what they are on.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from ._arns import invalid

__all__ = ["Tags"]

_DEFAULT_RESULTS: Final = 50
_MAX_TAGS: Final = 50


class Tags:
    """
    The tags of everything here.

    Args:
        exists: Says whether there is a resource of an ARN.
    """

    def __init__(self, exists: Callable[[str], bool]) -> None:
        self._exists = exists
        self._tags: dict[str, dict[str, str]] = {}

    def put(self, resource_arn: str, tags: Sequence[Mapping[str, str]]) -> None:
        """Tag a resource; a key that it has is given its new value."""
        merged = {**self._tags.get(resource_arn, {}), **{tag["Key"]: tag["Value"] for tag in tags}}
        if len(merged) > _MAX_TAGS:
            raise invalid(f"A resource has at most {_MAX_TAGS} tags.")
        self._tags[resource_arn] = merged

    def forget(self, resource_arn: str) -> None:
        """Forget a resource's tags: it is gone."""
        self._tags.pop(resource_arn, None)

    async def add(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """``AddTags``."""
        resource_arn = self._known(parameters)
        self.put(resource_arn, parameters["Tags"])
        return {"Tags": self._of(resource_arn)}

    async def delete(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """``DeleteTags``."""
        tags = self._tags.get(self._known(parameters), {})
        for key in parameters["TagKeys"]:
            tags.pop(key, None)
        return {}

    async def list(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """``ListTags``."""
        tags = self._of(self._known(parameters))
        token = parameters.get("NextToken", "0")
        if not token.isdecimal():
            raise invalid("The pagination token is invalid.")
        start = int(token)
        end = start + parameters.get("MaxResults", _DEFAULT_RESULTS)
        answer: dict[str, Any] = {"Tags": tags[start:end]}
        if end < len(tags):
            answer["NextToken"] = str(end)
        return answer

    def _of(self, resource_arn: str) -> Sequence[Mapping[str, str]]:
        tags = self._tags.get(resource_arn, {})
        return [{"Key": key, "Value": value} for key, value in tags.items()]

    def _known(self, parameters: Mapping[str, Any]) -> str:
        resource_arn: str = parameters["ResourceArn"]
        if not self._exists(resource_arn):
            raise invalid(f'Could not find resource "{resource_arn}".')
        return resource_arn
