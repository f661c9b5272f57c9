"""
Policies, tried on traffic by the simulator.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tonnage.domain import RateProfile
from tonnage.simulation import FleetModel, Simulation, simulate, tick_edges

from .kinds import PLAIN, PolicyKind
from .policies import Policies
from .searched import Outcomes

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
    Tries policies for instances that each carry one load line; see ``searched.Trial``.

    A policy begins with its least instances in service, as its schedule has set them by then.

    Attributes:
        traffic: What is offered.
        fleet: The fleet; its ``initial_instance_count`` is not read.
        tick_seconds: How finely traffic and queues are looked at.
        seed: For a provisioning delay that is drawn.
        starts_at_seconds: When the traffic begins, in seconds since 1970 UTC: what schedules are
            read by.
    """

    traffic: RateProfile
    fleet: FleetModel
    tick_seconds: float = 1.0
    seed: int = 0
    starts_at_seconds: float = 0.0

    def __call__(self, policies: Policies, *, raised_by: float = 0.0) -> Outcomes:
        """Return what comes of each policy, on the traffic raised by a fraction."""
        traffic = self._raised(raised_by)
        result = np.empty((3, len(policies)))
        for kind, rows in policies.by_kind():
            for some in np.split(rows, range(_AT_ONCE, len(rows), _AT_ONCE)):
                part = self._simulated(traffic, policies.take(some), kind, keep_timeline=False)
                result[:, some] = part.offered, part.failed, part.instance_seconds
        offered, failed, instance_seconds = result
        return Outcomes(offered=offered, failed=failed, instance_seconds=instance_seconds)

    def with_timeline(self, policies: Policies, *, raised_by: float = 0.0) -> Simulation:
        """Return the simulation of a few policies of one kind, tick by tick."""
        ((kind, _),) = policies.by_kind()
        return self._simulated(self._raised(raised_by), policies, kind, keep_timeline=True)

    def _raised(self, fraction: float) -> RateProfile:
        if not fraction:
            return self.traffic
        return RaisedProfile(profile=self.traffic, factor=1 + fraction)

    def _simulated(
        self, traffic: RateProfile, policies: Policies, kind: PolicyKind, *, keep_timeline: bool
    ) -> Simulation:
        tracking = policies.target_tracking()
        bounds = kind.bounds_at(policies.scalable_target(), self.starts_at_seconds)
        return simulate(
            traffic,
            tracking if kind == PLAIN else kind.attached(tracking),
            bounds,
            replace(self.fleet, initial_instance_count=bounds.min_capacity),
            tick_seconds=self.tick_seconds,
            seed=self.seed,
            keep_timeline=keep_timeline,
            scheduled_actions=kind.actions(),
            starts_at_seconds=self.starts_at_seconds,
        )


def peak_rate_per_second(traffic: RateProfile, *, tick_seconds: float = 1.0) -> float:
    """Return the most that is offered within one tick, as a rate."""
    edges = tick_edges(traffic.duration_seconds, tick_seconds)
    return float(np.max(np.diff(traffic.arrivals_by(edges)) / np.diff(edges)))
