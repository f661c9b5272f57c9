"""
How long a new instance takes, and what becomes of the instances that an activity asks for.

Every policy of a simulation meets the same luck: its k-th scale-out draws from a generator seeded
with (seed, k), whatever the other policies do. So policies are compared under common random
numbers, and one policy alone gives what it gives among hundreds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tonnage.domain import ConfigurationError

__all__ = [
    "EmpiricalDelay",
    "Launches",
    "LognormalDelay",
    "ProvisioningDelay",
    "UniformDelay",
]

_Floats = NDArray[np.float64]


class ProvisioningDelay(Protocol):
    """A distribution of the seconds from a decision to an instance in service."""

    def sample(self, generator: np.random.Generator, count: int) -> _Floats:
        """Return ``(count,) float64`` delays > 0, one for each instance."""
        ...


@dataclass(frozen=True, slots=True)
class UniformDelay:
    """Any delay between two bounds, equally likely."""

    shortest_seconds: float
    longest_seconds: float

    def __post_init__(self) -> None:
        if not 0 <= self.shortest_seconds <= self.longest_seconds < np.inf:
            raise ConfigurationError(
                f"a delay must lie between two bounds, 0 or more, not between"
                f" {self.shortest_seconds:g} s and {self.longest_seconds:g} s"
            )

    def sample(self, generator: np.random.Generator, count: int) -> _Floats:
        """Return delays, one for each instance."""
        return generator.uniform(self.shortest_seconds, self.longest_seconds, count)


@dataclass(frozen=True, slots=True)
class LognormalDelay:
    """A delay with a median and a long tail: one in six takes more than ``spread`` times it."""

    median_seconds: float
    spread: float

    def __post_init__(self) -> None:
        if not (0 < self.median_seconds < np.inf and 1 <= self.spread < np.inf):
            raise ConfigurationError(
                f"a lognormal delay needs a median > 0 s and a spread of 1 or more, not"
                f" {self.median_seconds:g} s and {self.spread:g}"
            )

    def sample(self, generator: np.random.Generator, count: int) -> _Floats:
        """Return delays, one for each instance."""
        return self.median_seconds * generator.lognormal(0.0, np.log(self.spread), count)


@dataclass(frozen=True, slots=True)
class EmpiricalDelay:
    """Delays as they were measured, each as likely as the others."""

    seconds: Sequence[float]

    def __post_init__(self) -> None:
        if not self.seconds or not all(0 <= value < np.inf for value in self.seconds):
            raise ConfigurationError("measured delays must be one or more times of 0 s or more")

    def sample(self, generator: np.random.Generator, count: int) -> _Floats:
        """Return delays, one for each instance."""
        return generator.choice(np.asarray(self.seconds, dtype=np.float64), count)


@dataclass(eq=False)
class Launches:
    """
    When the instances that a scale-out asks for are in service, counted from the decision.

    Attributes:
        delay: ``(n,) float64`` seconds for each policy, or a distribution for all.
        failure_fraction: Of the launches that fail at their end and are tried again.
        seed: Of everything drawn.
    """

    delay: _Floats | ProvisioningDelay
    failure_fraction: float
    seed: int

    def __post_init__(self) -> None:
        self._drawn: dict[int, _Floats] = {}

    def after_seconds(self, policy: int, ordinal: int, count: int) -> _Floats:
        """Return ``(count,) float64``, sorted: when each of a policy's launches is done."""
        if isinstance(self.delay, np.ndarray):
            return np.sort(self._attempts(ordinal, count) * self.delay[policy])
        return np.sort(self._sums(ordinal, count))

    @property
    def is_certain(self) -> bool:
        """Whether all instances of an activity come at once, at a known time."""
        return isinstance(self.delay, np.ndarray) and not self.failure_fraction

    def _attempts(self, ordinal: int, count: int) -> _Floats:
        generator = np.random.default_rng((self.seed, ordinal, 1))
        if not self.failure_fraction:
            return np.ones(count)
        return generator.geometric(1 - self.failure_fraction, count).astype(np.float64)

    def _sums(self, ordinal: int, count: int) -> _Floats:
        """Return each instance's delays summed over its attempts, from one row per activity."""
        assert not isinstance(self.delay, np.ndarray)
        row = self._drawn.get(ordinal)
        if row is None or len(row) < count:
            size = max(64, 1 << (count - 1).bit_length())
            attempts = self._attempts(ordinal, size).astype(np.int64)
            generator = np.random.default_rng((self.seed, ordinal, 2))
            row = _checked(self.delay.sample(generator, size))
            for attempt in range(2, int(attempts.max()) + 1):
                again = np.random.default_rng((self.seed, ordinal, attempt + 1))
                late = attempts >= attempt
                row = row + np.where(late, _checked(self.delay.sample(again, size)), 0.0)
            self._drawn[ordinal] = row
        return row[:count]


def _checked(delays: _Floats) -> _Floats:
    if not ((delays >= 0) & np.isfinite(delays)).all():
        raise ConfigurationError("a provisioning delay was drawn that is negative or not finite")
    return delays
