"""
The scaling loop: the law of every scalable target, on the emulator's clock.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final, ParamSpec

from tonnage.domain import ScalingActivity, TonnageError
from tonnage.emulator._metrics import HIGH_RESOLUTION_SECONDS, PERIOD_SECONDS
from tonnage.emulator._timeline import Timeline, Timelines
from tonnage.emulator.cloudwatch import CloudWatch
from tonnage.emulator.variants import ScalableVariant, Variants
from tonnage.scaling import (
    ActivityWords,
    Reason,
    TargetDecision,
    activity_failed,
    activity_in_progress,
    activity_not_scaled,
    activity_overridden,
    activity_succeeded,
    scheduled_activity,
    scheduled_runs,
)

from .book import ScalingBook
from .law import TargetLaw
from .records import Activity

__all__ = ["ScalingLoop"]

logger = logging.getLogger(__name__)

P = ParamSpec("P")

_SCHEDULE_SECONDS: Final = 1.0
"""How often scheduled actions are looked at, in real seconds: their times are the wall clock's."""


class ScalingLoop:
    """
    Evaluates what is registered and moves the variants.

    Args:
        book: What is registered.
        cloudwatch: The metrics and the alarms.
        variants: What is moved.
        timelines: Where what the fleets did is noted, for reports.
    """

    def __init__(
        self,
        book: ScalingBook,
        cloudwatch: CloudWatch,
        variants: Variants,
        timelines: Timelines,
    ) -> None:
        self._book = book
        self._cloudwatch = cloudwatch
        self._variants = variants
        self._timelines = timelines
        self._clock = book.wall.clock
        self._laws: dict[str, TargetLaw] = {}
        self._under_way: dict[str, Activity] = {}
        self._has_new_alarms = False
        self._woken = asyncio.Event()
        self._scheduled_until = book.wall.now_epoch_seconds()
        book.subscribe(self._registered)
        cloudwatch.alarms.subscribe(self._alarms_changed)
        variants.subscribe(lambda variant: _guarded(self._variant_changed, variant))

    async def run(self) -> None:
        """
        Evaluate at the end of each period, until cancelled.

        A fault in one target, or in one alarm, is logged and keeps no other from its turn.
        """
        done = self._ended_periods()
        while True:
            await self._sleep_until((done + 1) * HIGH_RESOLUTION_SECONDS)
            _guarded(self.run_schedules)
            ended = self._ended_periods()
            for period in range(done + 1, ended + 1):
                _guarded(self.evaluate, period * HIGH_RESOLUTION_SECONDS)
            done = max(done, ended)

    def evaluate(self, moment_seconds: float) -> None:
        """Evaluate all whose period ends at a moment, a whole number of ten seconds."""
        if moment_seconds % PERIOD_SECONDS == 0:
            self._note_datapoints(int(moment_seconds // PERIOD_SECONDS) - 1)
        self._cloudwatch.loop.evaluate(moment_seconds)
        self._reread_if_alarms_changed()
        for law in tuple(self._laws.values()):
            periods = {PERIOD_SECONDS, *law.periods}
            if any(moment_seconds % period == 0 for period in periods):
                _guarded(self._look_at, law, moment_seconds)

    def run_schedules(self) -> None:
        """Carry out the scheduled actions whose time has come since the last call."""
        now = self._book.wall.now_epoch_seconds()
        since, self._scheduled_until = self._scheduled_until, now
        for law in tuple(self._laws.values()):
            actions = {action.schedule.name: action for action in law.target.actions.values()}
            schedules = [action.schedule for action in actions.values()]
            for moment, schedule in scheduled_runs(schedules, since, now):
                if law.target.suspended["ScheduledScalingSuspended"]:
                    continue
                was_run = law.run(schedule)
                words = scheduled_activity(schedule, was_run=was_run)
                self._end(self._book.begin(law.target, words, None), words)
                _guarded(self._look_at, law, None)
                if schedule.schedule.once_at_seconds == moment:
                    law.target.actions.pop(schedule.name, None)

    def _ended_periods(self) -> int:
        newest = self._cloudwatch.store.newest_period(
            HIGH_RESOLUTION_SECONDS, self._clock.now_seconds()
        )
        return newest + 1

    async def _sleep_until(self, moment_seconds: float) -> None:
        """Wait for the end of a period whose datapoints are there, or for a schedule's turn."""
        if not self._is_high_resolution():
            periods = -int(-moment_seconds // PERIOD_SECONDS)
            moment_seconds = periods * PERIOD_SECONDS
        due = moment_seconds + self._cloudwatch.store.metric_delay_seconds
        pause = self._clock.real_seconds_until(due)
        if any(law.target.actions for law in self._laws.values()):
            pause = min(pause, _SCHEDULE_SECONDS)
        self._woken.clear()
        try:
            async with asyncio.timeout(pause):
                await self._woken.wait()
        except TimeoutError:
            pass

    def _is_high_resolution(self) -> bool:
        rules = (alarm.rule for alarm in self._cloudwatch.alarms.all())
        periods = {rule.period_seconds for rule in rules if rule is not None}
        periods.update(*(law.periods for law in self._laws.values()))
        return any(period % PERIOD_SECONDS for period in periods)

    def _note_datapoints(self, period: int) -> None:
        now = time.monotonic()
        for variant in self._variants.all():
            value = variant.metrics.invocations_per_instance(period)
            self._timeline(variant).period_ended(now, value)

    def _registered(self, resource_id: str) -> None:
        """Take note of a target that was registered or deregistered, or of its policies."""
        self._woken.set()
        target = self._book.targets.get(resource_id)
        law = self._laws.get(resource_id)
        if target is None:
            self._under_way.pop(resource_id, None)
            if law is not None:
                self._laws.pop(resource_id).forget()
            return
        if law is None or law.target is not target:
            law = self._laws[resource_id] = TargetLaw(target, self._cloudwatch)
        law.reread(self._clock.now_seconds())
        _guarded(self._look_at, law, None)

    def _alarms_changed(self) -> None:
        self._has_new_alarms = True
        self._woken.set()

    def _reread_if_alarms_changed(self) -> None:
        if self._has_new_alarms:
            for law in self._laws.values():
                law.reread(self._clock.now_seconds())
            self._has_new_alarms = False

    def _look_at(self, law: TargetLaw, moment_seconds: float | None) -> None:
        target = law.target
        variant = self._variants.find(target.endpoint_name, target.variant_name)
        if variant is not None:
            self._evaluate(law, variant, moment_seconds)

    def _evaluate(
        self, law: TargetLaw, variant: ScalableVariant, moment_seconds: float | None
    ) -> None:
        before = variant.desired_instance_count
        decision = law.evaluate(
            moment_seconds,
            desired=before,
            in_service=variant.in_service_instance_count,
            is_updating=variant.is_updating,
            now_seconds=self._clock.now_seconds(),
        )
        if decision.acts[0]:
            self._act(law, variant, before, decision)
        else:
            self._note_not_scaled(law, before, decision)

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
        timeline = self._timeline(variant)
        timeline.activity_started(
            ScalingActivity(
                at_seconds=time.monotonic(), from_count=before, to_count=after, cause=cause
            )
        )
        self._note_actions(law, decision)
        try:
            variant.set_desired_instance_count(after)
        except TonnageError as error:
            logger.warning("scaling %s failed: %s", target.resource_id, error.message)
            self._under_way.pop(target.resource_id, None)
            self._end(activity, activity_failed(after, cause, error.message))
            law.failed()

    def _note_actions(self, law: TargetLaw, decision: TargetDecision) -> None:
        index = int(decision.policy[0])
        if index < 0:
            return
        for alarm in self._cloudwatch.alarms.all():
            arn = law.policy_arn(index)
            if alarm.state == "ALARM" and arn in alarm.members["AlarmActions"]:
                self._cloudwatch.alarms.note_action(alarm, arn)

    def _note_not_scaled(self, law: TargetLaw, current: int, decision: TargetDecision) -> None:
        is_busy = decision.reason[0] == Reason.TARGET_SERVICE_PUT_RESOURCE_AS_UNSCALABLE
        for reason, cause in law.causes_not_scaled(decision):
            told = Reason.TARGET_SERVICE_PUT_RESOURCE_AS_UNSCALABLE if is_busy else Reason(reason)
            words = activity_not_scaled(told, cause, law.bounds, current=current)
            if words is not None:
                self._book.decline(law.target, words)

    def _variant_changed(self, variant: ScalableVariant) -> None:
        """Take note of a change in a fleet: an activity that is over starts its cooldown."""
        now = time.monotonic()
        timeline = self._timeline(variant)
        desired, in_service = variant.desired_instance_count, variant.in_service_instance_count
        timeline.instances_changed(now, desired, in_service)
        resource_id = f"endpoint/{variant.endpoint_name}/variant/{variant.variant_name}"
        if self._variants.find(variant.endpoint_name, variant.variant_name) is not variant:
            self._variant_ended(resource_id)
            return
        law, activity = self._laws.get(resource_id), self._under_way.get(resource_id)
        if law is None:
            return
        if activity is not None and activity.to_count != desired:
            del self._under_way[resource_id]
            assert activity.to_count is not None
            self._end(activity, activity_overridden(activity.to_count, activity.words.cause))
            law.failed()
        elif not variant.is_updating and in_service == desired:
            self._settled(law, timeline, now)

    def _settled(self, law: TargetLaw, timeline: Timeline, now: float) -> None:
        law.succeeded(self._clock.now_seconds())
        activity = self._under_way.pop(law.target.resource_id, None)
        if activity is not None:
            timeline.activity_ended(now)
            assert activity.to_count is not None
            self._end(activity, activity_succeeded(activity.to_count, activity.words.cause))

    def _variant_ended(self, resource_id: str) -> None:
        """Deregister the target of a variant that is gone, as AWS does."""
        if self._book.targets.pop(resource_id, None) is not None:
            logger.info("%s is gone: its scalable target is deregistered", resource_id)
            self._book.tell(resource_id)

    def _end(self, activity: Activity, words: ActivityWords) -> None:
        activity.words, activity.ended_seconds = words, self._clock.now_seconds()

    def _timeline(self, variant: ScalableVariant) -> Timeline:
        return self._timelines.of(variant.endpoint_name, variant.variant_name)


def _guarded(step: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
    """Take a step of the loop; a fault of ours in it is logged and ends nothing else."""
    try:
        step(*args, **kwargs)
    except Exception:
        logger.exception("scaling could not be evaluated")
