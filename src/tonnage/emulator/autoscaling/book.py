"""
What is registered now, and what was done in the past six weeks.
"""

import re
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tonnage.emulator._wall import WallTime
from tonnage.emulator.aws import AwsError
from tonnage.scaling import ActivityWords

from .records import Activity, Target

__all__ = ["DIMENSION", "NAMESPACE", "ScalingBook", "invalid", "resource_names"]

NAMESPACE: Final = "sagemaker"
DIMENSION: Final = "sagemaker:variant:DesiredInstanceCount"

_RESOURCE: Final = re.compile(r"endpoint/([^/]+)/variant/([^/]+)")
_KEPT_ACTIVITIES: Final = 5000
_KEPT_SECONDS: Final = 42 * 24 * 3600.0
"""AWS keeps six weeks; on the emulator's clock, so that a compressed run forgets as much."""


def invalid(message: str) -> AwsError:
    """Return Application Auto Scaling's refusal of what cannot be done."""
    return AwsError("ValidationException", message)


def resource_names(given: Mapping[str, Any]) -> tuple[str, str]:
    """
    Return the endpoint's and the variant's name that an operation is about.

    Raises:
        AwsError: If it is about something else than a variant's instances.
    """
    match = _RESOURCE.fullmatch(given["ResourceId"])
    if (
        given["ServiceNamespace"] != NAMESPACE
        or given["ScalableDimension"] != DIMENSION
        or not match
    ):
        raise invalid(
            "Unsupported service namespace, resource type or scalable dimension: only "
            f"{NAMESPACE}, endpoint/NAME/variant/NAME and {DIMENSION} are emulated."
        )
    return match[1], match[2]


@dataclass(slots=True)
class ScalingBook:
    """
    All scalable targets, by ``ResourceId``, and their activities.

    Attributes:
        wall: The emulator's clock beside the wall clock.
        region: Where all of it is said to be.
        account: Whose it is said to be.
        targets: By ``ResourceId``.
        activities: The oldest first.
        not_scaled: Those that were not scaled, likewise.
    """

    wall: WallTime
    region: str
    account: str
    targets: dict[str, Target] = field(default_factory=dict)
    activities: deque[Activity] = field(default_factory=lambda: deque(maxlen=_KEPT_ACTIVITIES))
    not_scaled: deque[Activity] = field(default_factory=lambda: deque(maxlen=_KEPT_ACTIVITIES))
    _listeners: list[Callable[[str], None]] = field(default_factory=list)

    def target(self, given: Mapping[str, Any]) -> Target:
        """
        Return the target that an operation is about.

        Raises:
            AwsError: If it is not registered.
        """
        resource_names(given)
        target = self.targets.get(given["ResourceId"])
        if target is None:
            raise AwsError(
                "ObjectNotFoundException", f"No scalable target registered for {_of(given)}"
            )
        return target

    def missing(self, what: str, given: Mapping[str, Any]) -> AwsError:
        """Return the refusal for a policy or an action that a target does not have."""
        return AwsError("ObjectNotFoundException", f"No {what} found for {_of(given)}")

    def begin(self, target: Target, words: ActivityWords, to_count: int | None) -> Activity:
        """Write down an activity that begins now."""
        activity = self._activity(target, words, to_count)
        self.activities.append(activity)
        return activity

    def decline(self, target: Target, words: ActivityWords) -> None:
        """Write down an activity that was not scaled; the same again is told once."""
        for last in reversed(self.not_scaled):
            if last.resource_id == target.resource_id:
                if last.words == words:
                    last.ended_seconds = self.wall.clock.now_seconds()
                    return
                break
        activity = self._activity(target, words, None)
        activity.ended_seconds = activity.started_seconds
        self.not_scaled.append(activity)

    def kept(self, activities: deque[Activity]) -> list[Activity]:
        """Return the activities of the past six weeks, the newest first."""
        since = self.wall.clock.now_seconds() - _KEPT_SECONDS
        return [activity for activity in reversed(activities) if activity.started_seconds >= since]

    def subscribe(self, on_change: Callable[[str], None]) -> None:
        """Have ``on_change`` called with a ``ResourceId`` after a change of what it has."""
        self._listeners.append(on_change)

    def tell(self, resource_id: str) -> None:
        """Tell that something of a target has changed."""
        for listener in self._listeners:
            listener(resource_id)

    def _activity(self, target: Target, words: ActivityWords, to_count: int | None) -> Activity:
        return Activity(
            activity_id=str(uuid.uuid4()),
            resource_id=target.resource_id,
            words=words,
            to_count=to_count,
            started_seconds=self.wall.clock.now_seconds(),
        )


def _of(given: Mapping[str, Any]) -> str:
    return (
        f"service namespace: {given['ServiceNamespace']}, resource ID: {given['ResourceId']}, "
        f"scalable dimension: {given['ScalableDimension']}"
    )
