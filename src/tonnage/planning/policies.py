"""
Policies to consider, as one table: a column a setting, a row a policy.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tonnage.scaling import ScalableTarget, TargetTrackingPolicy

from .kinds import PLAIN, PolicyKind

__all__ = ["Policies", "PolicySettings"]

_Floats = NDArray[np.float64]
_Counts = NDArray[np.int64]

_NUMBERS: Final = (
    "min_capacity",
    "max_capacity",
    "target_value",
    "scale_in_cooldown_seconds",
    "scale_out_cooldown_seconds",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicySettings:
    """
    One row: the ``[scaling]`` section of the settings.

    Attributes:
        min_capacity: The least instances.
        max_capacity: The most; equal to the least, nothing scales.
        target_value: Invocations per instance and minute; with the metric of requests in flight,
            those at an instance.
        scale_in_cooldown_seconds: After a scale-in, until the next.
        scale_out_cooldown_seconds: After a scale-out, until the next that is not larger.
        kind: Its metric, and what is beside the target tracking.
    """

    min_capacity: int
    max_capacity: int
    target_value: float
    scale_in_cooldown_seconds: float = 300.0
    scale_out_cooldown_seconds: float = 300.0
    kind: PolicyKind = PLAIN

    @property
    def scales(self) -> bool:
        """Whether the count can change at all."""
        return self.max_capacity > self.min_capacity


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Policies:
    """
    The columns, ``(n,)`` each; see ``PolicySettings``.

    Attributes:
        kind: ``(n,) int64``, which of ``kinds`` each row is of.
        kinds: The kinds, none twice.
    """

    min_capacity: _Counts
    max_capacity: _Counts
    target_value: _Floats
    scale_in_cooldown_seconds: _Floats
    scale_out_cooldown_seconds: _Floats
    kind: _Counts
    kinds: tuple[PolicyKind, ...]

    @classmethod
    def of(cls, rows: Sequence[PolicySettings]) -> Self:
        """Return a table of these rows."""
        kinds = tuple(dict.fromkeys(row.kind for row in rows)) or (PLAIN,)
        table = cls.columns(*([getattr(row, name) for row in rows] for name in _NUMBERS))
        which = np.array([kinds.index(row.kind) for row in rows], dtype=np.int64)
        return replace(table, kind=which, kinds=kinds)

    @classmethod
    def columns(
        cls,
        min_capacity: ArrayLike,
        max_capacity: ArrayLike,
        target_value: ArrayLike,
        scale_in_cooldown_seconds: ArrayLike,
        scale_out_cooldown_seconds: ArrayLike,
        *,
        kind: PolicyKind = PLAIN,
    ) -> Self:
        """Return a table of these columns, all of one kind."""
        values = np.array(target_value, dtype=np.float64)
        return cls(
            min_capacity=np.array(min_capacity, dtype=np.int64),
            max_capacity=np.array(max_capacity, dtype=np.int64),
            target_value=values,
            scale_in_cooldown_seconds=np.array(scale_in_cooldown_seconds, dtype=np.float64),
            scale_out_cooldown_seconds=np.array(scale_out_cooldown_seconds, dtype=np.float64),
            kind=np.zeros(values.shape, dtype=np.int64),
            kinds=(kind,),
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

    @property
    def is_plain(self) -> NDArray[np.bool_]:
        """Which rows are target tracking on invocations and nothing beside it, ``(n,)``."""
        plain = np.array([kind == PLAIN for kind in self.kinds], dtype=np.bool_)
        return np.asarray(plain[self.kind])

    def row(self, index: int) -> PolicySettings:
        """Return one policy."""
        return PolicySettings(
            min_capacity=int(self.min_capacity[index]),
            max_capacity=int(self.max_capacity[index]),
            target_value=float(self.target_value[index]),
            scale_in_cooldown_seconds=float(self.scale_in_cooldown_seconds[index]),
            scale_out_cooldown_seconds=float(self.scale_out_cooldown_seconds[index]),
            kind=self.kinds[int(self.kind[index])],
        )

    def take(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> "Policies":
        """Return some of the rows."""
        return Policies(
            **{name: getattr(self, name)[which] for name in _NUMBERS},
            kind=self.kind[which],
            kinds=self.kinds,
        )

    def of_kind(self, kind: PolicyKind) -> "Policies":
        """Return the same rows, all of one kind."""
        return replace(self, kind=np.zeros(len(self), dtype=np.int64), kinds=(kind,))

    def joined(self, other: "Policies") -> "Policies":
        """Return these rows and, below them, the other's."""
        kinds = tuple(dict.fromkeys((*self.kinds, *other.kinds)))
        theirs = np.array([kinds.index(kind) for kind in other.kinds], dtype=np.int64)
        return Policies(
            **{
                name: np.concatenate((getattr(self, name), getattr(other, name)))
                for name in _NUMBERS
            },
            kind=np.concatenate((self.kind, theirs[other.kind])),
            kinds=kinds,
        )

    def without(self, known: "Policies") -> "Policies":
        """Return the rows that ``known`` does not have."""
        seen = set(known._rows())  # noqa: SLF001 (another of this class)
        return self.take(np.array([row not in seen for row in self._rows()], dtype=bool))

    def by_kind(self) -> Iterator[tuple[PolicyKind, NDArray[np.intp]]]:
        """Yield each kind that has rows, and which they are."""
        for index, kind in enumerate(self.kinds):
            rows = np.flatnonzero(self.kind == index)
            if len(rows):
                yield kind, rows

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

    def _rows(self) -> Iterator[tuple[object, ...]]:
        table = np.column_stack([getattr(self, name) for name in _NUMBERS]).tolist()
        for numbers, kind in zip(table, self.kind.tolist(), strict=True):
            yield (*numbers, self.kinds[kind])
