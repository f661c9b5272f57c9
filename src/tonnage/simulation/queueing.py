r"""
One instance's bounded queue: what it refuses, what waits in it.

A request waits at most q seconds for an instance that serves c per second, one at a time, in
constant time; who would wait longer is refused. So at most b = c q + 1 requests are there.

Arrivals come evenly at rate λ to n instances, and each goes to one at random: what an instance sees
is a fraction p = 1/n of them, picked by chance. Its arrivals vary less than independent users' (for
n = 1 not at all), and ever more like theirs as n grows; independent users' are the limit p → 0.

=======  ============================================  ================
Symbol   Meaning                                       Unit
=======  ============================================  ================
λ        the rate offered to all instances             requests / second
c        what one instance serves, its load line       requests / second
n        instances in service
rho        λ / (n c), the utilisation offered
b        the most requests at one instance             requests
z        how fast the backlog's tail falls             1 / requests
=======  ============================================  ================

The unbounded queue's tail falls as exp(-z x), where z solves Lundberg's equation, here::

    ln(1 + p (e^z - 1)) = z p / rho          p → 0:  rho (e^z - 1) = z

and the backlog's density in the bounded one is taken as proportional to exp(-z x) on [0, b], which
is exact for Brownian motion between two reflecting barriers. Rate conservation then gives the
fraction refused::

    loss(rho) = (1 - 1/rho) / (1 - e^(z b))        rho = 1:  (1 - p) / (2 b)

For rho well above 1 it is the fluid's 1 - 1/rho, and for n = 1 with even arrivals exactly that.
Against single requests in ``tests/unit/simulation`` it is within a tenth where it matters.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from . import _tilted

__all__ = ["InstanceQueue"]

_Floats = NDArray[np.float64]

_DEEPEST = 30.0
"""z b beyond which nothing is refused: a backlog that high comes once in e^30 requests."""
_STEEPEST = 1e5


@dataclass(frozen=True, slots=True, eq=False)
class InstanceQueue:
    """
    The steady state of one of n like instances, tabulated over the utilisation.

    Attributes:
        line_per_second: c.
        room: b, the most requests at one instance.
        share: p, the fraction of evenly spaced arrivals that it gets; 0 for Poisson arrivals.
        utilisation: ``(m,) float64``, rising; the table's rho.
        loss: ``(m,) float64``, the fraction refused there.
        tail: ``(m,) float64``, z b there: above 0 the queue is usually empty, below usually full.
    """

    line_per_second: float
    room: float
    share: float
    utilisation: _Floats
    loss: _Floats
    tail: _Floats

    @classmethod
    def of(
        cls,
        *,
        line_per_second: float,
        queue_seconds: float,
        instance_count: int = 1,
        arrivals: str = "constant",
    ) -> "InstanceQueue":
        """Return the queue of one of ``instance_count`` instances behind a random router."""
        share = 1.0 / instance_count if arrivals == "constant" else 0.0
        return _queue(line_per_second, queue_seconds, share)

    @property
    def lossless_utilisation(self) -> float:
        """Up to which utilisation nothing is refused."""
        return 1.0 if self.share == 1.0 else float(self.utilisation[0])

    def loss_at(self, utilisation: _Floats) -> _Floats:
        """Return the fraction refused at an offered utilisation rho."""
        if self.share == 1.0:
            return 1 - 1 / np.maximum(utilisation, 1.0)
        loss = np.interp(utilisation, self.utilisation, self.loss, left=0.0, right=1.0)
        # Between two rows of the table, and after its last one, never less than the fluid's.
        hot = utilisation > 1
        fluid = 1 - 1 / utilisation[hot]
        at_end = np.where(utilisation[hot] > self.utilisation[-1], fluid, loss[hot])
        loss[hot] = np.maximum(at_end, fluid)
        return loss

    def tail_at(self, utilisation: _Floats) -> _Floats:
        """Return z b at an offered utilisation rho; above the table, its end."""
        if self.share == 1.0:
            return np.where(utilisation > 1, -_STEEPEST, _STEEPEST)
        low = np.maximum(utilisation, 1e-9)
        # Below the table nothing is refused, and heavy traffic's z is near enough to wait by.
        below = 2 * (1 / low - 1) / (1 - self.share) * self.room
        inside = np.interp(utilisation, self.utilisation, self.tail)
        return np.where(utilisation < self.utilisation[0], below, inside)

    def backlog(self, tail: _Floats) -> _Floats:
        """Return the mean number of requests at an instance whose tail is z b."""
        return self.room * _tilted.mean(-tail)

    def wait_seconds(self, tail: _Floats, fraction: float) -> _Floats:
        """Return the wait that ``fraction`` of the requests let in stay below."""
        return self.room / self.line_per_second * _tilted.quantile(-tail, fraction)


@lru_cache(maxsize=4096)
def _queue(line: float, queue_seconds: float, share: float) -> InstanceQueue:
    room = line * queue_seconds + 1.0
    # rho follows from z, not z from rho: no equation has to be solved.
    tail = np.concatenate(
        (np.geomspace(_DEEPEST, 1e-4, 1000), -np.geomspace(1e-4, _STEEPEST, 2000))
    )
    z = tail / room
    if share == 1.0:
        empty = np.empty(0)
        return InstanceQueue(line, room, share, empty, empty, empty)
    rho = z / np.expm1(z) if share == 0 else z * share / np.log1p(share * np.expm1(z))
    loss = (1 - 1 / rho) / -np.expm1(tail)
    return InstanceQueue(line, room, share, rho, np.clip(loss, 0.0, 1.0), tail)
