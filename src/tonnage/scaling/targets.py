"""
The scalable target: what may change, and how far.
"""

from dataclasses import dataclass
from typing import Self

from numpy.typing import ArrayLike

from .arrays import CountArray, columns, require, whole

__all__ = ["ScalableTarget"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ScalableTarget:
    """
    The bounds of a variant's desired instance count, for each policy.

    Attributes:
        min_capacity: ``(n,) int64``, at least 1: a variant cannot scale to zero.
        max_capacity: ``(n,) int64``, at least ``min_capacity``.

    Raises:
        ConfigurationError: If a bound is out of range.
    """

    min_capacity: CountArray
    max_capacity: CountArray

    def __post_init__(self) -> None:
        low, high = self.min_capacity, self.max_capacity
        require(low >= 1, low, "min_capacity of a variant must be at least 1")
        require(low <= high, high, f"max_capacity must not be less than min_capacity ({low.max()})")

    @classmethod
    def of(cls, *, min_capacity: ArrayLike, max_capacity: ArrayLike) -> Self:
        """Return a target from whole numbers, for one policy, or from sequences of them."""
        low, high = columns(min_capacity, max_capacity)
        return cls(
            min_capacity=whole(low, "min_capacity"), max_capacity=whole(high, "max_capacity")
        )
