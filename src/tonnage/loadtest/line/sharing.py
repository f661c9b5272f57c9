r"""
Whether a line is the service's, or what the machine left it beside the generator.

A service that takes every core it can get is at its line when none is left: that is no fault of
anybody's. But what the generator and other programs took of the cores while none was free, the
service did not have. With cores of its own it may carry more by as much as

.. math:: \frac{1}{1 - t} - 1

where :math:`t` is the share of all cores that was taken. While a core is free nobody takes anything
from anybody, however busy the generator is. So the rule asks for both, at the line: no core free,
and a share taken that shows in the line.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tonnage.domain import format_fraction

__all__ = ["MOST_TAKEN", "SHARED", "Cores", "cores_at_the_line"]

SHARED: Final = "machine"
"""The cause of a verdict: the generator shared the service's cores, and none was free."""

NO_CORE_FREE: Final = 0.97
"""Of all cores; with less in use one of them was free now and then."""

MOST_TAKEN: Final = 0.05
"""Of all cores; more than that taken from the service, and its line is only bounded from below."""

_HALF: Final = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Cores:
    """
    How the machine's cores were used around one trial, as fractions of all of them.

    Attributes:
        busy: In use during its load; 0 where the target is on another machine.
        generator: In use by the generator itself.
        others: In use by other programs in the silence before it; NaN where nobody looked.
        stolen: Taken by other guests of the same host.
    """

    busy: float = 0.0
    generator: float = 0.0
    others: float = math.nan
    stolen: float = 0.0

    @property
    def are_all_busy(self) -> bool:
        """Whether none was free."""
        return self.busy >= NO_CORE_FREE

    @property
    def taken(self) -> float:
        """What the service could not have had."""
        others = 0.0 if math.isnan(self.others) else self.others
        return self.generator + others + self.stolen

    @property
    def is_shared(self) -> bool:
        """Whether none was free, and what was taken shows in the line."""
        return self.are_all_busy and self.taken > MOST_TAKEN

    @property
    def elsewhere(self) -> str:
        """How its line may compare on cores of its own, in words."""
        if self.taken >= _HALF:
            return "more than twice as high"
        return f"{format_fraction(1 / (1 - self.taken) - 1)} higher"

    def told(self) -> str:
        """Say who took what."""
        takers = {
            "the generator": self.generator,
            "other programs": self.others,
            "the host's other guests": self.stolen,
        }
        took = [
            f"{who} took {format_fraction(share)}" for who, share in takers.items() if share > 0
        ]
        return ", ".join(["no core was free", *took])


def cores_at_the_line(near: Sequence[Cores], every: Sequence[Cores]) -> Cores:
    """
    Return how the cores were used at the line, by medians: one burst is no neighbour.

    Args:
        near: Around the trials just beyond it.
        every: Around every trial: a single look at the others sees too little, and one after an
            overload may see the target work off what it left.
    """
    looks = [one.others for one in every if not math.isnan(one.others)]
    return Cores(
        busy=float(np.median([one.busy for one in near])),
        generator=float(np.median([one.generator for one in near])),
        others=float(np.median(looks)) if looks else math.nan,
        stolen=float(np.median([one.stolen for one in near])),
    )
