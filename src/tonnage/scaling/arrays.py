"""
One array per quantity, one element per policy: how this room reads what it is given.
"""

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
    "require",
    "whole",
]

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
        raise ConfigurationError(f"{rule}, not {values[int(np.argmin(holds))]}")
