"""
A serverless variant: instances come with the invocations and go when nobody needs them.

An instance serves one invocation at a time. One that finds no idle instance starts another and
waits for it: a cold start. Beyond ``MaxConcurrency`` it is throttled. An instance that has been
idle for a while is retired, unless it is one of those that provisioned concurrency keeps warm.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Final

from tonnage.domain import CapacityError, ScaledClock

from ._instance import RESPONSE_DEADLINE_SECONDS, FleetInstance, InstanceState
from ._refusals import InvocationRefused
from ._roster import Roster
from ._zygote import Zygote
from .specs import ServerlessSpec

__all__ = ["ServerlessFleet"]

logger = logging.getLogger(__name__)

_RETRY_PAUSE_SECONDS: Final = 1.0


class ServerlessFleet:
    """
    The instances of a serverless variant.

    Args:
        variant_name: Whose they are.
        spec: Its size.
        clock: The emulator's clock.
        idle_seconds: How long an instance may lie idle, on that clock.
        cold_start_seconds: What a cold start takes beyond this machine's own, in real time.
        on_change: Called after each change of a count.
        ids: Names of instances to come.

    Attributes:
        in_hand: Invocations that are being served.
        max_concurrency: The most there may be of them.
        desired_count: Instances that are kept warm.
        lost_count: How many ended by themselves.
    """

    def __init__(
        self,
        *,
        variant_name: str,
        spec: ServerlessSpec,
        clock: ScaledClock,
        idle_seconds: float,
        cold_start_seconds: float,
        on_change: Callable[[], None],
        ids: Iterator[str],
    ) -> None:
        self._variant_name = variant_name
        self._clock = clock
        self._idle_seconds = idle_seconds
        self._cold_start_seconds = cold_start_seconds
        self._on_change = on_change
        self._roster = Roster(ids)
        self._idle: list[tuple[FleetInstance, float]] = []
        self.in_hand = 0
        self.max_concurrency = spec.max_concurrency
        self.desired_count = spec.provisioned_concurrency
        self.lost_count = 0

    async def start(self, zygote: Zygote, count: int) -> None:
        """
        Bring up what provisioned concurrency keeps warm.

        Raises:
            CapacityError: If one of them does not come up.
        """
        self._roster.zygote = zygote
        self._roster.run(self._retire_idle())
        await self.grow(count)

    async def grow(self, count: int) -> None:
        """
        Bring up instances until ``count`` are warm.

        Raises:
            CapacityError: If one of them does not come up.
        """
        self.desired_count = count
        missing = count - len(self._roster)
        for instance in await asyncio.gather(*(self._bring_up() for _ in range(missing))):
            self._lay_idle(instance)

    @property
    def in_service(self) -> list[FleetInstance]:
        """The instances that run now."""
        return [each for each in self._roster if each.state is InstanceState.IN_SERVICE]

    @property
    def instances(self) -> list[FleetInstance]:
        """All instances, in the order they were started."""
        return list(self._roster)

    @property
    def is_updating(self) -> bool:
        """Whether provisioned concurrency is still to come."""
        return len(self.in_service) < self.desired_count

    def refuse_launches(self, count: int) -> None:
        """Have the next launches find no capacity."""
        self._roster.refused_launches += count

    def set_desired(self, count: int) -> None:
        """Ask for ``count`` instances to be kept warm."""
        self.desired_count = count
        self._on_change()
        self._roster.run(self._warm())

    def take(self, avoid: FleetInstance | None = None) -> FleetInstance | None:
        """
        Return an idle instance for one invocation; None asks for a cold start.

        Raises:
            InvocationRefused: If as many invocations as may are being served.
        """
        del avoid  # one that broke off is not idle
        if self.in_hand >= self.max_concurrency:
            raise InvocationRefused.throttled(self._variant_name, self.max_concurrency)
        if not self._idle:
            return None
        instance, _ = self._idle.pop()
        self._occupy(instance)
        return instance

    async def cold_start(self) -> FleetInstance:
        """
        Start an instance for one invocation.

        Raises:
            InvocationRefused: If it does not come up in time.
        """
        self.in_hand += 1  # the place is taken while it starts
        try:
            async with asyncio.timeout(RESPONSE_DEADLINE_SECONDS):
                instance = await self._bring_up()
                await asyncio.sleep(self._cold_start_seconds)
        except (CapacityError, TimeoutError) as error:
            logger.warning("a cold start of %s failed: %s", self._variant_name, error)
            raise InvocationRefused.not_ready(self._variant_name) from error
        finally:
            self.in_hand -= 1
        self._occupy(instance)
        return instance

    def give_back(self, instance: FleetInstance) -> None:
        """Take note that an invocation is over."""
        instance.outstanding -= 1
        self.in_hand -= 1
        if instance not in self._roster:
            return
        if instance.state is InstanceState.DRAINING:
            instance.drain()
        else:
            self._lay_idle(instance)

    def ended(self, instance_id: str, exit_code: int) -> None:
        """Take note that an instance's process has ended; a provisioned one is replaced."""
        instance = self._roster.ended(instance_id)
        if instance is None:
            return
        self._leave_idle(instance)
        if instance.state is not InstanceState.DRAINING and not self._roster.is_closing:
            self.lost_count += 1
            logger.error("instance %s ended with exit code %d", instance_id, exit_code)
            self._roster.run(self._warm())
        self._on_change()

    async def close(self) -> None:
        """Let every instance answer what it has, and wait for their end."""
        self.desired_count = 0
        await self._roster.close(self._drain)

    async def _bring_up(self) -> FleetInstance:
        instance = self._roster.add()
        await self._roster.spawn(instance, self.ended)
        instance.state = InstanceState.IN_SERVICE
        self._on_change()
        return instance

    async def _warm(self) -> None:
        while len(self._roster) < self.desired_count:
            try:
                self._lay_idle(await self._bring_up())
            except CapacityError as error:
                logger.error("%s", error.message)  # noqa: TRY400 (a known fault needs no trace)
                await asyncio.sleep(_RETRY_PAUSE_SECONDS)

    async def _retire_idle(self) -> None:
        while True:
            await asyncio.sleep(self._idle_seconds / 4 / self._clock.time_scale)
            since = self._clock.now_seconds() - self._idle_seconds
            spare = len(self.in_service) - self.desired_count
            for instance, laid_idle in self._idle[: max(0, spare)]:  # the longest idle come first
                if laid_idle <= since:
                    self._drain(instance)

    def _drain(self, instance: FleetInstance) -> None:
        if instance.state is InstanceState.DRAINING:
            return
        instance.state = InstanceState.DRAINING
        self._leave_idle(instance)
        self._on_change()
        if not instance.outstanding:
            instance.drain()

    def _occupy(self, instance: FleetInstance) -> None:
        instance.outstanding += 1
        self.in_hand += 1

    def _lay_idle(self, instance: FleetInstance) -> None:
        self._idle.append((instance, self._clock.now_seconds()))

    def _leave_idle(self, instance: FleetInstance) -> None:
        self._idle = [entry for entry in self._idle if entry[0] is not instance]
