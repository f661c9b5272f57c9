"""
One array per quantity, one element per policy: how this room reads what it is given.
"""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from operator import is_
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tonnage.domain import ConfigurationError

__all__ = [
    "RELATIVE_TOLERANCE",
    "BoolArray",
    "CodeArray",
    "CountArray",
    "FloatArray",
    "columns",
    "lengths",
    "mean_there",
    "put",
    "require",
    "spread",
    "take",
    "whole",
]

_T = TypeVar("_T")

BoolArray = NDArray[np.bool_]
CodeArray = NDArray[np.int8]
CountArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

RELATIVE_TOLERANCE = 1e-9
"""What rounding may add to a ratio or a time: far above its noise, far below one request."""


def columns(*values: ArrayLike) -> list[NDArray[np.generic]]:
    """
    Return each value as an array of its own, all of one length: scalars are repeated.

    Raises:
        ConfigurationError: If the lengths do not fit together.
    """
    try:
        fitted = np.broadcast_arrays(*(np.atleast_1d(value) for value in values))
    except ValueError as error:
        lengths = ", ".join(str(np.size(value)) for value in values)
        raise ConfigurationError(
            f"arrays over policies have the lengths {lengths}", hint="give all the same length"
        ) from error
    return [column.copy() for column in fitted]


def whole(column: NDArray[np.generic], name: str) -> CountArray:
    """
    Return a column of whole numbers as ``int64``.

    Raises:
        ConfigurationError: If one is not whole.
    """
    values = column.astype(np.float64)
    require(values == np.floor(values), values, f"{name} must be a whole number")
    return values.astype(np.int64)


def require(holds: BoolArray, values: NDArray[np.generic], rule: str) -> None:
    """Raise ``ConfigurationError`` with the rule and the first value for which it does not hold."""
    if not holds.all():
        raise ConfigurationError(f"{rule}, not {values.ravel()[int(np.argmin(holds))]}")


def mean_there(values: FloatArray, *, axis: int) -> FloatArray:
    """Return the mean of the values that are not NaN; NaN where there are none."""
    is_there = ~np.isnan(values)
    count = is_there.sum(axis=axis)
    total: FloatArray = np.add.reduce(values, axis=axis, where=is_there)
    means = np.full(count.shape, np.nan)
    np.divide(total, count, out=means, where=count > 0)
    return means


def lengths(values: object) -> set[int]:
    """Return the lengths of all arrays in a policy, a state or a tuple of them."""
    if isinstance(values, np.ndarray):
        return {values.shape[-1]}
    return set().union(*(lengths(part) for part in _parts(values)))


def spread(values: _T, count: int) -> _T:
    """Return everything with arrays of a single element repeated to ``count`` of them."""

    def repeated(array: NDArray[np.generic]) -> NDArray[np.generic]:
        return np.broadcast_to(array, (*array.shape[:-1], count))

    return _each(values, repeated)


def take(values: _T, columns: NDArray[np.integer[Any]] | slice) -> _T:
    """
    Return some columns of everything in a policy, a state or an array, in a copy of its shape.

    The last axis of each array is the one over targets; ``spread`` first where some are single.
    """
    return _each(values, lambda array: array[..., columns])


def put(
    values: _T,
    columns: NDArray[np.integer[Any]],
    fresh: _T,
    which: NDArray[np.integer[Any]] | slice = slice(None),
) -> _T:
    """Return ``values`` with some columns taken from ``which`` of ``fresh``, of the same shape."""
    if isinstance(values, np.ndarray):
        result = values.copy()
        result[..., columns] = np.asarray(fresh)[..., which]
        return cast("_T", result)
    pairs = zip(_parts(values), _parts(fresh), strict=True)
    return _with_parts(values, [put(old, columns, new, which) for old, new in pairs])


def _each(values: _T, change: Callable[[NDArray[np.generic]], NDArray[np.generic]]) -> _T:
    if isinstance(values, np.ndarray):
        return cast("_T", change(values))
    parts = _parts(values)
    return _with_parts(values, [_each(part, change) for part in parts]) if parts else values


def _parts(values: object) -> tuple[Any, ...]:
    """Return what a dataclass or a tuple is made of; nothing for anything else."""
    if isinstance(values, tuple):
        return values
    return tuple([getattr(values, name) for name in _names(type(values))])


def _with_parts(values: _T, parts: list[Any]) -> _T:
    if all(map(is_, parts, _parts(values))):
        return values
    if isinstance(values, tuple):
        return cast("_T", tuple(parts))
    return type(values)(**dict(zip(_names(type(values)), parts, strict=True)))


def _names(kind: type) -> tuple[str, ...]:
    names = _NAMES.get(kind)
    if names is None:
        names = tuple(item.name for item in fields(kind)) if is_dataclass(kind) else ()
        _NAMES[kind] = names
    return names


_NAMES: dict[type, tuple[str, ...]] = {}
"""Field names by class, which ``fields`` is slow to give."""
