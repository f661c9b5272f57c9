"""
The instances of one fleet, from the moment they are asked for until their processes have ended.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, Final

from tonnage.domain import CapacityError

from ._instance import FleetInstance
from ._tasks import Tasks

if TYPE_CHECKING:
    from ._zygote import Zygote

__all__ = ["Roster"]

logger = logging.getLogger(__name__)

_CLOSE_SECONDS: Final = 30.0
"""A container is killed 30 s after SIGTERM (DG: your-algorithms-inference-code)."""

_NO_CAPACITY: Final = (
    "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error."
)


class Roster:
    """
    Which instances there are, and the work on them that goes on in the background.

    Args:
        ids: Names of instances to come.

    Attributes:
        zygote: Who forks them.
        refused_launches: How many of the next launches find no capacity.
        is_closing: Whether no more are wanted.
    """

    def __init__(self, ids: Iterator[str]) -> None:
        self.zygote: Zygote | None = None
        self.refused_launches = 0
        self.is_closing = False
        self._ids = ids
        self._instances: dict[str, FleetInstance] = {}
        self._tasks = Tasks()
        self._empty = asyncio.Event()

    def __iter__(self) -> Iterator[FleetInstance]:
        return iter(tuple(self._instances.values()))

    def __len__(self) -> int:
        return len(self._instances)

    def __contains__(self, instance: FleetInstance) -> bool:
        return self._instances.get(instance.instance_id) is instance

    def add(self) -> FleetInstance:
        """Return a new instance, whose process is still to come."""
        instance = FleetInstance(instance_id=next(self._ids))
        self._instances[instance.instance_id] = instance
        return instance

    async def spawn(self, instance: FleetInstance, on_ended: Callable[[str, int], None]) -> None:
        """
        Fork an instance's process and connect to it; an instance that gets none is forgotten.

        Raises:
            CapacityError: If it does not come up.
        """
        assert self.zygote is not None
        try:
            self._take_capacity()
            instance.connect(await self.zygote.spawn(instance.instance_id, on_ended))
        except BaseException:  # above all when whoever asked was cancelled
            self._forget(instance.instance_id)
            raise

    def ended(self, instance_id: str) -> FleetInstance | None:
        """Forget an instance whose process has ended; return it if it was here."""
        instance = self._forget(instance_id)
        if instance is not None:
            instance.process = None  # the number may soon be another's
            if instance.client is not None:
                self.run(instance.client.close())
        return instance

    def run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Do something in the background, until it is done or the fleet is closed."""
        self._tasks.run(coroutine)

    async def close(self, drain: Callable[[FleetInstance], None]) -> None:
        """
        Stop what goes on, let every instance drain, and wait for the end of their processes.

        Args:
            drain: Takes an instance out of service and lets it answer what it has.
        """
        self.is_closing = True
        await self._tasks.cancel()
        for instance in self:
            drain(instance)
        if self._instances:
            self._empty.clear()
            try:
                await asyncio.wait_for(self._empty.wait(), _CLOSE_SECONDS)
            except TimeoutError:
                logger.error("the instances did not drain in time and are killed")  # noqa: TRY400 (no fault of ours to trace)
                for instance in self:
                    instance.kill()
        await self._tasks.settle()

    def _take_capacity(self) -> None:
        if self.refused_launches:
            self.refused_launches -= 1
            raise CapacityError(_NO_CAPACITY)

    def _forget(self, instance_id: str) -> FleetInstance | None:
        instance = self._instances.pop(instance_id, None)
        if not self._instances:
            self._empty.set()
        return instance
