"""
An emulated endpoint: its fleet, the router in front of it, and the loop that scales it.
"""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from tonnage.domain import MonotonicClock, ScaledClock, TransportError
from tonnage.http import ClientResponse
from tonnage.serving import WorkerOptions
from tonnage.serving.zygote import ZygoteOptions

from ._fleet import Fleet, FleetInstance
from ._metrics import VariantMetrics
from ._scaler import Scaler
from ._timeline import Timeline
from ._zygote import Zygote
from .options import UpOptions

__all__ = ["Endpoint"]

logger = logging.getLogger(__name__)

_RESPONSE_DEADLINE_SECONDS: Final = 60.0
_NO_INSTANCE: Final = ClientResponse(status=503, headers={}, body=b"")


class Endpoint:
    """
    One endpoint with one production variant.

    Args:
        options: What it is made of.
    """

    def __init__(self, options: UpOptions) -> None:
        local = options.local
        self.options = options
        self.clock = ScaledClock(
            time_scale=local.time_scale, origin_seconds=MonotonicClock().now_seconds()
        )
        self.metrics = VariantMetrics(self.clock)
        self.timeline = Timeline(local.time_scale)
        self.fleet = Fleet(
            clock=self.clock,
            provisioning_delay_seconds=local.provisioning_delay_seconds,
            on_change=self._fleet_changed,
            chance=random.Random(local.seed),  # noqa: S311 (routing, no secret)
        )
        self._scaler = Scaler(
            options.scaling,
            options.endpoint,
            fleet=self.fleet,
            metrics=self.metrics,
            clock=self.clock,
            timeline=self.timeline,
            metric_delay_seconds=local.metric_delay_seconds,
        )
        self._scaling: asyncio.Task[None] | None = None
        self.counters = _Counters(self.fleet)

    async def start(self) -> None:
        """
        Bring up the first instances and the scaling loop.

        Raises:
            ArtefactError: If the artefact cannot be served.
            CapacityError: If an instance does not come up.
        """
        local = self.options.local
        worker = WorkerOptions(max_body_bytes=local.max_body_bytes, capacity=local.capacity)
        zygote = await Zygote.start(
            ZygoteOptions(artefact=self.options.artefact, worker=worker), self.fleet.ended
        )
        await self.fleet.start(zygote, self.options.endpoint.initial_instance_count)
        self._scaling = asyncio.create_task(self._scaler.run())

    async def invoke(self, body: bytes, headers: Mapping[str, str]) -> ClientResponse:
        """
        Send an invocation to an instance in service and return what its container answers.

        An instance that breaks off is left for another, once; a 503 is passed on, never retried.
        """
        in_service = len(self.fleet.in_service)
        counts = self.metrics.arrived(in_service)
        started = time.perf_counter()
        answer = await self._route(body, headers)
        seconds = time.perf_counter() - started
        counts.model_latency_seconds += seconds
        counts.errors += not _is_success(answer.status)
        self.counters.observe(answer.status, seconds)
        return answer

    async def close(self) -> None:
        """Stop scaling and let every instance drain."""
        if self._scaling is not None:
            self._scaling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._scaling
        await self.fleet.close()

    async def _route(self, body: bytes, headers: Mapping[str, str]) -> ClientResponse:
        failed: FleetInstance | None = None
        while (instance := self.fleet.pick(avoid=failed)) is not None:
            assert instance.client is not None
            try:
                return await instance.client.request(
                    "POST",
                    "/invocations",
                    headers=headers,
                    body=body,
                    timeout_seconds=_RESPONSE_DEADLINE_SECONDS,
                )
            except TransportError as error:
                logger.warning("instance %s: %s", instance.instance_id, error.message)
                if failed is not None:
                    break
                failed = instance
        return _NO_INSTANCE

    def _fleet_changed(self) -> None:
        self._scaler.fleet_changed()


class _Counters:
    """The endpoint's own Prometheus metrics, in a registry of their own."""

    def __init__(self, fleet: Fleet) -> None:
        self.registry = CollectorRegistry()
        self._invocations = Counter(
            "tonnage_invocations",
            "Invocations by the status that the container answered",
            ["status"],
            registry=self.registry,
        )
        self._latency = Histogram(
            "tonnage_model_latency_seconds",
            "From sending an invocation to an instance to its whole answer",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60),
            registry=self.registry,
        )
        desired = Gauge(
            "tonnage_desired_instance_count", "Instances asked for", registry=self.registry
        )
        desired.set_function(lambda: fleet.desired_count)
        in_service = Gauge(
            "tonnage_in_service_instance_count",
            "Instances that take invocations",
            registry=self.registry,
        )
        in_service.set_function(lambda: len(fleet.in_service))

    def observe(self, status: int, seconds: float) -> None:
        """Count one invocation."""
        self._invocations.labels(status).inc()
        self._latency.observe(seconds)


def _is_success(status: int) -> bool:
    return 200 <= status <= 299  # noqa: PLR2004 (HTTP's classes)
