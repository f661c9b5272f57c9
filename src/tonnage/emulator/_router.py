"""
The router in front of an endpoint: which side of an update, which variant, which instance.
"""

import time
from collections.abc import Callable, Mapping

from tonnage.http import ClientResponse

from ._hosting import Hosted, Hosting
from ._refusals import InvocationRefused
from ._update import Replacement
from ._variant import ProductionVariant

__all__ = ["Router"]


class Router:
    """
    An endpoint's production variants, and an invocation's way to one of their instances.

    Args:
        endpoint_name: The endpoint's name.
        live: The hosting in force.
        new_variant: Makes the variant that keeps a name's metrics, for the first instances of it.

    Attributes:
        live: The hosting in force.
        replacement: The update under way, which has a side of its own.
        variants: The production variants, by name.
    """

    def __init__(
        self,
        endpoint_name: str,
        live: Hosting,
        new_variant: Callable[[Hosted], ProductionVariant],
    ) -> None:
        self.live = live
        self.replacement: Replacement | None = None
        self.variants: dict[str, ProductionVariant] = {}
        self._endpoint_name = endpoint_name
        self._new_variant = new_variant

    async def invoke(
        self, body: bytes, headers: Mapping[str, str], target_variant: str | None
    ) -> tuple[ClientResponse, ProductionVariant]:
        """
        Send an invocation to an instance in service, and count what its container answers.

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

    def show_incoming(self, replacement: Replacement) -> None:
        """Let the variants have the instances that an update brings beside their own."""
        for name, hosted in replacement.incoming.hosted.items():
            if name in self.variants:
                self.variants[name].incoming = hosted
            else:
                self.variants[name] = self._new_variant(hosted)

    def take_variants(self) -> list[ProductionVariant]:
        """Let the variants be those of the hosting in force; return the ones that are no more."""
        gone = [name for name in self.variants if name not in self.live.hosted]
        for name, hosted in self.live.hosted.items():
            if name in self.variants:
                self.variants[name].replaced_by(hosted)
            else:
                self.variants[name] = self._new_variant(hosted)
        return [self.variants.pop(name) for name in gone]

    def _hosted(self, target_variant: str | None) -> Hosted:
        hosting = self.live if self.replacement is None else self.replacement.side()
        if target_variant is None:
            return hosting.choose()
        hosted = hosting.hosted.get(target_variant) or self.live.hosted.get(target_variant)
        if hosted is None:
            there = ", ".join(hosting.hosted)
            raise InvocationRefused.validation(
                f"Variant {target_variant} not found for endpoint {self._endpoint_name};"
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
