"""
A variant's instances: which there are, which take invocations, and how many are wanted.

::

    set_desired ──▶ pending ──(provisioning delay)──▶ in service ──▶ draining ──▶ gone

An instance that is to go takes no more invocations at once, and is told to end when it has answered
those it has: nothing that was sent to it is lost.
"""

import asyncio
import itertools
import logging
import random
from collections.abc import Callable, Iterator
from typing import Final

from tonnage.domain import CapacityError, ScaledClock

from ._instance import RESPONSE_DEADLINE_SECONDS, FleetInstance, InstanceState
from ._roster import Roster
from ._zygote import Zygote
from .specs import RoutingStrategy

__all__ = ["Fleet", "instance_ids"]

logger = logging.getLogger(__name__)

_RETRY_PAUSE_SECONDS: Final = 1.0


def instance_ids() -> Iterator[str]:
    """Return the names of instances, each once."""
    return (f"i-{number:04d}" for number in itertools.count(1))


class Fleet:
    """
    A variant's instances, as real processes.

    Args:
        clock: The emulator's clock.
        provisioning_delay_seconds: From being asked for to being in service, on that clock.
        on_change: Called after each change of the desired or in-service count.
        chance: Draws the instance that an invocation goes to.
        routing: How that is done.
        ids: Names of instances to come.

    Attributes:
        desired_count: How many instances it was last asked to have.
        lost_count: How many ended by themselves.
    """

    def __init__(
        self,
        *,
        clock: ScaledClock,
        provisioning_delay_seconds: float,
        on_change: Callable[[], None],
        chance: random.Random,
        routing: RoutingStrategy = RoutingStrategy.RANDOM,
        ids: Iterator[str] | None = None,
    ) -> None:
        self._clock = clock
        self._delay_seconds = provisioning_delay_seconds
        self._on_change = on_change
        self._chance = chance
        self._is_least_outstanding = routing is RoutingStrategy.LEAST_OUTSTANDING_REQUESTS
        self._roster = Roster(ids or instance_ids())
        self._in_service: list[FleetInstance] = []
        self.desired_count = 0
        self.lost_count = 0

    async def start(self, zygote: Zygote, count: int) -> None:
        """
        Bring up the first instances, without a provisioning delay.

        Raises:
            CapacityError: If one of them does not come up.
        """
        self._roster.zygote = zygote
        await self.grow(count)

    async def grow(self, count: int) -> None:
        """
        Bring up instances, without a provisioning delay, until there are ``count``.

        Raises:
            CapacityError: If one of them does not come up.
        """
        self.desired_count = count
        missing = count - len(self._alive())
        came_up = await asyncio.gather(
            *(self._bring_up(self._roster.add(), due_seconds=0.0) for _ in range(missing)),
            return_exceptions=True,
        )
        for fault in came_up:
            if isinstance(fault, BaseException):
                raise fault

    @property
    def in_service(self) -> list[FleetInstance]:
        """The instances that take invocations now."""
        return self._in_service

    @property
    def instances(self) -> list[FleetInstance]:
        """All instances, in the order they were asked for."""
        return list(self._roster)

    @property
    def is_updating(self) -> bool:
        """Whether instances are still to come or to go."""
        return len(self._roster) != self.desired_count or any(
            instance.state is not InstanceState.IN_SERVICE for instance in self._roster
        )

    def refuse_launches(self, count: int) -> None:
        """Have the next launches find no capacity."""
        self._roster.refused_launches += count

    def set_desired(self, count: int) -> None:
        """Ask for ``count`` instances: the missing are launched, the youngest surplus drained."""
        self.desired_count = count
        self._on_change()
        self._fill(self._clock.now_seconds() + self._delay_seconds)
        surplus = self._alive()[count:]
        for instance in surplus:
            self._drain(instance)

    def take(self, avoid: FleetInstance | None = None) -> FleetInstance | None:
        """Return an instance in service for one invocation, None without one."""
        candidates = self._in_service
        if avoid is not None:
            candidates = [instance for instance in candidates if instance is not avoid]
        if not candidates:
            return None
        if self._is_least_outstanding:
            fewest = min(candidate.outstanding for candidate in candidates)
            candidates = [one for one in candidates if one.outstanding == fewest]
        instance = candidates[0] if len(candidates) == 1 else self._chance.choice(candidates)
        instance.outstanding += 1
        return instance

    def give_back(self, instance: FleetInstance) -> None:
        """Take note that an invocation is over."""
        instance.outstanding -= 1
        if not instance.outstanding and instance.state is InstanceState.DRAINING:
            instance.drain()

    def ended(self, instance_id: str, exit_code: int) -> None:
        """Take note that an instance's process has ended; one that was not asked to is replaced."""
        instance = self._roster.ended(instance_id)
        if instance is None:
            return
        self._leave_service(instance)
        if instance.state is not InstanceState.DRAINING and not self._roster.is_closing:
            self.lost_count += 1
            logger.error("instance %s ended with exit code %d", instance_id, exit_code)
            self._fill(self._clock.now_seconds() + self._delay_seconds)
        self._on_change()

    async def close(self) -> None:
        """Stop launching, let every instance answer what it has, and wait for their end."""
        self.desired_count = 0
        await self._roster.close(self._drain)

    def _alive(self) -> list[FleetInstance]:
        return [each for each in self._roster if each.state is not InstanceState.DRAINING]

    def _fill(self, due_seconds: float) -> None:
        for _ in range(self.desired_count - len(self._alive())):
            self._roster.run(self._launch(self._roster.add(), due_seconds))

    async def _launch(self, instance: FleetInstance, due_seconds: float) -> None:
        try:
            await self._bring_up(instance, due_seconds)
        except CapacityError as error:
            logger.error("%s", error.message)  # noqa: TRY400 (a known fault needs no trace)
            await asyncio.sleep(_RETRY_PAUSE_SECONDS)  # what cannot start must not spin
            self._fill(self._clock.now_seconds() + self._delay_seconds)

    async def _bring_up(self, instance: FleetInstance, due_seconds: float) -> None:
        """
        Fork an instance now and put it into service when it is due.

        Its process is up long before, as a new instance's container is on AWS; so the first
        invocation finds it warm.
        """
        await self._roster.spawn(instance, self.ended)
        if instance.state is InstanceState.DRAINING:  # given up while it was on its way
            instance.drain()
            return
        await asyncio.sleep(self._clock.real_seconds_until(due_seconds))
        if instance.state is InstanceState.PENDING and instance in self._roster:
            instance.state = InstanceState.IN_SERVICE
            self._in_service = [*self._in_service, instance]
            self._on_change()

    def _drain(self, instance: FleetInstance) -> None:
        if instance.state is InstanceState.DRAINING:
            return
        instance.state = InstanceState.DRAINING
        self._leave_service(instance)
        self._on_change()
        if not instance.outstanding:
            instance.drain()
        else:  # its last answer tells it to end; one that never comes must not keep it
            loop = asyncio.get_running_loop()
            loop.call_later(RESPONSE_DEADLINE_SECONDS, instance.drain)

    def _leave_service(self, instance: FleetInstance) -> None:
        self._in_service = [other for other in self._in_service if other is not instance]
