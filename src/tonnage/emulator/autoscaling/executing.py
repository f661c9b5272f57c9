"""
What a law decides, carried out and written down: activities from their beginning to their end.
"""

import logging
import time

from tonnage.domain import ScalingActivity, TonnageError
from tonnage.emulator._timeline import Timelines
from tonnage.emulator.cloudwatch import AlarmBook
from tonnage.emulator.variants import ScalableVariant
from tonnage.scaling import (
    ActivityWords,
    Reason,
    ScheduledAction,
    TargetDecision,
    activity_failed,
    activity_in_progress,
    activity_not_scaled,
    activity_overridden,
    activity_succeeded,
    scheduled_activity,
)

from .book import ScalingBook
from .law import TargetLaw
from .records import Activity

__all__ = ["Executor"]

logger = logging.getLogger(__name__)


class Executor:
    """
    Moves variants as it was decided, and takes note of what becomes of it.

    Args:
        book: Where activities are written down.
        alarms: Whose actions are carried out.
        timelines: Where what the fleets did is noted, for reports.
    """

    def __init__(self, book: ScalingBook, alarms: AlarmBook, timelines: Timelines) -> None:
        self._book = book
        self._alarms = alarms
        self._timelines = timelines
        self._clock = book.wall.clock
        self._under_way: dict[str, Activity] = {}

    def carry_out(self, law: TargetLaw, variant: ScalableVariant, decision: TargetDecision) -> None:
        """Do what was decided, or write down that nothing was done."""
        before = variant.desired_instance_count
        if decision.acts[0]:
            self._act(law, variant, before, decision)
        else:
            self._note_not_scaled(law, before, decision)

    def note_scheduled(self, law: TargetLaw, action: ScheduledAction, *, was_run: bool) -> None:
        """Write down that a scheduled action was run, or could not be."""
        words = scheduled_activity(action, was_run=was_run)
        self._end(self._book.begin(law.target, words, None), words)

    def fleet_changed(self, law: TargetLaw, variant: ScalableVariant) -> None:
        """Take note of a change in a fleet: an activity that is over starts its cooldown."""
        desired = variant.desired_instance_count
        activity = self._under_way.get(law.target.resource_id)
        if activity is not None and activity.to_count != desired:
            del self._under_way[law.target.resource_id]
            assert activity.to_count is not None
            self._end(activity, activity_overridden(activity.to_count, activity.words.cause))
            law.failed()
        elif not variant.is_updating and variant.in_service_instance_count == desired:
            self._settled(law, variant)

    def forget(self, resource_id: str) -> None:
        """Wait no longer for what is under way: its target is deregistered."""
        self._under_way.pop(resource_id, None)

    def _act(
        self, law: TargetLaw, variant: ScalableVariant, before: int, decision: TargetDecision
    ) -> None:
        after, cause = int(decision.desired_instance_count[0]), law.cause(decision)
        target = law.target
        logger.warning(
            "scaling %s from %d to %d instances: %s", target.resource_id, before, after, cause
        )
        activity = self._book.begin(target, activity_in_progress(after, cause), after)
        self._under_way[target.resource_id] = activity
        self._timelines.of(variant.endpoint_name, variant.variant_name).activity_started(
            ScalingActivity(
                at_seconds=time.monotonic(), from_count=before, to_count=after, cause=cause
            )
        )
        self._note_actions(law, decision)
        try:
            variant.set_desired_instance_count(after)
        except TonnageError as error:
            logger.warning("scaling %s failed: %s", target.resource_id, error.message)
            self.forget(target.resource_id)
            self._end(activity, activity_failed(after, cause, error.message))
            law.failed()

    def _note_actions(self, law: TargetLaw, decision: TargetDecision) -> None:
        index = int(decision.policy[0])
        if index < 0:
            return
        arn = law.policy_arn(index)
        for alarm in self._alarms.all():
            if alarm.state == "ALARM" and arn in alarm.members["AlarmActions"]:
                self._alarms.note_action(alarm, arn)

    def _note_not_scaled(self, law: TargetLaw, current: int, decision: TargetDecision) -> None:
        is_busy = decision.reason[0] == Reason.TARGET_SERVICE_PUT_RESOURCE_AS_UNSCALABLE
        for reason, cause in law.causes_not_scaled(decision):
            told = Reason.TARGET_SERVICE_PUT_RESOURCE_AS_UNSCALABLE if is_busy else Reason(reason)
            words = activity_not_scaled(told, cause, law.bounds, current=current)
            if words is not None:
                self._book.decline(law.target, words)

    def _settled(self, law: TargetLaw, variant: ScalableVariant) -> None:
        law.succeeded(self._clock.now_seconds())
        activity = self._under_way.pop(law.target.resource_id, None)
        if activity is not None:
            timeline = self._timelines.of(variant.endpoint_name, variant.variant_name)
            timeline.activity_ended(time.monotonic())
            assert activity.to_count is not None
            self._end(activity, activity_succeeded(activity.to_count, activity.words.cause))

    def _end(self, activity: Activity, words: ActivityWords) -> None:
        activity.words, activity.ended_seconds = words, self._clock.now_seconds()
