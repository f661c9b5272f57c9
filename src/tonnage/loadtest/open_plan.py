"""
What an open-loop load test is to do, checked when it is made.
"""

import math
import re
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from tonnage.domain import ConfigurationError, RateProfile

from ._urls import DEFAULT_PORTS, check_ownership, check_url
from .payload import Payload

__all__ = ["MAX_OUTSTANDING", "OpenArrivals", "OpenLoopPlan", "SageMakerEndpoint", "Target"]

OpenArrivals = Literal["constant", "poisson"]

MAX_OUTSTANDING: Final = 10_000
"""So many requests may wait for their answers at once; beyond it a send is given up at once."""

_MOST_PROCESSES: Final = 64
_ENDPOINT_NAME: Final = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")


@dataclass(frozen=True, kw_only=True, slots=True)
class SageMakerEndpoint:
    """
    An endpoint called with ``InvokeEndpoint``, signed with SigV4.

    Credentials come from where botocore finds them: environment, profile, instance role. There
    are no retries: a failure is counted once.

    Attributes:
        endpoint_name: Its name.
        region: Its AWS region.
        target_variant: The production variant to call; None leaves it to the endpoint's weights.
    """

    endpoint_name: str
    region: str = "us-east-1"
    target_variant: str | None = None

    def __post_init__(self) -> None:
        if not _ENDPOINT_NAME.fullmatch(self.endpoint_name):
            raise ConfigurationError(f"{self.endpoint_name!r} is not an endpoint's name")
        if not _REGION.fullmatch(self.region):
            raise ConfigurationError(f"{self.region!r} is not an AWS region", hint="us-east-1")

    @property
    def service_url(self) -> str:
        """Where AWS serves it."""
        suffix = ".cn" if self.region.startswith("cn-") else ""
        return f"https://runtime.sagemaker.{self.region}.amazonaws.com{suffix}"

    @property
    def path(self) -> str:
        """The path of ``InvokeEndpoint``."""
        return f"/endpoints/{self.endpoint_name}/invocations"


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """
    Where requests go and what they carry.

    Attributes:
        url: The route, e.g. ``http://127.0.0.1:8000/evaluate``; with ``sagemaker`` the service's
            origin, empty for AWS's own.
        payload: What each request carries.
        timeout_seconds: How long an answer may take, from the actual send, > 0.
        sagemaker: The endpoint to call with signed ``InvokeEndpoint`` requests, instead of a route.
        i_own: A host that is not loopback and may be fired at; it must be the URL's.
    """

    url: str = ""
    payload: Payload = field(default_factory=Payload)
    timeout_seconds: float = 30.0
    sagemaker: SageMakerEndpoint | None = None
    i_own: str | None = None

    def __post_init__(self) -> None:
        check_url(self.full_url)
        check_ownership(self.host, self.i_own)
        _require(
            math.isfinite(self.timeout_seconds) and self.timeout_seconds > 0,
            "timeout_seconds",
            self.timeout_seconds,
            "a number above 0",
        )

    @property
    def full_url(self) -> str:
        """The URL that requests go to, path included."""
        if self.sagemaker is None:
            return self.url
        origin = self.url or self.sagemaker.service_url
        parts = urlsplit(origin)
        return f"{parts.scheme}://{parts.netloc}{self.sagemaker.path}"

    @property
    def host(self) -> str:
        """The name or address that is fired at."""
        return urlsplit(self.full_url).hostname or ""

    @property
    def port(self) -> int:
        """The port that is fired at."""
        parts = urlsplit(self.full_url)
        return parts.port or DEFAULT_PORTS[parts.scheme]

    @property
    def is_encrypted(self) -> bool:
        """Whether it is https."""
        return urlsplit(self.full_url).scheme == "https"

    @property
    def request_target(self) -> str:
        """Path and query."""
        parts = urlsplit(self.full_url)
        return parts._replace(scheme="", netloc="", fragment="").geturl() or "/"


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenLoopPlan:
    """
    An open-loop load test: requests at moments that do not wait for answers.

    Attributes:
        profile: The rate over time; its duration is the test's.
        url: As in ``Target``; so are ``payload``, ``timeout_seconds``, ``sagemaker``, ``i_own``.
        arrivals: ``constant`` sends the k-th request when the profile's integral reaches k;
            ``poisson`` draws independent gaps with that rate.
        processes: How many generator processes share the schedule, each a core.
        max_outstanding: How many requests may wait for answers at once, over all processes;
            beyond it a send is given up at once, counted as unanswered, and reported.
        seed: Where the random draws start.
        start_at_monotonic_seconds: The ``CLOCK_MONOTONIC`` moment at which the profile starts;
            None starts as soon as the generator is ready.
        name: The record's name.
        title: The record's title; by default what is sent, in words.
        profile_text: The profile as the user wrote it, for the record.
    """

    profile: RateProfile
    url: str = ""
    payload: Payload = field(default_factory=Payload)
    arrivals: OpenArrivals = "constant"
    timeout_seconds: float = 30.0
    processes: int = 1
    max_outstanding: int = MAX_OUTSTANDING
    seed: int = 0
    start_at_monotonic_seconds: float | None = None
    sagemaker: SageMakerEndpoint | None = None
    i_own: str | None = None
    name: str = "load"
    title: str = ""
    profile_text: str = ""

    def __post_init__(self) -> None:
        _ = self.target
        _require(
            self.arrivals in ("constant", "poisson"), "arrivals", self.arrivals, "constant, poisson"
        )
        check_engine(processes=self.processes, max_outstanding=self.max_outstanding)
        start = self.start_at_monotonic_seconds
        if start is not None:
            _require(math.isfinite(start), "start_at_monotonic_seconds", start, "a moment")

    @property
    def target(self) -> Target:
        """Where requests go and what they carry."""
        return Target(
            url=self.url,
            payload=self.payload,
            timeout_seconds=self.timeout_seconds,
            sagemaker=self.sagemaker,
            i_own=self.i_own,
        )

    @property
    def duration_seconds(self) -> float:
        """How long requests are sent."""
        return self.profile.duration_seconds

    @property
    def mean_per_second(self) -> float:
        """The profile's rate on average."""
        return float(self.profile.arrivals_by(self.duration_seconds)) / self.duration_seconds

    def shown(self) -> dict[str, Any]:
        """Return it as plain JSON values, for a record."""
        return {
            "url": self.target.full_url,
            "profile": self.profile_text or None,
            "mean_per_second": self.mean_per_second,
            "arrivals": self.arrivals,
            "payload": self.payload.shown(),
            "duration_seconds": self.duration_seconds,
            "timeout_seconds": self.timeout_seconds,
            "processes": self.processes,
            "max_outstanding": self.max_outstanding,
            "seed": self.seed,
            "sagemaker": asdict(self.sagemaker) if self.sagemaker else None,
            "i_own": self.i_own,
        }


def check_engine(*, processes: int, max_outstanding: int) -> None:
    """Refuse a generator that cannot be."""
    _require(
        1 <= processes <= _MOST_PROCESSES, "processes", processes, f"from 1 to {_MOST_PROCESSES}"
    )
    _require(
        max_outstanding >= processes,
        "max_outstanding",
        max_outstanding,
        f"at least 1 for each of the {processes} processes",
    )


def _require(holds: bool, name: str, value: object, allowed: str) -> None:
    if not holds:
        raise ConfigurationError(f"{name} is {value!r}; it must be {allowed}")
