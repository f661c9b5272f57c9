"""
The density proportional to exp(t u) on [0, 1], a bounded queue's backlog as a share of its room.

Each function is written so that neither t near 0 nor t far from it spoils its digits.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["mean", "quantile"]

_Floats = NDArray[np.float64]

_NEAR = 1e-3
"""|t| below which differences cancel, and a series to second order has nine digits."""
_FAR = 300.0
"""|t| beyond which exp overflows soon, and one boundary is all there is."""


def mean(tilt: _Floats) -> _Floats:
    """Return the mean, from 0 (t → -inf) over 1/2 (t = 0) to 1."""
    return _by_range(
        tilt,
        near=lambda t: 0.5 + t / 12,
        usual=lambda t: 1 / -np.expm1(-t) - 1 / t,
        far=lambda t: (t > 0) - 1 / t,
    )


def quantile(tilt: _Floats, fraction: float) -> _Floats:
    """Return what ``fraction`` of the density lies below."""
    return _by_range(
        tilt,
        near=lambda t: fraction + t * fraction * (fraction - 1) / 2,
        usual=lambda t: np.log1p(fraction * np.expm1(t)) / t,
        far=lambda t: np.where(t > 0, 1 + np.log(fraction) / t, np.log1p(-fraction) / t),
    )


def _by_range(
    tilt: _Floats,
    *,
    near: Callable[[_Floats], _Floats],
    usual: Callable[[_Floats], _Floats],
    far: Callable[[_Floats], _Floats],
) -> _Floats:
    is_near, is_far = np.abs(tilt) < _NEAR, np.abs(tilt) > _FAR
    value = usual(np.where(is_near | is_far, 1.0, tilt))
    value = np.where(is_near, near(np.where(is_near, tilt, 0.0)), value)
    return np.where(is_far, far(np.where(is_far, tilt, 1.0)), value)
