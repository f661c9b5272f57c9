"""
Operations on scheduled actions.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tonnage.domain import ConfigurationError
from tonnage.scaling import ScheduledAction

from ._target_operations import check_bounds, is_about, limited, paged
from .book import DIMENSION, NAMESPACE, ScalingBook, invalid
from .records import Action, Target

__all__ = ["ActionOperations"]

_MOST_ACTIONS: Final = 200
_KEPT: Final = ("Schedule", "Timezone", "StartTime", "EndTime", "ScalableTargetAction")


@dataclass(frozen=True, slots=True)
class ActionOperations:
    """
    The operations.

    Attributes:
        book: What is registered.
    """

    book: ScalingBook

    async def put_scheduled_action(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Put an action on a target, or change one, which keeps what is not given."""
        target = self.book.target(given)
        name = given["ScheduledActionName"]
        known = target.actions.get(name)
        if known is None:
            limited(len(target.actions), _MOST_ACTIONS, "scheduled actions on this target")
        before = {} if known is None else known.members
        members = {key: given.get(key, before.get(key)) for key in _KEPT}
        there = {key: value for key, value in members.items() if value is not None}
        if "Schedule" not in there:
            raise invalid("Schedule is required for a new scheduled action")
        target.actions[name] = self._action(target, name, there, known)
        self.book.tell(target.resource_id)
        return {}

    async def delete_scheduled_action(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Delete an action."""
        target = self.book.target(given)
        if target.actions.pop(given["ScheduledActionName"], None) is None:
            raise self.book.missing(f"scheduled action {given['ScheduledActionName']}", given)
        self.book.tell(target.resource_id)
        return {}

    async def describe_scheduled_actions(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the actions."""
        names, wanted = given.get("ScheduledActionNames"), given.get("ResourceId")
        found = [
            {
                **action.members,
                "ServiceNamespace": NAMESPACE,
                "ResourceId": resource_id,
                "ScalableDimension": DIMENSION,
                "CreationTime": self.book.wall.epoch_of(action.created_seconds),
            }
            for resource_id, target in sorted(self.book.targets.items())
            for name, action in sorted(target.actions.items())
            if is_about(given)
            and wanted in {None, resource_id}
            and (names is None or name in names)
        ]
        return paged("ScheduledActions", found, given)

    def _action(
        self, target: Target, name: str, members: Mapping[str, Any], known: Action | None
    ) -> Action:
        book = self.book
        bounds = members.get("ScalableTargetAction", {})
        check_bounds(bounds.get("MinCapacity"), bounds.get("MaxCapacity"))
        try:
            schedule = ScheduledAction.of(
                name,
                members["Schedule"],
                timezone=members.get("Timezone", "UTC"),
                min_capacity=bounds.get("MinCapacity"),
                max_capacity=bounds.get("MaxCapacity"),
                start_seconds=members.get("StartTime"),
                end_seconds=members.get("EndTime"),
                created_seconds=book.wall.now_epoch_seconds(),
            )
        except ConfigurationError as error:
            raise invalid(error.message) from error
        identity = uuid.uuid5(uuid.NAMESPACE_URL, f"{target.resource_id}/{name}")
        place = f"arn:aws:autoscaling:{book.region}:{book.account}:scheduledAction"
        arn = f"{place}:{identity}:resource/{NAMESPACE}/{target.resource_id}"
        return Action(
            members={
                **members,
                "ScheduledActionName": name,
                "ScheduledActionARN": f"{arn}:scheduledActionName/{name}",
            },
            schedule=schedule,
            created_seconds=known.created_seconds if known else book.wall.clock.now_seconds(),
        )
