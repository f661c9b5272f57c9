"""
One trial: load at one rate for one window, and what the window showed.

The search decides which trial is next; whoever implements ``Trials`` runs it, against a real target
or in virtual time.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from tonnage.domain import Samples

from .sharing import Cores
from .terms import TermResult

__all__ = [
    "KEEPS_UP",
    "OVERLOADED",
    "Purpose",
    "Trial",
    "TrialOutcome",
    "TrialRun",
    "Trials",
]

Purpose = Literal[
    "warm-up", "bracket", "refine", "confirm", "overload", "recovery", "control", "curve"
]
GeneratorWord = Literal["VALID", "DOUBTFUL", "INVALID"]

KEEPS_UP: Final = "keeps up"
"""The term that every objective has besides the user's: the backlog does not grow."""

OVERLOADED: Final = 0.8
"""A target that answers less of what arrives than this was overloaded."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """
    What to run next.

    Attributes:
        purpose: Which question it answers.
        rate_per_second: The offered rate, open loop.
        settle_seconds: Silence before it, in which the target works off what the last one left.
        warm_up_seconds: Load at the rate before the window; its requests are not judged.
        window_seconds: The window that is judged.
    """

    purpose: Purpose
    rate_per_second: float
    settle_seconds: float
    warm_up_seconds: float
    window_seconds: float

    @property
    def load_seconds(self) -> float:
        """How long load is offered."""
        return self.warm_up_seconds + self.window_seconds

    @property
    def total_seconds(self) -> float:
        """How long it takes when the target answers at once."""
        return self.settle_seconds + self.load_seconds


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TrialRun:
    """
    What came back from a trial.

    Attributes:
        began_seconds: When its load began, on the port's own clock.
        ended_seconds: When its last answer was in, or given up.
        samples: Every request, warm-up included; times since the load began.
        generator: Whether the generator kept up.
        generator_reason: Why, in words.
        generator_cause: What of it was the limit, in one word: ``late``, ``cpu``, ``ports`` …
        interrupted_by: The signal on which it was stopped, None when it came to its end.
        cores: Who used the machine's cores.
    """

    began_seconds: float
    ended_seconds: float
    samples: Samples
    generator: GeneratorWord = "VALID"
    generator_reason: str = ""
    generator_cause: str = ""
    interrupted_by: str | None = None
    cores: Cores = field(default_factory=Cores)


class Trials(Protocol):
    """Runs trials against one target, one after another."""

    def now_seconds(self) -> float:
        """Return the time on the clock that the budget is counted on."""
        ...

    def run(self, trial: Trial, *, seed: int) -> TrialRun:
        """Settle, load, wait for the answers, and return them."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialOutcome:
    """
    A trial, judged.

    Attributes:
        trial: What was run.
        began_seconds: When its load began, since the search did.
        ended_seconds: When its last answer was in.
        requests: Requests in the window.
        met: Whether every term held, *keeps up* included.
        terms: What each said.
        arrived_per_second: Requests that were really meant for the trial's load, per second: with
            Poisson arrivals not quite the rate that was asked for.
        completed_per_second: 2xx answers that arrived in the window, late ones too, ÷ window: what
            an overloaded target still carries.
        error_fraction: Requests without a 2xx answer ÷ requests.
        latency_seconds: ``p50`` … ``p99.9`` of the answered requests, NaN without any.
        backlog_seconds: What it left the target to do, as far as is known: requests given up
            without an answer ÷ what the target carried.
        backlog_growth: Seconds of backlog gained per second.
        dispersion: Variance ÷ mean of the 2xx answers counted in short blocks, of a trial that
            missed: how random the service itself is. NaN where it cannot be said.
        is_evidence: Whether it says anything about the target, or only about the generator.
        generator: The generator's word on itself.
        generator_reason: Why, in words.
        cores: Who used the machine's cores.
    """

    trial: Trial
    began_seconds: float
    ended_seconds: float
    requests: int
    met: bool
    terms: Sequence[TermResult]
    arrived_per_second: float
    completed_per_second: float
    error_fraction: float
    latency_seconds: Mapping[str, float] = field(default_factory=dict)
    backlog_seconds: float = 0.0
    backlog_growth: float = 0.0
    dispersion: float = math.nan
    is_evidence: bool = True
    generator: GeneratorWord = "VALID"
    generator_reason: str = ""
    cores: Cores = field(default_factory=Cores)

    @property
    def missed_terms(self) -> Sequence[TermResult]:
        """The terms that did not hold."""
        return tuple(result for result in self.terms if not result.holds)
