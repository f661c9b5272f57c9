"""
Traffic cut into ticks: the resolution at which it is served.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import RateProfile

__all__ = ["Ticks", "tick_edges"]

_Floats = NDArray[np.float64]


def tick_edges(duration_seconds: float, tick_seconds: float) -> _Floats:
    """Return ``(t + 1,) float64``, where ticks begin and end; the last one may be shorter."""
    return np.append(np.arange(0.0, duration_seconds, tick_seconds), duration_seconds)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Ticks:
    """
    The traffic, tick by tick.

    Attributes:
        edges: ``(t + 1,) float64``, where ticks begin and end, in seconds.
        offered: ``(t,) float64``, arrivals in each.
        rate: ``(t,) float64``, the same per second; the last tick may be shorter than the others.
    """

    edges: _Floats
    offered: _Floats
    rate: _Floats

    @classmethod
    def of(cls, profile: RateProfile, tick_seconds: float) -> "Ticks":
        """Return a profile's ticks."""
        edges = tick_edges(profile.duration_seconds, tick_seconds)
        offered = np.diff(profile.arrivals_by(edges))
        np.maximum(offered, 0.0, out=offered)  # a difference of sums may round below
        return cls(edges=edges, offered=offered, rate=offered / np.diff(edges))
