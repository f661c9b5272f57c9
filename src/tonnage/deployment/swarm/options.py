"""
How large a swarm is, and what its workers send together.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from tonnage.domain import ConfigurationError
from tonnage.loadtest import LoadPlan, OpenLoopPlan

from .travelling import plan_from, plan_told

__all__ = ["PLAN_VARIABLE", "SwarmOptions"]

PLAN_VARIABLE: Final = "TONNAGE_SWARM_PLAN"
"""A task's environment variable that holds the options."""

_MOST_WORKERS: Final = 64
_SPARE_SECONDS: Final = 900
_MOST_BYTES: Final = 48 * 1024  # ECS takes a task definition of 64 KiB


@dataclass(frozen=True, kw_only=True, slots=True)
class SwarmOptions:
    """
    A load test by several machines.

    Attributes:
        plan: What all of them send together. A closed loop's users are shared among the workers by
            Locust; an open loop's arrivals are sent by each worker in turn.
        workers: How many send; one processor each.
        time_to_live_seconds: After which every task ends, whatever it does; None for the duration
            and a quarter of an hour.

    Raises:
        ConfigurationError: If they do not make a load test.
    """

    plan: LoadPlan | OpenLoopPlan
    workers: int = 2
    time_to_live_seconds: float | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.workers <= _MOST_WORKERS:
            raise ConfigurationError(
                f"workers is {self.workers!r}; it must be from 1 to {_MOST_WORKERS}"
            )
        _check_shares(self.plan, self.workers)
        if self.life_seconds <= self.duration_seconds:
            raise ConfigurationError(
                f"the time to live, {self.life_seconds:g} s, ends before the test,"
                f" {self.duration_seconds:g} s"
            )
        if len(self.to_json().encode()) > _MOST_BYTES:
            raise ConfigurationError(
                "what the swarm sends does not fit into a task's environment:"
                f" {len(self.to_json().encode())} bytes are more than {_MOST_BYTES}",
                hint="give one --body, or a locustfile that makes them",
            )

    @property
    def duration_seconds(self) -> float:
        """How long the workers send."""
        return self.plan.duration_seconds

    @property
    def requests(self) -> float | None:
        """About how many requests it sends if all are answered in time; None without a pace."""
        plan = self.plan
        if isinstance(plan, OpenLoopPlan):
            return float(plan.profile.arrivals_by(plan.duration_seconds))
        if not plan.pacing_seconds:
            return None
        ramp = min(plan.duration_seconds, plan.users / plan.spawn_rate_per_second)
        rising = plan.spawn_rate_per_second * ramp**2 / 2
        return (rising + plan.users * (plan.duration_seconds - ramp)) / plan.pacing_seconds

    @property
    def life_seconds(self) -> float:
        """After how long every task ends."""
        return self.time_to_live_seconds or self.duration_seconds + _SPARE_SECONDS

    def to_json(self) -> str:
        """Return it as a task's variable holds it."""
        return json.dumps(
            {
                "plan": plan_told(self.plan),
                "workers": self.workers,
                "time_to_live_seconds": self.time_to_live_seconds,
            }
        )

    @classmethod
    def of_json(cls, text: str, *, files: Path = Path()) -> Self:
        """
        Read what ``to_json`` wrote.

        Args:
            text: The JSON.
            files: Where a locustfile is now.
        """
        told = json.loads(text)
        return cls(**{**told, "plan": plan_from(told["plan"], files)})


def _check_shares(plan: LoadPlan | OpenLoopPlan, workers: int) -> None:
    """Refuse a plan that leaves a worker without anything to send."""
    if isinstance(plan, LoadPlan):
        if plan.users < workers:
            raise ConfigurationError(
                f"{plan.users} users cannot be shared among {workers} workers",
                hint="have fewer workers; one sends about 2,000 requests per second",
            )
        return
    requests = float(plan.profile.arrivals_by(plan.duration_seconds))
    if requests <= workers:
        raise ConfigurationError(
            f"{requests:g} requests cannot be shared among {workers} workers",
            hint="have fewer workers, a higher rate or a longer test",
        )
