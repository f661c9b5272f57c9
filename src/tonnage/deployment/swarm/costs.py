"""
What a swarm's run costs, before it is started: its tasks, and the requests that it sends.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from tonnage.domain import format_duration
from tonnage.planning import Confidence, Front, Price, PriceBook

from .options import SwarmOptions

__all__ = ["MEMORY_GB", "VCPU", "SwarmCost", "swarm_cost"]

VCPU: Final = 1
"""Virtual processors of a task: a generator uses one."""

MEMORY_GB: Final = 2
"""Memory of a task."""

_LEAST_SECONDS: Final = 60
_HOUR: Final = Decimal(3600)


@dataclass(frozen=True, kw_only=True, slots=True)
class SwarmCost:
    """
    One run of a swarm, in dollars.

    Attributes:
        tasks: The master and the workers; that of an open loop ends soon, and is counted whole.
        duration_seconds: How long the test sends.
        planned_usd: The tasks for as long as that.
        life_seconds: Their time to live.
        most_usd: The tasks for as long as that.
        requests: About how many requests they send; None when nobody can say.
        front: What stands before the endpoint.
        load_usd: What the front bills for these requests; 0 without a gateway.
        prices: What it rests on.
    """

    tasks: int
    duration_seconds: float
    planned_usd: Decimal
    life_seconds: float
    most_usd: Decimal
    requests: float | None
    front: Front
    load_usd: Decimal
    prices: tuple[Price, ...]

    def sentences(self) -> Iterator[str]:
        """Yield it for people, one sentence a line."""
        yield (
            f"{self.tasks} tasks of {VCPU} vCPU and {MEMORY_GB} GB: ${self.planned_usd:,.2f} for"
            f" {format_duration(self.duration_seconds)}, ${self.most_usd:,.2f} at most, at their"
            f" time to live of {format_duration(self.life_seconds)}."
        )
        if self.requests is not None and self.front.gateway is not None:
            api = "HTTP API" if self.front is Front.HTTP else "REST API"
            yield (
                f"The load is billed too: {self.requests:,.0f} requests through the {api},"
                f" ${self.load_usd:,.2f}."
            )
        unsure = [each.name for each in self.prices if each.confidence is not Confidence.CONFIRMED]
        if unsure:
            yield f"Not confirmed: the prices {', '.join(unsure)}; see `tonnage prices`."
        yield "Not in these sums: the tasks' start, stored results and logs, data, taxes."

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "tasks": self.tasks,
            "planned_usd": float(round(self.planned_usd, 4)),
            "most_usd": float(round(self.most_usd, 4)),
            "requests": self.requests,
            "front": str(self.front),
            "load_usd": float(round(self.load_usd, 2)),
            "prices_not_confirmed": [
                each.name for each in self.prices if each.confidence is not Confidence.CONFIRMED
            ],
        }


def swarm_cost(options: SwarmOptions, book: PriceBook, *, front: Front = Front.NONE) -> SwarmCost:
    """
    Return what a run costs.

    Args:
        options: The run.
        book: The prices.
        front: What the URL stands for; its requests are priced at the first of the month.

    Raises:
        ConfigurationError: If the book lacks a price.
    """
    prices = [book.price(f"fargate.{key}") for key in ("vcpu", "memory", "public_ipv4")]
    hourly = sum(
        (amount * price.usd for amount, price in zip((VCPU, MEMORY_GB, 1), prices, strict=True)),
        Decimal(0),
    )
    tasks = options.workers + 1

    def lasting(seconds: float) -> Decimal:
        return tasks * hourly * Decimal(str(max(seconds, _LEAST_SECONDS))) / _HOUR

    load = Decimal(0)
    if front.gateway is not None and options.requests is not None:
        gateway = book.price(front.gateway)
        prices.append(gateway)
        load = gateway.cost(Decimal(str(options.requests)))
    return SwarmCost(
        tasks=tasks,
        duration_seconds=options.duration_seconds,
        planned_usd=lasting(options.duration_seconds),
        life_seconds=options.life_seconds,
        most_usd=lasting(options.life_seconds),
        requests=options.requests,
        front=front,
        load_usd=load,
        prices=tuple(prices),
    )
