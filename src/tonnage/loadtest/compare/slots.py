"""
Whose turn it is: the slots of an interleaved comparison, dealt out by coins.
"""

import math
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

from tonnage.domain import ConfigurationError, PiecewiseRate, format_rate
from tonnage.loadtest.open_plan import OpenArrivals
from tonnage.loadtest.payload import Payload
from tonnage.loadtest.placement import Placement

from .blocks import Window

__all__ = ["ComparePlan", "Side", "Slots"]

Side = Literal["base", "head"]

LEAST_SECONDS: Final = 10.0
LEAST_UNITS: Final = 12
"""With fewer, no difference could be told from chance as surely as is asked for."""

SLOTS_A_UNIT: Final = 4
SHORTEST_SLOT_SECONDS: Final = 0.2
SLOT_REQUESTS: Final = 24
SLOT_LATENCIES: Final = 10
"""A slot lasts so many median latencies, so that what hangs over from the last one is little."""

NOT_COMPARED: Final = 0.2
"""Of each slot, at its beginning: what the other side left, and caches that it took."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ComparePlan:
    """
    An interleaved comparison.

    Attributes:
        rate_per_second: What each side is offered while it is its turn, open loop.
        duration_seconds: How long load is offered, both sides' together, at least 10 s.
        payload: What each request carries.
        arrivals: ``constant`` or ``poisson``.
        timeout_seconds: How long an answer may take.
        processes: Generator processes for each side; only one side's work at a time.
        seed: Where the coins and other draws start.
        i_own: A host that is not loopback and may be fired at.
        placement: The cores that the services were started on and the generator is to have, where
            this machine runs both.
    """

    rate_per_second: float
    duration_seconds: float = 60.0
    payload: Payload = field(default_factory=Payload)
    arrivals: OpenArrivals = "constant"
    timeout_seconds: float = 30.0
    processes: int = 1
    seed: int = 0
    i_own: str | None = None
    placement: Placement | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.duration_seconds) and self.duration_seconds >= LEAST_SECONDS):
            raise ConfigurationError(
                f"a comparison takes at least {LEAST_SECONDS:g} s, not {self.duration_seconds:g} s",
                hint="give a longer --duration",
            )
        if not self.rate_per_second * self.longest_slot_seconds >= SLOT_REQUESTS:
            least = SLOT_REQUESTS / self.longest_slot_seconds
            raise ConfigurationError(
                f"{format_rate(self.rate_per_second)} is too little to compare in"
                f" {self.duration_seconds:g} s",
                hint=f"give at least {format_rate(math.ceil(least))}, or a longer --duration",
            )

    @property
    def longest_slot_seconds(self) -> float:
        """The longest slot of which there are enough."""
        return self.duration_seconds / (LEAST_UNITS * SLOTS_A_UNIT)

    def slot_seconds(self, latency_seconds: float) -> float:
        """Return how long a slot is for a service of this median latency."""
        wanted = max(
            SHORTEST_SLOT_SECONDS,
            SLOT_LATENCIES * latency_seconds,
            SLOT_REQUESTS / self.rate_per_second,
        )
        fitting = min(wanted, self.longest_slot_seconds)
        return max(1.0, math.floor(fitting * self.rate_per_second)) / self.rate_per_second


@dataclass(frozen=True, kw_only=True, slots=True)
class Slots:
    """
    Who is asked when: units of four slots, A B B A, where a coin says who is A.

    A drift over a unit cancels, because both have the same mean place in it; whatever else the
    machine does meets both with equal chance, because of the coin.

    Attributes:
        seconds: How long a slot is.
        heads_first: For each unit, whether A is the head.
    """

    seconds: float
    heads_first: tuple[bool, ...]

    @classmethod
    def dealt(cls, plan: ComparePlan, slot_seconds: float) -> "Slots":
        """Return the slots of a plan, by its seed."""
        units = max(LEAST_UNITS, math.floor(plan.duration_seconds / slot_seconds / SLOTS_A_UNIT))
        coins = np.random.default_rng([plan.seed, 3]).random(units) < 1 / 2
        return cls(seconds=slot_seconds, heads_first=tuple(bool(coin) for coin in coins))

    @property
    def duration_seconds(self) -> float:
        """How long all slots last."""
        return self.seconds * SLOTS_A_UNIT * len(self.heads_first)

    def places(self, unit: int, side: Side) -> tuple[int, int]:
        """Return a side's two slots in a unit, counted from the first slot of all."""
        is_a = self.heads_first[unit] == (side == "head")
        first = unit * SLOTS_A_UNIT
        return (first, first + 3) if is_a else (first + 1, first + 2)

    def profile(self, side: Side, rate_per_second: float) -> PiecewiseRate:
        """Return a side's rate over time: the rate in its slots, nothing in the other's."""
        rates = np.zeros(SLOTS_A_UNIT * len(self.heads_first))
        for unit in range(len(self.heads_first)):
            rates[list(self.places(unit, side))] = rate_per_second
        return PiecewiseRate.steps(rates, self.seconds)

    def windows(self, side: Side, *, until_seconds: float = math.inf) -> list[list[Window]]:
        """Return what is compared of each unit that had ended by a moment."""
        skipped = NOT_COMPARED * self.seconds
        whole = [
            unit
            for unit in range(len(self.heads_first))
            if (unit + 1) * SLOTS_A_UNIT * self.seconds <= until_seconds + self.seconds / 100
        ]
        return [
            [
                (place * self.seconds + skipped, (place + 1) * self.seconds)
                for place in self.places(unit, side)
            ]
            for unit in whole
        ]
