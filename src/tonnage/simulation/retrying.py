"""
Senders that try again: what is refused comes back, and is load like any other.

Open loop, what is offered does not depend on what is answered. Senders that retry make it depend,
but only on what was answered earlier: a request refused at t is offered again at t + d. So the
traffic is simulated, what was refused is added to it a delay later, and again, until no more
than one request in a million changes. Each round settles one delay more at least, mostly many.

In a tick first, second and later tries are refused alike, in proportion to what each offers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import ConfigurationError, PiecewiseRate, RateProfile
from tonnage.scaling import (
    AttachedPolicy,
    ScalableTarget,
    ScheduledAction,
    TargetTrackingPolicy,
)

from ._simulate import simulate
from ._ticks import Ticks
from .fleet_model import FleetModel
from .results import Simulation

__all__ = ["RetriedSimulation", "simulate_retries"]

_Floats = NDArray[np.float64]

_MOST_RETRIES: Final = 10
_ROUNDS: Final = 200
_TOLERANCE: Final = 1e-6


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RetriedSimulation:
    """
    What became of requests that are tried again.

    Attributes:
        simulation: Every attempt: what it calls offered and failed are attempts.
        requests: ``(t,) float64``, requests that begin in each tick.
        attempts: ``(t,) float64``, what their senders offer, first tries and later ones.
        given_up: ``(t,) float64``, requests whose last try failed in each tick.
    """

    simulation: Simulation
    requests: _Floats
    attempts: _Floats
    given_up: _Floats

    @property
    def failed_fraction(self) -> float:
        """Requests given up ÷ requests; 0 without any."""
        total = float(self.requests.sum())
        return float(self.given_up.sum()) / total if total else 0.0

    @property
    def attempts_per_request(self) -> float:
        """How much the load grew, 1 where nothing was refused."""
        total = float(self.requests.sum())
        return float(self.attempts.sum()) / total if total else 1.0


def simulate_retries(
    profile: RateProfile,
    policy: TargetTrackingPolicy | Sequence[AttachedPolicy] | None,
    target: ScalableTarget,
    fleet: FleetModel,
    *,
    retries: int,
    delay_seconds: float,
    tick_seconds: float = 1.0,
    seed: int = 0,
    scheduled_actions: Sequence[ScheduledAction] = (),
    starts_at_seconds: float = 0.0,
) -> RetriedSimulation:
    """
    Return what one policy makes of traffic whose senders try again when they are refused.

    Args:
        profile: Requests, each counted once.
        policy: As ``simulate`` takes it, of one fleet.
        target: Likewise.
        fleet: Likewise.
        retries: How often a request is tried again, 1 to 10.
        delay_seconds: From a refusal to the next try, in ticks, one at least.
        tick_seconds: As of ``simulate``.
        seed: Likewise.
        scheduled_actions: Likewise.
        starts_at_seconds: Likewise.

    Raises:
        ConfigurationError: If a number is out of range, or the tries do not settle.
    """
    if not 1 <= retries <= _MOST_RETRIES:
        raise ConfigurationError(f"retries must be 1 to {_MOST_RETRIES}, not {retries}")
    if not 0 <= delay_seconds < np.inf:
        raise ConfigurationError(f"the delay of a retry must be 0 or more, not {delay_seconds}")
    later = max(1, round(delay_seconds / tick_seconds))
    ticks = Ticks.of(profile, tick_seconds)
    edges, requests = ticks.edges, ticks.offered
    tries = np.zeros((retries + 1, len(requests)))
    tries[0] = requests
    for _ in range(_ROUNDS):
        offered = tries.sum(axis=0)
        traffic = PiecewiseRate.held(edges, offered / np.diff(edges), profile.gaps_seconds)
        done = simulate(
            traffic,
            policy,
            target,
            fleet,
            tick_seconds=tick_seconds,
            seed=seed,
            scheduled_actions=scheduled_actions,
            starts_at_seconds=starts_at_seconds,
        )
        assert done.timeline is not None
        refused = np.divide(
            done.timeline.failed[:, 0], offered, out=np.zeros_like(offered), where=offered > 0
        )
        again = np.zeros_like(tries)
        again[0] = requests
        for attempt in range(retries):
            again[attempt + 1, later:] = (again[attempt] * refused)[:-later]
        change = float(np.abs(again - tries).sum())
        if change <= _TOLERANCE * max(1.0, float(requests.sum())):
            return RetriedSimulation(
                simulation=done, requests=requests, attempts=offered, given_up=tries[-1] * refused
            )
        tries = again
    raise ConfigurationError(
        f"{retries} retries after {delay_seconds:g} s do not settle in {_ROUNDS} rounds",
        hint="give a longer --retry-delay, or a coarser --tick",
    )
