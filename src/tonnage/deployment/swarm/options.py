"""
What a swarm sends, and how large it is, as plain values that travel to its tasks as JSON.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, Self

from tonnage.domain import ConfigurationError
from tonnage.loadtest import LoadPlan

__all__ = ["PLAN_VARIABLE", "SwarmOptions"]

PLAN_VARIABLE: Final = "TONNAGE_SWARM_PLAN"
"""A task's environment variable that holds the options."""

_MOST_WORKERS: Final = 100
_SPARE_SECONDS: Final = 900
_MOST_BYTES: Final = 48 * 1024  # ECS takes a task definition of 64 KiB


@dataclass(frozen=True, kw_only=True, slots=True)
class SwarmOptions:
    """
    A load test by several machines.

    Attributes:
        url: The route; with a locustfile, what its paths are appended to.
        i_own: The URL's host, by whoever says that it is theirs to fire at.
        workers: How many send; one processor each.
        users: How many users, over all workers, as in a closed-loop plan; so are the next four.
        spawn_rate_per_second: How many come up each second.
        duration_seconds: How long they send.
        pacing_seconds: Time between one user's sends.
        arrivals: ``dephased`` or ``lockstep``.
        timeout_seconds: How long an answer may take.
        body: The JSON value that every request carries.
        ranges: Field → (low, high), drawn for each request.
        bodies: JSON values, one of them drawn for each request.
        locustfile: The name of a locustfile in the image, instead of the two.
        time_to_live_seconds: After which every task ends, whatever it does; None for the duration
            and a quarter of an hour.

    Raises:
        ConfigurationError: If they do not make a load test.
    """

    url: str
    i_own: str | None = None
    workers: int = 2
    users: int
    spawn_rate_per_second: float
    duration_seconds: float
    pacing_seconds: float = 1.0
    arrivals: Literal["dephased", "lockstep"] = "dephased"
    timeout_seconds: float = 30.0
    body: Any = None
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    bodies: Sequence[Any] = ()
    locustfile: str | None = None
    time_to_live_seconds: float | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.workers <= _MOST_WORKERS:
            raise ConfigurationError(
                f"workers is {self.workers!r}; it must be from 1 to {_MOST_WORKERS}"
            )
        if self.users < self.workers:
            raise ConfigurationError(
                f"{self.users} users cannot be shared among {self.workers} workers",
                hint="have fewer workers; one sends about 2,000 requests per second",
            )
        if self.life_seconds <= self.duration_seconds:
            raise ConfigurationError(
                f"the time to live, {self.life_seconds:g} s, ends before the test,"
                f" {self.duration_seconds:g} s"
            )
        # The locustfile is in the image; for the other checks any file stands for it.
        self.plan(**({} if self.locustfile is None else {"locustfile": Path(__file__)}))
        if len(self.to_json().encode()) > _MOST_BYTES:
            raise ConfigurationError(
                "what the swarm sends does not fit into a task's environment:"
                f" {len(self.to_json().encode())} bytes are more than {_MOST_BYTES}",
                hint="give one --body, or a locustfile that makes them",
            )

    @property
    def requests(self) -> float | None:
        """About how many requests it sends if all are answered in time; None without a pace."""
        if not self.pacing_seconds:
            return None
        ramp = min(self.duration_seconds, self.users / self.spawn_rate_per_second)
        rising = self.spawn_rate_per_second * ramp**2 / 2
        return (rising + self.users * (self.duration_seconds - ramp)) / self.pacing_seconds

    @property
    def life_seconds(self) -> float:
        """After how long every task ends."""
        return self.time_to_live_seconds or self.duration_seconds + _SPARE_SECONDS

    def plan(self, **changed: Any) -> LoadPlan:  # noqa: ANN401 (the plan's own)
        """Return it as the closed-loop plan of one process."""
        return LoadPlan(
            url=self.url,
            i_own=self.i_own,
            users=self.users,
            spawn_rate_per_second=self.spawn_rate_per_second,
            duration_seconds=self.duration_seconds,
            pacing_seconds=self.pacing_seconds,
            arrivals=self.arrivals,
            timeout_seconds=self.timeout_seconds,
            body=self.body,
            ranges={name: (low, high) for name, (low, high) in self.ranges.items()},
            bodies=tuple(self.bodies),
            name="swarm",
            **changed,
        )

    def to_json(self) -> str:
        """Return it as a task's variable holds it."""
        return json.dumps(asdict(self))

    @classmethod
    def of_json(cls, text: str) -> Self:
        """Read what ``to_json`` wrote."""
        told = json.loads(text)
        return cls(**{**told, "bodies": tuple(told.get("bodies", ()))})
