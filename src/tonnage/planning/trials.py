"""
Policies, tried on traffic by the simulator.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tonnage.domain import RateProfile
from tonnage.simulation import FleetModel, Simulation, simulate

from .policies import Policies
from .search import Outcomes

__all__ = ["FleetTrial", "RaisedProfile", "peak_rate_per_second"]

_Floats = NDArray[np.float64]

_AT_ONCE = 256
"""Policies in one simulation: more take memory, not less time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RaisedProfile:
    """
    A traffic with every rate multiplied.

    Attributes:
        profile: The traffic.
        factor: What to multiply with, > 0.
    """

    profile: RateProfile
    factor: float

    @property
    def duration_seconds(self) -> float:
        """How long it lasts."""
        return self.profile.duration_seconds

    @property
    def gaps_seconds(self) -> _Floats:
        """The spans in which nothing is known."""
        return self.profile.gaps_seconds

    def rate_at(self, seconds: ArrayLike) -> _Floats:
        """Return λ(t), arrivals per second."""
        return self.profile.rate_at(seconds) * self.factor

    def arrivals_by(self, seconds: ArrayLike) -> _Floats:
        """Return the arrivals expected in [0, t]."""
        return self.profile.arrivals_by(seconds) * self.factor

    def time_of(self, count: ArrayLike) -> _Floats:
        """Return the first moment by which ``count`` arrivals are expected."""
        return self.profile.time_of(np.asarray(count, dtype=np.float64) / self.factor)


@dataclass(frozen=True, kw_only=True, slots=True)
class FleetTrial:
    """
    Tries policies for instances that each carry one load line; see ``search.Trial``.

    A policy begins with its least instances in service.

    Attributes:
        traffic: What is offered.
        fleet: The fleet; its ``initial_instance_count`` is not read.
        tick_seconds: How finely traffic and queues are looked at.
        seed: For a provisioning delay that is drawn.
    """

    traffic: RateProfile
    fleet: FleetModel
    tick_seconds: float = 1.0
    seed: int = 0

    def __call__(self, policies: Policies, *, raised_by: float = 0.0) -> Outcomes:
        """Return what comes of each policy, on the traffic raised by a fraction."""
        traffic = (
            RaisedProfile(profile=self.traffic, factor=1 + raised_by) if raised_by else self.traffic
        )
        parts = [
            self._simulated(traffic, policies.take(rows), keep_timeline=False)
            for rows in np.split(np.arange(len(policies)), range(_AT_ONCE, len(policies), _AT_ONCE))
        ]
        return Outcomes(
            offered=np.concatenate([part.offered for part in parts]),
            failed=np.concatenate([part.failed for part in parts]),
            instance_seconds=np.concatenate([part.instance_seconds for part in parts]),
        )

    def with_timeline(self, policies: Policies) -> Simulation:
        """Return the simulation of a few policies, tick by tick."""
        return self._simulated(self.traffic, policies, keep_timeline=True)

    def _simulated(
        self, traffic: RateProfile, policies: Policies, *, keep_timeline: bool
    ) -> Simulation:
        return simulate(
            traffic,
            policies.target_tracking(),
            policies.scalable_target(),
            replace(self.fleet, initial_instance_count=policies.min_capacity),
            tick_seconds=self.tick_seconds,
            seed=self.seed,
            keep_timeline=keep_timeline,
        )


def peak_rate_per_second(traffic: RateProfile, *, tick_seconds: float = 1.0) -> float:
    """Return the most that is offered within one tick, as a rate."""
    duration = traffic.duration_seconds
    edges = np.append(np.arange(0.0, duration, tick_seconds), duration)
    return float(np.max(np.diff(traffic.arrivals_by(edges)) / np.diff(edges)))
