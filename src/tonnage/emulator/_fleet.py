"""
The variant's instances: which there are, which take invocations, and how many are wanted.

::

    set_desired ──▶ pending ──(provisioning delay)──▶ in service ──▶ draining ──▶ gone
"""

import asyncio
import itertools
import logging
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from tonnage.domain import CapacityError, ScaledClock
from tonnage.http import Client

from ._zygote import SpawnedInstance, Zygote, terminate

__all__ = ["Fleet", "FleetInstance", "InstanceState"]

logger = logging.getLogger(__name__)

_RETRY_PAUSE_SECONDS: Final = 1.0
_CONNECTIONS_PER_INSTANCE: Final = 512


class InstanceState(StrEnum):
    """Where an instance is in its life."""

    PENDING = "Pending"
    IN_SERVICE = "InService"
    DRAINING = "Draining"


@dataclass(slots=True, eq=False)
class FleetInstance:
    """
    One instance.

    Attributes:
        instance_id: Its name.
        state: Where it is in its life.
        client: Connections to it, once its process is ready.
        process: Its process, likewise.
    """

    instance_id: str
    state: InstanceState = InstanceState.PENDING
    client: Client | None = None
    process: SpawnedInstance | None = None


class Fleet:
    """
    A variant's instances, as real processes.

    Args:
        clock: The emulator's clock.
        provisioning_delay_seconds: From being asked for to being in service, on that clock.
        on_change: Called after each change of the desired or in-service count.
        chance: Draws the instance that an invocation goes to.
    """

    def __init__(
        self,
        *,
        clock: ScaledClock,
        provisioning_delay_seconds: float,
        on_change: Callable[[], None],
        chance: random.Random,
    ) -> None:
        self._clock = clock
        self._delay_seconds = provisioning_delay_seconds
        self._on_change = on_change
        self._chance = chance
        self._zygote: Zygote | None = None
        self._numbers = itertools.count(1)
        self._instances: dict[str, FleetInstance] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_service: list[FleetInstance] = []
        self._closing = False
        self.desired_count = 0

    async def start(self, zygote: Zygote, count: int) -> None:
        """
        Bring up the first instances, without a provisioning delay.

        Raises:
            CapacityError: If one of them does not come up.
        """
        self._zygote = zygote
        self.desired_count = count
        await asyncio.gather(*(self._bring_up(self._new(), due_seconds=0.0) for _ in range(count)))

    @property
    def in_service(self) -> list[FleetInstance]:
        """The instances that take invocations now."""
        return self._in_service

    @property
    def instances(self) -> list[FleetInstance]:
        """All instances, in the order they were asked for."""
        return list(self._instances.values())

    @property
    def is_updating(self) -> bool:
        """Whether instances are still to come or to go."""
        states = [instance.state for instance in self._instances.values()]
        return len(states) != self.desired_count or set(states) != {InstanceState.IN_SERVICE}

    def set_desired(self, count: int) -> None:
        """Ask for ``count`` instances: the missing are launched, the youngest surplus drained."""
        self.desired_count = count
        self._on_change()
        self._fill(self._clock.now_seconds() + self._delay_seconds)
        surplus = self._alive()[count:]
        for instance in surplus:
            self._drain(instance)

    def pick(self, avoid: FleetInstance | None = None) -> FleetInstance | None:
        """Return a random instance in service (SageMaker's default routing), None without one."""
        candidates = self._in_service
        if avoid is not None:
            candidates = [instance for instance in candidates if instance is not avoid]
        return self._chance.choice(candidates) if candidates else None

    def ended(self, instance_id: str, exit_code: int) -> None:
        """Take note that an instance's process has ended; one that was not asked to is replaced."""
        instance = self._instances.pop(instance_id, None)
        if instance is None:
            return
        self._leave_service(instance)
        if instance.client is not None:
            self._run(instance.client.close())
        if instance.state is not InstanceState.DRAINING and not self._closing:
            logger.error("instance %s ended with exit code %d", instance_id, exit_code)
            self._fill(self._clock.now_seconds() + self._delay_seconds)
        self._on_change()

    async def close(self) -> None:
        """Stop launching and let every instance drain."""
        self._closing = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._zygote is not None:
            await self._zygote.close()

    def _alive(self) -> list[FleetInstance]:
        return [
            instance
            for instance in self._instances.values()
            if instance.state is not InstanceState.DRAINING
        ]

    def _fill(self, due_seconds: float) -> None:
        for _ in range(self.desired_count - len(self._alive())):
            self._run(self._launch(self._new(), due_seconds))

    def _new(self) -> FleetInstance:
        instance = FleetInstance(instance_id=f"i-{next(self._numbers):04d}")
        self._instances[instance.instance_id] = instance
        return instance

    async def _launch(self, instance: FleetInstance, due_seconds: float) -> None:
        try:
            await self._bring_up(instance, due_seconds)
        except CapacityError as error:
            logger.error("%s", error.message)  # noqa: TRY400 (a known fault needs no trace)
            self._instances.pop(instance.instance_id, None)
            await asyncio.sleep(_RETRY_PAUSE_SECONDS)  # what cannot start must not spin
            if not self._closing:
                self._fill(self._clock.now_seconds() + self._delay_seconds)

    async def _bring_up(self, instance: FleetInstance, due_seconds: float) -> None:
        """
        Fork an instance now and put it into service when it is due.

        Its process is up long before, as a new instance's container is on AWS; so the first
        invocation finds it warm.
        """
        assert self._zygote is not None
        instance.process = await self._zygote.spawn(instance.instance_id)
        if instance.state is InstanceState.DRAINING:  # given up while it was on its way
            terminate(instance.process.process_id)
            return
        instance.client = Client(
            "127.0.0.1", instance.process.port, max_connections=_CONNECTIONS_PER_INSTANCE
        )
        await asyncio.sleep(self._clock.real_seconds_until(due_seconds))
        if instance.state is InstanceState.PENDING and instance.instance_id in self._instances:
            instance.state = InstanceState.IN_SERVICE
            self._in_service = [*self._in_service, instance]
            self._on_change()

    def _drain(self, instance: FleetInstance) -> None:
        instance.state = InstanceState.DRAINING
        self._leave_service(instance)
        self._on_change()
        if instance.process is not None:
            terminate(instance.process.process_id)

    def _leave_service(self, instance: FleetInstance) -> None:
        self._in_service = [other for other in self._in_service if other is not instance]

    def _run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
