"""
Targets of known behaviour in virtual time: what the search is tried against by the thousand.

A target is a first-come-first-served queue before one or more servers. It keeps its own clock and
its backlog from trial to trial, so a search that does not let it settle measures its own debris.
One request costs about a microsecond, so a 60 s search takes a fraction of a second.
"""

import heapq
import math
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import NO_ANSWER, Samples

from .plan import LineArrivals
from .trials import Trial, TrialRun

__all__ = ["TargetShape", "VirtualTarget", "arrival_moments"]

_OVERHEAD_SECONDS: Final = 0.001
_OK: Final = 200
_REFUSED: Final = 503
_RECOVERY_IDLE_SECONDS: Final = 0.5

Service = Literal["constant", "exponential", "lognormal"]


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetShape:
    """
    How a virtual target behaves.

    Attributes:
        rate_per_second: What all its servers together carry, nothing else in the way.
        servers: How many serve side by side.
        service: How service times are distributed; ``lognormal`` has a coefficient of variation
            of 2.
        queue_seconds: The longest a request may wait; beyond it 503. Infinite by default.
        stall_every_seconds: Every so often all servers freeze; 0 never.
        stall_seconds: For so long.
        cliff_seconds: Once requests wait longer than this, service slows down by
            ``cliff_factor``: lock contention, garbage collection, swapping. Infinite never.
        cliff_factor: By how much.
        stays_down: Whether it stays slow until it has been idle for half a second: two regimes.
        leak_per_second: By what fraction service slows down with each second of its life.
        generator_limit_per_second: Beyond this rate the generator is not believed.
        noisy_share: The share of trials that somebody else's burst spoils.
    """

    rate_per_second: float
    servers: int = 1
    service: Service = "constant"
    queue_seconds: float = math.inf
    stall_every_seconds: float = 0.0
    stall_seconds: float = 0.0
    cliff_seconds: float = math.inf
    cliff_factor: float = 1.0
    stays_down: bool = False
    leak_per_second: float = 0.0
    generator_limit_per_second: float = math.inf
    noisy_share: float = 0.0


@dataclass(slots=True)
class VirtualTarget:
    """
    A target and its generator, on a clock of their own.

    Attributes:
        shape: How it behaves.
        arrivals: How requests arrive.
        seed: Of its service times.
        patience_seconds: How long an answer is waited for.
    """

    shape: TargetShape
    arrivals: LineArrivals = "constant"
    seed: int = 0
    patience_seconds: float = 1.0
    _now_seconds: float = 0.0
    _free_at: list[float] = field(default_factory=list)
    _is_slow: bool = False
    _random: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self._free_at = [0.0] * self.shape.servers
        self._random = np.random.default_rng((self.seed, 7))
        # The phase of the stalls is the target's own affair.
        if self.shape.stall_every_seconds:
            self._now_seconds = float(self._random.uniform(0, self.shape.stall_every_seconds))

    def now_seconds(self) -> float:
        """Return the virtual time."""
        return self._now_seconds

    def run(self, trial: Trial, *, seed: int) -> TrialRun:
        """Run a trial in no time; the virtual clock moves on by what it would have taken."""
        began = self._now_seconds + trial.settle_seconds
        draw = np.random.default_rng((seed, 11))
        moments = arrival_moments(self.arrivals, trial.rate_per_second, trial.load_seconds, draw)
        done, status = self._served(began + moments)
        late = done - (began + moments) > self.patience_seconds
        done[late] = (began + moments)[late] + self.patience_seconds
        status[late] = NO_ANSWER
        ended = began + max(trial.load_seconds, float((done - began).max(initial=0.0)))
        self._now_seconds = ended
        limited = trial.rate_per_second > self.shape.generator_limit_per_second
        return TrialRun(
            began_seconds=began,
            ended_seconds=ended,
            samples=Samples(
                intended_seconds=moments,
                sent_seconds=moments,
                done_seconds=done - began,
                status=status,
            ),
            generator="INVALID" if limited else "VALID",
            generator_reason="sends were late" if limited else "",
        )

    def _served(
        self, moments: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.uint16]]:
        shape = self.shape
        services = self._service_seconds(len(moments))
        if self._random.random() < shape.noisy_share:
            services *= self._random.uniform(1.2, 2.0)
        done = np.empty(len(moments))
        status = np.full(len(moments), _OK, dtype=np.uint16)
        free_at = self._free_at
        for index, (moment, service) in enumerate(
            zip(moments.tolist(), services.tolist(), strict=True)
        ):
            free = free_at[0]
            waited = free - moment
            if waited > shape.queue_seconds:
                done[index] = moment + _OVERHEAD_SECONDS
                status[index] = _REFUSED
                continue
            start = moment if waited < 0 else free
            finish = self._finish(start, service, waited)
            heapq.heapreplace(free_at, finish)
            done[index] = finish + _OVERHEAD_SECONDS
        return done, status

    def _finish(self, start: float, service: float, waited: float) -> float:
        shape = self.shape
        if shape.stall_every_seconds:
            phase = start % shape.stall_every_seconds
            if phase < shape.stall_seconds:
                start += shape.stall_seconds - phase
        if shape.leak_per_second:
            service *= 1 + shape.leak_per_second * start
        if shape.cliff_factor != 1.0 and self._slow(waited):
            service *= shape.cliff_factor
        return start + service

    def _slow(self, waited: float) -> bool:
        if not self.shape.stays_down:
            return waited > self.shape.cliff_seconds
        if waited > self.shape.cliff_seconds:
            self._is_slow = True
        elif waited < -_RECOVERY_IDLE_SECONDS:
            self._is_slow = False
        return self._is_slow

    def _service_seconds(self, count: int) -> NDArray[np.float64]:
        mean = self.shape.servers / self.shape.rate_per_second
        if self.shape.service == "exponential":
            return self._random.exponential(mean, count)
        if self.shape.service == "lognormal":
            spread = math.sqrt(math.log(5.0))  # a coefficient of variation of 2
            return self._random.lognormal(math.log(mean) - spread**2 / 2, spread, count)
        return np.full(count, mean)


def arrival_moments(
    arrivals: LineArrivals, rate_per_second: float, seconds: float, draw: np.random.Generator
) -> NDArray[np.float64]:
    """Return when requests arrive in a stretch of load: evenly, or with independent gaps."""
    if arrivals == "constant":
        return np.arange(draw.uniform(), rate_per_second * seconds) / rate_per_second
    count = int(rate_per_second * seconds)
    most = count + 10 * math.isqrt(count + 1) + 10
    moments = np.cumsum(draw.exponential(1 / rate_per_second, most))
    return moments[moments < seconds]
