"""
The fleets that are walked, and how long what they are asked for takes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .provisioning import Launches

__all__ = ["Fleets"]

_Floats = NDArray[np.float64]
_Counts = NDArray[np.int64]
_Indices = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Fleets:
    """
    What the walk needs to know of each fleet, as arrays.

    Attributes:
        launches: When new instances are in service.
        initial: ``(n,) int64``, instances at the start.
        available: ``(n,) int64``, instances that are to be had.
        metric_delay_seconds: From the end of a period to its evaluation.
        drain_seconds: From a scale-in to the end of its update.
    """

    launches: Launches
    initial: _Counts
    available: _Counts
    metric_delay_seconds: float
    drain_seconds: float

    def carried_out(
        self,
        who: _Indices,
        at: _Floats,
        *,
        before: _Counts,
        after: _Counts,
        final: _Counts,
        ordinal: _Counts,
    ) -> tuple[_Floats, _Counts, _Floats]:
        """
        Return when the in-service counts change, to what, and when it is all over.

        The first two are ``(w, m)``; moments are padded with inf.

        Args:
            who: ``(w,)``, the fleets that do something.
            at: ``(w,)``, when it is decided.
            before: ``(w,)``, in service then.
            after: ``(w,)``, asked for.
            final: ``(w,)``, what of it can be had.
            ordinal: ``(w,)``, how many times each has scaled out before.
        """
        is_out = after > before
        launches = self.launches
        if launches.is_certain:
            delay = np.asarray(launches.delay)[who]
            moments = np.where(final == before, np.inf, at + np.where(is_out, delay, 0.0))
            settled_at = at + np.where(is_out, delay, self.drain_seconds)
            return moments[:, np.newaxis], final[:, np.newaxis], settled_at
        width = int(np.where(is_out, final - before, 1).max(initial=1))
        moments = np.full((len(who), max(1, width)), np.inf)
        counts = np.repeat(final[:, np.newaxis], moments.shape[1], axis=1)
        settled_at = at + self.drain_seconds
        moments[~is_out, 0] = at[~is_out]
        for row in np.flatnonzero(is_out):
            wanted, got = int(after[row] - before[row]), int(final[row] - before[row])
            done = at[row] + launches.after_seconds(int(who[row]), int(ordinal[row]), wanted)
            moments[row, :got] = done[:got]
            counts[row, :got] = before[row] + np.arange(1, got + 1)
            settled_at[row] = done[-1]
        return moments, counts, settled_at
