"""
What AWS refuses, refused before anything is paid for or deployed.
"""

import difflib
from dataclasses import dataclass
from typing import Final

from tonnage.domain import ConfigurationError, format_rate

from .costs import CallShape, Front
from .prices import InstanceType, PriceBook

__all__ = [
    "MAX_SCHEDULED_ACTIONS",
    "SERVERLESS_MEMORY_MB",
    "Limits",
    "check_capacity",
    "check_front",
    "check_real_time",
    "check_serverless",
    "find_type",
]

SERVERLESS_MEMORY_MB: Final = (1024, 2048, 3072, 4096, 5120, 6144)
"""Memory sizes of a serverless endpoint (DG: serverless-endpoints)."""

MAX_SCHEDULED_ACTIONS: Final = 200
"""Of one scalable target (AAS)."""

_MB: Final = 10**6
_SERVERLESS_CONCURRENCY: Final = 200
_SERVERLESS_PAYLOAD_BYTES: Final = 4 * _MB
_REAL_TIME_PAYLOAD_BYTES: Final = 25 * _MB
_GATEWAY_PAYLOAD_BYTES: Final = 10 * _MB
_NO_HOSTING: Final = ("t3", "t4g", "c7gn", "m7g", "c8i")


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """
    Quotas of the account.

    Attributes:
        instances: How many instances of one type its endpoints may have; None: not known, and
            AWS's defaults vary by type.
        serverless_concurrency: Of all serverless endpoints of a region together; 1,000 in larger
            regions, 10 in some new accounts.
        gateway_requests_per_second: Of all of its APIs in a region.
        lambda_concurrency: Of all of its functions in a region.
    """

    instances: int | None = None
    serverless_concurrency: int = 1000
    gateway_requests_per_second: float = 10_000.0
    lambda_concurrency: int = 1000


def find_type(name: str, book: PriceBook) -> InstanceType:
    """
    Return an instance type.

    Raises:
        ConfigurationError: If it is no hosting type, or has no price; the nearest is suggested.
    """
    if name in book.types:
        return book.types[name]
    near = next(iter(difflib.get_close_matches(name, book.types, n=1, cutoff=0.5)), None)
    suggestion = f"did you mean {near}?" if near else f"known are {', '.join(sorted(book.types))}"
    parts = name.split(".")
    if len(parts) == 3 and parts[0] == "ml" and parts[1] in _NO_HOSTING:  # noqa: PLR2004 (ml.family.size)
        raise ConfigurationError(
            f"{name} is not a hosting type: endpoints do not run on ml.{parts[1]}", hint=suggestion
        )
    raise ConfigurationError(
        f"unknown instance type {name}: {book.origin} has no price for it", hint=suggestion
    )


def check_capacity(
    kind: InstanceType, *, min_capacity: int, max_capacity: int, scales: bool, limits: Limits
) -> None:
    """
    Refuse bounds, or scaling, that AWS would refuse.

    Raises:
        ConfigurationError: If they are refused.
    """
    if min_capacity < 1:
        raise ConfigurationError(
            f"min_capacity of a variant must be at least 1, not {min_capacity}",
            hint="only inference components scale to zero",
        )
    if max_capacity < min_capacity:
        raise ConfigurationError(
            f"max_capacity {max_capacity} is below min_capacity {min_capacity}"
        )
    if scales and kind.name.startswith("ml.t2."):
        raise ConfigurationError(
            f"{kind.name} cannot be scaled: SageMaker does not auto-scale burstable types",
            hint="choose another type, or a fixed instance count",
        )
    if limits.instances is not None and max_capacity > limits.instances:
        raise ConfigurationError(
            f"max_capacity {max_capacity} is above the account's quota of {limits.instances}"
            f" {kind.name}",
            hint="ask Service Quotas for more, or lower max_capacity",
        )


def check_real_time(calls: CallShape) -> None:
    """Refuse payloads above 25 MB, what a real-time endpoint takes."""
    _check_payload(calls, _REAL_TIME_PAYLOAD_BYTES, "a real-time endpoint")


def check_serverless(
    memory_mb: int, max_concurrency: int, calls: CallShape, limits: Limits
) -> None:
    """
    Refuse a serverless endpoint that AWS would refuse.

    Raises:
        ConfigurationError: If it is refused.
    """
    if memory_mb not in SERVERLESS_MEMORY_MB:
        raise ConfigurationError(
            f"a serverless endpoint's memory must be 1024 to 6144 MB in steps of 1024,"
            f" not {memory_mb}"
        )
    if not 1 <= max_concurrency <= _SERVERLESS_CONCURRENCY:
        raise ConfigurationError(
            f"MaxConcurrency must be between 1 and {_SERVERLESS_CONCURRENCY}, not {max_concurrency}"
        )
    if max_concurrency > limits.serverless_concurrency:
        raise ConfigurationError(
            f"MaxConcurrency {max_concurrency} is above the account's quota of"
            f" {limits.serverless_concurrency}",
            hint="new accounts may have 10: ask Service Quotas for more",
        )
    _check_payload(calls, _SERVERLESS_PAYLOAD_BYTES, "a serverless endpoint")


def check_front(front: Front, peak_per_second: float, calls: CallShape, limits: Limits) -> None:
    """
    Refuse a front that its quotas keep from carrying the peak.

    Raises:
        ConfigurationError: If they do.
    """
    if front is Front.NONE:
        return
    _check_payload(calls, _GATEWAY_PAYLOAD_BYTES, "API Gateway")
    if peak_per_second > limits.gateway_requests_per_second:
        raise ConfigurationError(
            f"the peak of {format_rate(peak_per_second)} is above API Gateway's quota of"
            f" {format_rate(limits.gateway_requests_per_second)} for an account and region"
        )
    running = peak_per_second * calls.lambda_seconds
    if front.has_lambda and running > limits.lambda_concurrency:
        raise ConfigurationError(
            f"the peak of {format_rate(peak_per_second)} keeps {running:.0f} Lambda functions of"
            f" {calls.lambda_seconds * 1000:g} ms running, above the quota of"
            f" {limits.lambda_concurrency}"
        )


def _check_payload(calls: CallShape, most: int, what: str) -> None:
    largest = max(calls.request_bytes, calls.response_bytes)
    if largest > most:
        raise ConfigurationError(f"{what} takes payloads up to {most // _MB} MB, not {largest} B")
