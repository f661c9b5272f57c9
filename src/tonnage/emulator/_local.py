"""
The local SageMaker: its models, endpoint configs and endpoints.
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from tonnage.domain import ConfigurationError, MonotonicClock, ScaledClock

from ._artefacts import ArtefactCache
from ._counters import Counters
from ._endpoint import Endpoint
from ._fleet import instance_ids
from ._hosting import Surroundings
from ._tasks import Tasks
from ._variant import ProductionVariant
from ._zygote import ZygotePool
from .options import LocalOptions
from .specs import EndpointConfig, Model
from .variants import ScalableVariant

__all__ = ["LocalSageMaker"]


class LocalSageMaker:
    """
    Models, endpoint configs and endpoints, and all their production variants; ``Variants``.

    Args:
        local: How this machine stands in for AWS.
        model_data: Files or directories of this machine that stand for model data on S3, by URI.
        wall_clock: Tells the epoch seconds that are shown to clients.

    Attributes:
        clock: The emulator's clock.
        models: By name.
        configs: By name.
        endpoints: By name; one that is deleted is here until its instances have gone.
        counters: What the router counts for Prometheus.
        model_data: As given.
        is_scalable_target: Says whether a variant, by endpoint and name, is a scalable target.
        alarm_state: Returns the state of a CloudWatch alarm, by its name; None without one.
    """

    def __init__(
        self,
        local: LocalOptions,
        *,
        model_data: Mapping[str, Path] | None = None,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.wall_clock = wall_clock
        self.clock = ScaledClock(
            time_scale=local.time_scale, origin_seconds=MonotonicClock().now_seconds()
        )
        self.models: dict[str, Model] = {}
        self.configs: dict[str, EndpointConfig] = {}
        self.endpoints: dict[str, Endpoint] = {}
        self.counters = Counters(self.all)
        self.model_data = dict(model_data or {})
        self.is_scalable_target: Callable[[str, str], bool] = lambda _endpoint, _variant: False
        self.alarm_state: Callable[[str], str | None] = lambda _name: None
        self._observers: list[Callable[[ScalableVariant], None]] = []
        self._deleting = Tasks()
        self._surroundings = Surroundings(
            local=local,
            clock=self.clock,
            zygotes=ZygotePool(),
            artefacts=ArtefactCache(),
            chance=random.Random(local.seed),  # noqa: S311 (routing, no secret)
            ids=instance_ids(),
            model_artefact=lambda name: self.models[name].artefact,
            alarm_state=self._alarm_state,
        )

    def add_model(self, model: Model) -> Model:
        """Take a model in, and return it as it is kept."""
        kept = replace(model, created_epoch_seconds=self.wall_clock())
        self.models[model.model_name] = kept
        return kept

    def add_config(self, config: EndpointConfig) -> EndpointConfig:
        """
        Take an endpoint config in, and return it as it is kept.

        Raises:
            ConfigurationError: If a variant's model is not there.
        """
        for spec in config.variants:
            if spec.model_name not in self.models:
                raise ConfigurationError(f"there is no model {spec.model_name}")
        kept = replace(config, created_epoch_seconds=self.wall_clock())
        self.configs[config.config_name] = kept
        return kept

    def add_endpoint(self, endpoint_name: str, config: EndpointConfig) -> Endpoint:
        """Return a new endpoint, whose instances are still to be brought up."""
        endpoint = Endpoint(
            endpoint_name,
            config,
            self._surroundings,
            counters=self.counters,
            wall_clock=self.wall_clock,
            on_change=self._variant_changed,
        )
        self.endpoints[endpoint_name] = endpoint
        return endpoint

    def delete_endpoint_soon(self, endpoint: Endpoint) -> None:
        """Take an endpoint out of service; it is forgotten when its instances have gone."""
        endpoint.begin_deletion()
        self._deleting.run(self._delete(endpoint))

    async def close(self) -> None:
        """Let every instance drain."""
        await self._deleting.cancel()
        await asyncio.gather(*map(self._delete, tuple(self.endpoints.values())))
        await self._surroundings.zygotes.close()
        self._surroundings.artefacts.close()

    def find(self, endpoint_name: str, variant_name: str) -> ProductionVariant | None:
        """Return one production variant; None if there is none of these names."""
        endpoint = self.endpoints.get(endpoint_name)
        return endpoint.variants.get(variant_name) if endpoint else None

    def all(self) -> Iterator[ProductionVariant]:
        """Return the production variants that exist now."""
        for endpoint in tuple(self.endpoints.values()):
            yield from tuple(endpoint.variants.values())

    def subscribe(self, on_change: Callable[[ScalableVariant], None]) -> None:
        """Have ``on_change`` called after each change of a variant's counts, or of its end."""
        self._observers.append(on_change)

    def _alarm_state(self, alarm_name: str) -> str | None:
        return self.alarm_state(alarm_name)

    def _variant_changed(self, variant: ProductionVariant) -> None:
        for observer in self._observers:
            observer(variant)

    async def _delete(self, endpoint: Endpoint) -> None:
        await endpoint.delete()
        if self.endpoints.get(endpoint.endpoint_name) is endpoint:
            del self.endpoints[endpoint.endpoint_name]
        for variant in endpoint.variants.values():
            self._variant_changed(variant)
