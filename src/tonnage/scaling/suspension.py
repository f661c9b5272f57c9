"""
Suspended scaling: what Application Auto Scaling keeps from happening until it is resumed.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from .arrays import BoolArray, columns

__all__ = ["SuspendedState"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SuspendedState:
    """
    AWS's three switches, for each of n scalable targets, or one for all of them.

    Policies and their alarms stay as they are: on resuming, alarms that are in ALARM ask again
    (AAS). A change of the bounds by hand is not suspended by any of them.

    Attributes:
        dynamic_scaling_in_suspended: ``(n,) bool``: no policy removes capacity.
        dynamic_scaling_out_suspended: ``(n,) bool``: no policy adds capacity.
        scheduled_scaling_suspended: ``(n,) bool``: no scheduled action runs; one whose time passes
            meanwhile is not made up for.
    """

    dynamic_scaling_in_suspended: BoolArray
    dynamic_scaling_out_suspended: BoolArray
    scheduled_scaling_suspended: BoolArray

    @classmethod
    def of(
        cls,
        *,
        dynamic_scaling_in_suspended: ArrayLike = False,
        dynamic_scaling_out_suspended: ArrayLike = False,
        scheduled_scaling_suspended: ArrayLike = False,
    ) -> Self:
        """Return the switches from plain values, or from sequences of them; all off by default."""
        into, out, scheduled = (
            column.astype(np.bool_)
            for column in columns(
                dynamic_scaling_in_suspended,
                dynamic_scaling_out_suspended,
                scheduled_scaling_suspended,
            )
        )
        return cls(
            dynamic_scaling_in_suspended=into,
            dynamic_scaling_out_suspended=out,
            scheduled_scaling_suspended=scheduled,
        )
