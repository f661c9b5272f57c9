"""
An endpoint config brought to life: each variant's instances, and which variant is next.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tonnage.domain import ScaledClock, TransportError
from tonnage.http import ClientResponse
from tonnage.serving import WorkerOptions
from tonnage.serving.zygote import ZygoteOptions

from ._artefacts import ArtefactCache
from ._fleet import Fleet
from ._health import watch_health
from ._instance import FleetInstance
from ._refusals import InvocationRefused
from ._serverless import ServerlessFleet
from ._zygote import Zygote, ZygotePool
from .options import LocalOptions
from .specs import EndpointConfig, VariantSpec

__all__ = ["AnyFleet", "Hosted", "Hosting", "Surroundings"]

logger = logging.getLogger(__name__)

AnyFleet = Fleet | ServerlessFleet


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """
    What all endpoints share.

    Attributes:
        local: How this machine stands in for AWS.
        clock: The emulator's clock.
        zygotes: Who forks instances.
        artefacts: Models' files, unpacked.
        chance: Draws variants and instances.
        ids: Names of instances to come.
        model_artefact: Returns where a model's artefact is, by the model's name.
        alarm_state: Returns the state of a CloudWatch alarm, by its name; None without one.
    """

    local: LocalOptions
    clock: ScaledClock
    zygotes: ZygotePool
    artefacts: ArtefactCache
    chance: random.Random
    ids: Iterator[str]
    model_artefact: Callable[[str], Path]
    alarm_state: Callable[[str], str | None]


class Hosted:
    """
    One variant of one hosting.

    Args:
        spec: What was asked for.
        surroundings: What all endpoints share.
        on_change: Called after each change of a count.
    """

    def __init__(
        self, spec: VariantSpec, surroundings: Surroundings, on_change: Callable[[], None]
    ) -> None:
        self.spec = spec
        self.weight = spec.initial_weight
        self._surroundings = surroundings
        self._zygote: Zygote | None = None
        self._health: asyncio.Task[None] | None = None
        self.fleet = self._new_fleet(on_change)

    @property
    def initial_count(self) -> int:
        """How many instances its config starts it with, provisioned ones if it is serverless."""
        if self.spec.serverless is not None:
            return self.spec.serverless.provisioned_concurrency
        return self.spec.initial_instance_count

    async def start(self, count: int) -> None:
        """
        Bring up its first instances.

        Raises:
            ArtefactError: If the model cannot be served.
            CapacityError: If an instance does not come up.
        """
        around = self._surroundings
        artefact = await around.artefacts.directory(around.model_artefact(self.spec.model_name))
        worker = WorkerOptions(
            max_body_bytes=around.local.max_body_bytes, capacity=around.local.capacity
        )
        self._zygote = await around.zygotes.lease(
            ZygoteOptions(artefact=artefact, worker=worker, allow_pickle=around.local.allow_pickle)
        )
        await self.fleet.start(self._zygote, count)
        self._health = asyncio.create_task(
            watch_health(lambda: self.fleet.in_service, around.local.health_check_seconds)
        )

    async def route(self, body: bytes, headers: Mapping[str, str]) -> ClientResponse | None:
        """
        Send an invocation to an instance and return what its container answers.

        An instance that breaks off is left for another, once; a 503 is passed on, never retried.

        Returns:
            The answer; None if there was no instance to ask.

        Raises:
            InvocationRefused: By a serverless variant that is full or does not come up.
        """
        fleet = self.fleet
        failed: FleetInstance | None = None
        while (instance := await self._instance(failed)) is not None:
            try:
                return await instance.ask(body, headers)
            except TransportError as error:
                logger.warning("instance %s: %s", instance.instance_id, error.message)
                if failed is not None:
                    break
                failed = instance
            finally:
                fleet.give_back(instance)
        return None

    async def close(self) -> None:
        """Let its instances drain."""
        if self._health is not None:
            self._health.cancel()
            await asyncio.wait([self._health])
        await self.fleet.close()
        if self._zygote is not None:
            zygote, self._zygote = self._zygote, None
            await self._surroundings.zygotes.release(zygote)

    async def _instance(self, avoid: FleetInstance | None) -> FleetInstance | None:
        fleet = self.fleet
        instance = fleet.take(avoid)
        if instance is None and isinstance(fleet, ServerlessFleet):
            return await fleet.cold_start()
        return instance

    def _new_fleet(self, on_change: Callable[[], None]) -> AnyFleet:
        around, local = self._surroundings, self._surroundings.local
        if self.spec.serverless is not None:
            return ServerlessFleet(
                variant_name=self.spec.variant_name,
                spec=self.spec.serverless,
                clock=around.clock,
                idle_seconds=local.serverless_idle_seconds,
                cold_start_seconds=local.cold_start_seconds,
                on_change=on_change,
                ids=around.ids,
            )
        return Fleet(
            clock=around.clock,
            provisioning_delay_seconds=local.provisioning_delay_seconds,
            on_change=on_change,
            chance=around.chance,
            routing=self.spec.routing,
            ids=around.ids,
        )


class Hosting:
    """
    An endpoint config brought to life.

    Args:
        config: What was asked for.
        surroundings: What all endpoints share.
        on_change: Called with a variant's name after each change of its counts.
    """

    def __init__(
        self,
        config: EndpointConfig,
        surroundings: Surroundings,
        on_change: Callable[[str], None],
    ) -> None:
        self.config = config
        self._chance = surroundings.chance
        self.hosted = {
            spec.variant_name: Hosted(spec, surroundings, _naming(spec.variant_name, on_change))
            for spec in config.variants
        }
        self._variants = tuple(self.hosted.values())

    async def start(self, counts: Mapping[str, int]) -> None:
        """
        Bring up every variant's instances.

        Args:
            counts: How many, by the variant's name; the config's own for those not named.

        Raises:
            ArtefactError: If a model cannot be served.
            CapacityError: If an instance does not come up.
        """
        came_up = await asyncio.gather(
            *(
                hosted.start(counts.get(name, hosted.initial_count))
                for name, hosted in self.hosted.items()
            ),
            return_exceptions=True,
        )
        for fault in came_up:
            if isinstance(fault, BaseException):
                raise fault

    def choose(self) -> Hosted:
        """
        Return the variant of the next invocation, by weight.

        Raises:
            InvocationRefused: If no variant has a weight.
        """
        variants = self._variants
        if len(variants) == 1:
            return variants[0]
        drawn = self._chance.random() * sum(hosted.weight for hosted in variants)
        for hosted in variants:
            drawn -= hosted.weight
            if drawn < 0:
                return hosted
        raise InvocationRefused.validation("No production variant of the endpoint has a weight.")

    async def close(self) -> None:
        """Let every instance drain."""
        await asyncio.gather(*(hosted.close() for hosted in self._variants))


def _naming(variant_name: str, on_change: Callable[[str], None]) -> Callable[[], None]:
    return lambda: on_change(variant_name)
