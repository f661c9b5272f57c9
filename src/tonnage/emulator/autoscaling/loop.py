"""
The scaling loop: the law of every scalable target, on the emulator's clock.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final, ParamSpec

from tonnage.emulator._metrics import HIGH_RESOLUTION_SECONDS, PERIOD_SECONDS
from tonnage.emulator._timeline import Timeline, Timelines
from tonnage.emulator.cloudwatch import CloudWatch
from tonnage.emulator.variants import ScalableVariant, Variants
from tonnage.scaling import resource_id, scheduled_runs

from .book import ScalingBook
from .executing import Executor
from .law import TargetLaw

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
        self._executor = Executor(book, cloudwatch.alarms, timelines)
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
        done = max(0, self._ended_periods())  # before the clock's beginning there was nothing
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
                self._executor.note_scheduled(law, schedule, was_run=was_run)
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

    def _registered(self, name: str) -> None:
        """Take note of a target that was registered or deregistered, or of its policies."""
        self._woken.set()
        target = self._book.targets.get(name)
        law = self._laws.get(name)
        if target is None:
            self._executor.forget(name)
            if law is not None:
                self._laws.pop(name).forget()
            return
        if law is None or law.target is not target:
            law = self._laws[name] = TargetLaw(target, self._cloudwatch)
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
        decision = law.evaluate(
            moment_seconds,
            desired=variant.desired_instance_count,
            in_service=variant.in_service_instance_count,
            is_updating=variant.is_updating,
            now_seconds=self._clock.now_seconds(),
        )
        self._executor.carry_out(law, variant, decision)

    def _variant_changed(self, variant: ScalableVariant) -> None:
        """Take note of a change in a fleet, or of the end of one."""
        desired, in_service = variant.desired_instance_count, variant.in_service_instance_count
        self._timeline(variant).instances_changed(time.monotonic(), desired, in_service)
        name = resource_id(variant.endpoint_name, variant.variant_name)
        if self._variants.find(variant.endpoint_name, variant.variant_name) is not variant:
            self._variant_ended(name)
            return
        law = self._laws.get(name)
        if law is not None:
            self._executor.fleet_changed(law, variant)

    def _variant_ended(self, name: str) -> None:
        """Deregister the target of a variant that is gone, as AWS does."""
        if self._book.targets.pop(name, None) is not None:
            logger.info("%s is gone: its scalable target is deregistered", name)
            self._book.tell(name)

    def _timeline(self, variant: ScalableVariant) -> Timeline:
        return self._timelines.of(variant.endpoint_name, variant.variant_name)


def _guarded(step: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
    """Take a step of the loop; a fault of ours in it is logged and ends nothing else."""
    try:
        step(*args, **kwargs)
    except Exception:
        logger.exception("scaling could not be evaluated")
