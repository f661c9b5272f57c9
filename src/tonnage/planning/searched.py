"""
What a search has found: policies, what came of each, and which was chosen.
"""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from .policies import Policies
from .space import SearchSpace

__all__ = ["SAME_COST", "Alternative", "Outcomes", "Searched", "Trial", "keeps_margin"]

_Floats = NDArray[np.float64]

SAME_COST: Final = 0.01
"""How much dearer than the cheapest a policy may be to be taken to cost the same."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Outcomes:
    """
    What came of each policy on one traffic.

    Attributes:
        offered: ``(n,) float64`` requests.
        failed: ``(n,) float64`` of them.
        instance_seconds: ``(n,) float64`` that are billed.
    """

    offered: _Floats
    failed: _Floats
    instance_seconds: _Floats

    @property
    def failed_fraction(self) -> _Floats:
        """Failed ÷ offered, 0 without requests."""
        return np.divide(
            self.failed, self.offered, out=np.zeros_like(self.failed), where=self.offered > 0
        )

    def joined(self, other: "Outcomes") -> "Outcomes":
        """Return these rows and, below them, the other's."""
        return Outcomes(
            offered=np.concatenate((self.offered, other.offered)),
            failed=np.concatenate((self.failed, other.failed)),
            instance_seconds=np.concatenate((self.instance_seconds, other.instance_seconds)),
        )


class Trial(Protocol):
    """Tries policies on a traffic."""

    def __call__(self, policies: Policies, *, raised_by: float = 0.0) -> Outcomes:
        """Return what comes of each, on the traffic raised by a fraction."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Alternative:
    """
    The best policy of another kind.

    Attributes:
        row: Where it is in what was tried.
        what: Its kind, in a word or two.
        assumed: What it takes for granted that nobody has confirmed; empty if nothing.
        held_out_failed_fraction: What its schedule fails on days that it was not made from; None
            for one without, or with dates.
    """

    row: int
    what: str
    assumed: str = ""
    held_out_failed_fraction: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Searched:
    """
    Every policy that was tried, and the one that was chosen.

    Attributes:
        policies: What was tried.
        outcomes: What came of it.
        failed_with_margin: ``(n,) float64``, the fraction that fails on the raised traffic; NaN
            where that was not tried, because too much failed already or others are cheaper.
        max_failed_fraction: What the objective allows.
        chosen: The plain row that was chosen; None where none meets the objective at all.
        holds: ``(n,) bool``, which policies keep the margin.
        keeps_margin: Whether the chosen one does.
        alternatives: The best of other kinds, where they are of use.
        left_out: What was not considered further, and why, in sentences.
    """

    policies: Policies
    outcomes: Outcomes
    failed_with_margin: _Floats
    max_failed_fraction: float
    chosen: int | None
    holds: NDArray[np.bool_]
    keeps_margin: bool
    alternatives: tuple[Alternative, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def meets(self) -> NDArray[np.bool_]:
        """Which policies meet the objective on the traffic as it is."""
        return self.outcomes.failed_fraction < self.max_failed_fraction

    @property
    def nearest(self) -> int:
        """The row that fails least, the cheapest of those."""
        return int(np.lexsort((self.outcomes.instance_seconds, self.outcomes.failed_fraction))[0])


def keeps_margin(
    fails: _Floats, raised: _Floats, allowed: float, space: SearchSpace
) -> NDArray[np.bool_]:
    """
    Return which policies hold: ``search`` says what that is.

    Args:
        fails: ``(n,)``, the fraction that fails on the traffic as it is.
        raised: ``(n,)``, on the raised traffic; NaN where that was not tried.
        allowed: The fraction that the objective allows.
        space: The share of it that may be used up.
    """
    spared = fails < allowed * space.failed_share
    return np.asarray(spared & (raised < allowed))
