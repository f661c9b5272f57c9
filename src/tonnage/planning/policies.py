"""
Policies to consider, as one table: a column a setting, a row a policy.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tonnage.scaling import ScalableTarget, TargetTrackingPolicy

__all__ = ["Policies", "PolicySettings"]

_Floats = NDArray[np.float64]
_Counts = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicySettings:
    """
    One row: the ``[scaling]`` section of the settings.

    Attributes:
        min_capacity: The least instances.
        max_capacity: The most; equal to the least, nothing scales.
        target_value: Invocations per instance and minute.
        scale_in_cooldown_seconds: After a scale-in, until the next.
        scale_out_cooldown_seconds: After a scale-out, until the next that is not larger.
    """

    min_capacity: int
    max_capacity: int
    target_value: float
    scale_in_cooldown_seconds: float = 300.0
    scale_out_cooldown_seconds: float = 300.0

    @property
    def scales(self) -> bool:
        """Whether the count can change at all."""
        return self.max_capacity > self.min_capacity


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Policies:
    """The columns, ``(n,)`` each; see ``PolicySettings``."""

    min_capacity: _Counts
    max_capacity: _Counts
    target_value: _Floats
    scale_in_cooldown_seconds: _Floats
    scale_out_cooldown_seconds: _Floats

    @classmethod
    def of(cls, rows: Sequence[PolicySettings]) -> Self:
        """Return a table of these rows."""
        return cls.columns(
            *([getattr(row, column.name) for row in rows] for column in fields(PolicySettings))
        )

    @classmethod
    def columns(
        cls,
        min_capacity: ArrayLike,
        max_capacity: ArrayLike,
        target_value: ArrayLike,
        scale_in_cooldown_seconds: ArrayLike,
        scale_out_cooldown_seconds: ArrayLike,
    ) -> Self:
        """Return a table of these columns."""
        return cls(
            min_capacity=np.array(min_capacity, dtype=np.int64),
            max_capacity=np.array(max_capacity, dtype=np.int64),
            target_value=np.array(target_value, dtype=np.float64),
            scale_in_cooldown_seconds=np.array(scale_in_cooldown_seconds, dtype=np.float64),
            scale_out_cooldown_seconds=np.array(scale_out_cooldown_seconds, dtype=np.float64),
        )

    @classmethod
    def grid(
        cls,
        *,
        min_capacity: ArrayLike,
        max_capacity: ArrayLike,
        target_value: ArrayLike,
        cooldowns_seconds: Sequence[tuple[float, float]],
    ) -> Self:
        """
        Return every combination that makes sense, none twice.

        Where the bounds are equal nothing scales, so one row stands for all.

        Args:
            min_capacity: The least instances to consider.
            max_capacity: The most.
            target_value: The targets.
            cooldowns_seconds: Pairs, of scale-in and of scale-out.
        """
        low, high, target, pair = (
            axis.ravel()
            for axis in np.meshgrid(
                np.unique(np.asarray(min_capacity)),
                np.unique(np.asarray(max_capacity)),
                np.unique(np.asarray(target_value)),
                np.arange(len(cooldowns_seconds)),
                indexing="ij",
            )
        )
        scales = high > low
        first = (target == target.min()) & (pair == 0)
        keep = scales | ((high == low) & first)
        cooldowns = np.array(cooldowns_seconds, dtype=np.float64)[pair[keep]]
        return cls.columns(low[keep], high[keep], target[keep], cooldowns[:, 0], cooldowns[:, 1])

    def __len__(self) -> int:
        return len(self.target_value)

    def row(self, index: int) -> PolicySettings:
        """Return one policy."""
        return PolicySettings(
            min_capacity=int(self.min_capacity[index]),
            max_capacity=int(self.max_capacity[index]),
            target_value=float(self.target_value[index]),
            scale_in_cooldown_seconds=float(self.scale_in_cooldown_seconds[index]),
            scale_out_cooldown_seconds=float(self.scale_out_cooldown_seconds[index]),
        )

    def take(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> "Policies":
        """Return some of the rows."""
        return Policies(
            **{column.name: getattr(self, column.name)[which] for column in fields(self)}
        )

    def joined(self, other: "Policies") -> "Policies":
        """Return these rows and, below them, the other's."""
        return Policies(
            **{
                column.name: np.concatenate(
                    (getattr(self, column.name), getattr(other, column.name))
                )
                for column in fields(self)
            }
        )

    def without(self, known: "Policies") -> "Policies":
        """Return the rows that ``known`` does not have."""
        seen = set(map(tuple, known._matrix()))  # noqa: SLF001 (another of this class)
        return self.take(np.array([tuple(row) not in seen for row in self._matrix()], dtype=bool))

    def target_tracking(self) -> TargetTrackingPolicy:
        """Return the scaling law's own form."""
        return TargetTrackingPolicy.of(
            target_value=self.target_value,
            scale_in_cooldown_seconds=self.scale_in_cooldown_seconds,
            scale_out_cooldown_seconds=self.scale_out_cooldown_seconds,
        )

    def scalable_target(self) -> ScalableTarget:
        """Return their bounds."""
        return ScalableTarget.of(min_capacity=self.min_capacity, max_capacity=self.max_capacity)

    def _matrix(self) -> list[list[float]]:
        table: list[list[float]] = np.column_stack(
            [getattr(self, column.name) for column in fields(self)]
        ).tolist()
        return table
