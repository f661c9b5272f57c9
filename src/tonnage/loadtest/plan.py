"""
What a closed-loop load test is to do, checked when it is made.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from tonnage.domain import ConfigurationError

from ._urls import DEFAULT_PORTS, check_ownership, check_url

__all__ = ["Arrivals", "LoadPlan"]

Arrivals = Literal["dephased", "lockstep"]

_HIGHEST_PORT = 65535
_MOST_WORKERS = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadPlan:
    """
    A closed-loop load test: users that come up at a rate and send at a pace.

    Without a ``locustfile`` the built-in user POSTs to the URL, ``body``, fields drawn from
    ``ranges`` or one of ``bodies``; with one, its users do what they do, and the URL is what Locust
    calls the host.

    Attributes:
        url: The route, e.g. ``http://127.0.0.1:8000/evaluate``; with a locustfile, what its paths
            are appended to (``http://127.0.0.1:8000``).
        users: How many users at the peak, >= 1.
        spawn_rate_per_second: How many users come up each second, > 0.
        duration_seconds: How long users send, counted from the first one's start, > 0. Requests
            under way at the end have a few seconds to finish.
        pacing_seconds: Time between one user's sends, >= 0; 0 sends on each answer. A user whose
            answer comes later than that sends at once and does not catch up.
        arrivals: ``dephased`` spreads the users evenly over the pace and keeps them so;
            ``lockstep`` lets them fire as Locust's ``constant_pacing`` does, nearly at once.
        locustfile: A locustfile of the user's own. ``pacing_seconds``, ``arrivals`` and
            ``timeout_seconds`` hold for its ``PacedUser`` classes; others run unchanged.
        body: The JSON value that every request carries.
        ranges: Field → (low, high): a body whose numbers are drawn uniformly for each request.
        bodies: JSON values, one of them drawn for each request.
        seed: Where the random draws start.
        start_at_monotonic_seconds: The ``CLOCK_MONOTONIC`` moment at which the first user starts;
            None starts as soon as the generator is ready.
        timeout_seconds: How long a connection, and each wait for bytes, may take, > 0.
        web_port: Show Locust's own web page on this loopback port; the test starts by itself and
            the page stays until it is interrupted.
        i_own: A host that is not loopback and may be fired at; it must be the URL's.
        workers: Locust processes on this machine that share the users, beside a master of their
            own; 0 is one process without a master.
        hosts: How many more workers to wait for, which join from other hosts (``join_load``).
        master_port: Where workers join; None is a free port, and 5557 when hosts are to join.
        name: The record's name.
        title: The record's title; by default what is sent, in words.
    """

    url: str
    users: int
    spawn_rate_per_second: float
    duration_seconds: float
    pacing_seconds: float = 1.0
    arrivals: Arrivals = "dephased"
    locustfile: Path | None = None
    body: Any = None
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    bodies: Sequence[Any] = ()
    seed: int = 0
    start_at_monotonic_seconds: float | None = None
    timeout_seconds: float = 30.0
    web_port: int | None = None
    i_own: str | None = None
    workers: int = 0
    hosts: int = 0
    master_port: int | None = None
    name: str = "load"
    title: str = ""

    def __post_init__(self) -> None:
        check_url(self.url)
        check_ownership(self.host, self.i_own)
        _check_numbers(self)
        _check_what_is_sent(self)

    @property
    def host(self) -> str:
        """The name or address that is fired at."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port that is fired at."""
        parts = urlsplit(self.url)
        return parts.port or DEFAULT_PORTS[parts.scheme]

    @property
    def is_distributed(self) -> bool:
        """Whether a master and workers share the load."""
        return self.workers + self.hosts > 0

    @property
    def locust_host(self) -> str:
        """What Locust is told as its host: the origin, or with a locustfile the whole URL."""
        if self.locustfile is not None:
            return self.url.rstrip("/")
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def path(self) -> str:
        """The path and query that the built-in user posts to."""
        return urlsplit(self.url)._replace(scheme="", netloc="", fragment="").geturl() or "/"


def _check_numbers(plan: LoadPlan) -> None:
    _require(plan.users >= 1, "users", plan.users, "at least 1")
    for name in ("spawn_rate_per_second", "duration_seconds", "timeout_seconds"):
        value = getattr(plan, name)
        _require(math.isfinite(value) and value > 0, name, value, "a number above 0")
    pacing = plan.pacing_seconds
    _require(math.isfinite(pacing) and pacing >= 0, "pacing_seconds", pacing, "0 or more")
    known = plan.arrivals in ("dephased", "lockstep")
    _require(known, "arrivals", plan.arrivals, "dephased or lockstep")
    for name in ("workers", "hosts"):
        value = getattr(plan, name)
        _require(0 <= value <= _MOST_WORKERS, name, value, f"from 0 to {_MOST_WORKERS}")
    if plan.master_port is not None:
        fits = 1 <= plan.master_port <= _HIGHEST_PORT
        _require(fits, "master_port", plan.master_port, f"from 1 to {_HIGHEST_PORT}")
    if plan.web_port is not None:
        fits = 1 <= plan.web_port <= _HIGHEST_PORT
        _require(fits, "web_port", plan.web_port, f"from 1 to {_HIGHEST_PORT}")
    start = plan.start_at_monotonic_seconds
    if start is not None:
        _require(math.isfinite(start), "start_at_monotonic_seconds", start, "a moment")


def _require(holds: bool, name: str, value: object, allowed: str) -> None:
    if not holds:
        raise ConfigurationError(f"{name} is {value!r}; it must be {allowed}")


def _check_what_is_sent(plan: LoadPlan) -> None:
    given = (
        plan.locustfile is not None,
        plan.body is not None,
        bool(plan.ranges),
        bool(plan.bodies),
    )
    if sum(given) != 1:
        raise ConfigurationError(
            "a load test sends a body, or fields drawn from ranges, or what a locustfile says",
            hint="give one of them, e.g. --body '{\"distance\": 150}'",
        )
    if plan.locustfile is not None:
        _check_locustfile(plan.locustfile)
    try:
        json.dumps([plan.body, *plan.bodies], allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"the body is not a JSON value: {error}") from error
    for name, (low, high) in plan.ranges.items():
        ordered = math.isfinite(low) and math.isfinite(high) and low <= high
        _require(ordered, f"the range of {name}", (low, high), "two numbers, the lower one first")


def _check_locustfile(locustfile: Path) -> None:
    if not locustfile.is_file():
        raise ConfigurationError(f"there is no locustfile {locustfile}")
    if locustfile.suffix != ".py" or "," in str(locustfile.absolute()):
        raise ConfigurationError(
            f"Locust cannot be given {locustfile}: it takes names that end in .py, without a comma"
        )
