"""
What a way of running a service costs a month, to the cent.

A month is 730 hours. What a trace used is multiplied by 730 h ÷ its duration, and priced as a
month's use: AWS's tiers are monthly, so that a tier is reached by a month of such traffic, not by
the hour that was simulated. Nothing is rounded before the end.

The front is billed for every request that is offered, failed ones too; data is billed into the
endpoint for each of them and out of it for those that were served. Free tiers, taxes and savings
plans are left out.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Final, Literal

from .prices import InstanceType, Price, PriceBook

__all__ = ["HOURS_A_MONTH", "CallShape", "Front", "MonthlyCost", "Usage", "monthly_cost"]

HOURS_A_MONTH: Final = 730
_GB: Final = Decimal(10**9)
_CENT: Final = Decimal("0.01")
_HTTP_METERED_BYTES: Final = 512 * 1024
_MB_A_GB: Final = 1024


class Front(StrEnum):
    """What stands before the endpoint; ``[api] front`` in the settings."""

    REST = "rest"
    HTTP = "http"
    CHALICE = "chalice"
    NONE = "none"

    @property
    def has_lambda(self) -> bool:
        """Whether a Lambda function calls the endpoint."""
        return self in {Front.HTTP, Front.CHALICE}

    @property
    def gateway(self) -> str | None:
        """The price of its requests: an HTTP API's or a REST API's."""
        return {Front.NONE: None, Front.HTTP: "gateway.http"}.get(self, "gateway.rest")


@dataclass(frozen=True, kw_only=True, slots=True)
class CallShape:
    """
    What one request is, for those who bill by size and time.

    Attributes:
        request_bytes: Its body.
        response_bytes: The answer's body.
        lambda_seconds: Billed time of the function in front, where there is one; an assumption
            until it has been measured.
        lambda_memory_mb: Its memory.
        lambda_architecture: Its processor.
    """

    request_bytes: int = 1024
    response_bytes: int = 1024
    lambda_seconds: float = 0.02
    lambda_memory_mb: int = 512
    lambda_architecture: Literal["x86_64", "arm64"] = "x86_64"


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """
    What a trace used.

    Attributes:
        duration_seconds: How long it lasted, > 0.
        offered: Requests that arrived at the front.
        served: Those that were answered.
        instance_type: What the instances were, None without any.
        instance_seconds: Seconds of instances that are billed, summed over instances.
        serverless_memory_mb: The serverless memory size, None without.
        serverless_seconds: Billed seconds of serverless processing.
    """

    duration_seconds: float
    offered: float
    served: float
    instance_type: InstanceType | None = None
    instance_seconds: float = 0.0
    serverless_memory_mb: int | None = None
    serverless_seconds: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class MonthlyCost:
    """
    Dollars a month, exact, by what they are paid for.

    Attributes:
        instances: Instances in service.
        serverless: Serverless processing.
        front: The gateway's requests and the Lambda function.
        data: Into and out of the endpoint, and from the gateway to the internet.
        prices: What it rests on.
    """

    instances: Decimal
    serverless: Decimal
    front: Decimal
    data: Decimal
    prices: tuple[Price, ...]

    @property
    def total(self) -> Decimal:
        """The sum, not rounded."""
        return self.instances + self.serverless + self.front + self.data

    @property
    def cents(self) -> Decimal:
        """The sum, to the cent."""
        return self.total.quantize(_CENT, ROUND_HALF_UP)

    def split(self) -> dict[str, Decimal]:
        """Return the parts to the cent, so that they add up to ``cents``."""
        exact = {
            "instances": self.instances,
            "serverless": self.serverless,
            "front": self.front,
            "data": self.data,
        }
        parts = {name: part.quantize(_CENT, ROUND_FLOOR) for name, part in exact.items()}
        missing = int((self.cents - sum(parts.values())) / _CENT)
        by_rest = sorted(parts, key=lambda name: parts[name] - exact[name])
        for name in by_rest[:missing]:
            parts[name] += _CENT
        return parts


def monthly_cost(
    usage: Usage, front: Front, book: PriceBook, calls: CallShape | None = None
) -> MonthlyCost:
    """
    Return what a month of what a trace used costs.

    Args:
        usage: What the trace used.
        front: What stands before the endpoint.
        book: The prices.
        calls: What one request is.

    Raises:
        ConfigurationError: If the book lacks a price that it takes.
    """
    calls = calls or CallShape()
    traces = Decimal(HOURS_A_MONTH * 3600) / _exact(usage.duration_seconds)
    offered, served = _exact(usage.offered) * traces, _exact(usage.served) * traces
    used: list[Price] = []
    instances = serverless = Decimal(0)
    if usage.instance_type is not None:
        price = usage.instance_type.price
        used.append(price)
        instances = price.cost(_exact(usage.instance_seconds) * traces / 3600)
    if usage.serverless_memory_mb is not None:
        price = book.price(f"serverless.{usage.serverless_memory_mb}")
        used.append(price)
        serverless = price.cost(_exact(usage.serverless_seconds) * traces)
    return MonthlyCost(
        instances=instances,
        serverless=serverless,
        front=_front_cost(front, offered, book, calls, used),
        data=_data_cost(front, offered, served, book, calls, used),
        prices=tuple(used),
    )


def _front_cost(
    front: Front, offered: Decimal, book: PriceBook, calls: CallShape, used: list[Price]
) -> Decimal:
    if front.gateway is None:
        return Decimal(0)
    price = book.price(front.gateway)
    used.append(price)
    metered = offered * (_http_units(calls) if front is Front.HTTP else 1)
    cost = price.cost(metered)
    if front.has_lambda:
        request = book.price("lambda.request")
        compute = book.price(f"lambda.{calls.lambda_architecture}")
        used.extend((request, compute))
        billed = _whole_milliseconds(calls.lambda_seconds) * calls.lambda_memory_mb / _MB_A_GB
        cost += request.cost(offered) + compute.cost(offered * billed)
    return cost


def _data_cost(
    front: Front,
    offered: Decimal,
    served: Decimal,
    book: PriceBook,
    calls: CallShape,
    used: list[Price],
) -> Decimal:
    processed = book.price("data.processed")
    used.append(processed)
    answers = served * calls.response_bytes / _GB
    cost = processed.cost(offered * calls.request_bytes / _GB + answers)
    # Callers that sign their own requests are taken to be inside AWS: nothing leaves it.
    if front is not Front.NONE:
        egress = book.price("data.egress")
        used.append(egress)
        cost += egress.cost(answers)
    return cost


def _http_units(calls: CallShape) -> int:
    """Return how often an HTTP API counts a request: once for each 512 KB of the larger body."""
    larger = max(calls.request_bytes, calls.response_bytes, 1)
    return -(-larger // _HTTP_METERED_BYTES)


def _whole_milliseconds(seconds: float) -> Decimal:
    return _exact(seconds).quantize(Decimal("0.001"), ROUND_CEILING)


def _exact(value: float) -> Decimal:
    """Return a number as it is written, not as it is stored: 0.1 is a tenth."""
    return Decimal(repr(float(value)))
