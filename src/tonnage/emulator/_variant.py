"""
A production variant: what keeps its name, its metrics and its counts while its instances change.
"""

from collections.abc import Callable
from typing import Protocol

from ._counters import Tally
from ._hosting import Hosted
from ._instance import FleetInstance
from ._metrics import VariantMetrics

__all__ = ["ProductionVariant"]


class _Owner(Protocol):
    """The endpoint, as its variants see it."""

    @property
    def is_in_service(self) -> bool: ...


class ProductionVariant:
    """
    A production variant of an endpoint; a ``ScalableVariant``.

    Args:
        endpoint_name: Its endpoint's name.
        endpoint: Its endpoint.
        hosted: Its instances.
        metrics: What the router counts for it.
        tally: Likewise, for Prometheus.
        on_change: Called with it after each change of its counts.

    Attributes:
        hosted: Its instances; an update replaces them.
        incoming: Those that an update is about to put in their place, if there is one.
        is_scaling: Whether its instances were asked to become more or fewer and are not there yet.
    """

    def __init__(
        self,
        endpoint_name: str,
        endpoint: _Owner,
        hosted: Hosted,
        *,
        metrics: VariantMetrics,
        tally: Tally,
        on_change: Callable[["ProductionVariant"], None],
    ) -> None:
        self.endpoint_name = endpoint_name
        self.variant_name = hosted.spec.variant_name
        self.instance_type = _instance_type(hosted)
        self.metrics = metrics
        self.tally = tally
        self.hosted = hosted
        self.incoming: Hosted | None = None
        self.is_scaling = False
        self._endpoint = endpoint
        self._on_change = on_change

    @property
    def instances(self) -> list[FleetInstance]:
        """Its instances, those that an update brings included, in the order they were asked for."""
        return [instance for side in self.sides for instance in side.fleet.instances]

    @property
    def sides(self) -> tuple[Hosted, ...]:
        """Its instances in force, and those that an update brings, if there is one."""
        return (self.hosted,) if self.incoming is None else (self.hosted, self.incoming)

    @property
    def desired_instance_count(self) -> int:
        """How many instances it was last asked to have."""
        return self.hosted.fleet.desired_count

    @property
    def in_service_instance_count(self) -> int:
        """How many take invocations now."""
        count = len(self.hosted.fleet.in_service)  # the router asks this for each invocation
        return count if self.incoming is None else count + len(self.incoming.fleet.in_service)

    @property
    def is_updating(self) -> bool:
        """Whether instances are still to come or to go, or its endpoint is not ``InService``."""
        return self.hosted.fleet.is_updating or not self._endpoint.is_in_service

    def set_desired_instance_count(self, count: int) -> None:
        """Ask for ``count`` instances."""
        self.is_scaling = True
        self.hosted.fleet.set_desired(count)
        self.changed()

    def replaced_by(self, hosted: Hosted) -> None:
        """Take other instances."""
        self.hosted = hosted
        self.incoming = None
        self.is_scaling = False
        self.instance_type = _instance_type(hosted)
        self.changed()

    def changed(self) -> None:
        """Take note that its counts, or its endpoint's status, may have changed."""
        if self.is_scaling and not self.hosted.fleet.is_updating:
            self.is_scaling = False
        self._on_change(self)


def _instance_type(hosted: Hosted) -> str:
    return "" if hosted.spec.serverless is not None else hosted.spec.instance_type
