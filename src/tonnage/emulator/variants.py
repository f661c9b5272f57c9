"""
What the scaling services and CloudWatch know of a production variant, and no more.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from ._metrics import VariantMetrics

__all__ = ["ScalableVariant", "Variants"]


class ScalableVariant(Protocol):
    """
    A production variant of an endpoint, as a scalable target sees it.

    Attributes:
        endpoint_name: Its endpoint's name.
        variant_name: Its own.
        instance_type: Such as ``ml.c5.large``; empty for a serverless variant.
        metrics: What the router counts for it.
    """

    endpoint_name: str
    variant_name: str
    instance_type: str
    metrics: VariantMetrics

    @property
    def desired_instance_count(self) -> int:
        """How many instances it was last asked to have."""

    @property
    def in_service_instance_count(self) -> int:
        """How many take invocations now."""

    @property
    def is_updating(self) -> bool:
        """Whether instances are still to come or to go, or its endpoint is not ``InService``."""

    def set_desired_instance_count(self, count: int) -> None:
        """Ask for ``count`` instances."""


class Variants(Protocol):
    """All production variants of the local SageMaker, whatever endpoint they are of."""

    def find(self, endpoint_name: str, variant_name: str) -> ScalableVariant | None:
        """Return one variant; None if there is none of these names."""

    def all(self) -> Iterable[ScalableVariant]:
        """Return those that exist now."""

    def subscribe(self, on_change: Callable[[ScalableVariant], None]) -> None:
        """Have ``on_change`` called after each change of a variant's counts, or of its end."""
