"""
An emulated endpoint and its life.

::

    Creating ──▶ InService ◀──▶ Updating
        │            │
        ▼            ▼
      Failed ──▶ Deleting ──▶ gone
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from tonnage.domain import CapacityError, TonnageError
from tonnage.http import ClientResponse

from ._counters import Counters
from ._hosting import Hosted, Hosting, Surroundings
from ._metrics import VariantMetrics
from ._refusals import InvocationRefused
from ._router import Router
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


_ANSWERING: Final = (
    EndpointStatus.IN_SERVICE,
    EndpointStatus.UPDATING,
    EndpointStatus.UPDATE_ROLLBACK_FAILED,
)


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
        plan: How its last deployment went, or goes.
        failure_reason: Why it failed, or why its last update was rolled back.
        created_epoch_seconds: When it was created.
        modified_epoch_seconds: When its status last changed.
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
        self._surroundings = surroundings
        self._counters = counters
        self._wall_clock = wall_clock
        self._on_change = on_change
        self._phase = EndpointStatus.CREATING
        self._work: asyncio.Task[None] | None = None
        self._router = Router(endpoint_name, self._hosting(config), self._new_variant)
        self._take_variants()

    @property
    def variants(self) -> Mapping[str, ProductionVariant]:
        """Its production variants, by name."""
        return self._router.variants

    @property
    def replacement(self) -> Replacement | None:
        """The update under way."""
        return self._router.replacement

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
        return self._router.live.hosted.get(variant.variant_name) is variant.hosted

    async def create(self) -> None:
        """
        Bring it into service.

        Raises:
            ArtefactError: If a model cannot be served; it is ``Failed`` then.
            CapacityError: If an instance does not come up; likewise.
        """
        try:
            await self._router.live.start({})
        except Exception as error:
            self.failure_reason = _reason(error)
            self._enter(EndpointStatus.FAILED)
            await self._router.live.close()
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
        replacement = self._router.replacement = Replacement(
            self._router.live,
            incoming,
            plan,
            retained_counts,
            self._surroundings,
            self._wall_clock(),
        )
        self._enter(EndpointStatus.UPDATING)
        self._work = asyncio.create_task(self._updated(replacement))

    def set_weights(self, weights: Mapping[str, float]) -> None:
        """Give variants other shares of the traffic, from now on."""
        for name, weight in weights.items():
            self._router.live.hosted[name].weight = weight
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
        await self._router.live.close()

    async def invoke(
        self, body: bytes, headers: Mapping[str, str], target_variant: str | None = None
    ) -> tuple[ClientResponse, ProductionVariant]:
        """
        Send an invocation to an instance, as ``Router.invoke`` does.

        Raises:
            InvocationRefused: If the endpoint takes none now, or it reached no container.
        """
        if self._phase not in _ANSWERING:
            raise InvocationRefused.not_found(self.endpoint_name)
        return await self._router.invoke(body, headers, target_variant)

    async def _created(self) -> None:
        try:
            await self.create()
        except Exception as error:  # noqa: BLE001 (its status and reason tell)
            _log("%s is not created: %s", self.endpoint_name, error)

    async def _updated(self, replacement: Replacement) -> None:
        self._router.show_incoming(replacement)
        try:
            await replacement.run()
        except Exception as error:  # noqa: BLE001 (whatever it was, the old instances serve on)
            _log("the update of %s is rolled back: %s", self.endpoint_name, error)
            self.failure_reason = _reason(error)
            old, outcome = replacement.incoming, await self._rolled_back(replacement)
        else:
            self._router.live, self.config = replacement.incoming, replacement.incoming.config
            old, outcome = replacement.outgoing, EndpointStatus.IN_SERVICE
        self._router.replacement = None
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

    def _take_variants(self) -> None:
        for variant in self._router.take_variants():
            self._on_change(variant)

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

    def _enter(self, phase: EndpointStatus) -> None:
        self._phase = phase
        self.modified_epoch_seconds = self._wall_clock()
        for variant in tuple(self.variants.values()):
            variant.changed()


def _reason(error: Exception) -> str:
    if isinstance(error, TonnageError):
        return error.message
    return f"an internal failure, {type(error).__name__}; the log has its trace"


def _log(told: str, endpoint_name: str, error: Exception) -> None:
    """Log why work in the background failed; a known fault needs no trace."""
    known = isinstance(error, TonnageError)
    logger.error(told, endpoint_name, _reason(error), exc_info=None if known else error)
