"""
An emulated endpoint: its variants, the router in front of them, and its life.

::

    Creating ──▶ InService ◀──▶ Updating
        │            │
        ▼            ▼
      Failed ──▶ Deleting ──▶ gone
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from enum import StrEnum

from tonnage.domain import ArtefactError, CapacityError, TonnageError
from tonnage.http import ClientResponse

from ._counters import Counters
from ._hosting import Hosted, Hosting, Surroundings
from ._metrics import VariantMetrics
from ._refusals import InvocationRefused
from ._update import Replacement
from ._variant import ProductionVariant
from .specs import DeploymentPlan, EndpointConfig

__all__ = ["Endpoint", "EndpointStatus"]

logger = logging.getLogger(__name__)


class EndpointStatus(StrEnum):
    """An endpoint's status, as ``DescribeEndpoint`` tells it."""

    CREATING = "Creating"
    IN_SERVICE = "InService"
    UPDATING = "Updating"
    DELETING = "Deleting"
    FAILED = "Failed"
    UPDATE_ROLLBACK_FAILED = "UpdateRollbackFailed"


class Endpoint:
    """
    One endpoint.

    Args:
        endpoint_name: Its name.
        config: The endpoint config it is made from.
        surroundings: What all endpoints share.
        counters: Where its invocations are counted for Prometheus.
        wall_clock: Tells the epoch seconds that are shown to clients.
        on_change: Called with a variant after each change of its counts.

    Attributes:
        variants: Its production variants, by name.
        plan: How its last deployment went, or goes.
        failure_reason: Why it failed, or why its last update was rolled back.
        created_epoch_seconds: When it was created.
        modified_epoch_seconds: When its status last changed.
        replacement: The update under way.
    """

    def __init__(
        self,
        endpoint_name: str,
        config: EndpointConfig,
        surroundings: Surroundings,
        *,
        counters: Counters,
        wall_clock: Callable[[], float],
        on_change: Callable[[ProductionVariant], None],
    ) -> None:
        self.endpoint_name = endpoint_name
        self.config = config
        self.plan: DeploymentPlan | None = None
        self.failure_reason: str | None = None
        self.created_epoch_seconds = self.modified_epoch_seconds = wall_clock()
        self.replacement: Replacement | None = None
        self._surroundings = surroundings
        self._counters = counters
        self._wall_clock = wall_clock
        self._on_change = on_change
        self._phase = EndpointStatus.CREATING
        self._work: asyncio.Task[None] | None = None
        self._live = self._hosting(config)
        self.variants: dict[str, ProductionVariant] = {}
        self._take_variants()

    @property
    def status(self) -> EndpointStatus:
        """Where it is in its life; instances that are to come or to go make it ``Updating``."""
        if self._phase is EndpointStatus.IN_SERVICE and any(
            variant.is_scaling for variant in self.variants.values()
        ):
            return EndpointStatus.UPDATING
        return self._phase

    @property
    def is_in_service(self) -> bool:
        """Whether nothing else than a variant's own counts may keep it from being changed."""
        return self._phase is EndpointStatus.IN_SERVICE

    def is_being_made_from(self, config: EndpointConfig) -> bool:
        """Say whether a config's instances are coming up just now."""
        if self._phase is EndpointStatus.CREATING:
            return self.config is config
        return self.replacement is not None and self.replacement.incoming.config is config

    def hosts(self, variant: ProductionVariant) -> bool:
        """Say whether a variant is of the config in force, not only of one that is to come."""
        return self._live.hosted.get(variant.variant_name) is variant.hosted

    async def create(self) -> None:
        """
        Bring it into service.

        Raises:
            ArtefactError: If a model cannot be served; it is ``Failed`` then.
            CapacityError: If an instance does not come up; likewise.
        """
        try:
            await self._live.start({})
        except TonnageError as error:
            self._failed(error)
            await self._live.close()
            raise
        self._enter(EndpointStatus.IN_SERVICE)

    def create_soon(self) -> None:
        """Bring it into service in the background; what keeps it from that is its status."""
        self._work = asyncio.create_task(self._created())

    def update_soon(
        self,
        config: EndpointConfig,
        plan: DeploymentPlan,
        *,
        retained_counts: Mapping[str, int],
        retained_weights: Mapping[str, float],
    ) -> None:
        """
        Replace its instances by those of another config, in the background.

        Args:
            config: The new config.
            plan: How.
            retained_counts: Instance counts that stay as they are, by the variant's name.
            retained_weights: Weights likewise.
        """
        self.plan = plan
        self.failure_reason = None
        incoming = self._hosting(config)
        for name, weight in retained_weights.items():
            incoming.hosted[name].weight = weight
        self.replacement = Replacement(
            self._live, incoming, plan, retained_counts, self._surroundings, self._wall_clock()
        )
        self._enter(EndpointStatus.UPDATING)
        self._work = asyncio.create_task(self._updated(self.replacement))

    async def settled(self) -> None:
        """Wait until no work on it is under way."""
        if self._work is not None:
            await asyncio.wait([self._work])

    def set_weights(self, weights: Mapping[str, float]) -> None:
        """Give variants other shares of the traffic, from now on."""
        for name, weight in weights.items():
            self._live.hosted[name].weight = weight
        self.modified_epoch_seconds = self._wall_clock()

    def begin_deletion(self) -> None:
        """Take it out of service: from now on it is not found by invocations."""
        self._enter(EndpointStatus.DELETING)

    async def delete(self) -> None:
        """Take it out of service and let every instance drain."""
        self.begin_deletion()
        if self._work is not None:
            self._work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._work
        if self.replacement is not None:
            await self.replacement.incoming.close()
        await self._live.close()

    async def invoke(
        self, body: bytes, headers: Mapping[str, str], target_variant: str | None = None
    ) -> tuple[ClientResponse, ProductionVariant]:
        """
        Send an invocation to an instance in service and return what its container answers.

        Args:
            body: The invocation's.
            headers: What reaches the container.
            target_variant: The variant to use; None draws one by weight.

        Returns:
            The answer, and whose it is.

        Raises:
            InvocationRefused: If it reached no container.
        """
        began = time.perf_counter()
        hosted = self._hosted(target_variant)
        variant = self.variants[hosted.spec.variant_name]
        counts = variant.metrics.arrived(variant.in_service_instance_count)
        status = 0
        sent = time.perf_counter()
        try:
            answer = await self._routed(hosted, body, headers)
            status = answer.status
        except InvocationRefused as refusal:
            status = refusal.status
            raise
        finally:
            seconds = time.perf_counter() - sent
            variant.metrics.answered(
                counts, status=status, model_seconds=seconds, overhead_seconds=sent - began
            )
            variant.tally.observe(status, seconds)
        return answer, variant

    def _hosted(self, target_variant: str | None) -> Hosted:
        phase = self._phase
        if not (
            phase is EndpointStatus.IN_SERVICE
            or phase is EndpointStatus.UPDATING
            or phase is EndpointStatus.UPDATE_ROLLBACK_FAILED
        ):
            raise InvocationRefused.not_found(self.endpoint_name)
        hosting = self._live if self.replacement is None else self.replacement.side()
        if target_variant is None:
            return hosting.choose()
        hosted = hosting.hosted.get(target_variant) or self._live.hosted.get(target_variant)
        if hosted is None:
            there = ", ".join(hosting.hosted)
            raise InvocationRefused.validation(
                f"Variant {target_variant} not found for endpoint {self.endpoint_name};"
                f" it has {there}."
            )
        return hosted

    async def _routed(
        self, hosted: Hosted, body: bytes, headers: Mapping[str, str]
    ) -> ClientResponse:
        answer = await hosted.route(body, headers)
        if answer is None and self.replacement is not None:  # the other side may have instances
            other = self.replacement.opposite(hosted)
            answer = await other.route(body, headers) if other else None
        if answer is None:
            raise InvocationRefused.unavailable(hosted.spec.variant_name)
        return answer

    async def _created(self) -> None:
        with contextlib.suppress(TonnageError):  # its status and reason tell
            await self.create()

    async def _updated(self, replacement: Replacement) -> None:
        self._show_incoming(replacement)
        try:
            await replacement.run()
        except (ArtefactError, CapacityError) as error:
            logger.error("the update of %s is rolled back: %s", self.endpoint_name, error.message)  # noqa: TRY400 (a known fault needs no trace)
            self.failure_reason = error.message
            old, outcome = replacement.incoming, await self._rolled_back(replacement)
        else:
            self._live, self.config = replacement.incoming, replacement.incoming.config
            old, outcome = replacement.outgoing, EndpointStatus.IN_SERVICE
        self.replacement = None
        self._take_variants()
        await old.close()
        self._enter(outcome)

    async def _rolled_back(self, replacement: Replacement) -> EndpointStatus:
        try:
            await replacement.roll_back()
        except CapacityError as error:
            logger.error("the roll-back of %s failed: %s", self.endpoint_name, error.message)  # noqa: TRY400 (a known fault needs no trace)
            return EndpointStatus.UPDATE_ROLLBACK_FAILED
        return EndpointStatus.IN_SERVICE

    def _show_incoming(self, replacement: Replacement) -> None:
        for name, hosted in replacement.incoming.hosted.items():
            if name in self.variants:
                self.variants[name].incoming = hosted
            else:
                self.variants[name] = self._new_variant(hosted)

    def _take_variants(self) -> None:
        """Let the variants of the hosting in force be this endpoint's; those of a name go on."""
        gone = [name for name in self.variants if name not in self._live.hosted]
        for name, hosted in self._live.hosted.items():
            if name in self.variants:
                self.variants[name].replaced_by(hosted)
            else:
                self.variants[name] = self._new_variant(hosted)
        for name in gone:
            self._on_change(self.variants.pop(name))

    def _new_variant(self, hosted: Hosted) -> ProductionVariant:
        return ProductionVariant(
            self.endpoint_name,
            self,
            hosted,
            metrics=VariantMetrics(self._surroundings.clock),
            tally=self._counters.tally(self.endpoint_name, hosted.spec.variant_name),
            on_change=self._on_change,
        )

    def _hosting(self, config: EndpointConfig) -> Hosting:
        return Hosting(config, self._surroundings, self._fleet_changed)

    def _fleet_changed(self, variant_name: str) -> None:
        variant = self.variants.get(variant_name)
        if variant is not None:
            variant.changed()

    def _failed(self, error: TonnageError) -> None:
        self.failure_reason = error.message
        self._enter(EndpointStatus.FAILED)

    def _enter(self, phase: EndpointStatus) -> None:
        self._phase = phase
        self.modified_epoch_seconds = self._wall_clock()
        for variant in tuple(self.variants.values()):
            variant.changed()
