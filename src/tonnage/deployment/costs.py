"""
What a deployment costs a month, before it is made: at its least and at its most.

The sums are the planning room's. What it has no price for is named: alarms, the dashboard, logs, a
key, stored images and model files.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from tonnage.domain import format_rate
from tonnage.planning import (
    HOURS_A_MONTH,
    CallShape,
    Front,
    MonthlyCost,
    PriceBook,
    Usage,
    find_type,
    monthly_cost,
)

from .settings import CREATE_KEY, DeploymentOptions, InstanceVariant, ServerlessVariant

__all__ = ["DeploymentCost", "deployment_cost", "instance_months"]

_MONTH_SECONDS: Final = HOURS_A_MONTH * 3600.0
_COMPARED: Final = "ml.c5.large"
_DEAR: Final = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class DeploymentCost:
    """
    A month of a deployment.

    Attributes:
        least: With the fewest instances, or an idle serverless endpoint.
        most: With the most instances, or a serverless endpoint that is busy all month.
        what_least: What that is, in a few words.
        what_most: What that is.
        rate_per_second: The steady load that front and data are priced at.
        front: What stands before the endpoint.
        gateway_usd: What the gateway alone costs at that load.
        lambda_usd: What the function behind it costs.
        gateway_in_instances: The gateway as a number of ``ml.c5.large``.
        front_in_instances: Gateway and function so.
        not_included: What bills beside it and has no price here.
    """

    least: MonthlyCost
    most: MonthlyCost
    what_least: str
    what_most: str
    rate_per_second: float
    front: Front
    gateway_usd: Decimal
    lambda_usd: Decimal
    gateway_in_instances: Decimal
    front_in_instances: Decimal
    not_included: tuple[str, ...]

    def sentences(self) -> Iterator[str]:
        """Yield it for people, one sentence a line."""
        rate = format_rate(self.rate_per_second)
        yield f"A month at {rate}: ${self.least.cents:,} with {self.what_least},"
        yield f"  ${self.most.cents:,} with {self.what_most}."
        for name, part in self.most.split().items():
            if part:
                yield f"  {name}: ${self.least.split()[name]:,} to ${part:,}"
        yield from self._front_sentences(rate)
        yield f"Not in these sums: {'; '.join(self.not_included)}."

    def _front_sentences(self, rate: str) -> Iterator[str]:
        if self.front.gateway is None:
            return
        api = "HTTP API" if self.front is Front.HTTP else "REST API"
        yield (
            f"The {api} costs ${self.gateway_usd:,.2f} at a steady {rate}:"
            f" {self.gateway_in_instances:.1f} times one {_COMPARED}."
        )
        if self.front.has_lambda:
            yield (
                f"  With its Lambda function (${self.lambda_usd:,.2f}) it is"
                f" {self.front_in_instances:.1f} times."
            )
        if self.front_in_instances > _DEAR:
            cheaper = "" if self.front is Front.HTTP else ", or front = 'http'"
            yield (
                "  Ways out: several rows in one request, front = 'none' for callers that sign"
                f" their requests (SigV4){cheaper}."
            )

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "least_usd_month": float(self.least.cents),
            "most_usd_month": float(self.most.cents),
            "least": {name: float(part) for name, part in self.least.split().items()},
            "most": {name: float(part) for name, part in self.most.split().items()},
            "rate_per_second": self.rate_per_second,
            "front": str(self.front),
            "gateway_usd_month": float(round(self.gateway_usd, 2)),
            "lambda_usd_month": float(round(self.lambda_usd, 2)),
            "gateway_in_instances": float(round(self.gateway_in_instances, 2)),
            "front_in_instances": float(round(self.front_in_instances, 2)),
            "not_included": list(self.not_included),
        }


def deployment_cost(
    options: DeploymentOptions,
    book: PriceBook,
    *,
    rate_per_second: float,
    calls: CallShape | None = None,
) -> DeploymentCost:
    """
    Return what a month of a deployment costs at a steady load.

    Args:
        options: What is deployed.
        book: The prices.
        rate_per_second: The load.
        calls: What one request is.

    Raises:
        ConfigurationError: If the book lacks a price.
    """
    calls = calls or CallShape()
    front = options.front.front if options.front else Front.NONE
    (least, what_least), (most, what_most) = _extremes(options, book, rate_per_second)
    with_front = monthly_cost(least, front, book, calls)
    gateway = Decimal(0)
    if front.gateway is not None:
        gateway = book.price(front.gateway).cost(Decimal(str(rate_per_second * _MONTH_SECONDS)))
    return DeploymentCost(
        least=with_front,
        most=monthly_cost(most, front, book, calls),
        what_least=what_least,
        what_most=what_most,
        rate_per_second=rate_per_second,
        front=front,
        gateway_usd=gateway,
        lambda_usd=with_front.front - gateway,
        gateway_in_instances=instance_months(gateway, book),
        front_in_instances=instance_months(with_front.front, book),
        not_included=tuple(_not_included(options)),
    )


def instance_months(usd: Decimal, book: PriceBook, kind: str = _COMPARED) -> Decimal:
    """Return how many instances of a type a monthly sum would keep running."""
    return usd / (find_type(kind, book).price.usd * HOURS_A_MONTH)


def _extremes(
    options: DeploymentOptions, book: PriceBook, rate: float
) -> tuple[tuple[Usage, str], tuple[Usage, str]]:
    variant, requests = options.variant, rate * _MONTH_SECONDS

    def of_instances(count: int) -> tuple[Usage, str]:
        assert isinstance(variant, InstanceVariant)
        usage = Usage(
            duration_seconds=_MONTH_SECONDS,
            offered=requests,
            served=requests,
            instance_type=find_type(variant.instance_type, book),
            instance_seconds=count * _MONTH_SECONDS,
        )
        return usage, f"{count} x {variant.instance_type}"

    def serverless(busy: int, what: str) -> tuple[Usage, str]:
        assert isinstance(variant, ServerlessVariant)
        usage = Usage(
            duration_seconds=_MONTH_SECONDS,
            offered=requests,
            served=requests,
            serverless_memory_mb=variant.memory_size_mb,
            serverless_seconds=busy * _MONTH_SECONDS,
        )
        return usage, what

    if isinstance(variant, ServerlessVariant):
        most = variant.max_concurrency
        return serverless(0, "no processing time"), serverless(most, f"{most} always busy")
    fewest = most = variant.initial_instance_count
    if variant.scaling is not None:
        fewest, most = variant.scaling.widest
    return of_instances(fewest), of_instances(most)


def _not_included(options: DeploymentOptions) -> Iterator[str]:
    variant = options.variant
    yield "CloudWatch (alarms, a dashboard, logs)"
    yield "stored images and model files"
    if options.kms_key == CREATE_KEY:
        yield "a KMS key"
    if isinstance(variant, InstanceVariant):
        yield "an update, which runs the old and the new instances side by side for a while"
    elif variant.provisioned_concurrency is not None:
        yield f"ProvisionedConcurrency {variant.provisioned_concurrency}, which bills when idle too"
    yield "taxes and free tiers"
