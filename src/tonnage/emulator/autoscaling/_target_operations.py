"""
Operations on scalable targets, their activities and their tags.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tonnage.emulator.aws import AwsError
from tonnage.emulator.aws.paging import page
from tonnage.emulator.variants import Variants

from .book import DIMENSION, NAMESPACE, ScalingBook, invalid, resource_names
from .records import Activity, Target

__all__ = ["TargetOperations", "check_bounds", "is_about", "limited", "paged"]

_PAGE: Final = 50
_MOST_TARGETS: Final = 500
_MOST_TAGS: Final = 50
_SUSPENDED: Final = (
    "DynamicScalingInSuspended",
    "DynamicScalingOutSuspended",
    "ScheduledScalingSuspended",
)
_BURSTABLE: Final = "ml.t2."


@dataclass(frozen=True, slots=True)
class TargetOperations:
    """
    The operations.

    Attributes:
        book: What is registered.
        variants: What can be.
    """

    book: ScalingBook
    variants: Variants

    async def register_scalable_target(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Register a variant, or change what was registered."""
        endpoint_name, variant_name = resource_names(given)
        variant = self.variants.find(endpoint_name, variant_name)
        if variant is None:
            raise invalid(f"SageMaker variant doesn't exist: {given['ResourceId']}")
        if variant.instance_type.startswith(_BURSTABLE):
            raise invalid(
                f"Auto scaling is not supported for the burstable instance type "
                f"{variant.instance_type} of {given['ResourceId']}"
            )
        if not variant.instance_type:
            raise invalid(
                f"{given['ResourceId']} is serverless: it has no {DIMENSION.rpartition(':')[2]}"
            )
        target = self._written(given, endpoint_name, variant_name)
        self.book.tell(target.resource_id)
        return {"ScalableTargetARN": target.arn}

    def _written(self, given: Mapping[str, Any], endpoint_name: str, variant_name: str) -> Target:
        """Return the target that a registration makes or changes, written into the book."""
        resource_id = given["ResourceId"]
        known = self.book.targets.get(resource_id)
        smallest = given.get("MinCapacity", known and known.min_capacity)
        largest = given.get("MaxCapacity", known and known.max_capacity)
        if smallest is None or largest is None:
            raise invalid("MinCapacity and MaxCapacity are required to register a scalable target")
        check_bounds(smallest, largest)
        if known is None:
            limited(len(self.book.targets), _MOST_TARGETS, "scalable targets")
            known = self._new(endpoint_name, variant_name, given)
        known.min_capacity, known.max_capacity = smallest, largest
        known.role_arn = given.get("RoleARN", known.role_arn)
        known.suspended = {**known.suspended, **given.get("SuspendedState", {})}
        known.tags = dict(given.get("Tags", known.tags))
        self.book.targets[resource_id] = known
        return known

    async def deregister_scalable_target(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Forget a target, its policies and its scheduled actions."""
        target = self.book.target(given)
        del self.book.targets[target.resource_id]
        self.book.tell(target.resource_id)
        return {}

    async def describe_scalable_targets(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the targets."""
        wanted = given.get("ResourceIds")
        found = [
            self._described(target)
            for resource_id, target in sorted(self.book.targets.items())
            if is_about(given) and (wanted is None or resource_id in wanted)
        ]
        return paged("ScalableTargets", found, given)

    async def describe_scaling_activities(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what was done, the newest first, and on asking what was not."""
        book = self.book
        found = book.kept(book.activities)
        if given.get("IncludeNotScaledActivities"):
            found += book.kept(book.not_scaled)
            found.sort(key=lambda activity: activity.started_seconds, reverse=True)
        wanted = given.get("ResourceId")
        described = [
            self._activity(activity)
            for activity in found
            if is_about(given) and wanted in {None, activity.resource_id}
        ]
        return paged("ScalingActivities", described, given)

    async def list_tags_for_resource(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a target's tags."""
        return {"Tags": self._of_arn(given).tags}

    async def tag_resource(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Give a target tags."""
        target = self._of_arn(given)
        tags = {**target.tags, **given["Tags"]}
        if len(tags) > _MOST_TAGS:
            raise AwsError(
                "TooManyTagsException", f"A scalable target has at most {_MOST_TAGS} tags"
            )
        target.tags = tags
        return {}

    async def untag_resource(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Take tags from a target."""
        target = self._of_arn(given)
        target.tags = {key: tag for key, tag in target.tags.items() if key not in given["TagKeys"]}
        return {}

    def _of_arn(self, given: Mapping[str, Any]) -> Target:
        for target in self.book.targets.values():
            if target.arn == given["ResourceARN"]:
                return target
        raise AwsError(
            "ResourceNotFoundException", f"There is no scalable target {given['ResourceARN']}"
        )

    def _new(self, endpoint_name: str, variant_name: str, given: Mapping[str, Any]) -> Target:
        book = self.book
        identity = hashlib.sha256(given["ResourceId"].encode()).hexdigest()[:32]
        place = f"{book.region}:{book.account}"
        return Target(
            endpoint_name=endpoint_name,
            variant_name=variant_name,
            arn=f"arn:aws:application-autoscaling:{place}:scalable-target/{identity}",
            min_capacity=given["MinCapacity"],
            max_capacity=given["MaxCapacity"],
            role_arn=f"arn:aws:iam::{book.account}:role/aws-service-role/sagemaker.application-"
            "autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
            suspended=dict.fromkeys(_SUSPENDED, False),
            created_seconds=book.wall.clock.now_seconds(),
        )

    def _described(self, target: Target) -> dict[str, Any]:
        return {
            "ServiceNamespace": NAMESPACE,
            "ResourceId": target.resource_id,
            "ScalableDimension": DIMENSION,
            "MinCapacity": target.min_capacity,
            "MaxCapacity": target.max_capacity,
            "RoleARN": target.role_arn,
            "CreationTime": self.book.wall.epoch_of(target.created_seconds),
            "SuspendedState": dict(target.suspended),
            "ScalableTargetARN": target.arn,
        }

    def _activity(self, activity: Activity) -> dict[str, Any]:
        words, epoch_of = activity.words, self.book.wall.epoch_of
        described = {
            "ActivityId": activity.activity_id,
            "ServiceNamespace": NAMESPACE,
            "ResourceId": activity.resource_id,
            "ScalableDimension": DIMENSION,
            "Description": words.description,
            "Cause": words.cause,
            "StartTime": epoch_of(activity.started_seconds),
            "EndTime": activity.ended_seconds and epoch_of(activity.ended_seconds),
            "StatusCode": str(words.status_code),
            "StatusMessage": words.status_message or None,
        }
        if words.not_scaled_reasons:
            described["NotScaledReasons"] = [
                {
                    "Code": reason.code,
                    "MaxCapacity": reason.max_capacity,
                    "MinCapacity": reason.min_capacity,
                    "CurrentCapacity": reason.current_capacity,
                }
                for reason in words.not_scaled_reasons
            ]
        return described


def check_bounds(smallest: int | None, largest: int | None) -> None:
    """
    Return if bounds may be a variant's.

    Raises:
        AwsError: If they may not.
    """
    if smallest is not None and smallest < 1:
        raise invalid(f"Minimum capacity cannot be less than 1 for {DIMENSION}, it was {smallest}")
    if largest is not None and largest < 1:
        raise invalid(f"Maximum capacity cannot be less than 1 for {DIMENSION}, it was {largest}")
    if smallest is not None and largest is not None and smallest > largest:
        raise invalid("Maximum capacity cannot be less than minimum capacity")


def is_about(given: Mapping[str, Any]) -> bool:
    """Say whether a description asks for what is here at all."""
    return bool(
        given["ServiceNamespace"] == NAMESPACE
        and given.get("ScalableDimension", DIMENSION) == DIMENSION
    )


def limited(count: int, most: int, what: str) -> None:
    """
    Return if there is room for one more.

    Raises:
        AwsError: If there is none.
    """
    if count >= most:
        raise AwsError(
            "LimitExceededException", f"There are {most} {what} already, the most there can be"
        )


def paged(name: str, items: list[dict[str, Any]], given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a page of what is described."""
    size = given.get("MaxResults", _PAGE)
    if not 1 <= size <= _PAGE:
        raise invalid(f"MaxResults must be between 1 and {_PAGE}, it was {size}")
    found, token = page(items, given.get("NextToken"), size, code="InvalidNextTokenException")
    return {name: found, "NextToken": token}
